/* SPDX-License-Identifier: Apache-2.0
 *
 * CMS that comes in: opened with a key that the corpus is encrypted to, verified in both forms,
 * unfolded.
 */
#include "lib/crypt/cms_open.h"
#include "lib/crypt/cms_verify.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/nobody.h"

#define OUTPUT_MAX (4 * 1024 * 1024)
#define SOME_TIME 1800000000

/* Made once: that takes longer than what is tested. */
static CmsKey nobodys_key(void)
{
	static CmsKey made;

	if (made.key == NULL)
		made = (CmsKey){nobody_cert(), nobody_key()};
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

static void check(const CmsVerified *verified, const GError *error)
{
	g_assert_true((verified == NULL) == (error != NULL));
	for (guint i = 0; verified != NULL && i < verified->signatures->len; i++) {
		const CmsSignature *signature = verified->signatures->pdata[i];

		g_assert_cmpint(signature->result, !=, CMS_SIGNATURE_GOOD); /* nobody is trusted */
		g_assert_nonnull(cms_signature_result_name(signature->result));
	}
}

static void check_same_cert(const Cert *one, const Cert *other)
{
	g_assert_true((one == NULL) == (other == NULL));
	if (one != NULL)
		g_assert_cmpstr(cert_fingerprint(one), ==, cert_fingerprint(other));
}

/* Certificates that are known already are not read again: the same must come out. */
static void check_same(const CmsVerified *first, const CmsVerified *again)
{
	g_assert_nonnull(again);
	g_assert_cmpuint(first->certs->len, ==, again->certs->len);
	g_assert_cmpuint(first->signatures->len, ==, again->signatures->len);
	for (guint i = 0; i < first->certs->len; i++)
		check_same_cert(first->certs->pdata[i], again->certs->pdata[i]);
	for (guint i = 0; i < first->signatures->len; i++) {
		const CmsSignature *one = first->signatures->pdata[i];
		const CmsSignature *other = again->signatures->pdata[i];

		g_assert_cmpint(one->result, ==, other->result);
		check_same_cert(one->signer, other->signer);
		check_same_cert(one->preferred, other->preferred);
	}
}

typedef CmsVerified *(*Verify)(GBytes *bytes, const CmsTrust *trust, GError **error);

static CmsVerified *verify_opaque(GBytes *bytes, const CmsTrust *trust, GError **error)
{
	g_autoptr(Source) source = source_new_bytes(bytes);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, OUTPUT_MAX);

	return cms_verify_opaque(source, FALSE, sink, trust, error);
}

static CmsVerified *verify_detached(GBytes *bytes, const CmsTrust *trust, GError **error)
{
	g_autoptr(GBytes) text = g_bytes_new_static("one\ntwo\n", 8);
	g_autoptr(Source) signature = source_new_bytes(bytes);
	g_autoptr(Source) content = source_new_bytes(text);

	return cms_verify_detached(signature, FALSE, content, trust, error);
}

/* Verified by somebody who knows nobody, then by one who knows all the certificates in it. */
static void try_verify(Verify verify, GBytes *bytes)
{
	g_autoptr(TrustStore) store = trust_store_new(NULL, NULL, NULL);
	CmsTrust trust = {store, NULL, SOME_TIME};
	g_autoptr(GError) error = NULL;
	g_autoptr(CmsVerified) verified = verify(bytes, &trust, &error);

	check(verified, error);
	if (verified == NULL || verified->certs->len == 0)
		return;
	trust.certs = verified->certs;
	g_autoptr(CmsVerified) again = verify(bytes, &trust, &error);

	check(again, error);
	check_same(verified, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);
	g_autoptr(Source) folded = source_new_bytes(bytes);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, OUTPUT_MAX);

	try_verify(verify_opaque, bytes);
	try_verify(verify_detached, bytes);
	try_open(bytes, FALSE);
	try_open(bytes, TRUE);
	cms_decompress(folded, FALSE, OUTPUT_MAX, sink, NULL);
	return 0;
}
