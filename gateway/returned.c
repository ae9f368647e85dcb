/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices of the MTA about mail that was opened. See returned.h.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/mime.h"

#include "gateway/head.h"
#include "gateway/returned.h"

/* RFC 3462, and RFC 6533 for the last two. */
static gboolean quotes_message(const MimePart *part)
{
	static const char *const types[] = {"message/rfc822", "text/rfc822-headers",
					    "message/global", "message/global-headers"};

	for (guint i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_str_equal(part->type, types[i]))
			return TRUE;
	return FALSE;
}

static const MimePart *find_quoted(const MimePart *root)
{
	for (guint i = 0; root->children && i < root->children->len; i++)
		if (quotes_message(root->children->pdata[i]))
			return root->children->pdata[i];
	return NULL;
}

static Headers *quoted_header(const Job *job, const MimePart *part, GError **error)
{
	g_autoptr(Source) source = spool_source(job->message, part->content);
	g_autoptr(Spool) copy = protect_spool(job);
	g_autoptr(Sink) sink = spool_sink(copy);
	Range body;

	return stream_copy(source, sink, error) ? head_read(copy, &body, error) : NULL;
}

/* Only we write this field, and it says so of every layer. */
static gboolean was_opened(const Headers *quoted)
{
	for (guint n = 0;; n++) {
		const Header *header = headers_find(quoted, "X-Sealpost-Incoming", n);

		if (!header)
			return FALSE;
		if (strstr(header->value, "-encrypted opened"))
			return TRUE;
	}
}

/* What tells which message it was, and was never encrypted. */
static gboolean write_kept(const Headers *quoted, Sink *sink, GError **error)
{
	static const char *const kept[] = {"Received", "Message-ID", "X-Sealpost-Incoming"};
	g_autoptr(Headers) headers = headers_copy(quoted);

	for (guint i = headers_count(headers); i-- > 0;) {
		gboolean keep = FALSE;

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

static Spool *shortened(const Job *job, const MimePart *part, const Headers *quoted, GError **error)
{
	g_autoptr(Spool) spool = protect_spool(job);
	g_autoptr(Sink) sink = spool_sink(spool);
	Range before = {job->body_start, part->content.start};
	Range behind = {part->content.end, spool_length(job->message)};

	if (!write_range(job, before, sink, error) || !write_kept(quoted, sink, error) ||
	    !write_range(job, behind, sink, error))
		return NULL;
	return g_steal_pointer(&spool);
}

Output *returned_output(const Job *job, GError **error)
{
	g_autoptr(Output) output = g_new0(Output, 1);
	g_autoptr(MimeTree) tree = NULL;

	output->edits = g_ptr_array_new();
	if (job->too_large) {
		g_set_error(error, SEALPOST_ERROR, ERROR_INTERNAL, "a notice over message_limit");
		return NULL;
	}
	/* What it quotes may be as deep as a message may be, and is one level deeper here. */
	tree = mime_parse_unquoted(job->message, error);
	if (!tree)
		return NULL;
	const MimePart *part = find_quoted(mime_root(tree));
	g_autoptr(Headers) quoted = part ? quoted_header(job, part, error) : NULL;

	if (part && !quoted)
		return NULL;
	if (!quoted || !was_opened(quoted))
		return g_steal_pointer(&output);
	output->body = shortened(job, part, quoted, error);
	if (!output->body)
		return NULL;
	output->body_range = (Range){0, spool_length(output->body)};
	return g_steal_pointer(&output);
}
