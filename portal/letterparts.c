/* SPDX-License-Identifier: Apache-2.0
 *
 * What is shown and what is a file (see letterparts.h). Every leaf is reachable: what is not shown
 * is offered as an attachment, except an alternative of a text that is shown, and pictures that
 * belong to an HTML text.
 */
#include "portal/letterparts.h"

#include <string.h>

#include "lib/base/visible.h"

typedef struct {
	LetterParts *parts;
	gboolean related; /* inside multipart/related, below its root */
} Walk;

static void part_free(gpointer data)
{
	LetterPart *part = data;

	g_free(part->number);
	g_free(part->type);
	g_free(part->name);
	g_free(part->fallback);
	g_free(part);
}

void letterparts_free(LetterParts *parts)
{
	if (parts == NULL)
		return;
	g_ptr_array_unref(parts->bodies);
	g_ptr_array_unref(parts->attachments);
	g_hash_table_unref(parts->parts);
	g_hash_table_unref(parts->pictures);
	g_free(parts);
}

gboolean letterparts_is_picture(const char *type)
{
	static const char *const types[] = {"image/png", "image/jpeg", "image/gif", "image/webp",
					    NULL};

	return g_strv_contains(types, type);
}

static gboolean is_html(const MimePart *part)
{
	return g_str_equal(part->type, "text/html");
}

static gboolean is_text(const MimePart *part)
{
	return (g_str_equal(part->type, "text/plain") || is_html(part)) && !part->attached &&
	       part->filename == NULL && part->children == NULL;
}

static LetterPart *letter_part(const MimePart *part)
{
	LetterPart *made = g_new0(LetterPart, 1);

	made->number = mime_number(part);
	made->type = g_strdup(part->type);
	made->html = is_html(part);
	return made;
}

/* A name for a file that has none: by its number and what it is. */
static char *invented_name(const LetterPart *part)
{
	static const char *const endings[][2] = {
		{"text/plain", "txt"},
		{"text/html", "html"},
		{"text/calendar", "ics"},
		{"message/rfc822", "eml"},
		{"image/png", "png"},
		{"image/jpeg", "jpg"},
		{"application/pdf", "pdf"},
		{"text/vcard", "vcf"},
		{"application/pgp-signature", "asc"},
	};
	const char *ending = "bin";

	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++)
		if (g_str_equal(part->type, endings[i][0]))
			ending = endings[i][1];
	return g_strdup_printf("part-%s.%s", part->number, ending);
}

/* Long names are cut, but keep their ending: by it a system knows what to open the file with. */
static char *cut_name(const char *name)
{
	glong length = g_utf8_strlen(name, -1);
	const char *dot = strrchr(name, '.');
	const char *ending = dot != NULL && g_utf8_strlen(dot, -1) <= LETTER_ENDING_MAX ? dot : "";
	g_autofree char *start = NULL;

	if (length <= LETTER_NAME_MAX)
		return g_strdup(name);
	start = g_utf8_substring(name, 0, LETTER_NAME_MAX - g_utf8_strlen(ending, -1));
	return g_strconcat(start, ending, NULL);
}

/* Without what no file system should get (Windows refuses more than others), what hides the ending
 * (a name may be written from right to left), and what hides the file. Never empty. */
static char *safe_name(const MimePart *mime, const LetterPart *part)
{
	g_autofree char *visible = NULL;
	gsize length;

	if (mime->filename == NULL)
		return invented_name(part);
	visible = g_strstrip(visible_text(mime->filename, '_'));
	g_strdelimit(visible, "\\/:*?\"<>|", '_');
	if (*visible == '.')
		*visible = '_';
	/* Windows takes dots and blanks at the end away: the ending would be another one. */
	for (length = strlen(visible); length > 0 && strchr(". ", visible[length - 1]) != NULL;)
		visible[--length] = '\0';
	if (strspn(visible, "_") == length)
		return invented_name(part);
	return cut_name(visible);
}

static void add_attachment(Walk *walk, const MimePart *mime)
{
	LetterPart *part = letter_part(mime);

	part->name = safe_name(mime, part);
	g_hash_table_insert(walk->parts->parts, g_strdup(part->number), (gpointer)mime);
	g_ptr_array_add(walk->parts->attachments, part);
}

