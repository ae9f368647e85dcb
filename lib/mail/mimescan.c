/* SPDX-License-Identifier: Apache-2.0
 *
 * Where each part of a message begins and ends (RFC 2046, section 5.1). A signature covers a
 * multipart to the byte, so each range ends where the boundary's own line end begins.
 */
#include "lib/mail/mimescan.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/lines.h"

/* Longest boundary that is looked for; RFC 2046 has 70. */
#define BOUNDARY_MAX 998

typedef enum {
	IN_HEADERS,
	IN_CONTENT, /* of a leaf, or a multipart's text around its parts */
} State;

/* A part that is open, from the root inwards. */
typedef struct {
	MimePart *part;
	char *boundary; /* of a multipart that expects parts; else NULL */
	gsize length;
} Frame;

typedef struct {
	const Spool *spool;
	GArray *open; /* of Frame */
	gboolean quoted; /* look into messages that are quoted whole */
	State state;
	gsize header_bytes;
	guint fields;
	guint parts;
	guint eol; /* bytes of the last line's end: they belong to a boundary that follows */
} Scan;

static void frame_clear(gpointer data)
{
	Frame *frame = data;

	g_free(frame->boundary);
}

static Frame *innermost(Scan *scan)
{
	return &g_array_index(scan->open, Frame, scan->open->len - 1);
}

/* Opens a part whose headers begin at start. */
static gboolean open_part(Scan *scan, goffset start, GError **error)
{
	Frame frame = {0};

	if (scan->open->len >= MIME_DEPTH_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_DEEP, "parts nested more than %d deep",
			    MIME_DEPTH_MAX);
		return FALSE;
	}
	if (++scan->parts > MIME_PARTS_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "more than %d parts",
			    MIME_PARTS_MAX);
		return FALSE;
	}
	frame.part = mime_part_new(scan->open->len > 0 ? innermost(scan)->part : NULL, start);
	g_array_append_val(scan->open, frame);
	scan->state = IN_HEADERS;
	return TRUE;
}

static gboolean count_headers(Scan *scan, const MimePart *part, GError **error)
{
	scan->header_bytes += (gsize)(part->headers.end - part->headers.start);
	if (scan->header_bytes <= MIME_HEADER_BYTES_MAX &&
	    part->headers.end - part->headers.start <= HEADERS_BYTES_MAX)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "header fields of more than %d bytes",
		    HEADERS_BYTES_MAX);
	return FALSE;
}

static gboolean count_fields(Scan *scan, const MimePart *part, GError **error)
{
	scan->fields += headers_count(mime_facts(part)->fields);
	if (scan->fields <= MIME_FIELDS_MAX)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "more than %d header fields",
		    MIME_FIELDS_MAX);
	return FALSE;
}

/* The innermost part's headers end at end; what it is decides what comes next. */
static gboolean end_headers(Scan *scan, goffset end, GError **error)
{
	Frame *frame = innermost(scan);
	MimePart *part = frame->part;
	const char *boundary;

	part->headers.end = end;
	part->content.start = end;
	scan->state = IN_CONTENT;
	if (!count_headers(scan, part, error) || !mime_part_describe(part, scan->spool, error) ||
	    !count_fields(scan, part, error))
		return FALSE;
	if (g_str_has_prefix(part->type, "multipart/")) {
		boundary = mime_param(part, "boundary");
		if (boundary != NULL && *boundary != '\0' && strlen(boundary) <= BOUNDARY_MAX) {
			frame->boundary = g_strchomp(g_strdup(boundary));
			frame->length = strlen(frame->boundary);
		}
		return TRUE;
	}
	if (scan->quoted &&
	    (strcmp(part->type, "message/rfc822") == 0 ||
	     strcmp(part->type, "message/global") == 0) &&
	    mime_is_identity(part))
		return open_part(scan, end, error);
	return TRUE;
}

/* Closes all parts within depth; end is where their last byte was followed by a boundary. Headers
 * that were still open end there too. */
static gboolean close_parts(Scan *scan, guint depth, goffset end, GError **error)
{
	if (scan->open->len > depth && scan->state == IN_HEADERS) {
		goffset start = innermost(scan)->part->headers.start;

		if (!end_headers(scan, MAX(start, end), error))
			return FALSE;
		/* a message/rfc822 without a single line of its own opens one more */
		if (scan->state == IN_HEADERS && !end_headers(scan, MAX(start, end), error))
			return FALSE;
	}
	if (scan->open->len > depth)
		end = MAX(end, g_array_index(scan->open, Frame, depth).part->whole.start);
	for (guint i = depth; i < scan->open->len; i++) {
		MimePart *part = g_array_index(scan->open, Frame, i).part;

		part->whole.start = part->headers.start = MIN(part->whole.start, end);
		part->whole.end = part->content.end = end;
		part->headers.end = part->content.start = MIN(part->headers.end, end);
	}
	g_array_set_size(scan->open, depth);
	scan->state = IN_CONTENT;
	return TRUE;
}

