/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole message as text into a Job. See intake.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"

#include "gateway/head.h"
#include "gateway/intake.h"
#include "gateway/receive.h"

/* Of the line in front of a message in a mailbox file. */
#define MBOX_LINE_MAX 1000

/* With room for more than a message may have: that it has too much is for receive_body() to see. */
static Spool *new_spool(const Snapshot *snapshot)
{
	return spool_new(snapshot->spool_folder,
			 conf_size(snapshot->conf, "gateway", "message_limit") + 2 * STREAM_CHUNK);
}

/* Where the message begins: behind the line that a mailbox file has in front of it (RFC 4155). */
static goffset find_start(const Spool *spool)
{
	char line[MBOX_LINE_MAX];
	gssize got = spool_read_all(spool, 0, line, sizeof(line), NULL);
	gboolean found = got > 5 && memcmp(line, "From ", 5) == 0;
	const char *end = found ? memchr(line, '\n', (gsize)got) : NULL;

	return end ? end + 1 - line : 0;
}

static Spool *copy_from(const Snapshot *snapshot, Spool *spool, goffset start, GError **error)
{
	g_autoptr(Spool) copy = new_spool(snapshot);
	g_autoptr(Sink) sink = spool_sink(copy);
	g_autoptr(Source) source = spool_source(spool, (Range){start, spool_length(spool)});

	return stream_copy(source, sink, error) ? g_steal_pointer(&copy) : NULL;
}

Spool *intake_read(const Snapshot *snapshot, int fd, GError **error)
{
	g_autoptr(Spool) spool = new_spool(snapshot);
	g_autofree char *buffer = g_malloc(STREAM_CHUNK);
	g_autoptr(GError) failure = NULL;
	gssize got;

	while ((got = read(fd, buffer, STREAM_CHUNK)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			error_set_errno(error, errno, "reading the message");
			return NULL;
		}
		if (spool_append(spool, buffer, (gsize)got, &failure))
			continue;
		if (g_error_matches(failure, SEALPOST_ERROR, ERROR_TOO_LARGE))
			break; /* the rest changes nothing */
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	goffset start = find_start(spool);

	return start > 0 ? copy_from(snapshot, spool, start, error) : g_steal_pointer(&spool);
}

/* The body as the MTA would hand it over: bare LF becomes CRLF. */
static gboolean feed_body(Job *job, Source *body, GError **error)
{
	g_autofree char *buffer = g_malloc(STREAM_CHUNK);
	g_autofree char *lines = g_malloc((gsize)2 * STREAM_CHUNK);
	char last = '\0';
	gssize got;

	while ((got = source_read(body, buffer, STREAM_CHUNK, error)) > 0) {
		gsize length = 0;

		for (gssize i = 0; i < got; i++) {
			if (buffer[i] == '\n' && last != '\r')
				lines[length++] = '\r';
			last = lines[length++] = buffer[i];
		}
		receive_body(job, lines, length);
	}
	return got == 0;
}

/* What is wrong with it, the job is told, as receive_header() would. */
static gboolean refuse_head(Job *job, GError *failure, GError **error)
{
	if (!g_error_matches(failure, SEALPOST_ERROR, ERROR_TOO_LARGE) || job->failure) {
		g_propagate_error(error, failure);
		return FALSE;
	}
	failure->code = ERROR_TOO_MANY;
	job->failure = failure;
	return TRUE;
}

gboolean intake_feed(Job *job, Spool *message, GError **error)
{
	Range range;
	GError *failure = NULL;
	g_autoptr(Headers) headers = head_read(message, &range, &failure);

	if (!headers)
		return refuse_head(job, failure, error);
	for (guint i = 0; i < headers_count(headers); i++)
		receive_header(job, headers_at(headers, i)->name, headers_at(headers, i)->value);
	receive_end_of_headers(job);
	g_autoptr(Source) body = spool_source(message, range);

	return feed_body(job, body, error);
}
