/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices of the MTA about mail that was opened. See returned.h.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/mime.h"

#include "gateway/protect.h"
#include "gateway/reported.h"
#include "gateway/returned.h"

/* Only we write this field, and it says so of every layer, before all else. */
#define FIELD "X-Sealpost-Incoming"
#define OPENED "-encrypted opened"
#define FIELD_MAX 4096

static gboolean was_opened(const Headers *quoted)
{
	for (guint n = 0;; n++) {
		const Header *header = headers_find(quoted, FIELD, n);

		if (!header)
			return FALSE;
		if (strstr(header->value, OPENED))
			return TRUE;
	}
}

static gboolean text_tells(const GString *text)
{
	const char *next;

	/* What is behind the next field is that one's: of many, nothing is read twice. */
	for (const char *at = strstr(text->str, FIELD ":"); at; at = next) {
		next = strstr(at + 1, FIELD ":");
		if (g_strstr_len(at, next ? MIN(next - at, FIELD_MAX) : FIELD_MAX, OPENED))
			return TRUE;
	}
	return FALSE;
}

gboolean returned_tells(Source *bytes, gboolean *opened, GError **error)
{
	g_autofree char *buffer = g_malloc(STREAM_CHUNK);
	g_autoptr(GString) text = g_string_new(NULL);
	gssize got = 0;

	*opened = FALSE;
	while (!*opened && (got = source_read(bytes, buffer, STREAM_CHUNK, error)) > 0) {
		for (gssize i = 0; i < got; i++)
			if (buffer[i] == '\0')
				buffer[i] = ' ';
		g_string_append_len(text, buffer, got);
		*opened = text_tells(text);
		if (text->len > 2 * FIELD_MAX)
			g_string_erase(text, 0, (gssize)text->len - 2 * FIELD_MAX);
	}
	return got >= 0;
}

/* *opened: it is of a message that we opened; of a header that does not end here, nobody knows. */
static Headers *quoted_header(const Job *job, const MimeTree *tree, const MimePart *part,
			      gboolean *opened, GError **error)
{
	Range body;
	Headers *headers = reported_header(job, tree, part, &body, error);

	*opened = headers && (was_opened(headers) || (job->too_large && body.start == body.end));
	return headers;
}

/* What tells which message it was: of one that was opened, what was never encrypted. */
static gboolean write_kept(const Headers *quoted, gboolean opened, Sink *sink, GError **error)
{
	static const char *const kept[] = {"Received", "Message-ID", FIELD};
	g_autoptr(Headers) headers = headers_copy(quoted);

	for (guint i = headers_count(headers); i-- > 0;) {
		gboolean keep = !opened;

		for (guint k = 0; k < G_N_ELEMENTS(kept); k++)
			keep = keep ||
			       g_ascii_strcasecmp(headers_at(headers, i)->name, kept[k]) == 0;
		if (!keep)
			headers_remove_at(headers, i);
	}
	return headers_write(headers, HEADERS_ALL, sink, error) &&
	       sink_write(sink, "\r\n", 2, error);
}

static gboolean write_range(const Job *job, Range range, Sink *sink, GError **error)
{
	g_autoptr(Source) source = spool_source(job->message, range);

	return stream_copy(source, sink, error);
}

/* The rest of a notice that is too large has not been kept: it ends here. */
static gboolean write_end(const MimePart *root, Sink *sink, GError **error)
{
	const char *boundary = mime_param(root, "boundary");

	return !boundary || sink_print(sink, error, "\r\n--%s--\r\n", boundary);
}

typedef struct {
	const MimePart *root;
	const MimePart *part; /* that quotes; NULL: there is none */
	const Headers *header; /* its */
	gboolean opened;
} Quoted;

/* In the encoding that the part is said to have. */
static gboolean write_quoted(const Quoted *quoted, Sink *sink, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) plain = sink_new_bytes(bytes, HEADERS_BYTES_MAX * 2);

	if (!write_kept(quoted->header, quoted->opened, plain, error))
		return FALSE;
	g_autoptr(GBytes) header = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
	g_autoptr(Source) source = source_new_bytes(header);

	return mime_encode(quoted->part->encoding, source, sink, error);
}

static Spool *shortened(const Job *job, const Quoted *quoted, GError **error)
{
	g_autoptr(Spool) spool = protect_spool(job);
	g_autoptr(Sink) sink = spool_sink(spool);
	Range before = {job->body_start, spool_length(job->message)};
	Range behind = {before.end, before.end};

	if (quoted->part) {
		before.end = quoted->part->content.start;
		behind.start = quoted->part->content.end;
	}
	if (!write_range(job, before, sink, error) ||
	    (quoted->part && !write_quoted(quoted, sink, error)) ||
	    !(job->too_large ? write_end(quoted->root, sink, error)
			     : write_range(job, behind, sink, error)))
		return NULL;
	return g_steal_pointer(&spool);
}

gboolean returned_cut(const Job *job, Output *output, GError **error)
{
	/* What it quotes may be as deep as a message may be, and is one level deeper here. */
	g_autoptr(MimeTree) tree = mime_parse_unquoted(job->message, error);
	Quoted quoted = {NULL, NULL, NULL, FALSE};

	if (!tree)
		return FALSE;
	quoted.root = mime_root(tree);
	const MimePart *report = reported_root(quoted.root);

	quoted.part = reported_quoted(report ? report : quoted.root);
	g_autoptr(Headers) header =
		quoted.part ? quoted_header(job, tree, quoted.part, &quoted.opened, error) : NULL;

	if (quoted.part && !header)
		return FALSE;
	if (!quoted.opened && !job->too_large)
		return TRUE;
	quoted.header = header;
	output->body = shortened(job, &quoted, error);
	if (!output->body)
		return FALSE;
	output->body_range = (Range){0, spool_length(output->body)};
	output->cut = TRUE;
	return TRUE;
}

Output *returned_output(const Job *job, GError **error)
{
	g_autoptr(Output) output = g_new0(Output, 1);

	output->edits = g_ptr_array_new();
	return returned_cut(job, output, error) ? g_steal_pointer(&output) : NULL;
}
