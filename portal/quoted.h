/* SPDX-License-Identifier: Apache-2.0
 *
 * Quoted-printable (RFC 2045, section 6.7) for the notices' texts: readable in any raw view.
 */
#ifndef SEALPOST_PORTAL_QUOTED_H
#define SEALPOST_PORTAL_QUOTED_H

/* The text's lines (LF), encoded, with CRLF; none is over 76 letters. New string. */
char *quoted_encode(const char *text);

#endif
