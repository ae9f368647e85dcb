/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <openssl/x509v3.h>

#include "tests/fuzz/nobody.h"

static const guint8 number_42[] =
	"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce"
	"\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\0\0\0\0\0\0\0\0\0\0\0\0\x2a";

PrivateKey *nobody_key(void)
{
	guint8 copy[sizeof number_42];
	g_autoptr(Secret) pkcs8 =
		secret_take(memcpy(copy, number_42, sizeof copy), sizeof copy - 1);

	return private_key_import(pkcs8, NULL);
}

static void add_address(X509 *x509)
{
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "email:fuzz@firma.example");

	X509_add_ext(x509, names, -1);
	X509_EXTENSION_free(names);
}

Cert *nobody_cert(void)
{
	const guint8 *at = number_42;
	EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &at, sizeof number_42 - 1);
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);
	guint8 *der = NULL;

	X509_set_version(x509, X509_VERSION_3);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guint8 *)"fuzz", -1, -1, 0);
	X509_set_issuer_name(x509, name);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	ASN1_TIME_set(X509_getm_notBefore(x509), 0);
	ASN1_TIME_set(X509_getm_notAfter(x509), G_MAXINT32);
	X509_set_pubkey(x509, pkey);
	add_address(x509);
	X509_sign(x509, pkey, EVP_sha256());
	EVP_PKEY_free(pkey);

	int size = i2d_X509(x509, &der);
	g_autoptr(GBytes) bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	X509_free(x509);
	return cert_new(bytes, NULL);
}
