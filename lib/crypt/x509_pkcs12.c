/* SPDX-License-Identifier: Apache-2.0
 *
 * PKCS#12 (RFC 7292): read bag by bag, so that files with several keys or none come in too, and
 * written with AES-256. Old files use RC2 and 3DES: they are opened in a library context of their
 * own, and what comes out is handed over in plain PKCS#8 to the ordinary one.
 */
#include <openssl/err.h>
#include <openssl/provider.h>

#include "lib/crypt/x509_private.h"

/* Bags within bags (safeContentsBag); nobody uses even one level. */
#define BAG_DEPTH_MAX 4
#define BAGS_MAX 1000
/* PBKDF2 rounds of what we write: slow for who guesses, quick for who knows. */
#define WRITE_ITERATIONS 100000

LegacyContext *legacy_context_new(void)
{
	LegacyContext *legacy = g_new0(LegacyContext, 1);

	legacy->context = OSSL_LIB_CTX_new();
	g_assert(legacy->context != NULL);
	legacy->ordinary = OSSL_PROVIDER_load(legacy->context, "default");
	/* Where this one is not installed, old files stay shut. */
	legacy->legacy = OSSL_PROVIDER_load(legacy->context, "legacy");
	return legacy;
}

void legacy_context_free(LegacyContext *legacy)
{
	if (legacy == NULL)
		return;
	if (legacy->legacy != NULL)
		OSSL_PROVIDER_unload(legacy->legacy);
	if (legacy->ordinary != NULL)
		OSSL_PROVIDER_unload(legacy->ordinary);
	OSSL_LIB_CTX_free(legacy->context);
	g_free(legacy);
}

static gboolean count_is_bounded(const ASN1_INTEGER *count)
{
	gint64 value;

	return count == NULL ||
	       (ASN1_INTEGER_get_int64(&value, count) && value <= X509_ITERATIONS_MAX);
}

gboolean x509_pbe_is_bounded(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *oid;
	const void *value;
	int type;
	gboolean bounded = TRUE;

	X509_ALGOR_get0(&oid, &type, &value, algorithm);
	if (type != V_ASN1_SEQUENCE)
		return TRUE;
	if (OBJ_obj2nid(oid) == NID_pbes2) {
		PBE2PARAM *outer = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBE2PARAM));

		bounded = outer != NULL && x509_pbe_is_bounded(outer->keyfunc);
		PBE2PARAM_free(outer);
	} else if (OBJ_obj2nid(oid) == NID_id_pbkdf2) {
		PBKDF2PARAM *param = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBKDF2PARAM));

		bounded = param != NULL && count_is_bounded(param->iter);
		PBKDF2PARAM_free(param);
	} else if (OBJ_obj2nid(oid) != NID_id_scrypt) { /* OpenSSL bounds scrypt itself */
		PBEPARAM *param = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBEPARAM));

		bounded = param != NULL && count_is_bounded(param->iter);
		PBEPARAM_free(param);
	}
	return bounded;
}

/* What one reading carries along. */
typedef struct {
	OSSL_LIB_CTX *context;
	const char *passphrase; /* NULL and "" are two different passphrases in PKCS#12 */
	int size;
	X509Bundle *bundle;
	guint bags;
} Reading;

static gboolean add_key(Reading *reading, const PKCS8_PRIV_KEY_INFO *info, GError **error)
{
	PrivateKey *key;

	if (info == NULL) {
		crypt_fail(error, ERROR_PASSPHRASE, "private key in PKCS#12 does not open");
		return FALSE;
	}
	key = private_key_from_info(info, error);
	if (key != NULL)
		g_ptr_array_add(reading->bundle->keys, key);
	return key != NULL;
}

static gboolean read_shrouded_key(Reading *reading, const PKCS12_SAFEBAG *bag, GError **error)
{
	const X509_ALGOR *algorithm;
	const ASN1_OCTET_STRING *data;
	g_autoptr(PKCS8_PRIV_KEY_INFO) info = NULL;

	X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, &data);
	if (!x509_pbe_is_bounded(algorithm)) {
		crypt_fail(error, ERROR_TOO_LARGE, "key derivation asks for too many rounds");
		return FALSE;
	}
	info = PKCS12_decrypt_skey_ex(bag, reading->passphrase, reading->size, reading->context,
				      NULL);
	return add_key(reading, info, error);
}

static gboolean read_cert(Reading *reading, const PKCS12_SAFEBAG *bag, GError **error)
{
	g_autoptr(X509) x509 = NULL;
	Cert *cert;

	if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate)
		return TRUE; /* an SDSI certificate: left out */
	x509 = PKCS12_SAFEBAG_get1_cert(bag);
	if (x509 == NULL) {
		crypt_fail(error, ERROR_MALFORMED, "broken certificate in PKCS#12");
		return FALSE;
	}
	cert = cert_from_x509(x509, error);
	if (cert != NULL)
		g_ptr_array_add(reading->bundle->certs, cert);
	return cert != NULL;
}

static gboolean read_bags(Reading *reading, const STACK_OF(PKCS12_SAFEBAG) * bags, guint depth,
			  GError **error)
{
	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
		const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
		gboolean good = TRUE;

		if (depth > BAG_DEPTH_MAX || ++reading->bags > BAGS_MAX) {
			crypt_fail(error, ERROR_TOO_LARGE, "too many bags in PKCS#12");
			return FALSE;
		}
		switch (PKCS12_SAFEBAG_get_nid(bag)) {
		case NID_keyBag:
			good = add_key(reading, PKCS12_SAFEBAG_get0_p8inf(bag), error);
			break;
		case NID_pkcs8ShroudedKeyBag: good = read_shrouded_key(reading, bag, error); break;
		case NID_certBag: good = read_cert(reading, bag, error); break;
		case NID_safeContentsBag:
			good = read_bags(reading, PKCS12_SAFEBAG_get0_safes(bag), depth + 1, error);
			break;
		default: break; /* CRLs, other secrets: not ours */
		}
		if (!good)
			return FALSE;
	}
	return TRUE;
}

