/* SPDX-License-Identifier: Apache-2.0
 *
 * Private keys as handles. What leaves a handle is PKCS#8 in a Secret, nothing else.
 */
#include <openssl/err.h>

#include "lib/crypt/x509_private.h"

struct PrivateKey {
	gatomicrefcount references;
	EVP_PKEY *pkey;
};

PrivateKey *private_key_take(EVP_PKEY *pkey)
{
	PrivateKey *key = g_new0(PrivateKey, 1);

	g_atomic_ref_count_init(&key->references);
	key->pkey = pkey;
	return key;
}

PrivateKey *private_key_ref(PrivateKey *key)
{
	g_atomic_ref_count_inc(&key->references);
	return key;
}

void private_key_unref(PrivateKey *key)
{
	if (key == NULL || !g_atomic_ref_count_dec(&key->references))
		return;
	EVP_PKEY_free(key->pkey);
	g_free(key);
}

EVP_PKEY *private_key_pkey(const PrivateKey *key)
{
	return key->pkey;
}

static gboolean is_same(const EVP_PKEY *a, const EVP_PKEY *b)
{
	gboolean same = a != NULL && b != NULL && EVP_PKEY_eq(a, b) == 1;

	ERR_clear_error();
	return same;
}

gboolean private_key_matches(const PrivateKey *key, const Cert *cert)
{
	return is_same(X509_get0_pubkey(cert_x509(cert)), key->pkey);
}

gboolean cert_shares_key(const Cert *a, const Cert *b)
{
	return is_same(X509_get0_pubkey(cert_x509(a)), X509_get0_pubkey(cert_x509(b)));
}

PrivateKey *private_key_from_info(const PKCS8_PRIV_KEY_INFO *info, GError **error)
{
	EVP_PKEY *pkey = EVP_PKCS82PKEY(info);

	if (pkey == NULL) {
		crypt_fail(error, ERROR_UNSUPPORTED, "private key of an unknown kind");
		return NULL;
	}
	return private_key_take(pkey);
}

Secret *private_key_export(const PrivateKey *key, GError **error)
{
	g_autoptr(PKCS8_PRIV_KEY_INFO) info = NULL;
	guint8 *der = NULL;
	Secret *secret;
	int size;

	ERR_clear_error();
	info = EVP_PKEY2PKCS8(key->pkey);
	size = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	if (size <= 0 || size > SECRET_MAX) {
		OPENSSL_clear_free(der, size > 0 ? (gsize)size : 0);
		crypt_fail(error, ERROR_CRYPTO, "private key cannot be written");
		return NULL;
	}
	secret = secret_take(der, (gsize)size);
	OPENSSL_free(der);
	return secret;
}

PrivateKey *private_key_import(const Secret *pkcs8, GError **error)
{
	const guint8 *at = secret_bytes(pkcs8);
	const guint8 *end = at + secret_size(pkcs8);
	g_autoptr(PKCS8_PRIV_KEY_INFO) info = NULL;
	PrivateKey *key = NULL;

	ERR_clear_error();
	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)secret_size(pkcs8));
	if (info == NULL || at != end)
		crypt_fail(error, ERROR_MALFORMED, "not a private key in PKCS#8");
	else
		key = private_key_from_info(info, error);
	ERR_clear_error();
	return key;
}
