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
/* Longest text around the parts of a multipart that is looked at: a delimiter and a line. */
#define SHORT_TEXT_MAX 256
/* Largest signature with its certificates. */
#define SIGNATURE_MAX ((gsize)1024 * 1024)

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

	return g_str_has_suffix(name, ".p7m") || g_str_equal(name, "smime.p7s") ||
	       g_str_equal(name, "smime.p7z");
}

/* A signature as a file, whose text is elsewhere. */
static gboolean is_lone_signature(const MimePart *root, const CmsHead *head)
{
	return g_str_equal(root->type, "application/octet-stream") && head->type == CMS_SIGNED &&
	       !head->has_content;
}

/* The type of CMS structure that the root is; CMS_OTHER if it is none. A ciphertext must be one
 * from end to end. */
static CmsType cms_type(Spool *message, const MimePart *root)
{
	gboolean base64 = g_str_equal(root->encoding, "base64");

	if (!is_smime_type(root))
		return CMS_OTHER;
	g_autoptr(Source) content = part_content(message, root);
	g_autoptr(CmsHead) head =
		base64 ? cms_head_read_base64(content, NULL) : cms_head_read(content, NULL);

	if (!head || (head->type == CMS_SIGNED && head->certs_only) ||
	    is_lone_signature(root, head))
		return CMS_OTHER;
	if (head->type != CMS_ENVELOPED && head->type != CMS_AUTH_ENVELOPED)
		return head->type;
	return source_rewind(content, NULL) && cms_is_sealed(content, base64) ? head->type
									      : CMS_OTHER;
}

static const MimePart *child(const MimePart *part, guint index)
{
	return part->children && index < part->children->len ? part->children->pdata[index] : NULL;
}

static gboolean holds_pgp_encrypted(Source *source)
{
	g_autoptr(PgpHead) head = pgp_head_read(source, NULL);

	return head && head->encrypted && source_rewind(source, NULL) && pgp_is_sealed(source);
}

/* A range of the message as text without blanks around it; NULL if it is longer than any that we
 * look for, or holds a NUL. New string. */
static char *short_text(Spool *message, goffset start, goffset end)
{
	char text[SHORT_TEXT_MAX + 1];
	gsize size = (gsize)MAX(end - start, 0);

	if (size > SHORT_TEXT_MAX ||
	    spool_read_all(message, start, text, size, NULL) != (gssize)size ||
	    memchr(text, '\0', size))
		return NULL;
	text[size] = '\0';
	return g_strdup(g_strstrip(text));
}

/* What stands before the first part, with its delimiter: nothing, or the one line by which a
 * program tells people without MIME what they see. */
static gboolean is_notice(char *text, const char *delimiter)
{
	if (!text || !g_str_has_suffix(text, delimiter))
		return FALSE;
	text[strlen(text) - strlen(delimiter)] = '\0';
	g_strstrip(text);
	return *text == '\0' ||
	       (g_ascii_strncasecmp(text, "This is a", 9) == 0 && !strchr(text, '\n'));
}

/* No text of the sender's stands around the parts. */
static gboolean is_bare_multipart(Spool *message, const MimePart *root)
{
	const MimePart *first = child(root, 0);
	const MimePart *last = child(root, root->children->len - 1);
	const char *boundary = mime_param(root, "boundary");
	g_autofree char *delimiter = g_strconcat("--", boundary ? boundary : "", NULL);
	g_autofree char *closing = g_strconcat(delimiter, "--", NULL);
	g_autofree char *before = short_text(message, root->content.start, first->whole.start);
	g_autofree char *behind = short_text(message, last->whole.end, root->content.end);

	return is_notice(before, delimiter) && behind &&
	       (g_str_equal(behind, closing) || *behind == '\0');
}

/* A small part's text, decoded, without blanks around it, is nothing or this. */
static gboolean is_text(const MimeTree *tree, const MimePart *part, const char *wanted)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, SHORT_TEXT_MAX);

	if (!mime_decode(tree, part, sink, NULL) ||
	    (bytes->len && memchr(bytes->data, '\0', bytes->len)))
		return FALSE;
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	const char *text = g_strstrip((char *)bytes->data);

	return *text == '\0' || g_ascii_strcasecmp(text, wanted) == 0;
}

static gboolean holds_pgp_data(const MimeTree *tree, const MimePart *data)
{
	g_autoptr(Source) content = mime_source(tree, data);

	return holds_pgp_encrypted(content);
}

/* Says nothing: empty, or a signature's delimiter without a signature. */
static gboolean is_blank(const MimeTree *tree, const MimePart *part)
{
	return g_str_equal(part->type, "text/plain") && is_text(tree, part, "--");
}

