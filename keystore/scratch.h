/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading OpenPGP keys needs GnuPG, and GnuPG a passing home with a short path that nobody else
 * can look into and that is no disk: a folder in RAM, made and removed for each call.
 */
#ifndef SEALPOST_KEYSTORE_SCRATCH_H
#define SEALPOST_KEYSTORE_SCRATCH_H

#include "lib/crypt/pgpkey.h"

/* pgpkey_read() in such a folder. */
GPtrArray *scratch_read_pgp(GBytes *file, const Secret *passphrase, gint64 deadline,
			    GError **error);
/* Is an error of it the file's fault, as opposed to ours? */
gboolean scratch_is_bad_file(const GError *error);

/* Two forms of one key as GnuPG merges them: new user IDs, later self-signatures, revocations. NULL
 * if that does not work out, or they are not of one key. */
PgpKey *scratch_merge_pgp(GBytes *one, GBytes *other);

/* Makes the folder (mode 0700) and returns its path; the caller ends it with scratch_remove(). */
char *scratch_make(GError **error);
void scratch_remove(char *folder);

#endif
