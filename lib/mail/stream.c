/* SPDX-License-Identifier: Apache-2.0
 *
 * Sources and sinks, and the few kinds of them that everyone needs. The kinds over a spool are in
 * spool.c.
 */
#include "lib/mail/stream.h"

#include <stdarg.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/sha256.h"

struct Source {
	const SourceClass *class;
	void *self;
};

struct Sink {
	const SinkClass *class;
	void *self;
};

Source *source_new(const SourceClass *class, void *self)
{
	Source *source = g_new(Source, 1);

	source->class = class;
	source->self = self;
	return source;
}

gssize source_read(Source *source, void *buffer, gsize size, GError **error)
{
	return source->class->read(source->self, buffer, size, error);
}

gboolean source_rewind(Source *source, GError **error)
{
	return source->class->rewind(source->self, error);
}

goffset source_length(const Source *source)
{
	return source->class->length(source->self);
}

void source_free(Source *source)
{
	if (source == NULL)
		return;
	if (source->class->destroy != NULL)
		source->class->destroy(source->self);
	g_free(source);
}

typedef struct {
	GBytes *bytes;
	gsize at;
} BytesSource;

static gssize bytes_read(void *self, void *buffer, gsize size, GError **error)
{
	BytesSource *source = self;
	gsize length;
	const guint8 *data = g_bytes_get_data(source->bytes, &length);
	gsize count = MIN(size, length - source->at);

	(void)error;
	if (count > 0)
		memcpy(buffer, data + source->at, count);
	source->at += count;
	return (gssize)count;
}

static gboolean bytes_rewind(void *self, GError **error)
{
	BytesSource *source = self;

	(void)error;
	source->at = 0;
	return TRUE;
}

static goffset bytes_length(const void *self)
{
	const BytesSource *source = self;

	return (goffset)g_bytes_get_size(source->bytes);
}

static void bytes_destroy(void *self)
{
	BytesSource *source = self;

	g_bytes_unref(source->bytes);
	g_free(source);
}

static const SourceClass bytes_class = {bytes_read, bytes_rewind, bytes_length, bytes_destroy};

Source *source_new_bytes(GBytes *bytes)
{
	BytesSource *source = g_new0(BytesSource, 1);

	source->bytes = g_bytes_ref(bytes);
	return source_new(&bytes_class, source);
}

typedef struct {
	Source *first;
	Source *second;
	gboolean in_second;
} ConcatSource;

static gssize concat_read(void *self, void *buffer, gsize size, GError **error)
{
	ConcatSource *concat = self;

	if (size == 0)
		return 0;
	if (!concat->in_second) {
		gssize count = source_read(concat->first, buffer, size, error);

		if (count != 0)
			return count;
		concat->in_second = TRUE;
	}
	return source_read(concat->second, buffer, size, error);
}

static gboolean concat_rewind(void *self, GError **error)
{
	ConcatSource *concat = self;

	concat->in_second = FALSE;
	return source_rewind(concat->first, error) && source_rewind(concat->second, error);
}

static goffset concat_length(const void *self)
{
	const ConcatSource *concat = self;

	return source_length(concat->first) + source_length(concat->second);
}

static void concat_destroy(void *self)
{
	ConcatSource *concat = self;

	source_free(concat->first);
	source_free(concat->second);
	g_free(concat);
}

static const SourceClass concat_class = {concat_read, concat_rewind, concat_length, concat_destroy};

Source *source_new_concat(Source *first, Source *second)
{
	ConcatSource *concat = g_new0(ConcatSource, 1);

	concat->first = first;
	concat->second = second;
	return source_new(&concat_class, concat);
}

Sink *sink_new(const SinkClass *class, void *self)
{
	Sink *sink = g_new(Sink, 1);

	sink->class = class;
	sink->self = self;
	return sink;
}

gboolean sink_write(Sink *sink, const void *data, gsize size, GError **error)
{
	if (size == 0)
		return TRUE;
	return sink->class->write(sink->self, data, size, error);
}

