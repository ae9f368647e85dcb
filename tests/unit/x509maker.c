/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates for tests: see x509maker.h. What fails here is the test's fault and ends it.
 */
#include "tests/unit/x509maker.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY 86400L

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	g_assert(extension && X509_add_ext(cert, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static const char *either(const char *ordered, const char *usual)
{
	return ordered ? ordered : usual;
}

static void add_unknown(X509 *cert, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

	ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05", 2);
	X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
	g_assert(extension && X509_add_ext(cert, extension, -1) == 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
}

static void add_extensions(X509 *cert, X509 *issuer, const MakerOrder *order)
{
	gboolean rsa = order->algorithm && g_str_has_prefix(order->algorithm, "rsa");
	const char *usage = order->signing_only ? "critical,digitalSignature"
			    : rsa		? "critical,digitalSignature,keyEncipherment"
						: "critical,digitalSignature,keyAgreement";
	g_autofree char *name = g_strconcat("email:", order->email, NULL);
	const char *extended = either(order->extended, order->ca ? "" : "emailProtection");
	const char *names = either(order->names, order->email ? name : "");

	usage = either(order->usage, order->ca ? "critical,keyCertSign,cRLSign" : usage);
	add_extension(cert, issuer, NID_subject_key_identifier, "hash");
	if (order->ca)
		add_extension(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
	if (*usage)
		add_extension(cert, issuer, NID_key_usage, usage);
	if (*extended)
		add_extension(cert, issuer, NID_ext_key_usage, extended);
	if (*names)
		add_extension(cert, issuer, NID_subject_alt_name, names);
	if (order->constraints)
		add_extension(cert, issuer, NID_name_constraints, order->constraints);
	if (order->other)
		add_unknown(cert, order->other);
}

static EVP_PKEY *make_key(const MakerOrder *order)
{
	const char *algorithm = either(order->algorithm, "P-256");

	if (order->same_key)
		return order->same_key->pkey;
	if (g_str_has_prefix(algorithm, "rsa"))
		return EVP_RSA_gen((unsigned)g_ascii_strtoull(algorithm + 3, NULL, 10));
	if (g_str_equal(algorithm, "X25519"))
		return EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	return EVP_EC_gen(algorithm);
}

static PrivateKey *wrap_key(EVP_PKEY *pkey)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	unsigned char *der = NULL;
	int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der);

	g_assert(size > 0);
	g_autoptr(Secret) pkcs8 = secret_take(der, (gsize)size);
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
	PrivateKey *key = private_key_import(pkcs8, NULL);
	g_assert(key);
	return key;
}

static Cert *wrap_cert(X509 *x509)
{
	unsigned char *der = NULL;
	int size = i2d_X509(x509, &der);

	g_assert(size > 0);
	g_autoptr(GBytes) bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	Cert *cert = cert_new(bytes, NULL);
	g_assert(cert);
	return cert;
}

Made *x509_maker_make(const MakerOrder *order)
{
	EVP_PKEY *pkey = make_key(order);
	X509 *cert = X509_new();
	X509 *issuer = order->issuer ? order->issuer->x509 : cert;
	guint64 serial = 0;
	Made *made = g_new0(Made, 1);

	g_assert(RAND_bytes((unsigned char *)&serial, sizeof serial) == 1);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), order->from ? order->from * DAY : -DAY);
	X509_gmtime_adj(X509_getm_notAfter(cert), order->to ? order->to * DAY : 365 * DAY);
	if (*order->name)
		X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
					   (const unsigned char *)order->name, -1, -1, 0);
	if (order->subject_email)
		X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "emailAddress",
					   MBSTRING_ASC,
					   (const unsigned char *)order->subject_email, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	X509_set_pubkey(cert, pkey);
	add_extensions(cert, issuer, order);
	g_assert(X509_sign(cert, order->issuer ? order->issuer->pkey : pkey,
			   EVP_get_digestbyname(either(order->digest, "SHA256"))) > 0);
	if (order->same_key)
		EVP_PKEY_up_ref(pkey);
	made->x509 = cert;
	made->pkey = pkey;
	made->cert = wrap_cert(cert);
	made->key = wrap_key(pkey);
	return made;
}

void made_free(Made *made)
{
	if (!made)
		return;
	cert_unref(made->cert);
	private_key_unref(made->key);
	X509_free(made->x509);
	EVP_PKEY_free(made->pkey);
	g_free(made);
}

GBytes *made_key_pem(const Made *made)
{
	BIO *memory = BIO_new(BIO_s_mem());
	char *data = NULL;

	g_assert(PEM_write_bio_PrivateKey(memory, made->pkey, NULL, NULL, 0, NULL, NULL) == 1);
	long size = BIO_get_mem_data(memory, &data);
	GBytes *pem = g_bytes_new(data, (gsize)size);
	BIO_free(memory);
	return pem;
}

Crl *x509_maker_crl(const Made *ca, const Made *revoked)
{
	return x509_maker_crl_of(ca, revoked, -1);
}

Crl *x509_maker_crl_of(const Made *ca, const Made *revoked, int day)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, day * DAY);
	ASN1_TIME *next = X509_gmtime_adj(NULL, (day + 2) * DAY);
	unsigned char *der = NULL;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->x509));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, next);
	if (revoked) {
		X509_REVOKED *entry = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->x509));
		X509_REVOKED_set_revocationDate(entry, now);
		X509_CRL_add0_revoked(crl, entry);
	}
	g_assert(X509_CRL_sign(crl, ca->pkey, EVP_sha256()) > 0);
	int size = i2d_X509_CRL(crl, &der);
	g_autoptr(GBytes) bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	X509_CRL_free(crl);
	Crl *made = crl_new(bytes, NULL);
	g_assert(made);
	return made;
}
