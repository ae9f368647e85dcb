/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of a message's parts: what each is and says. Where they are: mimescan.c; what is in
 * them: mimedecode.c; made fit for signing: mimesafe.c.
 */
#include "lib/mail/mime.h"

#include <string.h>
#include <sys/random.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/mail/mimescan.h"

#define BOUNDARY_RANDOM 16

MimePart *mime_part_new(MimePart *parent, goffset start)
{
	MimePart *part = g_new0(MimePart, 1);

	part->headers.start = part->headers.end = start;
	part->content = part->whole = part->headers;
	part->parent = parent;
	if (parent == NULL)
		return part;
	if (parent->children == NULL)
		parent->children = g_ptr_array_new_with_free_func(mime_part_free);
	g_ptr_array_add(parent->children, part);
	return part;
}

/* Depth is bounded by MIME_DEPTH_MAX: recursion through the children is fine from here on. */
void mime_part_free(gpointer data)
{
	MimePart *part = data;
	MimeFacts *facts;

	if (part == NULL)
		return;
	facts = part->object;
	if (facts != NULL) {
		headers_free(facts->fields);
		mime_field_free(facts->type);
		g_free(facts);
	}
	g_clear_pointer(&part->children, g_ptr_array_unref);
	g_free(part->type);
	g_free(part->encoding);
	g_free(part->filename);
	g_free(part);
}

/* Ends the field that is being gathered. What is no field's name, leave out. */
static gboolean add_field(Headers *fields, GString *name, GString *value, GError **error)
{
	GError *cause = NULL;

	g_strchomp(name->str);
	if (*name->str != '\0' && !headers_append(fields, name->str, value->str, &cause)) {
		if (!g_error_matches(cause, SEALPOST_ERROR, ERROR_MALFORMED)) {
			g_propagate_error(error, cause);
			return FALSE;
		}
		g_error_free(cause);
	}
	g_string_truncate(name, 0);
	g_string_truncate(value, 0);
	return TRUE;
}

/* The fields of a header block, folded in the milter's way. */
static Headers *read_fields(const char *text, const char *end, GError **error)
{
	g_autoptr(Headers) fields = headers_new();
	g_autoptr(GString) name = g_string_new(NULL);
	g_autoptr(GString) value = g_string_new(NULL);

	while (text < end) {
		const char *newline = memchr(text, '\n', (gsize)(end - text));
		const char *next = newline != NULL ? newline + 1 : end;
		const char *last = newline != NULL ? newline : end;
		const char *colon;

		if (last > text && last[-1] == '\r')
			last--;
		if ((*text == ' ' || *text == '\t') && name->len > 0) {
			g_string_append_c(value, '\n');
			g_string_append_len(value, text, last - text);
			text = next;
			continue;
		}
		if (!add_field(fields, name, value, error))
			return NULL;
		colon = memchr(text, ':', (gsize)(last - text));
		if (colon != NULL) {
			g_string_append_len(name, text, colon - text);
			g_string_append_len(value, colon + 1, last - colon - 1);
		}
		text = next;
	}
	if (!add_field(fields, name, value, error))
		return NULL;
	return g_steal_pointer(&fields);
}

static char *read_block(const Spool *spool, Range range, GError **error)
{
	gsize size = (gsize)(range.end - range.start);
	g_autofree char *block = g_malloc(size + 1);
	gsize filled = 0;

	while (filled < size) {
		gssize count = spool_read(spool, range.start + (goffset)filled, block + filled,
					  size - filled, error);

		if (count < 0)
			return NULL;
		if (count == 0)
			break;
		filled += (gsize)count;
	}
	memset(block + filled, ' ', size + 1 - filled);
	for (gsize i = 0; i < size; i++)
		if (block[i] == '\0')
			block[i] = ' ';
	block[size] = '\0';
	return g_steal_pointer(&block);
}

/* "type/subtype", of token characters (RFC 2045, section 5.1). */
static gboolean is_type(const char *value)
{
	const char *slash = strchr(value, '/');

	if (slash == NULL || slash == value || slash[1] == '\0' || strchr(slash + 1, '/') != NULL)
		return FALSE;
	for (const char *p = value; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || strchr("()<>@,;:\\\"[]?=", *p) != NULL)
			return FALSE;
	return TRUE;
}

/* RFC 2045, section 5.2: what is absent or cannot be read is text/plain; RFC 2046, section
 * 5.1.5. */
