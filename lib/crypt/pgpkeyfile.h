/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of OpenPGP keys, taken apart before gpg sees it: armour off, what is no key left out,
 * third-party signatures and pictures stripped, sizes bounded. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPKEYFILE_H
#define SEALPOST_LIB_CRYPT_PGPKEYFILE_H

#include <glib.h>

typedef struct {
	GByteArray *packets; /* of all keys of version 4, in order; wiped when freed */
	guint keys;
	gboolean secret; /* secret keys are among them */
} PgpKeyFile;

/* ERROR_UNSUPPORTED: no OpenPGP keys, or only of other versions (their number is in the text);
 * ERROR_MALFORMED; ERROR_TOO_LARGE. */
PgpKeyFile *pgp_keyfile_read(GBytes *file, GError **error);
void pgp_keyfile_free(PgpKeyFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpKeyFile, pgp_keyfile_free)

#endif
