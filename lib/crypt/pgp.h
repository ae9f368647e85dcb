/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP over GPGME, streaming (RFC 4880, RFC 3156). One PgpHome for a GnuPG folder, one
 * PgpSession per thread at a time. Recipients' keys never enter a keyring: gpg gets each as a
 * memfd. No network, no prompts, a time limit for each operation.
 */
#ifndef SEALPOST_LIB_CRYPT_PGP_H
#define SEALPOST_LIB_CRYPT_PGP_H

#include "lib/base/secret.h"
#include "lib/mail/stream.h"

typedef struct PgpHome PgpHome;

/* The working copy in folder (made with mode 0700 if absent; its gpg.conf and gpg-agent.conf are
 * written anew): at most 75 characters, else ERROR_CONFIG. Shared by threads. */
PgpHome *pgp_home_open(const char *folder, GError **error);
/* Ends the folder's gpg-agent and deletes the secret keys; nobody else may use the folder. Other
 * files stay. */
void pgp_home_close(PgpHome *home);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpHome, pgp_home_close)

/* An own key as the store has it. */
typedef struct {
	const char *fingerprint;
	GBytes *public_key; /* may say more than the secret key's bytes: revocations; may be NULL */
	const Secret *secret; /* binary or armoured, without passphrase */
	gint64 deadline; /* for bringing it: g_get_monotonic_time(); 0: 60 s for each run of gpg */
} PgpOwnKey;
/* Which form of the key that is: a hash of both. New string. */
char *pgp_own_form(const PgpOwnKey *own);
/* Brings it into the working copy, once; later calls with the same form return at once, another
 * form is brought again. */
gboolean pgp_home_need_secret(PgpHome *home, const PgpOwnKey *own, GError **error);

/* The fingerprints of the secret keys that were brought; NULL-terminated, new. */
char **pgp_home_secrets(PgpHome *home);
/* Takes a secret key out of the working copy: it signs and opens nothing any more. */
void pgp_home_forget_secret(PgpHome *home, const char *fingerprint);

/* Is it there already, in this form and with all its files? */
gboolean pgp_home_has_secret(PgpHome *home, const char *fingerprint, const char *form);

typedef struct {
	const char *signer; /* full fingerprint of a key that is in the home; NULL: no signature */
	GPtrArray *recipients; /* of GBytes *: one public key each (binary); NULL: no encryption */
	gint64 deadline; /* g_get_monotonic_time(); 0: 60 s from now */
} PgpJob;

/* Makes the new entity (content headers, blank line, body, CRLF), RFC 3156:
 * - recipients: multipart/encrypted; with a signer signed and encrypted in one (section 6.2);
 * - signer alone: multipart/signed over the entity, byte for byte (the caller made it safe).
 * ERROR_KEY_UNUSABLE if gpg refuses a recipient's key, ERROR_TIMEOUT, ERROR_CRYPTO. If the agent
 * died, it is tried once more. */
gboolean pgp_protect(PgpHome *home, const PgpJob *job, Source *entity, Sink *sink, GError **error);

#endif