static STACK_OF(PKCS12_SAFEBAG) * open_safe(const Reading *reading, PKCS7 *safe, GError **error)
{
	STACK_OF(PKCS12_SAFEBAG) * bags;

	if (PKCS7_type_is_data(safe)) {
		bags = PKCS12_unpack_p7data(safe);
		if (bags == NULL)
			crypt_fail(error, ERROR_MALFORMED, "broken PKCS#12");
		return bags;
	}
	if (!PKCS7_type_is_encrypted(safe) || safe->d.encrypted == NULL) {
		crypt_fail(error, ERROR_UNSUPPORTED, "PKCS#12 encrypted to a public key");
		return NULL;
	}
	if (!x509_pbe_is_bounded(safe->d.encrypted->enc_data->algorithm)) {
		crypt_fail(error, ERROR_TOO_LARGE, "key derivation asks for too many rounds");
		return NULL;
	}
	bags = PKCS12_unpack_p7encdata(safe, reading->passphrase, reading->size);
	if (bags == NULL)
		crypt_fail(error, ERROR_PASSPHRASE, "PKCS#12 does not open");
	return bags;
}

static gboolean read_safes(Reading *reading, const PKCS12 *pkcs12, GError **error)
{
	STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(pkcs12);
	gboolean good = safes != NULL;

	if (!good)
		crypt_fail(error, ERROR_MALFORMED, "broken PKCS#12");
	for (int i = 0; good && i < sk_PKCS7_num(safes); i++) {
		STACK_OF(PKCS12_SAFEBAG) *bags =
			open_safe(reading, sk_PKCS7_value(safes, i), error);

		good = bags != NULL && read_bags(reading, bags, 0, error);
		sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	}
	sk_PKCS7_pop_free(safes, PKCS7_free);
	return good;
}

/* Finds which of the forms of "no passphrase" the file's checksum means. */
static gboolean check_mac(Reading *reading, PKCS12 *pkcs12, GError **error)
{
	const ASN1_INTEGER *rounds = NULL;

	if (!PKCS12_mac_present(pkcs12))
		return TRUE;
	PKCS12_get0_mac(NULL, NULL, NULL, &rounds, pkcs12);
	if (!count_is_bounded(rounds)) {
		crypt_fail(error, ERROR_TOO_LARGE, "key derivation asks for too many rounds");
		return FALSE;
	}
	if (PKCS12_verify_mac(pkcs12, reading->passphrase, reading->size))
		return TRUE;
	if (reading->size == 0) {
		reading->passphrase = reading->passphrase == NULL ? "" : NULL;
		if (PKCS12_verify_mac(pkcs12, reading->passphrase, 0))
			return TRUE;
	}
	crypt_fail(error, ERROR_PASSPHRASE, "passphrase of PKCS#12 is missing or wrong");
	return FALSE;
}

gboolean pkcs12_read(GBytes *file, const Secret *passphrase, X509Bundle *bundle, GError **error)
{
	g_autoptr(LegacyContext) legacy = legacy_context_new();
	g_autoptr(PKCS12) pkcs12 = PKCS12_init_ex(NID_pkcs7_data, legacy->context, NULL);
	Reading reading = {.context = legacy->context, .bundle = bundle};
	gsize size;
	const guint8 *at = g_bytes_get_data(file, &size);

	if (passphrase != NULL) {
		reading.passphrase = (const char *)secret_bytes(passphrase);
		reading.size = (int)secret_size(passphrase);
	}
	if (pkcs12 == NULL || d2i_PKCS12(&pkcs12, &at, (long)size) == NULL) {
		crypt_fail(error, ERROR_MALFORMED, "broken PKCS#12");
		return FALSE;
	}
	return check_mac(&reading, pkcs12, error) && read_safes(&reading, pkcs12, error);
}

/* OpenSSL wants the passphrase with a NUL behind it. */
static Secret *terminated(const Secret *passphrase)
{
	Secret *copy = secret_new(secret_size(passphrase) + 1);

	if (secret_size(passphrase) > 0)
		memcpy(secret_data(copy), secret_bytes(passphrase), secret_size(passphrase));
	return copy;
}

GBytes *pkcs12_write(const PrivateKey *key, const Cert *cert, GPtrArray *chain,
		     const Secret *passphrase, GError **error)
{
	g_autoptr(X509Stack) others = cert_stack_new(chain, BAGS_MAX);
	g_autoptr(Secret) text = terminated(passphrase);
	g_autoptr(PKCS12) pkcs12 = NULL;
	guint8 *der = NULL;
	GBytes *file;
	int size;

	ERR_clear_error();
	pkcs12 = PKCS12_create((const char *)secret_bytes(text), NULL, private_key_pkey(key),
			       cert_x509(cert), others, NID_aes_256_cbc, NID_aes_256_cbc,
			       WRITE_ITERATIONS, WRITE_ITERATIONS, 0);
	size = pkcs12 == NULL ? -1 : i2d_PKCS12(pkcs12, &der);
	if (size <= 0) {
		crypt_fail(error, ERROR_CRYPTO, "PKCS#12 cannot be written");
		return NULL;
	}
	file = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	ERR_clear_error();
	return file;
}
