/* SPDX-License-Identifier: Apache-2.0
 *
 * A header block as text, read into fields. See head.h.
 */
#include <string.h>

#include "lib/base/error.h"

#include "gateway/head.h"

/* One line without its end; *next gets what follows. */
static gsize line_length(const char *line, const char *end, const char **next)
{
	const char *newline = memchr(line, '\n', (gsize)(end - line));
	gsize length = (gsize)((newline ? newline : end) - line);

	*next = newline ? newline + 1 : end;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	return length;
}

/* How long the field name at the start of a line is; 0 if the line is no field. Blanks may follow
 * the name (RFC 5322, section 4.5). *colon gets where the value begins, less one. */
static gsize name_length(const char *line, gsize length, gsize *colon)
{
	gsize size = 0;

	while (size < length && line[size] > ' ' && line[size] < 0x7f && line[size] != ':')
		size++;
	for (*colon = size; *colon < length && (line[*colon] == ' ' || line[*colon] == '\t');
	     (*colon)++)
		;
	return *colon < length && line[*colon] == ':' ? size : 0;
}

static void append_text(GString *value, const char *text, gsize length)
{
	for (gsize i = 0; i < length; i++)
		g_string_append_c(value, text[i] ? text[i] : ' ');
}

/* The value of the field that begins at `line`, with its continuation lines. */
static char *read_value(const char *line, gsize length, const char *end, const char **next)
{
	GString *value = g_string_new(NULL);

	append_text(value, line, length);
	while (*next < end && (**next == ' ' || **next == '\t')) {
		const char *more = *next;
		gsize size = line_length(more, end, next);

		g_string_append_c(value, '\n');
		append_text(value, more, size);
	}
	return g_string_free(value, FALSE);
}

Headers *head_parse(const char *text, gsize size, gsize *used, GError **error)
{
	g_autoptr(Headers) headers = headers_new();
	const char *end = text + size;
	const char *line = text;

	while (line < end) {
		const char *next;
		gsize length = line_length(line, end, &next);
		gsize colon;
		gsize name_size = name_length(line, length, &colon);

		if (length == 0)
			line = next;
		if (name_size == 0)
			break;
		g_autofree char *name = g_strndup(line, name_size);
		g_autofree char *value =
			read_value(line + colon + 1, length - colon - 1, end, &next);

		if (!headers_append(headers, name, value, error))
			return NULL;
		line = next;
	}
	*used = (gsize)(line - text);
	return g_steal_pointer(&headers);
}

/* The first `size` bytes; *have gets how many there were. */
static char *read_front(Spool *spool, gsize size, gsize *have, GError **error)
{
	g_autofree char *text = g_malloc(size);

	*have = 0;
	while (*have < size) {
		gssize got = spool_read(spool, (goffset)*have, text + *have, size - *have, error);

		if (got < 0)
			return NULL;
		if (got == 0)
			break;
		*have += (gsize)got;
	}
	return g_steal_pointer(&text);
}

/* Is the head whole? Not if it stops at a line that the end of what was read has cut. */
static gboolean is_whole(const char *text, gsize have, gsize used)
{
	gboolean blank = used > 0 && text[used - 1] == '\n' &&
			 (used == 1 || text[used - 2] == '\n' ||
			  (text[used - 2] == '\r' && (used == 2 || text[used - 3] == '\n')));

	return blank || memchr(text + used, '\n', have - used) != NULL;
}

/* Most heads are small: more is read only while the end of the head has not come. */
Headers *head_read(Spool *spool, Range *body, GError **error)
{
	for (gsize size = STREAM_CHUNK;; size *= 2) {
		gsize have, used;
		g_autofree char *text = read_front(spool, size, &have, error);
		g_autoptr(Headers) headers = text ? head_parse(text, have, &used, error) : NULL;

		if (!headers)
			return NULL;
		if (have < size || is_whole(text, have, used)) {
			*body = (Range){(goffset)used, spool_length(spool)};
			return g_steal_pointer(&headers);
		}
	}
}
