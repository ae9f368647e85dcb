/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of a CMS structure, from binary and from base64.
 */
#include "lib/crypt/cms.h"
#include "tests/fuzz/fuzz.h"

static void check(CmsHead *head, const GError *error)
{
	g_assert_true((head == NULL) == (error != NULL));
	if (head == NULL)
		return;
	if (head->type != CMS_ENVELOPED && head->type != CMS_AUTH_ENVELOPED)
		g_assert_cmpuint(head->recipients->len, ==, 0);
	g_assert_true(!head->certs_only || head->type == CMS_SIGNED);
	cms_head_free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);
	g_autoptr(Source) binary = source_new_bytes(bytes);
	g_autoptr(Source) text = source_new_bytes(bytes);
	g_autoptr(GError) binary_error = NULL;
	g_autoptr(GError) text_error = NULL;
	CmsHead *head = cms_head_read(binary, &binary_error);

	check(head, binary_error);
	head = cms_head_read_base64(text, &text_error);
	check(head, text_error);
	return 0;
}
