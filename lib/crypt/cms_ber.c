/* SPDX-License-Identifier: Apache-2.0
 *
 * The BER reader behind cms_head.c (and behind what opens mail that comes in).
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/cms_ber.h"

/* Mostly only the head is asked for, and is shorter than this. */
#define FIRST_FILL 1024
#define FILL (16 * 1024)

struct BerReader {
	Source *source;
	gboolean base64;
	int base64_state;
	guint base64_save;
	guint64 offset; /* of the next byte in the whole input */
	guint64 limit;
	gsize at, have; /* in buffer */
	guint8 buffer[FILL];
	char text[FILL]; /* base64 that becomes buffer */
};

BerReader *ber_reader_new(Source *source, gboolean base64, guint64 limit)
{
	BerReader *reader = g_new(BerReader, 1);

	/* Nobody looks into the buffers before they are filled. */
	memset(reader, 0, offsetof(BerReader, buffer));
	reader->source = source;
	reader->base64 = base64;
	reader->limit = limit;
	return reader;
}

void ber_reader_free(BerReader *reader)
{
	g_free(reader);
}

gboolean ber_malformed(GError **error, const char *what)
{
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_MALFORMED, what);
	return FALSE;
}

/* Fills the buffer: FALSE with error set, or with none of it at the end of the input. */
static gboolean fill(BerReader *reader, GError **error)
{
	reader->at = reader->have = 0;
	while (reader->have == 0) {
		void *into = reader->base64 ? (void *)reader->text : reader->buffer;
		gsize room = reader->offset == 0 ? FIRST_FILL : sizeof reader->buffer;
		gssize size = source_read(reader->source, into, room, error);

		if (size <= 0)
			return size == 0;
		reader->have = (gsize)size;
		if (reader->base64)
			reader->have =
				g_base64_decode_step(reader->text, (gsize)size, reader->buffer,
						     &reader->base64_state, &reader->base64_save);
	}
	return TRUE;
}

/* Up to size bytes, 0 at the end of the input, -1 on error. */
static gssize read_some(BerReader *reader, void *buffer, gsize size, GError **error)
{
	if (size == 0)
		return 0;
	if (reader->offset >= reader->limit) {
		g_set_error_literal(error, SEALPOST_ERROR, ERROR_TOO_LARGE,
				    "CMS structure is over its limit");
		return -1;
	}
	if (reader->at == reader->have && !fill(reader, error))
		return -1;
	size = MIN(size, reader->have - reader->at);
	size = (gsize)MIN((guint64)size, reader->limit - reader->offset);
	if (buffer != NULL && size > 0)
		memcpy(buffer, reader->buffer + reader->at, size);
	reader->at += size;
	reader->offset += size;
	return (gssize)size;
}

/* All of size bytes, into buffer if it is not NULL. */
static gboolean read_all(BerReader *reader, guint8 *buffer, guint64 size, GError **error)
{
	while (size > 0) {
		gssize part = read_some(reader, buffer, (gsize)MIN(size, G_MAXINT), error);

		if (part < 0)
			return FALSE;
		if (part == 0)
			return ber_malformed(error, "CMS structure is cut off");
		if (buffer != NULL)
			buffer += part;
		size -= (guint64)part;
	}
	return TRUE;
}

/* X.690, section 8.1.3. 0 for *indefinite as well as for empty. */
static gboolean read_length(BerReader *reader, guint64 *length, gboolean *indefinite,
			    GError **error)
{
	guint8 octets[8];
	guint8 first;

	*indefinite = FALSE;
	*length = 0;
	if (!read_all(reader, &first, 1, error))
		return FALSE;
	if (first < 0x80) {
		*length = first;
		return TRUE;
	}
	if (first == 0x80) {
		*indefinite = TRUE;
		return TRUE;
	}
	first &= 0x7f;
	if (first > sizeof octets)
		return ber_malformed(error, "CMS structure with an absurd length");
	if (!read_all(reader, octets, first, error))
		return FALSE;
	for (guint i = 0; i < first; i++)
		*length = *length << 8 | octets[i];
	return TRUE;
}

