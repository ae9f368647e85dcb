/* SPDX-License-Identifier: Apache-2.0
 *
 * A signature over a document as it passes (RFC 4880, sections 5.2.3 and 5.4). The hash is made
 * here; the secret key stays in gpg-agent, which signs the hash. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPSIGNATURE_H
#define SEALPOST_LIB_CRYPT_PGPSIGNATURE_H

#include "lib/crypt/pgphome.h"
#include "lib/crypt/pgppacket.h"

/* The (sub)key that signs; keygrip is borrowed. */
typedef struct {
	const char *keygrip;
	guint8 fingerprint[PGP_FINGERPRINT];
	guint8 algorithm;
} PgpSigner;

/* The one that gpg would take: the newest subkey that may sign now, else the primary key. FALSE:
 * none, or of a kind that we leave to gpg; ours are RSA, ECDSA and Ed25519. */
gboolean pgp_signer_choose(const PgpSecretKey *secret, PgpSigner *signer);

/* SHA-512, as gpg is told to use (pgpfolder.c). */
typedef struct PgpSignature PgpSignature;
PgpSignature *pgp_signature_new(const PgpSigner *signer, GError **error); /* signer is borrowed */
void pgp_signature_free(PgpSignature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpSignature, pgp_signature_free)

/* The packet that goes before the document. */
gboolean pgp_signature_announce(const PgpSignature *signature, Sink *sink, GError **error);
gboolean pgp_signature_update(PgpSignature *signature, const void *data, gsize size,
			      GError **error);
/* Signs; the packet that goes after the document. As pgp_agent_sign(). */
gboolean pgp_signature_write(PgpSignature *signature, PgpHome *home, gint64 deadline, Sink *sink,
			     GError **error);

#endif
