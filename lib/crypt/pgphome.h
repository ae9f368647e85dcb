/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of PgpHome, for lib/crypt/pgp*.c: the folder's contexts, its secret keys, its agent.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPHOME_H
#define SEALPOST_LIB_CRYPT_PGPHOME_H

#include "lib/crypt/pgp.h"
#include "lib/crypt/pgprun.h"

/* A secret key that is in the working copy; immutable, lives as long as the home. */
typedef struct {
	gpgme_key_t key;
	char **fingerprints; /* of the primary key and all subkeys */
} PgpSecretKey;

/* An idle context, or a new one; given back after a success, freed after a failure. */
PgpContext *pgp_home_take(PgpHome *home, GError **error);
void pgp_home_give(PgpHome *home, PgpContext *context);

/* Borrowed; NULL if pgp_home_need_secret() has not brought it. */
const PgpSecretKey *pgp_home_secret(PgpHome *home, const char *fingerprint);

/* Whoever works with secret keys stands between these two: an import changes the keyring, and
 * others would find it empty meanwhile (FACTS.md 6). */
void pgp_home_enter(PgpHome *home);
void pgp_home_leave(PgpHome *home);

/* Where gpg's home is, as gpg sees it. Borrowed. */
const char *pgp_home_folder(const PgpHome *home);

/* Writes gpg.conf and gpg-agent.conf into folder. */
gboolean pgp_write_settings(const char *folder, GError **error);

/* --- pgpagent.c --- */

/* Asks the agent of a GnuPG folder to end; kills it if it has not done so after a second. gpg
 * starts another one when it needs it. No agent: fine. */
void pgp_agent_end(const char *folder);
/* Changes the passphrase of the private key of that keygrip. old (NULL: it has none, else
 * ERROR_PASSPHRASE), new (NULL: it is to have none). */
gboolean pgp_agent_passwd(const char *folder, const char *keygrip, const Secret *old,
			  const Secret *new, GError **error);

#endif
