/* SPDX-License-Identifier: Apache-2.0
 *
 * A signature packet of version 4 that came in, and whether it holds (RFC 4880, section 5.2). Only
 * what is common and says nothing that would change what it means: no end, nothing critical that is
 * not known here. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPVERIFY_H
#define SEALPOST_LIB_CRYPT_PGPVERIFY_H

#include <openssl/evp.h>

#include "lib/crypt/pgppacket.h"

/* Types (section 5.2.1). */
enum {
	PGP_OVER_BINARY = 0,
	PGP_OVER_TEXT = 1,
	PGP_SUBKEY_BINDING = 0x18,
	PGP_PRIMARY_BINDING = 0x19,
};

/* Points into the packet's body. */
typedef struct {
	guint8 type, algorithm, hash;
	gint64 created; /* seconds since 1970 */
	const guint8 *issuer; /* key id; NULL: not told */
	const guint8 *fingerprint; /* the same; NULL: not told */
	const guint8 *hashed; /* what the hash ends with */
	gsize hashed_size;
	const guint8 *embedded; /* another signature's body; NULL: none */
	gsize embedded_size;
	const guint8 *start; /* of the digest: two bytes */
	const guint8 *numbers;
	gsize numbers_size;
} PgpSignatureHead;

/* FALSE: malformed, or of a form that is left to gpg. strict: FALSE where gpg has judged it. */
gboolean pgp_signature_read(const guint8 *body, gsize size, gboolean strict,
			    PgpSignatureHead *head);

/* OpenSSL's; NULL: none of ours (SHA-256, 384, 512). */
const EVP_MD *pgp_verify_hash(guint8 hash);
/* Is it a signature by that key over what has gone into hash? The hash is used up. */
gboolean pgp_signature_holds(const PgpSignatureHead *head, EVP_MD_CTX *hash, EVP_PKEY *key);

#endif
