/* SPDX-License-Identifier: Apache-2.0
 *
 * A session key under an elliptic curve key (RFC 6637): an ephemeral key, the shared secret, a key
 * derived from it that wraps the session key (RFC 3394). For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPECDH_H
#define SEALPOST_LIB_CRYPT_PGPECDH_H

#include "lib/base/secret.h"

typedef struct PgpEcdh PgpEcdh;

/* From an ECDH key's material: curve, point, how keys are derived. NULL: malformed, a point that is
 * not on its curve, or a curve or an algorithm that we leave to gpg. */
PgpEcdh *pgp_ecdh_read(const guint8 *material, gsize size, const guint8 *fingerprint);
void pgp_ecdh_free(PgpEcdh *ecdh);

/* Bytes of a point on its curve, as OpenPGP writes it. */
gsize pgp_ecdh_point(const PgpEcdh *ecdh);

/* Appends what follows the algorithm in a session key packet. FALSE: see OpenSSL's error queue. */
gboolean pgp_ecdh_append(const PgpEcdh *ecdh, const Secret *session, GByteArray *body);
/* The way back: from the shared point, which the secret key's keeper computed, and the wrapped session
 * key to algorithm, key and sum. NULL: they do not fit each other. */
Secret *pgp_ecdh_open(const PgpEcdh *ecdh, const guint8 *shared, gsize shared_size,
		      const guint8 *wrapped, gsize size);

#endif
