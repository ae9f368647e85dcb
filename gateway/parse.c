/* SPDX-License-Identifier: Apache-2.0
 *
 * The second step: what the message is made of. See parse.h.
 */
#include <string.h>

#include "lib/crypt/cms.h"
#include "lib/crypt/pgpkey.h"

#include "gateway/parse.h"

#define ARMOUR_BEGIN "-----BEGIN PGP MESSAGE-----"
#define ARMOUR_END "-----END PGP MESSAGE-----"

static Source *part_content(Spool *message, const MimePart *part)
{
	return spool_source(message, part->content);
}

static gboolean is_smime_type(const MimePart *part)
{
	if (g_str_equal(part->type, "application/pkcs7-mime") ||
	    g_str_equal(part->type, "application/x-pkcs7-mime"))
		return TRUE;
	if (!g_str_equal(part->type, "application/octet-stream") || !part->filename)
		return FALSE;
	g_autofree char *name = g_ascii_strdown(part->filename, -1);

	return g_str_has_suffix(name, ".p7m");
}

/* The type of CMS structure that the root is; CMS_OTHER if it is none. */
static CmsType cms_type(Spool *message, const MimePart *root)
{
	if (!is_smime_type(root))
		return CMS_OTHER;
	g_autoptr(Source) content = part_content(message, root);
	g_autoptr(CmsHead) head = g_str_equal(root->encoding, "base64")
					  ? cms_head_read_base64(content, NULL)
					  : cms_head_read(content, NULL);

	if (!head || (head->type == CMS_SIGNED && head->certs_only))
		return CMS_OTHER;
	return head->type;
}

static const MimePart *child(const MimePart *part, guint index)
{
	return part->children && index < part->children->len ? part->children->pdata[index] : NULL;
}

static gboolean holds_pgp_encrypted(Source *source)
{
	g_autoptr(PgpHead) head = pgp_head_read(source, NULL);

	return head && head->encrypted;
}

/* PGP/MIME (RFC 3156, section 4), and what Exchange makes of it: the two parts in a
 * multipart/mixed, perhaps behind an empty text. */
static gboolean is_pgp_mime_encrypted(const MimeTree *tree, Spool *message, const MimePart *root)
{
	gboolean exact = g_str_equal(root->type, "multipart/encrypted");
	guint control = 0;

	if (!exact && !g_str_equal(root->type, "multipart/mixed"))
		return FALSE;
	if (!exact && child(root, 0) && g_str_equal(child(root, 0)->type, "text/plain") &&
	    child(root, 0)->content.end - child(root, 0)->content.start <= 4)
		control = 1;
	const MimePart *version = child(root, control);
	const MimePart *data = child(root, control + 1);

	if (!version || !data || root->children->len != control + 2 ||
	    !g_str_equal(version->type, "application/pgp-encrypted"))
		return FALSE;
	if (!g_str_equal(data->encoding, "base64") &&
	    !g_str_equal(data->encoding, "quoted-printable")) {
		g_autoptr(Source) content = part_content(message, data);

		return holds_pgp_encrypted(content);
	}
	g_autoptr(Spool) decoded = spool_new(NULL, SPOOL_MEMORY);
	g_autoptr(Sink) sink = spool_sink(decoded);

	/* The head is enough: a decoded rest over the limit does not matter. */
	mime_decode(tree, data, sink, NULL);
	g_autoptr(Source) content = spool_source_all(decoded);

	return holds_pgp_encrypted(content);
}

/* Nothing but one armoured message: text around it would leave in the clear. */
static gboolean is_pgp_inline(const MimeTree *tree, const MimePart *root)
{
	if (!g_str_equal(root->type, "text/plain") ||
	    (gsize)(root->content.end - root->content.start) > PARSE_INLINE_MAX)
		return FALSE;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, PARSE_INLINE_MAX);

	if (!mime_decode(tree, root, sink, NULL) || bytes->len == 0 ||
	    memchr(bytes->data, '\0', bytes->len))
		return FALSE;
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	const char *text = g_strstrip((char *)bytes->data);
	const char *end = strstr(text, ARMOUR_END);

	if (!g_str_has_prefix(text, ARMOUR_BEGIN) || !end || end[strlen(ARMOUR_END)] != '\0')
		return FALSE;
	g_autoptr(GBytes) armour = g_bytes_new(text, strlen(text));
	g_autoptr(Source) content = source_new_bytes(armour);

	return holds_pgp_encrypted(content);
}

/* multipart/signed, by the type of its signature part and by what that part holds. */
static Layer signed_layer(Spool *message, const MimePart *root)
{
	const MimePart *signature = child(root, 1);

	if (!g_str_equal(root->type, "multipart/signed") || !signature)
		return LAYER_NONE;
	g_autoptr(Source) content = part_content(message, signature);

	if (g_str_equal(signature->type, "application/pgp-signature")) {
		g_autoptr(PgpHead) head = pgp_head_read(content, NULL);

		return head && head->signature ? LAYER_PGP : LAYER_NONE;
	}
	if (g_str_has_suffix(signature->type, "pkcs7-signature")) {
		g_autoptr(CmsHead) head = cms_head_read_base64(content, NULL);

		return head && head->type == CMS_SIGNED ? LAYER_SMIME : LAYER_NONE;
	}
	return LAYER_NONE;
}

Parsed *parse_message(Spool *message)
{
	Parsed *parsed = g_new0(Parsed, 1);

	parsed->tree = mime_parse(message, &parsed->failure);
	if (!parsed->tree)
		return parsed;
	const MimePart *root = mime_root(parsed->tree);
	CmsType cms = cms_type(message, root);

	if (cms == CMS_ENVELOPED || cms == CMS_AUTH_ENVELOPED)
		parsed->encrypted = LAYER_SMIME;
	else if (is_pgp_mime_encrypted(parsed->tree, message, root) ||
		 is_pgp_inline(parsed->tree, root))
		parsed->encrypted = LAYER_PGP;
	else
		parsed->signed_by = cms == CMS_SIGNED ? LAYER_SMIME : signed_layer(message, root);
	return parsed;
}

void parsed_free(Parsed *parsed)
{
	if (!parsed)
		return;
	mime_free(parsed->tree);
	g_clear_error(&parsed->failure);
	g_free(parsed);
}