/* Reads a head; its end is where a definite length says, within outer. */
static gboolean read_head(BerReader *reader, guint64 outer, BerItem *item, GError **error)
{
	if (!read_all(reader, &item->tag, 1, error) ||
	    !read_length(reader, &item->length, &item->indefinite, error))
		return FALSE;
	if ((item->tag & 0x1f) == 0x1f)
		return ber_malformed(error, "CMS structure with a tag that CMS does not have");
	if (item->indefinite && (item->tag & 0x20) == 0)
		return ber_malformed(error, "primitive element of indefinite length");
	if (reader->offset > outer || item->length > outer - reader->offset)
		return ber_malformed(error, "CMS element reaches over the one around it");
	item->end = item->indefinite ? outer : reader->offset + item->length;
	return TRUE;
}

static gboolean is_end_of_contents(const BerItem *item)
{
	return item->tag == 0 && item->length == 0 && !item->indefinite;
}

int ber_next(BerReader *reader, const BerItem *parent, BerItem *item, GError **error)
{
	guint64 outer = parent == NULL ? G_MAXINT64 : parent->end;

	if (parent != NULL && !parent->indefinite && reader->offset >= parent->end)
		return 0;
	if (!read_head(reader, outer, item, error))
		return -1;
	if (!is_end_of_contents(item))
		return 1;
	if (parent != NULL && parent->indefinite)
		return 0;
	ber_malformed(error, "CMS element ends where none is open");
	return -1;
}

gboolean ber_need(BerReader *reader, const BerItem *parent, BerItem *item, GError **error)
{
	int found = ber_next(reader, parent, item, error);

	return found == 0 ? ber_malformed(error, "CMS structure without a part that it must have")
			  : found > 0;
}

gboolean ber_expect(BerReader *reader, const BerItem *parent, guint8 tag, BerItem *item,
		    GError **error)
{
	if (!ber_need(reader, parent, item, error))
		return FALSE;
	return item->tag == tag || ber_malformed(error, "not a CMS structure");
}

gboolean ber_skip(BerReader *reader, const BerItem *item, GError **error)
{
	guint depth = 1;
	BerItem inner;

	if (!item->indefinite)
		return read_all(reader, NULL, item->end - reader->offset, error);
	while (depth > 0) {
		if (!read_head(reader, item->end, &inner, error))
			return FALSE;
		if (is_end_of_contents(&inner))
			depth--;
		else if (!inner.indefinite && !read_all(reader, NULL, inner.length, error))
			return FALSE;
		else if (inner.indefinite && ++depth > BER_DEPTH_MAX)
			return ber_malformed(error, "CMS structure is nested too deeply");
	}
	return TRUE;
}

gboolean ber_skip_rest(BerReader *reader, const BerItem *item, GError **error)
{
	BerItem child;
	int found;

	while ((found = ber_next(reader, item, &child, error)) > 0)
		if (!ber_skip(reader, &child, error))
			return FALSE;
	return found == 0;
}

GBytes *ber_take(BerReader *reader, const BerItem *item, gsize limit, GError **error)
{
	g_autofree guint8 *data = NULL;

	if (item->indefinite || (item->tag & 0x20) != 0 || item->length > limit) {
		ber_malformed(error, "CMS element of an unexpected form or size");
		return NULL;
	}
	data = g_malloc(MAX(item->length, 1));
	if (!read_all(reader, data, item->length, error))
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&data), (gsize)item->length);
}

/* The head in its shortest form, which DER demands of the names that are compared. */
static void append_head(GByteArray *bytes, guint8 tag, guint64 length)
{
	guint8 head[10] = {tag};
	guint size = 2;

	if (length < 0x80) {
		head[1] = (guint8)length;
	} else {
		guint octets = 1;

		while (length >> (8 * octets) != 0 && octets < 8)
			octets++;
		head[1] = (guint8)(0x80 | octets);
		for (guint i = 0; i < octets; i++)
			head[size++] = (guint8)(length >> (8 * (octets - 1 - i)));
	}
	g_byte_array_append(bytes, head, size);
}

