/* SPDX-License-Identifier: Apache-2.0
 *
 * From packets to OpenSSL's keys. See pgpmaterial.h.
 */
#include "lib/crypt/pgpmaterial.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "lib/crypt/pgppacket.h"

#define RSA_MIN (2048 / 8)

static const PgpCurve curves[] = {
	{10,
	 {0x2B, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01},
	 "X25519",
	 EVP_PKEY_X25519,
	 33,
	 32},
	{9,
	 {0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x0F, 0x01},
	 "ED25519",
	 EVP_PKEY_ED25519,
	 33,
	 32},
	{8, {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07}, "P-256", 0, 65, 32},
	{5, {0x2B, 0x81, 0x04, 0x00, 0x22}, "P-384", 0, 97, 48},
	{5, {0x2B, 0x81, 0x04, 0x00, 0x23}, "P-521", 0, 133, 66},
};

const PgpCurve *pgp_curve_find(const guint8 *oid, gsize size)
{
	for (gsize i = 0; i < G_N_ELEMENTS(curves); i++)
		if (curves[i].oid_size == size && memcmp(curves[i].oid, oid, size) == 0)
			return &curves[i];
	return NULL;
}

/* OpenSSL refuses a point that is not on the curve. */
EVP_PKEY *pgp_curve_key(const PgpCurve *curve, const guint8 *point)
{
	EVP_PKEY *key = NULL;

	if (curve->native)
		return point[0] == PGP_NATIVE_POINT
			       ? EVP_PKEY_new_raw_public_key(curve->native, NULL, point + 1, 32)
			       : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve->name,
						 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point,
						  curve->point),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

	if (context && EVP_PKEY_fromdata_init(context) == 1)
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(context);
	return key;
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

EVP_PKEY *pgp_rsa_key(const guint8 *at, gsize left)
{
	const guint8 *modulus, *exponent;
	gsize modulus_size, exponent_size;
	EVP_PKEY *key = NULL;

	if (!pgp_take_mpi(&at, &left, &modulus, &modulus_size) ||
	    !pgp_take_mpi(&at, &left, &exponent, &exponent_size) || left != 0 ||
	    modulus_size < RSA_MIN || modulus_size > PGP_RSA_MAX || modulus[0] == 0 ||
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

/* A curve's name and a point on it. */
static EVP_PKEY *curve_key(const guint8 *material, gsize size, gboolean edwards)
{
	gsize oid = size > 0 ? material[0] : 0, point_size;
	const PgpCurve *curve = oid < size ? pgp_curve_find(material + 1, oid) : NULL;
	const guint8 *point;

	if (!curve)
		return NULL;
	const guint8 *at = material + 1 + oid;
	gsize left = size - 1 - oid;

	if (curve->native != (edwards ? EVP_PKEY_ED25519 : 0) ||
	    !pgp_take_mpi(&at, &left, &point, &point_size) || left != 0 ||
	    point_size != curve->point)
		return NULL;
	return pgp_curve_key(curve, point);
}

EVP_PKEY *pgp_signing_key(guint8 algorithm, const guint8 *material, gsize size)
{
	EVP_PKEY *key = NULL;

	if (algorithm == PGP_RSA)
		key = pgp_rsa_key(material, size);
	else if (algorithm == PGP_ECDSA || algorithm == PGP_EDDSA)
		key = curve_key(material, size, algorithm == PGP_EDDSA);
	ERR_clear_error();
	return key;
}
