/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of PgpHome, for lib/crypt/pgp*.c: the folder's contexts, its secret keys, its agent.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPHOME_H
#define SEALPOST_LIB_CRYPT_PGPHOME_H

#include "lib/base/kept.h"
#include "lib/crypt/pgp.h"
#include "lib/crypt/pgprun.h"

/* A secret key that is in the working copy; immutable, lives as long as the home. */
typedef struct {
	gpgme_key_t key;
	GBytes *public_key;
	char *form; /* pgp_own_form() */
	char **fingerprints; /* of the primary key and all subkeys */
} PgpSecretKey;

/* An idle context, or a new one. */
PgpContext *pgp_home_take(PgpHome *home, GError **error);
/* Gives it back after a success, frees it after a failure. Returns good. */
gboolean pgp_home_end(PgpHome *home, PgpContext *context, gboolean good);

/* Borrowed; NULL if pgp_home_need_secret() has not brought it. */
const PgpSecretKey *pgp_home_secret(PgpHome *home, const char *fingerprint);

/* Whoever works with secret keys stands between these two: an import changes the keyring, and
 * others would find it empty meanwhile. */
void pgp_home_enter(PgpHome *home);
void pgp_home_leave(PgpHome *home);

/* Where gpg's home is, as gpg sees it. Borrowed. */
const char *pgp_home_folder(const PgpHome *home);

/* Visiting homes (pgp_visit.h) that wait for their next run, and where they lie in ours. */
#define PGP_VISIT_PREFIX "run-"
struct PgpVisit;
struct PgpVisit *pgp_home_take_visit(PgpHome *home); /* NULL: none waits */
void pgp_home_give_visit(PgpHome *home, struct PgpVisit *visit);
/* Public keys as a keyring has them once gpg has looked at their own signatures, by SHA-256 of the
 * key: behind each signature stands gpg's note that it holds (a trust packet, RFC 4880, section
 * 5.10), and no later run looks again; with Ed25519 that was two thirds of a run. The notes are only
 * what gpg itself wrote in this process about exactly these bytes. Borrowed; of GBytes *. */
Kept *pgp_home_checked(PgpHome *home);

/* How many contexts, visits and connections wait at most, of each. */
#define PGP_HOME_IDLE_MAX 32

/* Connections to the folder's agent that wait for their next use. */
typedef struct PgpAgent PgpAgent;
PgpAgent *pgp_home_take_agent(PgpHome *home); /* NULL: none waits */
void pgp_home_give_agent(PgpHome *home, PgpAgent *agent);

/* gpg's answers on recipients' keys (pgptargets.h) and senders' (pgpsigners.h). Borrowed. */
Kept *pgp_home_targets(const PgpHome *home);
Kept *pgp_home_signers(const PgpHome *home);

/* --- pgplisting.c --- */

/* What gpg lists of a public key (binary), which it does not take into a keyring: array of gpgme_key_t.
 * NULL: it could not be asked. */
GPtrArray *pgp_home_list(PgpHome *home, GBytes *key, gint64 deadline);
/* The public key of that fingerprint, with all its subkeys. */
GBytes *pgp_export_public(PgpHome *home, const char *fingerprint, gint64 deadline, GError **error);
/* Makes sure that the agent runs. */
gboolean pgp_home_wake(PgpHome *home, gint64 deadline, GError **error);

/* --- pgpfolder.c: the files of a GnuPG home --- */

/* gpg.conf and gpg-agent.conf of a home with an agent of its own; gpg.conf of one without. */
gboolean pgp_write_settings(const char *folder, GError **error);
gboolean pgp_write_visit_settings(const char *folder, GError **error);
gboolean pgp_write_file(const char *folder, const char *name, const void *data, gsize size,
			GError **error);
/* Removes a home that was made for a while, with all that gpg put there. */
void pgp_remove_folder(const char *folder);

/* --- pgpagent.c --- */

/* Asks the agent of a GnuPG folder to end; kills each that is still there, after a second at most.
 * gpg starts another one when it needs it. No agent: fine. */
void pgp_agent_end(const char *folder);
/* After a time that was too short for something: the agent is ended if it is to blame, which is if it
 * does not even greet. A message that took its time is no reason to take the agent from others. */
void pgp_agent_end_silent(PgpHome *home);
/* Signs a hash (an algorithm of pgppacket.h) with the secret key of that keygrip. answer gets the
 * agent's S-expression. An agent that is gone is started again, and asked again. ERROR_TIMEOUT,
 * ERROR_CRYPTO. */
typedef struct {
	const char *keygrip;
	guint algorithm;
	const guint8 *digest;
	gsize size;
} PgpHash;
#define PGP_AGENT_DATA_MAX 8192
gboolean pgp_agent_sign(PgpHome *home, const PgpHash *hash, gint64 deadline, GByteArray *answer,
			GError **error);
/* Opens a ciphertext (an S-expression, "(7:enc-val…") with the secret key of that keygrip: the
 * agent's S-expression with what was inside. As pgp_agent_sign(). */
Secret *pgp_agent_decrypt(PgpHome *home, const char *keygrip, GBytes *ciphertext, gint64 deadline,
			  GError **error);
void pgp_agent_free(PgpAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpAgent, pgp_agent_free)
/* Changes the passphrase of the private key of that keygrip. old (NULL: it has none, else
 * ERROR_PASSPHRASE), new (NULL: it is to have none). */
gboolean pgp_agent_passwd(const char *folder, const char *keygrip, const Secret *old,
			  const Secret *new, GError **error);

#endif
