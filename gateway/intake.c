/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole message as text into a Job. See intake.h.
 */
#include <errno.h>
#include <unistd.h>

#include "lib/base/error.h"

#include "gateway/head.h"
#include "gateway/intake.h"
#include "gateway/receive.h"

Spool *intake_read(const Snapshot *snapshot, int fd, GError **error)
{
	g_autoptr(Spool) spool = spool_new(snapshot->spool_folder,
					   conf_size(snapshot->conf, "gateway", "message_limit"));
	g_autofree char *buffer = g_malloc(STREAM_CHUNK);
	gssize got;

	while ((got = read(fd, buffer, STREAM_CHUNK)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			error_set_errno(error, errno, "reading the message");
			return NULL;
		}
		if (!spool_append(spool, buffer, (gsize)got, error))
			return NULL;
	}
	return g_steal_pointer(&spool);
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

gboolean intake_feed(Job *job, Spool *message, GError **error)
{
	Range range;
	g_autoptr(Headers) headers = head_read(message, &range, error);

	if (!headers)
		return FALSE;
	for (guint i = 0; i < headers_count(headers); i++)
		receive_header(job, headers_at(headers, i)->name, headers_at(headers, i)->value);
	receive_end_of_headers(job);
	g_autoptr(Source) body = spool_source(message, range);

	return feed_body(job, body, error);
}
