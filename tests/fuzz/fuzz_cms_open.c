/* SPDX-License-Identifier: Apache-2.0
 *
 * CMS that comes in: opened with a key that the corpus is encrypted to, verified in both forms,
 * unfolded.
 */
#include <string.h>

#include <openssl/x509.h>

#include "lib/crypt/cms_open.h"
#include "lib/crypt/cms_verify.h"
#include "tests/fuzz/fuzz.h"

#define OUTPUT_MAX (4 * 1024 * 1024)
#define SOME_TIME 1800000000

/* P-256 in PKCS#8 with the private number 42: nobody's key. */
static const guint8 number_42[] =
	"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce"
	"\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\0\0\0\0\0\0\0\0\0\0\0\0\x2a";

/* A certificate for it: issuer CN=fuzz, serial number 1. */
static Cert *make_cert(EVP_PKEY *pkey)
{
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);
	guint8 *der = NULL;

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guint8 *)"fuzz", -1, -1, 0);
	X509_set_issuer_name(x509, name);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	ASN1_TIME_set(X509_getm_notBefore(x509), 0);
	ASN1_TIME_set(X509_getm_notAfter(x509), G_MAXINT32);
	X509_set_pubkey(x509, pkey);
	X509_sign(x509, pkey, EVP_sha256());

	int size = i2d_X509(x509, &der);
	g_autoptr(GBytes) bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	X509_free(x509);
	return cert_new(bytes, NULL);
}

/* Made once: that takes longer than what is tested. */
static CmsKey nobodys_key(void)
{
	static CmsKey made;
	guint8 copy[sizeof number_42];
	const guint8 *at = memcpy(copy, number_42, sizeof copy);

	if (made.key == NULL) {
		EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &at, sizeof copy - 1);
		g_autoptr(Secret) pkcs8 = secret_take(copy, sizeof copy - 1);

		made = (CmsKey){make_cert(pkey), private_key_import(pkcs8, NULL)};
		EVP_PKEY_free(pkey);
	}
	return made;
}

static void try_open(GBytes *bytes, gboolean base64)
{
	CmsKey key = nobodys_key();
	g_autoptr(Source) source = source_new_bytes(bytes);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, OUTPUT_MAX);
	g_autoptr(CmsOpened) opened = cms_open(source, base64, &key, sink, NULL);

	g_assert_nonnull(opened);
	g_assert_true((opened->result == CMS_OPENED) == (opened->sha256 != NULL));
}

static void check(CmsVerified *verified, const GError *error)
{
	g_assert_true((verified == NULL) == (error != NULL));
	for (guint i = 0; verified != NULL && i < verified->signatures->len; i++) {
		const CmsSignature *signature = verified->signatures->pdata[i];

		g_assert_cmpint(signature->result, !=, CMS_SIGNATURE_GOOD); /* nobody is trusted */
		g_assert_nonnull(cms_signature_result_name(signature->result));
	}
	cms_verified_free(verified);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);
	g_autoptr(GBytes) text = g_bytes_new_static("one\ntwo\n", 8);
	g_autoptr(Source) opaque = source_new_bytes(bytes);
	g_autoptr(Source) signature = source_new_bytes(bytes);
	g_autoptr(Source) content = source_new_bytes(text);
	g_autoptr(Source) folded = source_new_bytes(bytes);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, OUTPUT_MAX);
	g_autoptr(TrustStore) store = trust_store_new(NULL, NULL, NULL);
	CmsTrust trust = {store, NULL, SOME_TIME};
	g_autoptr(GError) opaque_error = NULL;
	g_autoptr(GError) detached_error = NULL;
	CmsVerified *verified = cms_verify_opaque(opaque, FALSE, sink, &trust, &opaque_error);

	check(verified, opaque_error);
	verified = cms_verify_detached(signature, FALSE, content, &trust, &detached_error);
	check(verified, detached_error);
	try_open(bytes, FALSE);
	try_open(bytes, TRUE);
	cms_decompress(folded, FALSE, OUTPUT_MAX, sink, NULL);
	return 0;
}
