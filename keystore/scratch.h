/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading OpenPGP keys needs GnuPG, and GnuPG a passing home with a short path that nobody else
 * can look into and that is no disk: a folder in RAM, made and removed for each call.
 */
#ifndef SEALPOST_KEYSTORE_SCRATCH_H
#define SEALPOST_KEYSTORE_SCRATCH_H

#include "lib/crypt/pgpkey.h"

/* pgpkey_read() in such a folder. */
GPtrArray *scratch_read_pgp(GBytes *file, const Secret *passphrase, GError **error);

/* Makes the folder (mode 0700) and returns its path; the caller ends it with scratch_remove(). */
char *scratch_make(GError **error);
void scratch_remove(char *folder);

#endif