GBytes *ber_take_whole(BerReader *reader, const BerItem *item, gsize limit, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint head;

	if (item->indefinite || item->length > limit) {
		ber_malformed(error, "CMS element of an unexpected form or size");
		return NULL;
	}
	append_head(bytes, item->tag, item->length);
	head = bytes->len;
	g_byte_array_set_size(bytes, head + (guint)item->length);
	if (!read_all(reader, bytes->data + head, item->length, error))
		return NULL;
	return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

static gboolean has_room(const GByteArray *bytes, guint64 length, gsize limit, GError **error)
{
	if (bytes->len <= limit && length <= limit - bytes->len)
		return TRUE;
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_TOO_LARGE,
			    "CMS structure is over its limit");
	return FALSE;
}

static gboolean copy_content(BerReader *reader, guint64 length, GByteArray *bytes, gsize limit,
			     GError **error)
{
	guint at = bytes->len;

	if (!has_room(bytes, length, limit, error))
		return FALSE;
	g_byte_array_set_size(bytes, at + (guint)length);
	return read_all(reader, bytes->data + at, length, error);
}

gboolean ber_copy(BerReader *reader, const BerItem *item, GByteArray *bytes, gsize limit,
		  GError **error)
{
	BerItem inner = *item;
	guint depth = 0;

	for (;;) {
		if (is_end_of_contents(&inner)) {
			g_byte_array_append(bytes, (const guint8 *)"\0\0", 2);
			depth--;
		} else if (inner.indefinite) {
			g_byte_array_append(bytes, (const guint8[]){inner.tag, 0x80}, 2);
			if (++depth > BER_DEPTH_MAX)
				return ber_malformed(error, "CMS structure is nested too deeply");
		} else {
			append_head(bytes, inner.tag, inner.length);
			if (!copy_content(reader, inner.length, bytes, limit, error))
				return FALSE;
		}
		if (depth == 0)
			return TRUE;
		/* empty elements of indefinite length have no content that would be counted */
		if (!has_room(bytes, 0, limit, error) ||
		    !read_head(reader, item->end, &inner, error))
			return FALSE;
	}
}

void ber_octets_begin(BerOctets *octets, const BerItem *item)
{
	octets->depth = 0;
	ber_octets_enter(octets, item);
}

void ber_octets_enter(BerOctets *octets, const BerItem *item)
{
	octets->in_piece = (item->tag & 0x20) == 0;
	if (octets->in_piece)
		octets->piece = *item;
	else
		octets->open[octets->depth++] = *item;
}

/* On to the next piece: 1, 0 at the end, -1 on error. */
static int next_piece(BerReader *reader, BerOctets *octets, GError **error)
{
	octets->in_piece = FALSE;
	while (octets->depth > 0) {
		BerItem item;
		int found = ber_next(reader, &octets->open[octets->depth - 1], &item, error);

		if (found < 0)
			return -1;
		if (found == 0) {
			octets->depth--;
			continue;
		}
		if (item.tag != BER_OCTETS &&
		    (item.tag != BER_OCTETS_CONSTRUCTED || octets->depth == BER_OCTETS_DEPTH)) {
			ber_malformed(error, "content that is no OCTET STRING");
			return -1;
		}
		ber_octets_enter(octets, &item);
		if (octets->in_piece)
			return 1;
	}
	return 0;
}

gssize ber_octets_read(BerReader *reader, BerOctets *octets, void *buffer, gsize size,
		       GError **error)
{
	for (;;) {
		gssize part = 0;
		int more;

		if (octets->in_piece)
			part = ber_read(reader, &octets->piece, buffer, size, error);
		if (part != 0)
			return part;
		more = next_piece(reader, octets, error);
		if (more <= 0)
			return more;
	}
}

gssize ber_read(BerReader *reader, const BerItem *item, void *buffer, gsize size, GError **error)
{
	gssize part;

	size = (gsize)MIN((guint64)size, item->end - reader->offset);
	if (size == 0)
		return 0;
	part = read_some(reader, buffer, size, error);
	if (part == 0) {
		ber_malformed(error, "CMS structure is cut off");
		return -1;
	}
	return part;
}
