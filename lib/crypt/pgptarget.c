/* SPDX-License-Identifier: Apache-2.0
 *
 * The session key on its way to a recipient. See pgptarget.h.
 */
#include "lib/crypt/pgptarget.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "lib/crypt/pgpdescribe.h"
#include "lib/crypt/pgpecdh.h"
#include "lib/crypt/pgpmaterial.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/x509_private.h"

struct PgpTarget {
	guint8 fingerprint[PGP_FINGERPRINT];
	guint8 algorithm;
	gint64 end;
	EVP_PKEY *rsa;
	PgpEcdh *ecdh; /* one of them */
};

static void target_clear(PgpTarget *target)
{
	EVP_PKEY_free(target->rsa);
	pgp_ecdh_free(target->ecdh);
}

PgpTarget *pgp_target_ref(PgpTarget *target)
{
	return g_atomic_rc_box_acquire(target);
}

void pgp_target_unref(PgpTarget *target)
{
	if (target)
		g_atomic_rc_box_release_full(target, (GDestroyNotify)target_clear);
}

gint64 pgp_target_end(const PgpTarget *target)
{
	return target->end;
}

static gboolean read_material(PgpTarget *target, const PgpPacket *packet)
{
	const guint8 *material = packet->body + PGP_MATERIAL_AT;
	gsize size = packet->length - PGP_MATERIAL_AT;

	target->algorithm = packet->body[PGP_MATERIAL_AT - 1];
	if (target->algorithm == PGP_RSA || target->algorithm == PGP_RSA_ENCRYPT)
		target->rsa = pgp_rsa_key(material, size);
	else if (target->algorithm == PGP_ECDH)
		target->ecdh = pgp_ecdh_read(material, size, target->fingerprint);
	ERR_clear_error();
	return target->rsa || target->ecdh;
}

static gint64 earlier_end(gint64 one, gint64 other)
{
	if (one == 0 || other == 0)
		return MAX(one, other);
	return MIN(one, other);
}

PgpTarget *pgp_target_new(gpgme_key_t listed, GBytes *key)
{
	gpgme_subkey_t subkey = pgp_encrypting_subkey(listed);
	PgpPacket packet;

	if (!subkey || !subkey->fpr || !pgp_packet_find(key, subkey->fpr, &packet))
		return NULL;
	g_autoptr(PgpTarget) target = g_atomic_rc_box_new0(PgpTarget);

	target->end = earlier_end(subkey->expires, listed->subkeys->expires);
	return pgp_read_fingerprint(subkey->fpr, target->fingerprint) &&
			       read_material(target, &packet)
		       ? g_steal_pointer(&target)
		       : NULL;
}

Secret *pgp_session_new(GError **error)
{
	g_autoptr(Secret) session = secret_new(PGP_SESSION_CODED);
	guint8 *coded = secret_data(session);
	guint sum = 0;

	if (RAND_priv_bytes(coded + 1, PGP_SESSION_KEY) != 1) {
		crypt_fail(error, ERROR_CRYPTO, "no random bytes");
		return NULL;
	}
	coded[0] = PGP_AES256;
	for (gsize i = 1; i <= PGP_SESSION_KEY; i++)
		sum += coded[i];
	coded[PGP_SESSION_KEY + 1] = (guint8)(sum >> 8);
	coded[PGP_SESSION_KEY + 2] = (guint8)sum;
	return g_steal_pointer(&session);
}

static gboolean append_rsa(EVP_PKEY *key, const Secret *session, GByteArray *body)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	guint8 sealed[PGP_RSA_MAX];
	gsize size = sizeof(sealed);
	gboolean good = context && EVP_PKEY_encrypt_init(context) == 1 &&
			EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
			EVP_PKEY_encrypt(context, sealed, &size, secret_bytes(session),
					 secret_size(session)) == 1;

	EVP_PKEY_CTX_free(context);
	if (good)
		pgp_append_mpi(body, sealed, size);
	return good;
}

gboolean pgp_target_write(const PgpTarget *target, const Secret *session, Sink *sink,
			  GError **error)
{
	g_autoptr(GByteArray) body = g_byte_array_new();
	const guint8 version = 3;

	g_byte_array_append(body, &version, 1);
	g_byte_array_append(body, target->fingerprint + PGP_FINGERPRINT - PGP_KEY_ID, PGP_KEY_ID);
	g_byte_array_append(body, &target->algorithm, 1);
	if (target->rsa ? !append_rsa(target->rsa, session, body)
			: !pgp_ecdh_append(target->ecdh, session, body)) {
		crypt_fail(error, ERROR_CRYPTO, "a session key could not be encrypted");
		return FALSE;
	}
	return pgp_write_head(sink, PGP_PKESK, body->len, error) &&
	       sink_write(sink, body->data, body->len, error);
}
