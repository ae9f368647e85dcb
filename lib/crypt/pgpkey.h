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
/* Largest file, and most keys in it. */
#define PGPKEY_FILE_MAX (16 * 1024 * 1024)
#define PGPKEY_KEYS_MAX 1000

typedef struct {
	char *fingerprint; /* 40 (or 64) hex digits, upper case */
	GBytes *bytes; /* the public key, binary, minimal (third-party signatures off) */
	Secret *secret; /* the secret key, binary, without passphrase; NULL if there is none */
	char **addresses; /* of valid, unrevoked user IDs (all of a revoked key), folded */
	char **user_ids; /* for people, UTF-8 */
	char *algorithm; /* "RSA 3072", "Curve25519" */
	char **encryption_ids; /* key ids (16 hex digits) of subkeys that encrypt now */
	gint64 created; /* seconds since 1970 */
	gint64 expires; /* of the encryption ability, 0: never */
	gboolean revoked, expired, can_encrypt;
	gboolean can_sign; /* where there is a secret key: with that */
} PgpKey;

void pgpkey_free(PgpKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpKey, pgpkey_free)

/* All keys in a file (armoured, several blocks, text around them; binary; bare base64). Several forms of one
 * key (an older and a newer one, public and secret) become one. passphrase (may be NULL): for
 * protected secret keys; they come out unprotected, and have proved that they can sign.
 * Keys that gpg does not take are left out as long as one remains. Array of PgpKey *, at least
 * one. ERROR_PASSPHRASE; ERROR_MALFORMED; ERROR_UNSUPPORTED: not OpenPGP, or of another version
 * than 4; ERROR_TOO_LARGE.
 * folder: a private folder, in RAM; a GnuPG home is made in it and removed before the return.
 * deadline: g_get_monotonic_time(), ERROR_TIMEOUT; 0: each run of gpg may take 60 s. */
GPtrArray *pgpkey_read(GBytes *file, const Secret *passphrase, const char *folder, gint64 deadline,
		       GError **error);

/* A public key as it stands in somebody's mail, which nobody has judged yet. */
typedef struct {
	char *fingerprint;
	GBytes *bytes; /* binary, without what others signed */
	gboolean named; /* one of its user IDs claims to be of the address */
} PgpCarried;
void pgp_carried_free(PgpCarried *carried);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpCarried, pgp_carried_free)

/* Longer keys are left out, and so is what comes after the first few. */
#define PGPKEY_CARRIED_MAX (32 * 1024)
#define PGPKEY_CARRIED_KEYS_MAX 5
/* Longest RSA, DSA or Elgamal key of these. */
#define PGPKEY_CARRIED_BITS_MAX 8192
/* The public keys of version 4 in a piece of mail (as pgpkey_read() takes it; base64 or armour is
 * undone), each with the user IDs of that folded address, or with its first one if none is. An array
 * of PgpCarried *, empty if there is nothing to take. */
GPtrArray *pgpkey_carried(GBytes *file, const char *address);

/* The public keys of a file (as pgpkey_read() takes it) that have no user ID, whole: gpg takes them only
 * together with the key that they belong to. An array of PgpCarried *. *others: there are further keys
 * in it, or it cannot be read. */
GPtrArray *pgpkey_nameless(GBytes *file, gboolean *others);

/* A secret key (as in PgpKey.secret) for the way out: armoured, under a passphrase. */
Secret *pgpkey_protect(const Secret *secret, const Secret *passphrase, const char *folder,
		       GError **error);

/* Armoured public key. New string. */
char *pgpkey_armor(GBytes *bytes);

/* What a recipient takes of a message's head at most, armoured (RSA with 8192 bits). */
#define PGP_HEAD_RECIPIENT 1600
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
/* Is the whole of source, binary or in one armour, one encrypted message: session keys and the data
 * that they open, complete and with nothing but blanks around it? FALSE also if it cannot be read. */
gboolean pgp_is_sealed(Source *source);

#endif
