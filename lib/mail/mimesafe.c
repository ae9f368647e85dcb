/* SPDX-License-Identifier: Apache-2.0
 *
 * An entity in a form that may be signed: what every relay passes on as it is (RFC 3156, section
 * 5; RFC 8551, section 3.1.3). Content is read twice, never held.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/headersafe.h"
#include "lib/mail/lines.h"
#include "lib/mail/mimecode.h"
#include "lib/mail/mimescan.h"

/* Of a text, more than one byte in this many to be quoted: base64 is shorter. */
#define QUOTED_SHARE 3

static gboolean is_line_safe(const Line *line)
{
	if (line->cut || line->size > SAFE_LINE_MAX || line->eol == 1)
		return FALSE;
	if (line->size == 0)
		return TRUE;
	for (gsize i = 0; i < line->size; i++)
		if (line->text[i] == '\0' || line->text[i] == '\r' || (guint8)line->text[i] >= 0x80)
			return FALSE;
	if (line->text[line->size - 1] == ' ' || line->text[line->size - 1] == '\t')
		return FALSE;
	return line->size < 5 || memcmp(line->text, "From ", 5) != 0;
}

static gboolean is_range_safe(const MimeTree *tree, Range range, GError **error)
{
	g_autoptr(Lines) lines = lines_new(tree->spool, range);
	Line line;
	int more;

	while ((more = lines_next(lines, &line, error)) > 0)
		if (!is_line_safe(&line))
			return FALSE;
	return more == 0;
}

/* "8bit" over pure ASCII: a relay may still think that it has to convert. */
static gboolean is_label_safe(const MimePart *part)
{
	return strcmp(part->encoding, "8bit") != 0 && strcmp(part->encoding, "binary") != 0;
}

static gboolean are_labels_safe(const MimePart *part)
{
	for (guint i = 0; part->children != NULL && i < part->children->len; i++)
		if (!are_labels_safe(part->children->pdata[i]))
			return FALSE;
	return is_label_safe(part);
}

/* Does a signature of its own cover this child, so that not one of its bytes may change? */
static gboolean is_covered(const MimePart *part, guint index)
{
	return (strcmp(part->type, "multipart/signed") == 0 && index == 0) ||
	       strcmp(part->type, "multipart/encrypted") == 0;
}

/* Text before the first boundary, in a multipart that may be changed: some readers took it for
 * signed, or not. */
static gboolean has_preamble(const MimePart *part)
{
	const MimePart *first;
	gsize boundary_line;

	if (part->children == NULL)
		return FALSE;
	first = part->children->pdata[0];
	boundary_line = strlen("--\r\n");
	if (g_str_has_prefix(part->type, "multipart/"))
		boundary_line += strlen(mime_param(part, "boundary"));
	if (first->whole.start - part->content.start > (goffset)boundary_line)
		return TRUE;
	for (guint i = 0; i < part->children->len; i++)
		if (!is_covered(part, i) && has_preamble(part->children->pdata[i]))
			return TRUE;
	return FALSE;
}

static gboolean survives(const MimeTree *tree, const MimePart *part, GError **error)
{
	const Headers *fields = mime_facts(part)->fields;

	if (!are_labels_safe(part))
		return FALSE;
	if (part->parent != NULL)
		return is_range_safe(tree, part->whole, error);
	for (guint i = 0; i < headers_count(fields); i++)
		if (header_is_content(headers_at(fields, i)->name) &&
		    !header_is_safe(headers_at(fields, i)))
			return FALSE;
	return is_range_safe(tree, part->content, error);
}

gboolean mime_is_transport_safe(const MimeTree *tree, const MimePart *part, GError **error)
{
	return !has_preamble(part) && survives(tree, part, error);
}

/* The part's fields, safe, with the blank line; encoding replaces Content-Transfer-Encoding, NULL
 * keeps it. Of the root, only what describes the body. */
static gboolean write_fields(const MimePart *part, const char *encoding, Sink *sink, GError **error)
{
	const Headers *fields = mime_facts(part)->fields;
	g_autoptr(Headers) safe = headers_new();
	g_autofree char *label = encoding != NULL ? g_strconcat(" ", encoding, NULL) : NULL;
	gboolean labelled = encoding == NULL || strcmp(encoding, "7bit") == 0;
	HeadersWhich which = part->parent == NULL ? HEADERS_CONTENT : HEADERS_ALL;

	for (guint i = 0; i < headers_count(fields); i++) {
		const Header *header = headers_at(fields, i);
		g_autofree char *value = NULL;

		if (which == HEADERS_CONTENT && !header_is_content(header->name))
			continue;
		if (label != NULL &&
		    g_ascii_strcasecmp(header->name, "Content-Transfer-Encoding") == 0) {
			if (labelled && strcmp(encoding, "7bit") != 0)
				continue;
			value = g_strdup(label);
			labelled = TRUE;
		} else {
			value = header_is_safe(header) ? g_strdup(header->value)
						       : header_make_safe(header, error);
		}
		if (value == NULL || !headers_append(safe, header->name, value, error))
			return FALSE;
	}
	if (!labelled && !headers_append(safe, "Content-Transfer-Encoding", label, error))
		return FALSE;
	return headers_write(safe, which, sink, error) && sink_write(sink, "\r\n", 2, error);
}

static gboolean copy_range(const MimeTree *tree, Range range, Sink *sink, GError **error)
{
	g_autoptr(Source) source = spool_source(tree->spool, range);

	return stream_copy(source, sink, error);
}

