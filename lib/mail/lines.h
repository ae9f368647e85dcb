/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines of a spool with their places, read in chunks. A line ends in LF; a CR before it
 * belongs to the line end, a bare CR does not end a line. For lib/mail only.
 */
#ifndef SEALPOST_LIB_MAIL_LINES_H
#define SEALPOST_LIB_MAIL_LINES_H

#include "lib/mail/spool.h"

typedef struct {
	goffset start;
	goffset end; /* after the line end */
	guint eol; /* bytes of the line end: 0 at the end of the spool, 1 or 2 */
	const char *text; /* borrowed until the next call, not terminated */
	gsize size; /* without the line end; of a line over STREAM_CHUNK only its start */
	gboolean cut; /* the line is longer than text */
} Line;

typedef struct Lines Lines;

Lines *lines_new(const Spool *spool, Range range);
void lines_free(Lines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lines, lines_free)

/* 1 with a line, 0 at the end, -1 with error set. */
int lines_next(Lines *lines, Line *line, GError **error);

#endif
