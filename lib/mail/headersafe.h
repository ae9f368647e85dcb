/* SPDX-License-Identifier: Apache-2.0
 *
 * Header fields in a form that survives every relay: ASCII, lines of at most 998, no blanks at
 * the end of a line.
 */
#ifndef SEALPOST_LIB_MAIL_HEADERSAFE_H
#define SEALPOST_LIB_MAIL_HEADERSAFE_H

#include "lib/mail/headers.h"

/* RFC 5322, section 2.1.1, without CRLF. */
#define SAFE_LINE_MAX 998

gboolean header_is_safe(const Header *header);

/* The same field's value in such a form; its meaning stays. ERROR_UNSUPPORTED if it has none. New
 * string. */
char *header_make_safe(const Header *header, GError **error);

#endif