static char *read_type(const MimePart *part, const MimeFacts *facts)
{
	const char *value = mime_field_value(facts->type);
	gboolean in_digest =
		part->parent != NULL && strcmp(part->parent->type, "multipart/digest") == 0;

	if (is_type(value))
		return g_ascii_strdown(value, -1);
	return g_strdup(in_digest && *value == '\0' ? "message/rfc822" : "text/plain");
}

static char *field_value(const Headers *fields, const char *name)
{
	const Header *header = headers_find(fields, name, 0);

	return g_strdup(header != NULL ? header->value : "");
}

/* The token alone, in lower case, without comments or other additions. */
static char *read_encoding(const Headers *fields)
{
	g_autofree char *raw = field_value(fields, "Content-Transfer-Encoding");
	g_autoptr(MimeField) field = mime_field_new(raw);
	g_autofree char *valid = g_utf8_make_valid(mime_field_value(field), -1);

	return g_ascii_strdown(*valid != '\0' ? valid : "7bit", -1);
}

static void read_disposition(MimePart *part, const MimeFacts *facts)
{
	g_autofree char *raw = field_value(facts->fields, "Content-Disposition");
	g_autoptr(MimeField) disposition = mime_field_new(raw);
	const char *name = mime_field_param(disposition, "filename");

	if (name == NULL || *name == '\0')
		name = mime_field_param(facts->type, "name");
	part->attached = g_ascii_strcasecmp(mime_field_value(disposition), "attachment") == 0;
	part->filename = name != NULL && *name != '\0' ? g_strdup(name) : NULL;
}

gboolean mime_part_describe(MimePart *part, const Spool *spool, GError **error)
{
	g_autofree char *block = read_block(spool, part->headers, error);
	g_autofree char *type = NULL;
	Headers *fields;
	MimeFacts *facts;

	if (block == NULL)
		return FALSE;
	fields = read_fields(block, block + (part->headers.end - part->headers.start), error);
	if (fields == NULL)
		return FALSE;
	type = field_value(fields, "Content-Type");
	facts = g_new0(MimeFacts, 1);
	facts->fields = fields;
	facts->type = mime_field_new(type);
	part->object = facts;
	part->type = read_type(part, facts);
	part->encoding = read_encoding(fields);
	read_disposition(part, facts);
	return TRUE;
}

gboolean mime_is_identity(const MimePart *part)
{
	static const char *const names[] = {"7bit", "8bit", "binary", NULL};

	return g_strv_contains(names, part->encoding);
}

static MimeTree *parse(Spool *spool, gboolean quoted, GError **error)
{
	MimePart *root = mime_scan(spool, quoted, error);
	MimeTree *tree;

	if (root == NULL)
		return NULL;
	tree = g_new0(MimeTree, 1);
	tree->spool = spool_ref(spool);
	tree->root = root;
	return tree;
}

MimeTree *mime_parse(Spool *spool, GError **error)
{
	return parse(spool, TRUE, error);
}

MimeTree *mime_parse_unquoted(Spool *spool, GError **error)
{
	return parse(spool, FALSE, error);
}

MimePart *mime_root(const MimeTree *tree)
{
	return tree->root;
}

void mime_free(MimeTree *tree)
{
	if (tree == NULL)
		return;
	mime_part_free(tree->root);
	spool_unref(tree->spool);
	g_free(tree);
}

const char *mime_param(const MimePart *part, const char *name)
{
	return mime_field_param(mime_facts(part)->type, name);
}

char *mime_header(const MimePart *part, const char *name)
{
	const Header *header = headers_find(mime_facts(part)->fields, name, 0);

	return header != NULL ? header_decode(header) : NULL;
}

char *mime_number(const MimePart *part)
{
	GString *number = g_string_new(NULL);

	for (; part->parent != NULL; part = part->parent) {
		guint index = 0;
		g_autofree char *step = NULL;

		g_ptr_array_find(part->parent->children, part, &index);
		step = g_strdup_printf(".%u", index + 1);
		g_string_prepend(number, step);
	}
	g_string_prepend(number, "1");
	return g_string_free(number, FALSE);
}

char *mime_boundary_new(void)
{
	guint8 random[BOUNDARY_RANDOM];
	/* "=_" never stands in quoted-printable or base64 (RFC 2045, section 6.7). */
	GString *boundary = g_string_new("=_");

	if (getentropy(random, sizeof(random)) != 0)
		g_error("no randomness");
	hex_append(boundary, random, sizeof(random));
	return g_string_free(boundary, FALSE);
}
