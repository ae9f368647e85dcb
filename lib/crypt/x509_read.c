/* SPDX-License-Identifier: Apache-2.0
 *
 * Files with certificates and keys, as people bring them: whatever the file's name says, the
 * bytes decide. Nothing is taken from a file of which a part is broken.
 */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "lib/crypt/x509_private.h"

/* Largest file: all roots of a system are 220 kB. */
#define X509_FILE_MAX (8 * 1024 * 1024)
#define X509_ITEMS_MAX 10000

static X509Bundle *bundle_new(void)
{
	X509Bundle *bundle = g_new0(X509Bundle, 1);

	bundle->certs = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);
	bundle->keys = g_ptr_array_new_with_free_func((GDestroyNotify)private_key_unref);
	bundle->crls = g_ptr_array_new_with_free_func((GDestroyNotify)crl_unref);
	return bundle;
}

void x509_bundle_free(X509Bundle *bundle)
{
	if (bundle == NULL)
		return;
	g_ptr_array_unref(bundle->certs);
	g_ptr_array_unref(bundle->keys);
	g_ptr_array_unref(bundle->crls);
	g_free(bundle);
}

/* The kinds of block share this shape. der is one whole structure. */
typedef gboolean (*BlockReader)(GBytes *der, const Secret *passphrase, X509Bundle *bundle,
				GError **error);

static gboolean read_cert(GBytes *der, const Secret *passphrase, X509Bundle *bundle, GError **error)
{
	Cert *cert = cert_new(der, error);

	(void)passphrase;
	if (cert != NULL)
		g_ptr_array_add(bundle->certs, cert);
	return cert != NULL;
}

static gboolean read_crl(GBytes *der, const Secret *passphrase, X509Bundle *bundle, GError **error)
{
	Crl *crl = crl_new(der, error);

	(void)passphrase;
	if (crl != NULL)
		g_ptr_array_add(bundle->crls, crl);
	return crl != NULL;
}

/* OpenSSL's own form: the certificate, then its opinion about trust, which is not ours. */
static gboolean read_trusted_cert(GBytes *der, const Secret *passphrase, X509Bundle *bundle,
				  GError **error)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(der, &size);
	const guint8 *at = data;
	g_autoptr(X509) x509 = d2i_X509(NULL, &at, (long)size);
	g_autoptr(GBytes) bare = NULL;

	if (x509 == NULL) {
		crypt_fail(error, ERROR_MALFORMED, "broken certificate");
		return FALSE;
	}
	bare = g_bytes_new_from_bytes(der, 0, (gsize)(at - data));
	return read_cert(bare, passphrase, bundle, error);
}

static gboolean take_crls(STACK_OF(X509_CRL) * crls, X509Bundle *bundle, GError **error)
{
	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		guint8 *data = NULL;
		int size = i2d_X509_CRL(sk_X509_CRL_value(crls, i), &data);
		g_autoptr(GBytes) der = g_bytes_new(data, (gsize)MAX(size, 0));

		OPENSSL_free(data);
		if (!read_crl(der, NULL, bundle, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_pkcs7(GBytes *der, const Secret *passphrase, X509Bundle *bundle,
			   GError **error)
{
	gsize size;
	const guint8 *at = g_bytes_get_data(der, &size);
	g_autoptr(PKCS7) pkcs7 = d2i_PKCS7(NULL, &at, (long)size);
	STACK_OF(X509) * certs;

	(void)passphrase;
	if (pkcs7 == NULL) {
		crypt_fail(error, ERROR_MALFORMED, "broken PKCS#7");
		return FALSE;
	}
	if (!PKCS7_type_is_signed(pkcs7) || pkcs7->d.sign == NULL) {
		crypt_fail(error, ERROR_UNSUPPORTED, "PKCS#7 that holds no certificates");
		return FALSE;
	}
	certs = pkcs7->d.sign->cert;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		Cert *cert = cert_from_x509(sk_X509_value(certs, i), error);

		if (cert == NULL)
			return FALSE;
		g_ptr_array_add(bundle->certs, cert);
	}
	return take_crls(pkcs7->d.sign->crl, bundle, error);
}

static gboolean read_pkcs8(GBytes *der, const Secret *passphrase, X509Bundle *bundle,
			   GError **error)
{
	gsize size;
	const guint8 *at = g_bytes_get_data(der, &size);
	g_autoptr(PKCS8_PRIV_KEY_INFO) info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)size);
	PrivateKey *key;

	(void)passphrase;
	if (info == NULL) {
		crypt_fail(error, ERROR_MALFORMED, "broken private key");
		return FALSE;
	}
	key = private_key_from_info(info, error);
	if (key != NULL)
		g_ptr_array_add(bundle->keys, key);
	return key != NULL;
}

