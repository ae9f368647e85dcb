/* SPDX-License-Identifier: Apache-2.0
 *
 * The session key on its way to a recipient. See pgptarget.h.
 */
#include "lib/crypt/pgptarget.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "lib/crypt/pgpdescribe.h"
#include "lib/crypt/pgpecdh.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/x509_private.h"

#define RSA_MIN (2048 / 8)
#define RSA_MAX (8192 / 8)

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

static EVP_PKEY *rsa_from(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (build && context && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e))
		params = OSSL_PARAM_BLD_to_param(build);
	if (params && EVP_PKEY_fromdata_init(context) == 1)
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	return key;
}

static EVP_PKEY *read_rsa(const guint8 *at, gsize left)
{
	const guint8 *modulus, *exponent;
	gsize modulus_size, exponent_size;
	EVP_PKEY *key = NULL;

	if (!pgp_take_mpi(&at, &left, &modulus, &modulus_size) ||
	    !pgp_take_mpi(&at, &left, &exponent, &exponent_size) || left != 0 ||
	    modulus_size < RSA_MIN || modulus_size > RSA_MAX || modulus[0] == 0 ||
	    exponent_size > 8)
		return NULL;
	BIGNUM *n = BN_bin2bn(modulus, (int)modulus_size, NULL);
	BIGNUM *e = BN_bin2bn(exponent, (int)exponent_size, NULL);

	if (n && e && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e))
		key = rsa_from(n, e);
	BN_free(n);
	BN_free(e);
	return key;
}

static gboolean read_material(PgpTarget *target, const PgpPacket *packet)
{
	const guint8 *material = packet->body + PGP_MATERIAL_AT;
	gsize size = packet->length - PGP_MATERIAL_AT;

	target->algorithm = packet->body[PGP_MATERIAL_AT - 1];
	if (target->algorithm == PGP_RSA || target->algorithm == PGP_RSA_ENCRYPT)
		target->rsa = read_rsa(material, size);
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
	guint8 sealed[RSA_MAX];
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
