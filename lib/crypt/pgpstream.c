/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets out of a stream. See pgpstream.h.
 */
#include "lib/crypt/pgpstream.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgppacket.h"

#define BUFFER (16 * 1024)
/* The first part of a packet in several parts has at least that many bytes. */
#define FIRST_PART_BITS 9
#define LAST_PART_BITS 30

struct PgpStream {
	Source *source;
	guint64 left; /* of the body, or of its part */
	gboolean more; /* another part follows */
	gboolean endless; /* the body goes up to the source's end */
	gsize at, have; /* of buffer */
	guint8 buffer[BUFFER];
};

static gboolean malformed(GError **error)
{
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_MALFORMED, "no common OpenPGP packet");
	return FALSE;
}

PgpStream *pgp_stream_new(Source *source)
{
	PgpStream *stream = g_new(PgpStream, 1);

	memset(stream, 0, offsetof(PgpStream, buffer));
	stream->source = source;
	return stream;
}

void pgp_stream_free(PgpStream *stream)
{
	g_free(stream);
}

/* Large pieces go straight to their place. */
static gssize read_bytes(PgpStream *stream, void *bytes, gsize size, GError **error)
{
	if (stream->at == stream->have && size >= BUFFER)
		return source_read(stream->source, bytes, size, error);
	if (stream->at == stream->have) {
		gssize got = source_read(stream->source, stream->buffer, BUFFER, error);

		if (got <= 0)
			return got;
		stream->at = 0;
		stream->have = (gsize)got;
	}
	gsize step = MIN(size, stream->have - stream->at);
	memcpy(bytes, stream->buffer + stream->at, step);
	stream->at += step;
	return (gssize)step;
}

/* *end (NULL: it must not be): there is no byte more. */
static gboolean read_byte(PgpStream *stream, guint8 *byte, gboolean *end, GError **error)
{
	gssize got = read_bytes(stream, byte, 1, error);

	if (end)
		*end = got == 0;
	return got > 0 || (got == 0 && (end || malformed(error)));
}

static gboolean read_number(PgpStream *stream, guint size, GError **error)
{
	guint8 byte;

	stream->left = 0;
	for (guint i = 0; i < size; i++) {
		if (!read_byte(stream, &byte, NULL, error))
			return FALSE;
		stream->left = stream->left << 8 | byte;
	}
	return TRUE;
}

/* A length of the new form. */
static gboolean read_length(PgpStream *stream, gboolean first_part, GError **error)
{
	guint8 first, second;

	stream->more = FALSE;
	if (!read_byte(stream, &first, NULL, error))
		return FALSE;
	if (first == 255)
		return read_number(stream, 4, error);
	if (first >= 224) {
		guint bits = first & 31;

		stream->more = TRUE;
		stream->left = (guint64)1 << bits;
		return (bits >= (first_part ? FIRST_PART_BITS : 0) && bits <= LAST_PART_BITS) ||
		       malformed(error);
	}
	stream->left = first;
	if (first < 192)
		return TRUE;
	if (!read_byte(stream, &second, NULL, error))
		return FALSE;
	stream->left = ((guint64)(first - 192) << 8) + second + 192;
	return TRUE;
}

/* Which packets may come in parts, or go on to the end. */
static gboolean may_be_partial(guint tag)
{
	return tag == PGP_COMPRESSED || tag == PGP_LITERAL || tag == PGP_ENCRYPTED_MDC;
}

static gboolean read_old_head(PgpStream *stream, guint8 first, guint *tag, GError **error)
{
	guint kind = first & 3;

	*tag = (first >> 2) & 15;
	if (kind < 3)
		return read_number(stream, 1u << kind, error);
	stream->endless = TRUE;
	return *tag == PGP_COMPRESSED || malformed(error);
}

gboolean pgp_stream_next(PgpStream *stream, guint *tag, GError **error)
{
	guint8 first;
	gboolean end;

	if (stream->left > 0 || stream->more)
		return malformed(error);
	*tag = 0;
	if (!read_byte(stream, &first, &end, error) || end)
		return end;
	if (!(first & 0x80))
		return malformed(error);
	if (!(first & 0x40))
		return read_old_head(stream, first, tag, error);
	*tag = first & 63;
	return read_length(stream, TRUE, error) &&
	       (!stream->more || may_be_partial(*tag) || malformed(error));
}

gssize pgp_stream_read(PgpStream *stream, void *buffer, gsize size, GError **error)
{
	while (!stream->endless && stream->left == 0) {
		if (!stream->more)
			return 0;
		if (!read_length(stream, FALSE, error))
			return -1;
	}
	if (stream->endless)
		return read_bytes(stream, buffer, size, error);
	gssize got = read_bytes(stream, buffer, (gsize)MIN((guint64)size, stream->left), error);

	if (got == 0)
		malformed(error);
	if (got <= 0)
		return -1;
	stream->left -= (guint64)got;
	return got;
}

gboolean pgp_stream_need(PgpStream *stream, void *buffer, gsize size, GError **error)
{
	guint8 *at = buffer;

	while (size > 0) {
		gssize got = pgp_stream_read(stream, at, size, error);

		if (got <= 0)
			return got == 0 && malformed(error);
		at += got;
		size -= (gsize)got;
	}
	return TRUE;
}

GByteArray *pgp_stream_take(PgpStream *stream, gsize max, GError **error)
{
	g_autoptr(GByteArray) body = g_byte_array_new();
	gssize got = 1;

	while (got > 0) {
		guint8 bytes[512];

		got = pgp_stream_read(stream, bytes, sizeof(bytes), error);
		if (got < 0)
			return NULL;
		g_byte_array_append(body, bytes, (guint)got);
		if (body->len > max) {
			malformed(error);
			return NULL;
		}
	}
	return g_steal_pointer(&body);
}

static gssize body_read(void *self, void *buffer, gsize size, GError **error)
{
	return pgp_stream_read(self, buffer, size, error);
}

static const SourceClass body_class = {.read = body_read};

Source *pgp_stream_body(PgpStream *stream)
{
	return source_new(&body_class, stream);
}
