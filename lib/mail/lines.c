/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines out of a buffer of one chunk. Of a line that does not fit, the start is kept and the rest
 * is passed over.
 */
#include "lib/mail/lines.h"

#include <string.h>

/* What is kept of the start of an over-long line: enough for a header's name. */
#define START_KEPT 1024

struct Lines {
	const Spool *spool;
	goffset base; /* where buffer stands in the spool */
	goffset end;
	gsize at;
	gsize filled;
	gboolean at_end; /* nothing more to read into buffer */
	char start[START_KEPT];
	char buffer[STREAM_CHUNK];
};

Lines *lines_new(const Spool *spool, Range range)
{
	Lines *lines = g_new(Lines, 1);

	lines->spool = spool;
	lines->base = range.start;
	lines->end = MIN(range.end, spool_length(spool));
	lines->at = 0;
	lines->filled = 0;
	lines->at_end = FALSE;
	return lines;
}

void lines_free(Lines *lines)
{
	g_free(lines);
}

/* Moves what is unread to the front and reads behind it. */
static gboolean fill(Lines *lines, GError **error)
{
	gssize count;
	gsize room;
	goffset left;

	memmove(lines->buffer, lines->buffer + lines->at, lines->filled - lines->at);
	lines->base += (goffset)lines->at;
	lines->filled -= lines->at;
	lines->at = 0;
	room = sizeof(lines->buffer) - lines->filled;
	left = lines->end - lines->base - (goffset)lines->filled;
	count = spool_read(lines->spool, lines->base + (goffset)lines->filled,
			   lines->buffer + lines->filled, (gsize)CLAMP(left, 0, (goffset)room),
			   error);
	if (count < 0)
		return FALSE;
	lines->filled += (gsize)count;
	lines->at_end = count == 0;
	return TRUE;
}

/* The buffer is full and has no line end in it. */
static int pass_long_line(Lines *lines, Line *line, GError **error)
{
	memcpy(lines->start, lines->buffer, sizeof(lines->start));
	line->start = lines->base;
	line->text = lines->start;
	line->size = sizeof(lines->start);
	line->cut = TRUE;
	line->eol = 0;
	for (;;) {
		char last = lines->buffer[lines->filled - 1];
		char *newline;

		lines->at = lines->filled;
		if (!fill(lines, error))
			return -1;
		if (lines->filled == 0)
			break;
		newline = memchr(lines->buffer, '\n', lines->filled);
		if (newline == NULL)
			continue;
		lines->at = (gsize)(newline - lines->buffer) + 1;
		last = newline > lines->buffer ? newline[-1] : last;
		line->eol = last == '\r' ? 2 : 1;
		break;
	}
	line->end = lines->base + (goffset)lines->at;
	return 1;
}

int lines_next(Lines *lines, Line *line, GError **error)
{
	const char *text;
	const char *newline;
	gsize left;

	for (;;) {
		text = lines->buffer + lines->at;
		left = lines->filled - lines->at;
		newline = memchr(text, '\n', left);
		if (newline != NULL || lines->at_end)
			break;
		if (left == sizeof(lines->buffer))
			return pass_long_line(lines, line, error);
		if (!fill(lines, error))
			return -1;
	}
	if (left == 0)
		return 0;
	line->cut = FALSE;
	line->text = text;
	line->size = newline != NULL ? (gsize)(newline - text) : left;
	line->eol = newline != NULL ? 1 : 0;
	line->start = lines->base + (goffset)lines->at;
	line->end = line->start + (goffset)(line->size + line->eol);
	lines->at += line->size + line->eol;
	if (newline != NULL && line->size > 0 && newline[-1] == '\r') {
		line->size--;
		line->eol = 2;
	}
	return 1;
}
