/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mailcheck.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/charset.h"

static char *check_part(const MimePart *part)
{
	goffset at = part->content.start;

	if (part->whole.start != part->headers.start || part->headers.end != part->content.start ||
	    part->content.end != part->whole.end || part->headers.start > part->headers.end ||
	    part->content.start > part->content.end)
		return g_strdup_printf("ranges of a %s", part->type);
	for (guint i = 0; part->children != NULL && i < part->children->len; i++) {
		const MimePart *child = part->children->pdata[i];
		char *problem = check_part(child);

		if (problem != NULL)
			return problem;
		if (child->parent != part || child->whole.start < at ||
		    child->whole.end > part->whole.end)
			return g_strdup_printf("a %s outside its %s", child->type, part->type);
		at = child->whole.end;
	}
	return NULL;
}

char *check_ranges(const MimeTree *tree)
{
	return check_part(mime_root(tree));
}

static gboolean hash_write(void *self, const void *data, gsize size, GError **error)
{
	(void)error;
	g_checksum_update(self, data, (gssize)size);
	return TRUE;
}

/* Folding may change how many blanks stand in a row, encoding turns control characters into them. */
static void append_words(GString *text, const char *value)
{
	gsize start = text->len;

	for (const char *p = value; *p != '\0'; p++)
		if (!g_ascii_isspace(*p) && !g_ascii_iscntrl(*p))
			g_string_append_c(text, *p);
		else if (text->len > start && text->str[text->len - 1] != ' ')
			g_string_append_c(text, ' ');
	if (text->len > start && text->str[text->len - 1] == ' ')
		g_string_truncate(text, text->len - 1);
}

/* All that a rewritten message must keep, as text: one line a part. */
static void describe(const MimeTree *tree, const MimePart *part, GString *text)
{
	static const char *const params[] = {"charset", "method", "format",   "delsp",
					     "name",	"micalg", "protocol", "boundary"};
	static const SinkClass hash_class = {hash_write, NULL};
	g_autofree char *number = mime_number(part);

	g_string_append_printf(text, "%s %s %d ", number, part->type, part->attached);
	append_words(text, part->filename != NULL ? part->filename : "-");
	for (gsize i = 0; i < G_N_ELEMENTS(params); i++) {
		const char *value = mime_param(part, params[i]);

		g_autoptr(GString) utf8 = g_string_new(NULL);

		if (value == NULL || *value == '\0')
			continue;
		charset_append_utf8(utf8, NULL, value, strlen(value));
		g_string_append_printf(text, " %s=", params[i]);
		append_words(text, utf8->str);
	}
	if (part->children == NULL) {
		GChecksum *hash = g_checksum_new(G_CHECKSUM_SHA256);
		g_autoptr(Sink) sink = sink_new(&hash_class, hash);

		if (mime_decode(tree, part, sink, NULL))
			g_string_append_printf(text, " %s", g_checksum_get_string(hash));
		g_checksum_free(hash);
	}
	g_string_append_c(text, '\n');
	for (guint i = 0; part->children != NULL && i < part->children->len; i++)
		describe(tree, part->children->pdata[i], text);
}

CheckResult check_rewrite(const MimeTree *tree, char **problem)
{
	g_autoptr(Spool) spool = spool_new(g_get_tmp_dir(), G_MAXINT64);
	g_autoptr(Sink) sink = spool_sink(spool);
	g_autoptr(GString) before = g_string_new(NULL);
	g_autoptr(GString) after = g_string_new(NULL);
	g_autoptr(MimeTree) again = NULL;
	g_autoptr(GError) error = NULL;

	if (!mime_write_transport_safe(tree, mime_root(tree), sink, &error)) {
		if (g_error_matches(error, SEALPOST_ERROR, ERROR_UNSUPPORTED))
			return CHECK_UNSUPPORTED;
		*problem = g_strdup_printf("not written: %s", error->message);
		return CHECK_BAD;
	}
	again = mime_parse(spool, &error);
	if (again == NULL || !mime_is_transport_safe(again, mime_root(again), &error)) {
		*problem =
			g_strdup_printf("written, but not safe: %s", error ? error->message : "");
		return CHECK_BAD;
	}
	describe(tree, mime_root(tree), before);
	describe(again, mime_root(again), after);
	if (strcmp(before->str, after->str) == 0)
		return CHECK_GOOD;
	*problem = g_strdup_printf("written as something else:\n%sinstead of\n%s", after->str,
				   before->str);
	return CHECK_BAD;
}