static void add_body(Walk *walk, const MimePart *mime, const MimePart *fallback)
{
	LetterPart *part = letter_part(mime);

	g_hash_table_insert(walk->parts->parts, g_strdup(part->number), (gpointer)mime);
	if (fallback != NULL) {
		part->fallback = mime_number(fallback);
		g_hash_table_insert(walk->parts->parts, g_strdup(part->fallback),
				    (gpointer)fallback);
	}
	g_ptr_array_add(walk->parts->bodies, part);
}

static gboolean add_picture(Walk *walk, const MimePart *mime)
{
	g_autofree char *header = mime_header(mime, "Content-ID");
	gsize length;
	const char *id;

	if (header == NULL || mime->children != NULL || !letterparts_is_picture(mime->type))
		return FALSE;
	id = g_strstrip(header);
	length = strlen(id);
	if (length < 3 || id[0] != '<' || id[length - 1] != '>')
		return FALSE;
	g_hash_table_insert(walk->parts->pictures, g_strndup(id + 1, length - 2), (gpointer)mime);
	return TRUE;
}

static void walk_part(Walk *walk, const MimePart *mime, const MimePart *fallback);

/* The HTML form is shown, with the plain one beside it; forms that we do not show (calendar and
 * the like) are files. */
static void walk_alternative(Walk *walk, const MimePart *mime)
{
	const MimePart *plain = NULL;
	const MimePart *rich = NULL;

	for (guint i = 0; i < mime->children->len; i++) {
		const MimePart *child = g_ptr_array_index(mime->children, i);

		if (is_text(child) && !is_html(child) && plain == NULL)
			plain = child;
		else if (is_text(child) ||
			 (child->children != NULL && g_str_has_prefix(child->type, "multipart/")))
			rich = rich == NULL ? child : rich;
		else
			continue;
	}
	for (guint i = 0; i < mime->children->len; i++) {
		const MimePart *child = g_ptr_array_index(mime->children, i);

		if (child == rich || (child == plain && rich == NULL))
			walk_part(walk, child, child == rich ? plain : NULL);
		else if (child != plain)
			walk_part(walk, child, NULL);
	}
}

static void walk_related(Walk *walk, const MimePart *mime, const MimePart *fallback)
{
	gboolean before = walk->related;

	for (guint i = 0; i < mime->children->len; i++) {
		walk_part(walk, g_ptr_array_index(mime->children, i), i == 0 ? fallback : NULL);
		walk->related = TRUE;
	}
	walk->related = before;
}

/* fallback goes to the first text that is shown. Depth is bounded by mime_parse(). */
static void walk_part(Walk *walk, const MimePart *mime, const MimePart *fallback)
{
	gboolean multipart = mime->children != NULL && g_str_has_prefix(mime->type, "multipart/");

	if (multipart && g_str_equal(mime->type, "multipart/alternative")) {
		walk_alternative(walk, mime);
	} else if (multipart && g_str_equal(mime->type, "multipart/related")) {
		walk_related(walk, mime, fallback);
	} else if (multipart) {
		for (guint i = 0; i < mime->children->len; i++)
			walk_part(walk, g_ptr_array_index(mime->children, i),
				  i == 0 ? fallback : NULL);
	} else if (walk->related && add_picture(walk, mime)) {
		return;
	} else if (is_text(mime) && walk->parts->bodies->len < LETTER_BODIES_MAX) {
		add_body(walk, mime, fallback);
	} else {
		add_attachment(walk, mime);
	}
}

LetterParts *letterparts_new(const MimeTree *tree)
{
	LetterParts *parts = g_new0(LetterParts, 1);
	Walk walk = {.parts = parts};

	parts->bodies = g_ptr_array_new_with_free_func(part_free);
	parts->attachments = g_ptr_array_new_with_free_func(part_free);
	parts->parts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	parts->pictures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (tree != NULL)
		walk_part(&walk, mime_root(tree), NULL);
	return parts;
}
