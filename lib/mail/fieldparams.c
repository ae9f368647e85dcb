/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw parameters. See fieldparams.h.
 */
#include "lib/mail/fieldparams.h"

#include <string.h>

/* A line of this length gets no longer (RFC 5322, section 2.1.1: at most 998). */
#define LINE_LONG 900

#define BLANKS " \t\r\n"

/* Up to the next semicolon outside of quotes and comments (RFC 2045, section 5.1), or the end. */
static const char *segment_end(const char *p)
{
	gboolean quoted = FALSE;
	guint depth = 0;

	for (; *p != '\0' && (*p != ';' || quoted || depth > 0); p++) {
		if (*p == '\\' && (quoted || depth > 0) && p[1] != '\0')
			p++;
		else if (*p == '"' && depth == 0)
			quoted = !quoted;
		else if (*p == '(' && !quoted)
			depth++;
		else if (*p == ')' && depth > 0)
			depth--;
	}
	return p;
}

char *field_params_add(const char *raw, const char *params)
{
	const char *end = segment_end(raw);
	gboolean long_line = strcspn(end, "\n") > LINE_LONG;

	return g_strdup_printf("%.*s;\n %s%s%s", (int)(end - raw), raw, params,
			       long_line ? ";\n " : "", long_line ? end + 1 : end);
}

/* Is this the parameter of that name, whole or a piece of it (name*0*=, RFC 2231)? */
static gboolean is_named(const char *segment, const char *end, const char *name)
{
	gsize size = strlen(name);

	segment += strspn(segment, BLANKS);
	if (segment + size > end || g_ascii_strncasecmp(segment, name, size) != 0)
		return FALSE;
	segment += size;
	return segment < end && strchr("=*" BLANKS, *segment) != NULL;
}

char *field_params_remove(const char *raw, const char *const *names)
{
	const char *end = segment_end(raw);
	GString *value = g_string_new_len(raw, end - raw);

	while (*end == ';') {
		const char *start = end + 1;
		gboolean wanted = TRUE;

		end = segment_end(start);
		for (const char *const *name = names; *name != NULL; name++)
			wanted = wanted && !is_named(start, end, *name);
		if (wanted)
			g_string_append_len(value, start - 1, end - start + 1);
	}
	return g_string_free(value, FALSE);
}
