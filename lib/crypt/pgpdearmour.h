/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes in an armoured message, as they come (RFC 4880, section 6.2): one block from the first
 * line to the last, whole, in lines of base64 as programs write them. Its checksum, if there is one
 * (newer programs write none: RFC 9580, section 6.1), is right; gpg 2.2 cannot read all that have none.
 * Anything else is gpg's to make sense of: it is ERROR_MALFORMED here. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPDEARMOUR_H
#define SEALPOST_LIB_CRYPT_PGPDEARMOUR_H

#include "lib/mail/stream.h"

/* label as in "PGP MESSAGE"; both are borrowed. It has no length, and cannot be read twice. The last
 * bytes have come, and the checksum held, when it says that it is at its end. */
Source *pgp_dearmour_new(Source *text, const char *label);

#endif
