/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP keys as values: split, described, judged by what gpg says of them (never imported for
 * it). And the packets at the head of a message: enough to know that it is one and for whom.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPKEY_H
#define SEALPOST_LIB_CRYPT_PGPKEY_H

#include "lib/crypt/pgp.h"

/* Largest key that is taken; third-party signatures are stripped first. */
#define PGPKEY_MAX (256 * 1024)

typedef struct {
	char *fingerprint; /* 40 (or 64) hex digits, upper case */
	GBytes *bytes; /* the public key, binary, minimal (third-party signatures off) */
	Secret *secret; /* the secret key, binary, without passphrase; NULL if there is none */
	char **addresses; /* of valid, unrevoked user IDs, folded; NULL-terminated */
	char **user_ids; /* for people, UTF-8 */
	char *algorithm; /* "RSA 3072", "Curve25519" */
	char **encryption_ids; /* key ids (16 hex digits) of subkeys that encrypt now */
	gint64 created; /* seconds since 1970 */
	gint64 expires; /* of the encryption ability, 0: never */
	gboolean revoked, expired, can_encrypt, can_sign;
} PgpKey;

void pgpkey_free(PgpKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpKey, pgpkey_free)

/* All keys in a file (armoured or binary, several blocks). passphrase: for protected secret keys;
 * they come out unprotected. ERROR_PASSPHRASE, ERROR_MALFORMED, ERROR_UNSUPPORTED (not OpenPGP),
 * ERROR_TOO_LARGE. folder: a private folder for a passing GnuPG home (removed at once); at most 60
 * characters. Array of PgpKey *, at least one. */
GPtrArray *pgpkey_read(GBytes *file, const Secret *passphrase, const char *folder, GError **error);

/* Armoured public key. New string. */
char *pgpkey_armor(GBytes *bytes);
/* Armoured secret key. */
Secret *pgpkey_armor_secret(const Secret *secret);

/* The head of an OpenPGP message, binary or armoured: key ids (16 hex digits, upper case) of its
 * PKESK packets; *encrypted: an encrypted data packet follows. ERROR_MALFORMED if it is none. */
typedef struct {
	GPtrArray *key_ids; /* of char * */
	gboolean encrypted; /* (S)EIPD or AEAD data */
	gboolean integrity; /* ... with integrity protection */
	gboolean signature; /* begins with a signature or one-pass signature */
} PgpHead;
void pgp_head_free(PgpHead *head);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpHead, pgp_head_free)
PgpHead *pgp_head_read(Source *source, GError **error);

#endif
