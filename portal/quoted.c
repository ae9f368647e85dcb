/* SPDX-License-Identifier: Apache-2.0
 *
 * Quoted-printable (see quoted.h). A line that fits stays whole: a link on a line of its own is
 * never broken while it is short enough.
 */
#include "portal/quoted.h"

#include <glib.h>
#include <string.h>

#define LINE_MAX_LETTERS 76

/* One line without its end, all in one. */
static char *encode_line(const char *line, gsize size)
{
	GString *out = g_string_sized_new(size + 16);

	for (gsize i = 0; i < size; i++) {
		guchar c = (guchar)line[i];
		gboolean blank = c == ' ' || c == '\t';

		if ((c > ' ' && c <= '~' && c != '=') || (blank && i + 1 < size))
			g_string_append_c(out, (char)c);
		else
			g_string_append_printf(out, "=%02X", c);
	}
	return g_string_free(out, FALSE);
}

/* Soft line breaks, never inside an escape. */
static void append_folded(GString *out, const char *line)
{
	gsize left = strlen(line);

	while (left > LINE_MAX_LETTERS) {
		gsize take = LINE_MAX_LETTERS - 1;

		if (line[take - 1] == '=')
			take -= 1;
		else if (line[take - 2] == '=')
			take -= 2;
		g_string_append_len(out, line, (gssize)take);
		g_string_append(out, "=\r\n");
		line += take;
		left -= take;
	}
	g_string_append(out, line);
	g_string_append(out, "\r\n");
}

char *quoted_encode(const char *text)
{
	GString *out = g_string_new(NULL);

	while (*text != '\0') {
		gsize size = strcspn(text, "\n");
		g_autofree char *line = encode_line(text, size);

		append_folded(out, line);
		text += size + (text[size] == '\n' ? 1 : 0);
	}
	return g_string_free(out, FALSE);
}