const MimePart *parse_pgp_mime(const MimeTree *tree, Spool *message, const MimePart *root)
{
	gboolean exact = g_str_equal(root->type, "multipart/encrypted");
	guint control = 0, end;

	if ((!exact && !g_str_equal(root->type, "multipart/mixed")) || !child(root, 0) ||
	    !is_bare_multipart(message, root))
		return NULL;
	if (!exact && is_blank(tree, child(root, 0)))
		control = 1;
	/* A last delimiter that does not close opens an empty part. */
	for (end = root->children->len; end > control && is_blank(tree, child(root, end - 1));)
		end--;
	const MimePart *version = child(root, control);
	const MimePart *data = end > control + 1 ? child(root, control + 1) : NULL;

	if (version && end == 2 && control == 1 &&
	    g_str_equal(version->type, "multipart/encrypted"))
		return parse_pgp_mime(tree, message, version);
	/* The control part says "Version: 1", no more. */
	if (!version || !data || end != control + 2 ||
	    !g_str_equal(version->type, "application/pgp-encrypted") ||
	    !is_text(tree, version, "Version: 1"))
		return NULL;
	return holds_pgp_data(tree, data) ? data : NULL;
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

/* What a signature part holds, whatever it is called: relays and programs rename it. */
static Layer signature_layer(const MimeTree *tree, const MimePart *part)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, SIGNATURE_MAX);

	if (part->children || !mime_decode(tree, part, sink, NULL))
		return LAYER_NONE;
	g_autoptr(GBytes) held = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
	g_autoptr(Source) content = source_new_bytes(held);
	g_autoptr(PgpHead) pgp = pgp_head_read(content, NULL);

	if (pgp)
		return pgp->signature ? LAYER_PGP : LAYER_NONE;
	if (!source_rewind(content, NULL))
		return LAYER_NONE;
	g_autoptr(CmsHead) cms = cms_head_read(content, NULL);

	return cms && cms->type == CMS_SIGNED ? LAYER_SMIME : LAYER_NONE;
}

/* multipart/signed, by what its signature part holds. */
static Layer signed_layer(const MimeTree *tree, const MimePart *root)
{
	const MimePart *signature = child(root, 1);

	if (!g_str_equal(root->type, "multipart/signed") || !signature)
		return LAYER_NONE;
	return signature_layer(tree, signature);
}

/* cms: what the root is. */
static Layer layer_of(const MimeTree *tree, Spool *message, CmsType cms)
{
	const MimePart *root = mime_root(tree);

	if (cms != CMS_OTHER)
		return LAYER_SMIME;
	if (parse_pgp_mime(tree, message, root) || is_pgp_inline(tree, root))
		return LAYER_PGP;
	return signed_layer(tree, root);
}

Layer parse_layer(const MimeTree *tree, Spool *message)
{
	return layer_of(tree, message, cms_type(message, mime_root(tree)));
}

static gboolean is_document(const MimePart *part)
{
	return part->filename && g_ascii_strcasecmp(part->filename, "smime.p7m") != 0;
}

Layer parse_sealed(const MimeTree *tree, Spool *message, const MimePart *part)
{
	if (g_str_equal(part->type, "multipart/encrypted"))
		return parse_pgp_mime(tree, message, part) ? LAYER_PGP : LAYER_NONE;
	if (is_document(part))
		return LAYER_NONE;
	CmsType type = cms_type(message, part);

	return type == CMS_ENVELOPED || type == CMS_AUTH_ENVELOPED ? LAYER_SMIME : LAYER_NONE;
}

Layer parse_signed_part(const MimeTree *tree, Spool *message, const MimePart *part)
{
	if (g_str_equal(part->type, "multipart/signed"))
		return signed_layer(tree, part);
	if (is_document(part))
		return LAYER_NONE;
	return cms_type(message, part) == CMS_SIGNED ? LAYER_SMIME : LAYER_NONE;
}

/* Depth is bounded by MIME_DEPTH_MAX. */
static gboolean holds_invitation(const MimePart *part)
{
	const char *method =
		g_str_equal(part->type, "text/calendar") ? mime_param(part, "method") : NULL;

	if (method && g_ascii_strcasecmp(method, "REQUEST") == 0)
		return TRUE;
	if (!g_str_has_prefix(part->type, "multipart/"))
		return FALSE;
	for (guint i = 0; part->children && i < part->children->len; i++)
		if (holds_invitation(part->children->pdata[i]))
			return TRUE;
	return FALSE;
}

gboolean parse_is_invitation(const MimeTree *tree)
{
	return tree && holds_invitation(mime_root(tree));
}

gboolean parse_is_report(const MimePart *root)
{
	static const char *const reports[][2] = {
		{"disposition-notification", "message/disposition-notification"},
		{"disposition-notification", "message/global-disposition-notification"},
		{"delivery-status", "message/delivery-status"},
		{"delivery-status", "message/global-delivery-status"},
		{"feedback-report", "message/feedback-report"},
		{"tlsrpt", "application/tlsrpt+gzip"},
		{"tlsrpt", "application/tlsrpt+json"},
	};
	const char *kind = mime_param(root, "report-type");
	const MimePart *status = child(root, 1);

	/* Words, the report, perhaps the message that it is about. */
	if (!g_str_equal(root->type, "multipart/report") || !kind || !status ||
	    root->children->len > 3)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(reports); i++)
		if (g_ascii_strcasecmp(kind, reports[i][0]) == 0 &&
		    g_str_equal(status->type, reports[i][1]))
			return TRUE;
	return FALSE;
}

Parsed *parse_message(Spool *message)
{
	Parsed *parsed = g_new0(Parsed, 1);

	parsed->tree = mime_parse(message, &parsed->failure);
	if (!parsed->tree)
		return parsed;
	const MimePart *root = mime_root(parsed->tree);
	CmsType cms = cms_type(message, root);

	parsed->report = parse_is_report(root);
	parsed->layer = layer_of(parsed->tree, message, cms);
	if (cms == CMS_ENVELOPED || cms == CMS_AUTH_ENVELOPED)
		parsed->encrypted = LAYER_SMIME;
	else if (parse_pgp_mime(parsed->tree, message, root) || is_pgp_inline(parsed->tree, root))
		parsed->encrypted = LAYER_PGP;
	else
		parsed->signed_by =
			cms == CMS_SIGNED ? LAYER_SMIME : signed_layer(parsed->tree, root);
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
