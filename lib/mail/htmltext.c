/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass, forward only: hostile HTML costs its length. See htmltext.h.
 */
#include "lib/mail/htmltext.h"

#include <string.h>

typedef struct {
	const char *name;
	char c;
} Reference;

static const Reference references[] = {
	{"&nbsp;", ' '}, {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}};

static gboolean is_tag(const char *at, const char *name)
{
	gsize length = strlen(name);

	at += *at == '/';
	return g_ascii_strncasecmp(at, name, length) == 0 && !g_ascii_isalnum(at[length]);
}

static gboolean breaks_line(const char *tag)
{
	static const char *const names[] = {"br", "p",	"div",	      "pre", "li",
					    "tr", "hr", "blockquote", "body"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (is_tag(tag, names[i]))
			return TRUE;
	return FALSE;
}

/* Behind the next `what`, or at the end. */
static const char *behind(const char *at, const char *what)
{
	const char *found = strstr(at, what);

	return found ? found + strlen(what) : at + strlen(at);
}

/* Behind a tag, from its "<"; of a style or script with all that it holds. */
static const char *skip_tag(const char *at)
{
	if (g_str_has_prefix(at, "<!--"))
		return behind(at, "-->");
	if (is_tag(at + 1, "style") && at[1] != '/')
		return behind(at, "</style>");
	if (is_tag(at + 1, "script") && at[1] != '/')
		return behind(at, "</script>");
	return behind(at, ">");
}

/* The character of "&…;" at at, and *end behind it; 0: none that we know. */
static char reference(const char *at, const char **end)
{
	gboolean hex = at[1] == '#' && (at[2] == 'x' || at[2] == 'X');

	for (gsize i = 0; i < G_N_ELEMENTS(references); i++) {
		*end = at + strlen(references[i].name);
		if (g_str_has_prefix(at, references[i].name))
			return references[i].c;
	}
	if (at[1] != '#')
		return 0;
	char *after = NULL;
	guint64 code = g_ascii_strtoull(at + (hex ? 3 : 2), &after, hex ? 16 : 10);

	*end = after + 1;
	if (*after != ';')
		return 0;
	return code == 160 ? ' ' : code > ' ' && code < 127 ? (char)code : 0;
}

char *html_text(const char *html)
{
	GString *text = g_string_sized_new(strlen(html));
	const char *end;
	char c;

	while (*html) {
		if (*html == '<') {
			if (breaks_line(html + 1))
				g_string_append_c(text, '\n');
			html = skip_tag(html);
		} else if (*html == '&' && (c = reference(html, &end)) != 0) {
			g_string_append_c(text, c);
			html = end;
		} else {
			g_string_append_c(text, *html++);
		}
	}
	return g_string_free(text, FALSE);
}
