/* SPDX-License-Identifier: Apache-2.0
 *
 * Links in plain text (see letterlinks.h). Only http and https: nothing else that a browser or a
 * system would act on.
 */
#include "portal/letterlinks.h"

#include <glib.h>
#include <string.h>

#include "portal/template.h"

/* Longer ones stay text. */
#define ADDRESS_MAX 2000
/* They end an address; at its end, the second ones are the sentence's. */
#define NOT_IN_ADDRESS " \t\r\n\v\f<>\"'`"
#define NOT_AT_END ".,;:!?*_)]}"

static gsize scheme_length(const char *text)
{
	static const char *const schemes[] = {"https://", "http://"};

	for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (g_ascii_strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
			return strlen(schemes[i]);
	return 0;
}

/* The length of the web address that begins there; 0: none does. */
static gsize address_length(const char *text)
{
	gsize scheme = scheme_length(text);
	gsize length = scheme;
	gboolean opened;

	if (scheme == 0)
		return 0;
	/* strchr() finds the NUL, too */
	while (length <= ADDRESS_MAX && strchr(NOT_IN_ADDRESS, text[length]) == NULL)
		length++;
	if (length > ADDRESS_MAX)
		return 0;
	opened = memchr(text, '(', length) != NULL;
	while (length > scheme && strchr(NOT_AT_END, text[length - 1]) != NULL &&
	       !(opened && text[length - 1] == ')'))
		length--;
	return length > scheme ? length : 0;
}

static void append_escaped(GString *out, const char *text, gsize size)
{
	g_autofree char *part = g_strndup(text, size);
	g_autofree char *escaped = html_escape(part);

	g_string_append(out, escaped);
}

char *letterlinks_html(const char *text)
{
	GString *out = g_string_new(NULL);
	const char *done = text;

	for (const char *at = text; *at != '\0';) {
		gboolean inside = at > text && g_ascii_isalnum(at[-1]);
		gsize length = !inside && g_ascii_tolower(*at) == 'h' ? address_length(at) : 0;

		if (length == 0) {
			at++;
			continue;
		}
		append_escaped(out, done, at - done);
		g_string_append(out, "<a target=\"_blank\" rel=\"noopener noreferrer\" href=\"");
		append_escaped(out, at, length);
		g_string_append(out, "\">");
		append_escaped(out, at, length);
		g_string_append(out, "</a>");
		done = at += length;
	}
	append_escaped(out, done, strlen(done));
	return g_string_free(out, FALSE);
}
