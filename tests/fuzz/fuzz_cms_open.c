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
