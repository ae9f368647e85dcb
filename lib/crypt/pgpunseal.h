/* SPDX-License-Identifier: Apache-2.0
 *
 * The layers that bytes pass on their way out of an OpenPGP message, each in constant memory: the
 * cipher with its integrity code, compression (RFC 4880, sections 5.13, 5.6). The twin of pgplayer.h.
 * For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPUNSEAL_H
#define SEALPOST_LIB_CRYPT_PGPUNSEAL_H

#include "lib/base/secret.h"
#include "lib/mail/stream.h"

/* A symmetric key and what it is for. */
enum {
	PGP_CIPHER_AES128 = 7,
	PGP_CIPHER_AES192 = 8,
	PGP_CIPHER_AES256 = 9,
};
/* Bytes of a key for that cipher; 0: none of ours. */
gsize pgp_cipher_key_size(guint cipher);

/* What is inside a symmetrically encrypted, integrity protected data packet of version 1, whose
 * body behind the version is `body` (borrowed). Nothing of it is authentic before
 * pgp_unseal_finish(). NULL: ERROR_CRYPTO. */
typedef struct PgpUnseal PgpUnseal;
PgpUnseal *pgp_unseal_new(guint cipher, const Secret *key, Source *body, GError **error);
Source *pgp_unseal_source(PgpUnseal *unseal); /* borrowed; no length, cannot be read twice */
/* After its end was read: does the integrity code hold? ERROR_MALFORMED if not. */
gboolean pgp_unseal_finish(PgpUnseal *unseal, GError **error);
void pgp_unseal_free(PgpUnseal *unseal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpUnseal, pgp_unseal_free)

/* What a compressed data packet unfolds to; body is borrowed. Without limit: that is the sink's. ZIP
 * and ZLIB; ERROR_MALFORMED for others, and for what is broken. A few bytes behind its end are passed over. */
Source *pgp_inflate_new(Source *body, GError **error);

#endif
