/* SPDX-License-Identifier: Apache-2.0
 *
 * The legacy display element in the parts of a message. See legacydisplay.h.
 */
#include <string.h>

#include "lib/mail/fieldparams.h"

#include "gateway/head.h"
#include "gateway/headprotect.h"
#include "gateway/legacydisplay.h"
#include "gateway/legacytext.h"

#define MARK "hp-legacy-display"

/* Bytes that stand in the place of others. */
typedef struct {
	Range range;
	GBytes *bytes;
} Patch;

struct LegacyDisplay {
	Spool *spool;
	GArray *patches; /* of Patch, in their order */
	Headers *root;
};

typedef struct {
	LegacyDisplay *display;
	const MimeTree *tree;
	char *fields; /* to be put in; NULL: to be taken out */
	guint parts;
} Work;

static void patch_clear(Patch *patch)
{
	g_bytes_unref(patch->bytes);
}

static LegacyDisplay *display_new(Spool *spool)
{
	LegacyDisplay *display = g_new0(LegacyDisplay, 1);

	display->spool = spool_ref(spool);
	display->patches = g_array_new(FALSE, FALSE, sizeof(Patch));
	g_array_set_clear_func(display->patches, (GDestroyNotify)patch_clear);
	return display;
}

void legacydisplay_free(LegacyDisplay *display)
{
	if (!display)
		return;
	spool_unref(display->spool);
	g_array_unref(display->patches);
	headers_free(display->root);
	g_free(display);
}

/* What people read of the hidden fields; "" if there is nothing. */
static char *hidden_fields(const Headers *inside)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < headers_count(inside); i++) {
		const Header *header = headers_at(inside, i);

		if (!headprotect_is_hidden(header->name) ||
		    g_ascii_strcasecmp(header->name, "Thread-Topic") == 0)
			continue;
		g_autofree char *value = header_decode(header);

		g_string_append_printf(text, "%s: %s\n", header->name, value);
	}
	return g_string_free(text, FALSE);
}

/* What a part's fields have to say of its new text. */
typedef struct {
	gboolean marked; /* it has an element now */
	const char *charset; /* NULL: as it was */
	const char *encoding;
} Label;

static char *content_type(const char *raw, const Label *label)
{
	static const char *const mark[] = {MARK, NULL}, *const charset[] = {"charset", NULL};
	g_autofree char *value = field_params_remove(raw, mark);

	if (label->charset) {
		g_autofree char *param = g_strdup_printf("charset=\"%s\"", label->charset);
		g_autofree char *bare = field_params_remove(value, charset);

		g_free(value);
		value = field_params_add(bare, param);
	}
	return label->marked ? field_params_add(value, MARK "=\"1\"") : g_steal_pointer(&value);
}

/* The part's fields, labelled anew. */
static Headers *relabel(const Headers *fields, const Label *label, GError **error)
{
	g_autoptr(Headers) made = headers_new();
	gboolean typed = FALSE, encoded = FALSE;

	for (guint i = 0; i < headers_count(fields); i++) {
		const Header *header = headers_at(fields, i);
		gboolean type = !typed && g_ascii_strcasecmp(header->name, "Content-Type") == 0;
		gboolean encoding =
			g_ascii_strcasecmp(header->name, "Content-Transfer-Encoding") == 0;
		g_autofree char *value = type	    ? content_type(header->value, label)
					 : encoding ? g_strconcat(" ", label->encoding, NULL)
						    : g_strdup(header->value);

		typed = typed || type;
		encoded = encoded || encoding;
		if (!headers_append(made, header->name, value, error))
			return NULL;
	}
	g_autofree char *type = content_type(" text/plain", label);
	g_autofree char *encoding = g_strconcat(" ", label->encoding, NULL);

	if (!typed && !headers_append(made, "Content-Type", type, error))
		return NULL;
	if (!encoded && !g_str_equal(label->encoding, "7bit") &&
	    !headers_append(made, "Content-Transfer-Encoding", encoding, error))
		return NULL;
	return g_steal_pointer(&made);
}

static Headers *read_fields(const Work *work, const MimePart *part, GError **error)
{
	gsize used;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, HEADERS_BYTES_MAX * 2);
	g_autoptr(Source) source = spool_source(work->display->spool, part->headers);

	if (!stream_copy(source, sink, error))
		return NULL;
	return head_parse(bytes->len > 0 ? (const char *)bytes->data : "", bytes->len, &used,
			  error);
}

static void add_patch(Work *work, Range range, GByteArray *bytes)
{
	Patch patch = {range, g_byte_array_free_to_bytes(bytes)};

	g_array_append_val(work->display->patches, patch);
}

/* The new text in its encoding, and, but for the root, the new fields before it. */
static gboolean patch_part(Work *work, const MimePart *part, GBytes *text, const Label *label,
			   GError **error)
{
	g_autoptr(Headers) old = read_fields(work, part, error);
	g_autoptr(Headers) fields = old ? relabel(old, label, error) : NULL;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink =
		sink_new_bytes(bytes, HEADERS_BYTES_MAX * 2 + 8 * LEGACYDISPLAY_TEXT_MAX);
	g_autoptr(Source) source = source_new_bytes(text);
	gboolean root = part->parent == NULL;

	if (!fields)
		return FALSE;
	if (!root && (!headers_write(fields, HEADERS_ALL, sink, error) ||
		      !sink_write(sink, "\r\n", 2, error)))
		return FALSE;
	if (!mime_encode(label->encoding, source, sink, error))
		return FALSE;
	if (root)
		work->display->root = g_steal_pointer(&fields);
	add_patch(work,
		  (Range){root ? part->content.start : part->headers.start, part->content.end},
		  g_steal_pointer(&bytes));
	return TRUE;
}

