/* SPDX-License-Identifier: Apache-2.0
 *
 * What gpg says of a key, in our terms. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPDESCRIBE_H
#define SEALPOST_LIB_CRYPT_PGPDESCRIBE_H

#include <gpgme.h>

#include "lib/crypt/pgpkey.h"

/* All but the bytes. */
PgpKey *pgp_describe(gpgme_key_t listed);
/* The subkey that gpg would encrypt to now; borrowed, NULL: none. */
gpgme_subkey_t pgp_encrypting_subkey(gpgme_key_t listed);
gboolean pgp_has_secret(gpgme_key_t listed);

#endif
