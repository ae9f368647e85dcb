/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP on the way in: opened and verified, streaming. A private key can open nothing for anybody
 * but those who were named, whatever a message says: only theirs are tried, and each run of gpg sees
 * a home of its own that holds the named keys and no others, with the agent of PgpHome behind it.
 */
#ifndef SEALPOST_LIB_CRYPT_PGP_OPEN_H
#define SEALPOST_LIB_CRYPT_PGP_OPEN_H

#include "lib/crypt/pgp.h"

typedef struct {
	GPtrArray *secrets; /* of char *: fingerprints of keys in the home (pgp_home_need_secret());
			       may be NULL */
	GPtrArray
		*signers; /* of GBytes *: public keys (PgpKey.bytes) that signatures may be of; may
			       be NULL */
	gint64 deadline; /* g_get_monotonic_time(); 0: 60 s from now */
} PgpOpenJob;

/* What is known of one signature. */
typedef struct {
	const char
		*result; /* "good", "expired" (key or signature), "revoked", "wrong-usage", "weak"
			       (MD5, SHA-1, RIPEMD-160), "bad", "no-key", "unsupported". Static. */
	char *key; /* fingerprint of the primary key; where the key is not at hand, whatever
			       the signature tells: fingerprint or key id; NULL: nothing */
	gint64 created; /* seconds since 1970, 0: unknown */
} PgpSignature;

typedef struct {
	gboolean opened;
	const char *reason; /* if not: "no-key", "damaged", "no-integrity", "too-large". Static. */
	char *algorithm; /* "AES256"; NULL if not known */
	char *key; /* fingerprint of the primary key that opened it; NULL if it stayed shut */
	GPtrArray *signatures; /* of PgpSignature *: inside; empty if there is none */
} PgpOpened;
void pgp_opened_free(PgpOpened *opened);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpOpened, pgp_opened_free)

/* Opens a message (binary or armoured). What is inside goes into plain, and may be used only if
 * the result says opened: it comes before the message's end was seen. plain must be one that can
 * start anew (sink_restart()). If it reports ERROR_TOO_LARGE the message stays shut for that reason.
 * NULL is a failure of ours: ERROR_TIMEOUT, ERROR_CRYPTO (the agent), or what source or sink
 * reported. If the agent died, it is tried once more. */
PgpOpened *pgp_open(PgpHome *home, const PgpOpenJob *job, Source *message, Sink *plain,
		    GError **error);

/* A signed thing. With a content: signature is detached and over exactly these bytes. Without
 * (NULL): signature has its content inside (clear-signed or opaque); it goes into plain. */
typedef struct {
	Source *signature;
	Source *content;
	Sink *plain; /* may be NULL with a content */
} PgpSigned;
/* Array of PgpSignature *; empty if there is none in it. NULL is a failure of ours. */
GPtrArray *pgp_verify(PgpHome *home, const PgpOpenJob *job, const PgpSigned *signed_thing,
		      GError **error);

#endif
