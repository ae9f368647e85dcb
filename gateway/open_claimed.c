/* SPDX-License-Identifier: Apache-2.0
 *
 * What calls itself encrypted or signed, and is not: cut short on the way, garbled, larger than what is
 * read. It is delivered as it came, with word of why. See open.h.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/cms.h"

#include "gateway/open.h"

static gboolean is_smime(const MimePart *root)
{
	return g_str_equal(root->type, "application/pkcs7-mime") ||
	       g_str_equal(root->type, "application/x-pkcs7-mime");
}

gboolean open_has_claim(const MimeTree *tree)
{
	const MimePart *root = mime_root(tree);

	return is_smime(root) || g_str_equal(root->type, "multipart/encrypted") ||
	       g_str_equal(root->type, "multipart/signed");
}

static gboolean says(const MimePart *root, const char *parameter, const char *word)
{
	const char *value = mime_param(root, parameter);
	g_autofree char *folded = value ? g_ascii_strdown(value, -1) : NULL;

	return folded && strstr(folded, word);
}

/* By what its type says; NULL: certificates. */
static const char *named_kind(const MimePart *root)
{
	if (says(root, "smime-type", "certs-only"))
		return NULL;
	return says(root, "smime-type", "authenveloped") ? "smime-auth-encrypted"
	       : says(root, "smime-type", "signed")	 ? "smime-opaque-signed"
	       : says(root, "smime-type", "compressed")	 ? "smime-compressed"
							 : "smime-encrypted";
}

/* NULL: it is something else that can be read, or certificates. */
static const char *smime_kind(const OpenWork *work, const MimePart *root, const char **reason)
{
	g_autoptr(Source) source = spool_source(work->current, root->content);
	g_autoptr(GError) failure = NULL;
	g_autoptr(CmsHead) head = g_str_equal(root->encoding, "base64")
					  ? cms_head_read_base64(source, &failure)
					  : cms_head_read(source, &failure);

	if (!head) {
		if (g_error_matches(failure, SEALPOST_ERROR, ERROR_TOO_LARGE))
			*reason = "too-large";
		return named_kind(root);
	}
	return head->type == CMS_ENVELOPED	  ? "smime-encrypted"
	       : head->type == CMS_AUTH_ENVELOPED ? "smime-auth-encrypted"
						  : NULL;
}

static const char *claimed_kind(const OpenWork *work, const MimePart *root, const char **reason)
{
	if (is_smime(root))
		return smime_kind(work, root, reason);
	if (g_str_equal(root->type, "multipart/encrypted"))
		return says(root, "protocol", "pgp") ? "pgp-encrypted" : NULL;
	if (!g_str_equal(root->type, "multipart/signed"))
		return NULL;
	return says(root, "protocol", "pkcs7") ? "smime-signed"
	       : says(root, "protocol", "pgp") ? "pgp-signed"
					       : NULL;
}

gboolean open_claimed(OpenWork *work)
{
	const char *reason = "damaged";
	const char *kind = claimed_kind(work, mime_root(work->tree), &reason);

	if (!kind)
		return FALSE;
	OpenLayer *layer = open_add_layer(work, kind);

	layer->reason = reason;
	layer->unread = TRUE;
	return TRUE;
}