static gboolean only_blanks(const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (text[i] != ' ' && text[i] != '\t')
			return FALSE;
	return TRUE;
}

/* Is it "--boundary" (returns 1), "--boundary--" (2), or neither (0)? */
static int match_boundary(const Line *line, const Frame *frame)
{
	const char *rest;
	gsize left;

	if (frame->boundary == NULL || line->size < 2 + frame->length ||
	    memcmp(line->text + 2, frame->boundary, frame->length) != 0)
		return 0;
	rest = line->text + 2 + frame->length;
	left = line->size - 2 - frame->length;
	if (only_blanks(rest, left))
		return 1;
	if (left >= 2 && rest[0] == '-' && rest[1] == '-' && only_blanks(rest + 2, left - 2))
		return 2;
	return 0;
}

/* TRUE in *taken if the line is a boundary of an open multipart; from the inside out. */
static gboolean take_boundary(Scan *scan, const Line *line, gboolean *taken, GError **error)
{
	*taken = FALSE;
	if (line->cut || line->size < 2 || line->text[0] != '-' || line->text[1] != '-')
		return TRUE;
	for (guint depth = scan->open->len; depth > 0; depth--) {
		Frame *frame = &g_array_index(scan->open, Frame, depth - 1);
		int match = match_boundary(line, frame);

		if (match == 0)
			continue;
		*taken = TRUE;
		if (!close_parts(scan, depth, line->start - scan->eol, error))
			return FALSE;
		if (match == 1)
			return open_part(scan, line->end, error);
		g_clear_pointer(&innermost(scan)->boundary, g_free);
		return TRUE;
	}
	return TRUE;
}

/* A field's first line, or one that continues it. Of the root, which may be a text without a
 * header, nothing but fields is one: mime.h. */
static gboolean is_header_line(const MimePart *part, const Line *line)
{
	gboolean first = part->headers.start == line->start;
	gboolean lenient = part->parent != NULL;
	gsize name = 0;

	if (line->size > 0 && (line->text[0] == ' ' || line->text[0] == '\t'))
		return !first || lenient; /* nothing to continue: passed over, as most readers do */
	if (first && lenient && line->size > 5 &&
	    (memcmp(line->text, "From ", 5) == 0 || memcmp(line->text, ">From ", 6) == 0))
		return TRUE; /* a line of mbox that someone left in */
	while (name < line->size && line->text[name] > ' ' && line->text[name] <= '~' &&
	       line->text[name] != ':')
		name++;
	if (name == 0)
		return FALSE;
	while (name < line->size && (line->text[name] == ' ' || line->text[name] == '\t'))
		name++;
	return name < line->size && line->text[name] == ':';
}

static gboolean take_line(Scan *scan, const Line *line, GError **error)
{
	gboolean taken;

	if (!take_boundary(scan, line, &taken, error))
		return FALSE;
	while (!taken && scan->state == IN_HEADERS) {
		if (line->size == 0)
			return end_headers(scan, line->end, error);
		if (is_header_line(innermost(scan)->part, line))
			return TRUE;
		/* no blank line before the body: a multipart may begin with this boundary, a
		 * message/rfc822 with this field */
		if (!end_headers(scan, line->start, error) ||
		    !take_boundary(scan, line, &taken, error))
			return FALSE;
	}
	return TRUE;
}

MimePart *mime_scan(const Spool *spool, gboolean quoted, GError **error)
{
	Range all = {0, spool_length(spool)};
	g_autoptr(Lines) lines = lines_new(spool, all);
	g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(Frame));
	Scan scan = {.spool = spool, .open = open, .quoted = quoted};
	MimePart *root;
	Line line;
	int more = 1;

	g_array_set_clear_func(open, frame_clear);
	if (!open_part(&scan, 0, error))
		return NULL;
	root = innermost(&scan)->part;
	while (more > 0 && (more = lines_next(lines, &line, error)) > 0) {
		if (!take_line(&scan, &line, error))
			more = -1;
		scan.eol = line.eol;
	}
	if (more < 0 || !close_parts(&scan, 0, all.end, error)) {
		mime_part_free(root);
		return NULL;
	}
	return root;
}
