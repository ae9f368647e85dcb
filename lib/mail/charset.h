/* SPDX-License-Identifier: Apache-2.0
 *
 * Text of any charset as UTF-8. For lib/mail only.
 */
#ifndef SEALPOST_LIB_MAIL_CHARSET_H
#define SEALPOST_LIB_MAIL_CHARSET_H

#include <glib.h>

/* Appends bytes of a named charset as UTF-8, with U+FFFD for what is none of it. Of an unknown
 * charset or NULL: as UTF-8 if most of them are, else as Latin 1. */
void charset_append_utf8(GString *text, const char *charset, const char *bytes, gsize size);

#endif