static gboolean read_encrypted_pkcs8(GBytes *der, const Secret *passphrase, X509Bundle *bundle,
				     GError **error)
{
	gsize size;
	const guint8 *at = g_bytes_get_data(der, &size);
	g_autoptr(X509_SIG) sealed = d2i_X509_SIG(NULL, &at, (long)size);
	g_autoptr(LegacyContext) legacy = NULL;
	g_autoptr(PKCS8_PRIV_KEY_INFO) info = NULL;
	const X509_ALGOR *algorithm;
	const ASN1_OCTET_STRING *data;
	PrivateKey *key;

	if (sealed == NULL) {
		crypt_fail(error, ERROR_MALFORMED, "broken private key");
		return FALSE;
	}
	X509_SIG_get0(sealed, &algorithm, &data);
	if (!x509_pbe_is_bounded(algorithm)) {
		crypt_fail(error, ERROR_TOO_LARGE, "key derivation asks for too many rounds");
		return FALSE;
	}
	legacy = legacy_context_new();
	if (passphrase != NULL)
		info = PKCS8_decrypt_ex(sealed, (const char *)secret_bytes(passphrase),
					(int)secret_size(passphrase), legacy->context, NULL);
	if (info == NULL) {
		crypt_fail(error, ERROR_PASSPHRASE,
			   "passphrase of the private key is missing or wrong");
		return FALSE;
	}
	key = private_key_from_info(info, error);
	if (key != NULL)
		g_ptr_array_add(bundle->keys, key);
	return key != NULL;
}

/* PKCS#1, SEC 1 and DSA's own forms. */
static gboolean read_traditional_key(GBytes *der, const Secret *passphrase, X509Bundle *bundle,
				     GError **error)
{
	gsize size;
	const guint8 *at = g_bytes_get_data(der, &size);
	EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &at, (long)size);

	(void)passphrase;
	if (pkey == NULL) {
		crypt_fail(error, ERROR_MALFORMED, "broken private key");
		return FALSE;
	}
	g_ptr_array_add(bundle->keys, private_key_take(pkey));
	return TRUE;
}

static const struct {
	const char *label;
	BlockReader read;
} pem_blocks[] = {
	{PEM_STRING_X509, read_cert},
	{PEM_STRING_X509_OLD, read_cert},
	{PEM_STRING_X509_TRUSTED, read_trusted_cert},
	{PEM_STRING_X509_CRL, read_crl},
	{PEM_STRING_PKCS7, read_pkcs7},
	{PEM_STRING_PKCS7_SIGNED, read_pkcs7},
	{PEM_STRING_CMS, read_pkcs7},
	{PEM_STRING_PKCS8INF, read_pkcs8},
	{PEM_STRING_PKCS8, read_encrypted_pkcs8},
	{PEM_STRING_RSA, read_traditional_key},
	{PEM_STRING_ECPRIVATEKEY, read_traditional_key},
	{PEM_STRING_DSA, read_traditional_key},
	{"PKCS12", pkcs12_read},
};

static int give_passphrase(char *buffer, int size, int writing, void *data)
{
	const Secret *passphrase = data;

	if (writing || passphrase == NULL || secret_size(passphrase) > (gsize)size)
		return -1;
	memcpy(buffer, secret_bytes(passphrase), secret_size(passphrase));
	return (int)secret_size(passphrase);
}

/* Is it one SEQUENCE and nothing else? */
static gboolean is_sequence(const guint8 *der, long size)
{
	const guint8 *at = der;
	long length;
	int tag, class;

	return !(ASN1_get_object(&at, &length, &tag, &class, size) & 0x80) &&
	       tag == V_ASN1_SEQUENCE && at + length == der + size;
}

/* Undoes the encryption of a traditional key ("Proc-Type: 4,ENCRYPTED"), in place. Nothing but the
 * padding tells whether the passphrase was right, and one wrong one in 256 gets that right. */
static gboolean open_block(char *header, guint8 *data, long *size, const Secret *passphrase,
			   GError **error)
{
	EVP_CIPHER_INFO cipher;

	if (!PEM_get_EVP_CIPHER_INFO(header, &cipher)) {
		crypt_fail(error, ERROR_UNSUPPORTED, "private key under an unknown cipher");
		return FALSE;
	}
	if (cipher.cipher == NULL)
		return TRUE;
	if (!PEM_do_header(&cipher, data, size, give_passphrase, (void *)passphrase) ||
	    !is_sequence(data, *size)) {
		crypt_fail(error, ERROR_PASSPHRASE,
			   "passphrase of the private key is missing or wrong");
		return FALSE;
	}
	return TRUE;
}

static void wipe_free(gpointer data)
{
	GByteArray *bytes = data;

	OPENSSL_cleanse(bytes->data, bytes->len);
	g_byte_array_unref(bytes);
}

static gboolean read_block(const char *label, GBytes *der, const Secret *passphrase,
			   X509Bundle *bundle, GError **error)
{
	if (bundle->certs->len + bundle->keys->len + bundle->crls->len >= X509_ITEMS_MAX) {
		crypt_fail(error, ERROR_TOO_LARGE, "too many certificates in one file");
		return FALSE;
	}
	for (guint i = 0; i < G_N_ELEMENTS(pem_blocks); i++)
		if (g_str_equal(label, pem_blocks[i].label))
			return pem_blocks[i].read(der, passphrase, bundle, error);
	return TRUE; /* parameters, public keys, requests: not what is looked for */
}

