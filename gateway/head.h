/* SPDX-License-Identifier: Apache-2.0
 *
 * A header block as text, read into fields: what lib/crypt made (the content fields of a new
 * entity), and a whole message on explain's standard input. Mail from the MTA comes as fields
 * already (receive.c).
 */
#ifndef SEALPOST_GATEWAY_HEAD_H
#define SEALPOST_GATEWAY_HEAD_H

#include "lib/mail/headers.h"
#include "lib/mail/spool.h"

/* The fields at the start of text, with LF or CRLF line ends. *used gets the bytes up to the body:
 * behind the blank line, or, as in Postfix, at the first line that is no field: where mime_parse()
 * sees the end of the root's header. NUL bytes become blanks, as there. ERROR_TOO_LARGE over the
 * limits of Headers. */
Headers *head_parse(const char *text, gsize size, gsize *used, GError **error);

/* The same over the front of a spool; *body gets the range of the rest. */
Headers *head_read(Spool *spool, Range *body, GError **error);

#endif