static gboolean unsupported(const char *what, GError **error)
{
	g_set_error(error, SEALPOST_ERROR, ERROR_UNSUPPORTED,
		    "%s cannot be made fit for a detached signature", what);
	return FALSE;
}

/* As it is, byte for byte, or not at all: its own signature covers it. */
static gboolean write_verbatim(const MimeTree *tree, const MimePart *part, Sink *sink,
			       GError **error)
{
	GError *cause = NULL;

	if (survives(tree, part, &cause))
		return copy_range(tree, part->whole, sink, error);
	if (cause == NULL)
		return unsupported("a protected part", error);
	g_propagate_error(error, cause);
	return FALSE;
}

/* Text that stays readable is quoted, the rest becomes base64. NULL on error. */
static const char *choose_encoding(const MimeTree *tree, const MimePart *part, GError **error)
{
	g_autoptr(Decoder) decoder = decoder_new(tree, part);
	guint64 quoted = 0;
	guint64 total = 0;
	const guint8 *data;
	gsize size;
	int more;

	if (!g_str_has_prefix(part->type, "text/") && !g_str_has_prefix(part->type, "message/"))
		return "base64";
	while ((more = decoder_next(decoder, &data, &size, error)) > 0) {
		total += size;
		for (gsize i = 0; i < size; i++) {
			if (data[i] == '\0')
				return "base64";
			if (data[i] >= 0x80 || data[i] == '=')
				quoted++;
		}
	}
	if (more < 0)
		return NULL;
	return quoted > total / QUOTED_SHARE ? "base64" : "quoted-printable";
}

/* Types that must not be encoded (RFC 2046, section 5), though they have no parts here. */
static gboolean is_composite(const MimePart *part)
{
	static const char *const types[] = {"message/rfc822", "message/global", "message/partial",
					    "message/external-body", NULL};

	return g_str_has_prefix(part->type, "multipart/") || g_strv_contains(types, part->type);
}

static gboolean write_leaf(const MimeTree *tree, const MimePart *part, Sink *sink, GError **error)
{
	GError *cause = NULL;
	const char *encoding;
	g_autoptr(Decoder) decoder = NULL;

	if (is_range_safe(tree, part->content, &cause))
		return write_fields(part, is_label_safe(part) ? NULL : "7bit", sink, error) &&
		       copy_range(tree, part->content, sink, error);
	if (cause != NULL) {
		g_propagate_error(error, cause);
		return FALSE;
	}
	if (is_composite(part) || !decoder_knows(part))
		return unsupported("a part that must not be encoded", error);
	encoding = choose_encoding(tree, part, error);
	if (encoding == NULL || !write_fields(part, encoding, sink, error))
		return FALSE;
	decoder = decoder_new(tree, part);
	return strcmp(encoding, "base64") == 0 ? encode_base64(decoder, sink, error)
					       : encode_quoted(decoder, sink, error);
}

static gboolean write_part(const MimeTree *tree, const MimePart *part, Sink *sink, GError **error);

static gboolean write_child(const MimeTree *tree, const MimePart *part, guint index, Sink *sink,
			    GError **error)
{
	const MimePart *child = part->children->pdata[index];

	return is_covered(part, index) ? write_verbatim(tree, child, sink, error)
				       : write_part(tree, child, sink, error);
}

/* Without preamble and epilogue. */
static gboolean write_multipart(const MimeTree *tree, const MimePart *part, Sink *sink,
				GError **error)
{
	g_autofree char *boundary = g_strchomp(g_strdup(mime_param(part, "boundary")));

	if (!write_fields(part, "7bit", sink, error))
		return FALSE;
	for (guint i = 0; i < part->children->len; i++)
		if (!sink_print(sink, error, "%s--%s\r\n", i > 0 ? "\r\n" : "", boundary) ||
		    !write_child(tree, part, i, sink, error))
			return FALSE;
	return sink_print(sink, error, "\r\n--%s--\r\n", boundary);
}

/* Even where no part is found by it: made fit, it might be another one, and find some. */
static gboolean is_boundary_safe(const MimePart *part)
{
	const char *boundary = mime_param(part, "boundary");

	if (boundary == NULL || !g_str_has_prefix(part->type, "multipart/"))
		return TRUE;
	for (const char *p = boundary; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return FALSE;
	return strlen(boundary) + 4 <= SAFE_LINE_MAX;
}

/* Does an outer multipart have the same boundary? Whose the next one is, readers see differently. */
static gboolean shares_boundary(const MimePart *part)
{
	const char *boundary = mime_param(part, "boundary");

	if (boundary == NULL || !g_str_has_prefix(part->type, "multipart/"))
		return FALSE;
	for (const MimePart *outer = part->parent; outer != NULL; outer = outer->parent)
		if (g_strcmp0(boundary, mime_param(outer, "boundary")) == 0)
			return TRUE;
	return FALSE;
}

/* Depth is bounded by MIME_DEPTH_MAX. */
static gboolean write_part(const MimeTree *tree, const MimePart *part, Sink *sink, GError **error)
{
	if (!is_boundary_safe(part))
		return unsupported("a multipart's boundary", error);
	if (shares_boundary(part))
		return unsupported("a multipart with the boundary of an outer one", error);
	if (part->children == NULL)
		return write_leaf(tree, part, sink, error);
	if (g_str_has_prefix(part->type, "multipart/"))
		return write_multipart(tree, part, sink, error);
	return write_fields(part, "7bit", sink, error) &&
	       write_part(tree, part->children->pdata[0], sink, error);
}

gboolean mime_write_transport_safe(const MimeTree *tree, const MimePart *part, Sink *sink,
				   GError **error)
{
	return write_part(tree, part, sink, error);
}
