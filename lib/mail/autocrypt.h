/* SPDX-License-Identifier: Apache-2.0
 *
 * The Autocrypt header field (Autocrypt Level 1, section 2.1): a sender's OpenPGP key in a field of
 * his mail. Nobody vouches for it; what it is worth is not decided here.
 */
#ifndef SEALPOST_LIB_MAIL_AUTOCRYPT_H
#define SEALPOST_LIB_MAIL_AUTOCRYPT_H

#include "lib/mail/headers.h"

/* Longer values are no Autocrypt (Level 1 asks for 10 KiB at least). */
#define AUTOCRYPT_MAX (10 * 1024)

/* The key in the one valid field whose addr is this folded address: binary, not looked at. NULL if
 * there is none, or more than one: then none counts. Fields for other addresses, of other levels
 * (unknown attributes that do not begin with "_"), with attributes twice or with broken base64 are
 * not valid. */
GBytes *autocrypt_key(const Headers *headers, const char *address);

/* One field's value: the same, without the others. */
GBytes *autocrypt_parse(const char *value, const char *address);

#endif