gboolean sink_print(Sink *sink, GError **error, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	return sink_write(sink, text, strlen(text), error);
}

gboolean sink_restart(Sink *sink, GError **error)
{
	if (sink->class->restart == NULL) {
		g_set_error_literal(error, SEALPOST_ERROR, ERROR_INTERNAL,
				    "a sink that cannot start anew");
		return FALSE;
	}
	sink->class->restart(sink->self);
	return TRUE;
}

void sink_free(Sink *sink)
{
	if (sink == NULL)
		return;
	if (sink->class->destroy != NULL)
		sink->class->destroy(sink->self);
	g_free(sink);
}

typedef struct {
	GByteArray *bytes;
	gsize limit;
	guint start; /* what was there before */
} BytesSink;

static gboolean bytes_write(void *self, const void *data, gsize size, GError **error)
{
	BytesSink *sink = self;

	if (sink->bytes->len > sink->limit || size > sink->limit - sink->bytes->len ||
	    size > G_MAXUINT - sink->bytes->len) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "more than %zu bytes",
			    sink->limit);
		return FALSE;
	}
	g_byte_array_append(sink->bytes, data, (guint)size);
	return TRUE;
}

static void bytes_restart(void *self)
{
	BytesSink *sink = self;

	g_byte_array_set_size(sink->bytes, sink->start);
}

static const SinkClass bytes_sink_class = {bytes_write, g_free, bytes_restart};

Sink *sink_new_bytes(GByteArray *bytes, gsize limit)
{
	BytesSink *sink = g_new0(BytesSink, 1);

	sink->bytes = bytes;
	sink->limit = limit;
	sink->start = bytes->len;
	return sink_new(&bytes_sink_class, sink);
}

typedef struct {
	Sink *sink;
	gint64 deadline;
} TimedSink;

static gboolean timed_write(void *self, const void *data, gsize size, GError **error)
{
	TimedSink *timed = self;

	if (g_get_monotonic_time() < timed->deadline)
		return sink_write(timed->sink, data, size, error);
	g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT, "writing took too long");
	return FALSE;
}

static void timed_destroy(void *self)
{
	TimedSink *timed = self;

	sink_free(timed->sink);
	g_free(timed);
}

static const SinkClass timed_class = {.write = timed_write, .destroy = timed_destroy};

Sink *sink_new_timed(Sink *sink, gint64 deadline)
{
	TimedSink *timed = g_new0(TimedSink, 1);

	timed->sink = sink;
	timed->deadline = deadline;
	return sink_new(&timed_class, timed);
}

gboolean stream_copy(Source *source, Sink *sink, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(STREAM_CHUNK);
	gssize count;

	while ((count = source_read(source, buffer, STREAM_CHUNK, error)) > 0)
		if (!sink_write(sink, buffer, (gsize)count, error))
			return FALSE;
	return count == 0;
}

gboolean stream_copy_crlf(Source *source, Sink *sink, GError **error)
{
	g_autofree char *buffer = g_malloc(STREAM_CHUNK);
	g_autoptr(GString) out = g_string_sized_new(STREAM_CHUNK);
	char last = '\0';
	gssize count;

	while ((count = source_read(source, buffer, STREAM_CHUNK, error)) > 0) {
		g_string_truncate(out, 0);
		for (gssize i = 0; i < count; last = buffer[i++]) {
			if (buffer[i] == '\n' && last != '\r')
				g_string_append_c(out, '\r');
			g_string_append_c(out, buffer[i]);
		}
		if (!sink_write(sink, out->str, out->len, error))
			return FALSE;
	}
	return count == 0;
}

char *source_sha256(Source *source, GError **error)
{
	g_autoptr(Sha256) sha256 = sha256_new();
	g_autofree guint8 *buffer = g_malloc(STREAM_CHUNK);
	gssize count;

	while ((count = source_read(source, buffer, STREAM_CHUNK, error)) > 0)
		sha256_update(sha256, buffer, (gsize)count);
	if (count < 0 || !source_rewind(source, error))
		return NULL;
	return sha256_finish(sha256);
}
