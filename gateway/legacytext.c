/* SPDX-License-Identifier: Apache-2.0
 *
 * The legacy display element in a text. See legacytext.h.
 */
#include <string.h>

#include "lib/mail/spool.h"

#include "gateway/legacytext.h"

#define DIV_START "<div class=\"header-protection-legacy-display\">"
#define DIV_END "</div>"
#define BLANKS " \t\r\n"

/* The text with another one in the place of that range. */
static char *replace(const char *text, gsize size, Range old, const char *with, gsize *length)
{
	gsize from = (gsize)old.start, rest = size - (gsize)old.end, added = strlen(with);
	char *made = g_malloc(from + added + rest + 1);

	memcpy(made, text, from);
	memcpy(made + from, with, added);
	memcpy(made + from + added, text + old.end, rest);
	*length = from + added + rest;
	made[*length] = '\0';
	return made;
}

/* Line ends as in mail. */
static char *with_crlf(const char *fields)
{
	g_auto(GStrv) lines = g_strsplit(fields, "\n", -1);

	return g_strjoinv("\r\n", lines);
}

char *legacytext_add(const char *text, gsize size, const char *charset, const char *fields,
		     gsize *length)
{
	g_autofree char *lines = with_crlf(fields);
	g_autofree char *element = g_strconcat(lines, "\r\n", NULL);
	g_autofree char *converted = NULL;
	gsize made = 0;

	converted = g_convert_with_fallback(element, -1, charset, "UTF-8", "?", NULL, &made, NULL);
	/* UTF-16 and the like have no line ends that a reader of bytes would find. */
	if (!converted || made < strlen("X: ") || !g_ascii_isalpha(*converted) ||
	    memchr(converted, '\0', made))
		return NULL;
	return replace(text, size, (Range){0, 0}, converted, length);
}

/* ASCII in any case. NULL if there is none. */
static const char *find(const char *text, gsize size, const char *what)
{
	gsize length = strlen(what);

	for (gsize i = 0; i + length <= size; i++)
		if (g_ascii_strncasecmp(text + i, what, length) == 0)
			return text + i;
	return NULL;
}

/* A tag of that name, not of a longer one. */
static const char *find_tag(const char *text, gsize size, const char *tag)
{
	for (const char *p = text; (p = find(p, size - (gsize)(p - text), tag)); p++) {
		const char *after = p + strlen(tag);

		if (after < text + size && strchr(BLANKS "/>", *after))
			return p;
	}
	return NULL;
}

/* Where the body's content begins; of a document that has none, behind its head; of what is no
 * document, the start. -1: nobody knows. */
static gssize body_start(const char *text, gsize size)
{
	const char *body = find_tag(text, size, "<body");
	const char *place = body ? body : find_tag(text, size, "</head");
	const char *end = place ? memchr(place, '>', size - (gsize)(place - text)) : NULL;

	if (end)
		return end + 1 - text;
	return place || find_tag(text, size, "<html") || find_tag(text, size, "<!doctype") ? -1 : 0;
}

/* As ASCII: what is none by its number, whatever the charset. */
static char *escape_html(const char *fields)
{
	g_autofree char *escaped = g_markup_escape_text(fields, -1);
	GString *html = g_string_new(NULL);

	for (const char *p = escaped; *p; p = g_utf8_next_char(p)) {
		if ((guchar)*p < 0x80)
			g_string_append_c(html, *p);
		else
			g_string_append_printf(html, "&#%u;", g_utf8_get_char(p));
	}
	return g_string_free(html, FALSE);
}

char *legacytext_add_html(const char *text, gsize size, const char *fields, gsize *length)
{
	gssize start = memchr(text, '\0', size) ? -1 : body_start(text, size);
	g_autofree char *lines = with_crlf(fields);
	g_autofree char *html = escape_html(lines);
	g_autofree char *element =
		g_strconcat("\r\n" DIV_START "\r\n<pre>\r\n", html, "</pre>\r\n" DIV_END, NULL);

	return start < 0 ? NULL : replace(text, size, (Range){start, start}, element, length);
}

/* "Name: …", or the continuation of one. */
static gboolean is_field(const char *line, gsize size, gboolean first)
{
	gsize i = 0;

	if (!first && (*line == ' ' || *line == '\t'))
		return TRUE;
	while (i < size && (g_ascii_isalnum(line[i]) || line[i] == '-'))
		i++;
	return i > 0 && i < size && line[i] == ':';
}

char *legacytext_remove(const char *text, gsize size, gsize *length)
{
	const char *line = text, *end = text + size;

	while (line < end) {
		const char *newline = memchr(line, '\n', (gsize)(end - line));
		gsize count = newline ? (gsize)(newline - line) : 0;

		if (!newline)
			return NULL;
		if (count > 0 && line[count - 1] == '\r')
			count--;
		if (count == 0 && line > text)
			return replace(text, size, (Range){0, newline + 1 - text}, "", length);
		if (count == 0 || !is_field(line, count, line == text))
			return NULL;
		line = newline + 1;
	}
	return NULL;
}

char *legacytext_remove_html(const char *text, gsize size, gsize *length)
{
	gssize start = body_start(text, size);
	gsize from = start < 0 ? size : (gsize)start;

	while (from < size && strchr(BLANKS, text[from]))
		from++;
	if (from + strlen(DIV_START) > size ||
	    g_ascii_strncasecmp(text + from, DIV_START, strlen(DIV_START)) != 0)
		return NULL;
	gsize inside = from + strlen(DIV_START);
	const char *end = find(text + inside, size - inside, DIV_END);
	const char *nested = find(text + inside, size - inside, "<div");

	if (!end || (nested && nested < end))
		return NULL;
	return replace(text, size, (Range){start, end - text + (goffset)strlen(DIV_END)}, "",
		       length);
}
