/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes inside a variant's protection: the message's MIME entity with its body as it came, and
 * the header fields that it protects (headprotect.h) in front. See protect.h.
 */
#include <string.h>

#include "lib/base/error.h"

#include "gateway/head.h"
#include "gateway/headprotect.h"
#include "gateway/protect.h"

/* Blocks of fields, each ended by an empty line. */
static Source *take_bytes(GByteArray *bytes)
{
	g_autoptr(GBytes) all = g_byte_array_free_to_bytes(bytes);

	return source_new_bytes(all);
}

/* The content fields with the mark of header protection on the first Content-Type. */
static Headers *marked(const Headers *content, gboolean encrypted, GError **error)
{
	g_autoptr(Headers) made = headers_new();
	gboolean done = headers_find(content, "Content-Type", 0) == NULL;

	if (done) {
		g_autofree char *type = headprotect_content_type(NULL, encrypted);

		if (!headers_append(made, "Content-Type", type, error))
			return NULL;
	}
	for (guint i = 0; i < headers_count(content); i++) {
		const Header *header = headers_at(content, i);
		gboolean here = !done && g_ascii_strcasecmp(header->name, "Content-Type") == 0;
		g_autofree char *type =
			here ? headprotect_content_type(header->value, encrypted) : NULL;

		done = done || here;
		if (header_is_content(header->name) &&
		    !headers_append(made, header->name, here ? type : header->value, error))
			return NULL;
	}
	return g_steal_pointer(&made);
}

/* The entity's head: protected fields, then those of the content. */
static Source *head_source(const ProtectJob *work, const Headers *content, GError **error)
{
	gboolean encrypted = plan_is_encrypted(work->variant);
	g_autoptr(GByteArray) head = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(head, HEADERS_BYTES_MAX * 4);
	g_autoptr(Headers) mine = work->inside ? marked(content, encrypted, error) : NULL;

	if (work->inside && (!mine || !headers_write(work->inside, HEADERS_ALL, sink, error)))
		return NULL;
	if (!headers_write(mine ? mine : content, HEADERS_CONTENT, sink, error) ||
	    !sink_write(sink, "\r\n", 2, error))
		return NULL;
	return take_bytes(g_steal_pointer(&head));
}

static Source *text_source(const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return source_new_bytes(bytes);
}

/* What the client has signed keeps its bytes: it becomes the one part of a multipart, which has
 * room for the fields that its own root does not have (RFC 9788, section 1.1.1: a layer's root
 * cannot carry them). */
static Source *wrapped_entity(const ProtectJob *work, GError **error)
{
	const Job *job = work->job;
	ProtectJob bare = *work;
	g_autoptr(Headers) content = headers_new();
	g_autofree char *boundary = mime_boundary_new();
	g_autofree char *type = g_strdup_printf(" multipart/mixed; boundary=\"%s\"", boundary);
	g_autofree char *start = g_strdup_printf("--%s\r\n", boundary);
	g_autofree char *end = g_strdup_printf("\r\n--%s--\r\n", boundary);

	bare.inside = NULL;
	if (!headers_append(content, "Content-Type", type, error))
		return NULL;
	g_autoptr(Source) outer = head_source(work, content, error);
	g_autoptr(Source) inner = outer ? head_source(&bare, job->headers, error) : NULL;

	if (!inner)
		return NULL;
	Source *front = source_new_concat(g_steal_pointer(&outer), text_source(start));
	Source *part = source_new_concat(g_steal_pointer(&inner),
					 spool_source(job->message, job_body(job)));

	return source_new_concat(source_new_concat(front, part), text_source(end));
}

Source *protect_entity(const ProtectJob *work, GError **error)
{
	const Job *job = work->job;
	const Headers *root = work->display ? legacydisplay_root(work->display) : NULL;

	if (work->wrap)
		return wrapped_entity(work, error);
	g_autoptr(Source) head = head_source(work, root ? root : job->headers, error);

	if (!head)
		return NULL;
	return source_new_concat(g_steal_pointer(&head),
				 work->display ? legacydisplay_content(work->display, job_body(job))
					       : spool_source(job->message, job_body(job)));
}

Source *protect_safe_entity(const ProtectJob *work, GError **error)
{
	const MimeTree *tree = work->parsed->tree;
	GError *failure = NULL;
	Range body = {0, 0};

	if (!tree) {
		g_set_error(error, SEALPOST_ERROR, ERROR_UNSUPPORTED,
			    "structure cannot be read: %s", work->parsed->failure->message);
		return NULL;
	}
	if (mime_is_transport_safe(tree, mime_root(tree), &failure))
		return protect_entity(work, error);
	if (failure) {
		g_propagate_error(error, failure);
		return NULL;
	}
	g_autoptr(Spool) safe = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(safe);

	if (!mime_write_transport_safe(tree, mime_root(tree), sink, error))
		return NULL;
	g_autoptr(Headers) content = head_read(safe, &body, error);
	g_autoptr(Source) head = content ? head_source(work, content, error) : NULL;

	return head ? source_new_concat(g_steal_pointer(&head), spool_source(safe, body)) : NULL;
}