static gboolean read_pem(GBytes *file, const Secret *passphrase, X509Bundle *bundle, GError **error)
{
	gsize size;
	const void *data = g_bytes_get_data(file, &size);
	g_autoptr(BIO) bio = BIO_new_mem_buf(data, (int)size);
	char *label, *header;
	guint8 *block;
	long length;
	gboolean good = TRUE;

	while (good && PEM_read_bio(bio, &label, &header, &block, &length)) {
		good = open_block(header, block, &length, passphrase, error);
		if (good) {
			GByteArray *copy =
				g_byte_array_append(g_byte_array_new(), block, (guint)length);
			g_autoptr(GBytes) der =
				g_bytes_new_with_free_func(copy->data, copy->len, wipe_free, copy);

			good = read_block(label, der, passphrase, bundle, error);
		}
		OPENSSL_clear_free(block, (gsize)length);
		OPENSSL_free(label);
		OPENSSL_free(header);
	}
	if (good && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		crypt_fail(error, ERROR_MALFORMED, "broken PEM block");
		return FALSE;
	}
	return good;
}

/* Whether the inside of what is signed is a CRL's: issuer and algorithm before a time, after a
 * version or none. A certificate has a SEQUENCE of two times there. */
static gboolean is_crl(const guint8 *at, long size)
{
	const guint8 *end = at + size;
	long length;
	int tag = 0, class;

	for (int i = 0; i < 4 && at < end; i++) {
		if (ASN1_get_object(&at, &length, &tag, &class, (long)(end - at)) & 0x80)
			return FALSE;
		if (tag == V_ASN1_UTCTIME || tag == V_ASN1_GENERALIZEDTIME)
			return i >= 2;
		if (tag != V_ASN1_SEQUENCE && !(i == 0 && tag == V_ASN1_INTEGER))
			return FALSE;
		at += length;
	}
	return FALSE;
}

/* Which structure a DER file holds shows in its first two elements: what the outer SEQUENCE
 * begins with, and what comes next. */
static BlockReader recognise(GBytes *file)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(file, &size);
	const guint8 *at = data;
	long length;
	int tag, class;
	const guint8 *first, *inside;

	if ((ASN1_get_object(&at, &length, &tag, &class, (long)size) & 0x80) != 0 ||
	    tag != V_ASN1_SEQUENCE || class != V_ASN1_UNIVERSAL || at >= data + size)
		return NULL;
	first = at;
	if (ASN1_get_object(&at, &length, &tag, &class, (long)(data + size - at)) & 0x80)
		return NULL;
	if (tag == V_ASN1_OBJECT)
		return read_pkcs7;
	inside = at;
	at += length;
	if (tag == V_ASN1_SEQUENCE) /* a certificate's second element is a SEQUENCE too */
		return at < data + size && *at == V_ASN1_OCTET_STRING ? read_encrypted_pkcs8
		       : is_crl(inside, length)			      ? read_crl
								      : read_cert;
	if (tag != V_ASN1_INTEGER || length < 1)
		return NULL;
	if (length == 1 && first[2] == 3)
		return pkcs12_read;
	return at < data + size && *at == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED)
		       ? read_pkcs8
		       : read_traditional_key;
}

static gboolean is_pem(GBytes *file)
{
	gsize size;
	const char *data = g_bytes_get_data(file, &size);

	return g_strstr_len(data, (gssize)size, "-----BEGIN ") != NULL;
}

/* DER by its first bytes, a long SEQUENCE, but nothing that is known or whole. */
static gboolean looks_binary(GBytes *file)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(file, &size);

	return size > 2 && data[0] == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED) && data[1] >= 0x80;
}

X509Bundle *x509_read(GBytes *file, const Secret *passphrase, GError **error)
{
	g_autoptr(X509Bundle) bundle = bundle_new();
	BlockReader read = NULL;
	gboolean good;

	ERR_clear_error();
	if (g_bytes_get_size(file) > X509_FILE_MAX) {
		crypt_fail(error, ERROR_TOO_LARGE, "file is too large for certificates or keys");
		return NULL;
	}
	read = recognise(file);
	ERR_clear_error(); /* of guesses: no reasons for people */
	if (read == NULL && g_bytes_get_size(file) > 0 && is_pem(file))
		read = read_pem;
	if (read == NULL && looks_binary(file)) {
		crypt_fail(error, ERROR_MALFORMED, "broken certificate, CRL or private key");
		return NULL;
	}
	good = read != NULL && read(file, passphrase, bundle, error);
	if (good)
		ERR_clear_error(); /* of the end that was looked for */
	if (read == NULL ||
	    (good && !bundle->certs->len && !bundle->keys->len && !bundle->crls->len)) {
		crypt_fail(error, ERROR_UNSUPPORTED, "no certificate, CRL or private key in it");
		return NULL;
	}
	ERR_clear_error();
	return good ? g_steal_pointer(&bundle) : NULL;
}