/* The texts here end with a NUL that is not theirs. Plain text: in its charset; one that is none, or ASCII alone, becomes UTF-8 where that is
 * needed. */
static char *add_plain(const Work *work, const MimePart *part, const GByteArray *text, Label *label,
		       gsize *length)
{
	const char *charset = mime_param(part, "charset");
	const char *bytes = (const char *)text->data;
	gsize size = text->len - 1;
	gboolean ascii = !charset || g_ascii_strcasecmp(charset, "us-ascii") == 0;

	if (ascii && g_utf8_validate_len(bytes, size, NULL) && !g_str_is_ascii(work->fields))
		label->charset = charset = "utf-8";
	else if (ascii)
		charset = "us-ascii";
	return legacytext_add(bytes, size, charset, work->fields, length);
}

static char *change_text(const Work *work, const MimePart *part, const GByteArray *text,
			 Label *label, gsize *length)
{
	const char *bytes = (const char *)text->data;
	gsize size = text->len - 1;
	gboolean html = g_str_equal(part->type, "text/html");

	if (!work->fields)
		return html ? legacytext_remove_html(bytes, size, length)
			    : legacytext_remove(bytes, size, length);
	return html ? legacytext_add_html(bytes, size, work->fields, length)
		    : add_plain(work, part, text, label, length);
}

static gboolean has_high_bytes(const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if ((guchar)text[i] >= 0x80)
			return TRUE;
	return FALSE;
}

/* An encoding that nobody knows stays on: what is below it cannot be changed. */
static gboolean is_readable(const MimePart *part)
{
	static const char *const known[] = {"7bit", "8bit", "binary", "base64", "quoted-printable",
					    NULL};

	return g_strv_contains(known, part->encoding) &&
	       part->content.end - part->content.start <= LEGACYDISPLAY_TEXT_MAX;
}

static gboolean change_part(Work *work, const MimePart *part, GError **error)
{
	g_autoptr(GByteArray) text = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(text, 2 * LEGACYDISPLAY_TEXT_MAX);
	Label label = {work->fields != NULL, NULL, part->encoding};
	gsize length = 0;

	if (!is_readable(part) || work->parts++ >= LEGACYDISPLAY_PARTS_MAX)
		return TRUE;
	if (!mime_decode(work->tree, part, sink, error))
		return FALSE;
	g_byte_array_append(text, (const guint8 *)"", 1);
	char *changed = change_text(work, part, text, &label, &length);
	g_autoptr(GBytes) bytes = changed ? g_bytes_new_take(changed, length) : NULL;

	if (!changed)
		return TRUE;
	if (g_str_equal(part->encoding, "7bit") && has_high_bytes(changed, length))
		label.encoding = "quoted-printable";
	return patch_part(work, part, bytes, &label, error);
}

static gboolean is_marked(const MimePart *part)
{
	return g_strcmp0(mime_param(part, MARK), "1") == 0;
}

/* The main body parts (RFC 9787, section 1.1.1): of a mixture, or of what belongs together, what
 * comes first; of alternatives, each. */
static gboolean visit(Work *work, const MimePart *part, GError **error)
{
	gboolean all = g_str_equal(part->type, "multipart/alternative");
	gboolean first = g_str_equal(part->type, "multipart/mixed") ||
			 g_str_equal(part->type, "multipart/related");

	if (!part->children) {
		gboolean text = g_str_equal(part->type, "text/plain") ||
				g_str_equal(part->type, "text/html");

		return !text || part->attached || (!work->fields && !is_marked(part)) ||
		       change_part(work, part, error);
	}
	for (guint i = 0; (all || first) && i < part->children->len; i++) {
		if (!visit(work, part->children->pdata[i], error))
			return FALSE;
		if (first)
			break;
	}
	return TRUE;
}

LegacyDisplay *legacydisplay_add(const MimeTree *tree, Spool *message, const Headers *inside,
				 GError **error)
{
	g_autoptr(LegacyDisplay) display = display_new(message);
	g_autofree char *fields = hidden_fields(inside);
	Work work = {display, tree, fields, 0};

	return *fields == '\0' || visit(&work, mime_root(tree), error) ? g_steal_pointer(&display)
								       : NULL;
}

LegacyDisplay *legacydisplay_remove(const MimeTree *tree, Spool *entity, GError **error)
{
	g_autoptr(LegacyDisplay) display = display_new(entity);
	Work work = {display, tree, NULL, 0};

	return visit(&work, mime_root(tree), error) ? g_steal_pointer(&display) : NULL;
}

gboolean legacydisplay_changes(const LegacyDisplay *display)
{
	return display->patches->len > 0;
}

const Headers *legacydisplay_root(const LegacyDisplay *display)
{
	return display->root;
}

Source *legacydisplay_content(const LegacyDisplay *display, Range content)
{
	g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
	Source *source = source_new_bytes(nothing);
	goffset at = content.start;

	for (guint i = 0; i < display->patches->len; i++) {
		const Patch *patch = &g_array_index(display->patches, Patch, i);

		source = source_new_concat(
			source, spool_source(display->spool, (Range){at, patch->range.start}));
		source = source_new_concat(source, source_new_bytes(patch->bytes));
		at = patch->range.end;
	}
	return source_new_concat(source, spool_source(display->spool, (Range){at, content.end}));
}
