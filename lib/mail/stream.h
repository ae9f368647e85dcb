/* SPDX-License-Identifier: Apache-2.0
 *
 * How bytes flow between the parts: a Source is pulled, a Sink is pushed. Neither holds a whole
 * message. Both belong to one thread at a time.
 */
#ifndef SEALPOST_LIB_MAIL_STREAM_H
#define SEALPOST_LIB_MAIL_STREAM_H

#include <glib.h>

/* What one read or write handles at a time, by habit. */
#define STREAM_CHUNK (64 * 1024)

typedef struct Source Source;
typedef struct Sink Sink;

/* Reads up to size bytes: how many came, 0 at the end, -1 with error set. */
gssize source_read(Source *source, void *buffer, gsize size, GError **error);
/* Back to the first byte. */
gboolean source_rewind(Source *source, GError **error);
/* Bytes from start to end, known beforehand. */
goffset source_length(const Source *source);
void source_free(Source *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

/* A Source over bytes in memory; keeps a reference. */
Source *source_new_bytes(GBytes *bytes);
/* One source after the other; takes both. */
Source *source_new_concat(Source *first, Source *second);

/* Writes all of it or fails. */
gboolean sink_write(Sink *sink, const void *data, gsize size, GError **error);
gboolean sink_print(Sink *sink, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Forgets all that was written, for another try. ERROR_INTERNAL: that kind cannot. */
gboolean sink_restart(Sink *sink, GError **error);
void sink_free(Sink *sink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sink, sink_free)

/* A Sink that appends to a GByteArray (borrowed), at most limit bytes (then ERROR_TOO_LARGE). */
Sink *sink_new_bytes(GByteArray *bytes, gsize limit);
/* What is written goes on to the sink (taken), until deadline (g_get_monotonic_time()): then
 * ERROR_TIMEOUT. */
Sink *sink_new_timed(Sink *sink, gint64 deadline);

/* All of source into sink. */
gboolean stream_copy(Source *source, Sink *sink, GError **error);
/* The same with every line end as CRLF. */
gboolean stream_copy_crlf(Source *source, Sink *sink, GError **error);
/* The SHA-256 of all its bytes in hex; then it is back at the first one. New string. */
char *source_sha256(Source *source, GError **error);

/* For those who make kinds of their own: the functions behind a Source or a Sink. destroy may be
 * NULL. */
typedef struct {
	gssize (*read)(void *self, void *buffer, gsize size, GError **error);
	gboolean (*rewind)(void *self, GError **error);
	goffset (*length)(const void *self);
	void (*destroy)(void *self);
} SourceClass;
typedef struct {
	gboolean (*write)(void *self, const void *data, gsize size, GError **error);
	void (*destroy)(void *self);
	void (*restart)(void *self); /* NULL: it cannot */
} SinkClass;
Source *source_new(const SourceClass *class, void *self);
Sink *sink_new(const SinkClass *class, void *self);

#endif
