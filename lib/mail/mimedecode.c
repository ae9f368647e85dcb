/* SPDX-License-Identifier: Apache-2.0
 *
 * What is in a part: its bytes with the transfer encoding undone, its text as UTF-8.
 */
#include <string.h>

#include "lib/mail/mimecode.h"
#include "lib/mail/mimescan.h"

struct Decoder {
	Source *source;
	GMimeContentEncoding encoding;
	GMimeEncoding state;
	gint base64_state;
	guint base64_save;
	guint8 in[STREAM_CHUNK];
	guint8 *out; /* as large as a chunk can become */
};

static GMimeContentEncoding encoding_of(const MimePart *part)
{
	return g_mime_content_encoding_from_string(part->encoding);
}

gboolean decoder_knows(const MimePart *part)
{
	GMimeContentEncoding encoding = encoding_of(part);

	return mime_is_identity(part) || encoding == GMIME_CONTENT_ENCODING_BASE64 ||
	       encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
}

Decoder *decoder_new(const MimeTree *tree, const MimePart *part)
{
	Decoder *decoder = g_new(Decoder, 1);

	decoder->source = spool_source(tree->spool, part->content);
	decoder->encoding = encoding_of(part);
	decoder->base64_state = 0;
	decoder->base64_save = 0;
	g_mime_encoding_init_decode(&decoder->state, decoder->encoding);
	decoder->out = g_malloc(g_mime_encoding_outlen(&decoder->state, STREAM_CHUNK) + 4);
	return decoder;
}

void decoder_free(Decoder *decoder)
{
	if (decoder == NULL)
		return;
	source_free(decoder->source);
	g_free(decoder->out);
	g_free(decoder);
}

/* Padding that the sender left out: without it, GLib keeps the last bytes to itself. */
static gsize finish_base64(Decoder *decoder)
{
	gint state = decoder->base64_state;
	gint pending = ABS(state);

	decoder->base64_state = 0;
	if (decoder->encoding != GMIME_CONTENT_ENCODING_BASE64 || pending < 2)
		return 0;
	return g_base64_decode_step("==", (gsize)(4 - pending), decoder->out, &state,
				    &decoder->base64_save);
}

int decoder_next(Decoder *decoder, const guint8 **data, gsize *size, GError **error)
{
	gssize count = source_read(decoder->source, decoder->in, sizeof(decoder->in), error);

	if (count < 0)
		return -1;
	*data = decoder->out;
	if (count == 0) {
		*size = finish_base64(decoder);
		return *size > 0;
	}
	switch (decoder->encoding) {
	case GMIME_CONTENT_ENCODING_BASE64:
		/* GLib's goes on after padding in the middle; GMime's drops what follows it */
		*size = g_base64_decode_step((const char *)decoder->in, (gsize)count, decoder->out,
					     &decoder->base64_state, &decoder->base64_save);
		break;
	case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
		*size = g_mime_encoding_step(&decoder->state, (const char *)decoder->in,
					     (gsize)count, (char *)decoder->out);
		break;
	default: *data = decoder->in; *size = (gsize)count;
	}
	return 1;
}

gboolean mime_decode(const MimeTree *tree, const MimePart *part, Sink *sink, GError **error)
{
	g_autoptr(Decoder) decoder = decoder_new(tree, part);
	const guint8 *data;
	gsize size;
	int more;

	while ((more = decoder_next(decoder, &data, &size, error)) > 0)
		if (!sink_write(sink, data, size, error))
			return FALSE;
	return more == 0;
}

/* Cut to limit between characters; a NUL would end the string before its time. */
static char *finish_text(GString *text, gsize limit)
{
	if (text->len > limit) {
		while (limit > 0 && ((guint8)text->str[limit] & 0xc0) == 0x80)
			limit--;
		g_string_truncate(text, limit);
	}
	for (gsize i = 0; i < text->len; i++)
		if (text->str[i] == '\0')
			text->str[i] = ' ';
	return g_utf8_make_valid(text->str, (gssize)text->len);
}

char *mime_text(const MimeTree *tree, const MimePart *part, gsize limit, GError **error)
{
	g_autoptr(Decoder) decoder = decoder_new(tree, part);
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(GString) text = g_string_new(NULL);
	const char *charset = mime_param(part, "charset");
	const guint8 *data;
	gsize size;
	int more = 1;

	/* no charset in use needs more than four bytes for a byte of UTF-8 */
	while (bytes->len / 4 <= limit && (more = decoder_next(decoder, &data, &size, error)) > 0)
		g_byte_array_append(bytes, data, (guint)size);
	if (more < 0)
		return NULL;
	if (charset != NULL && g_ascii_strcasecmp(charset, "us-ascii") == 0)
		charset = NULL; /* often not true */
	gmime_append_utf8(text, charset, (const char *)bytes->data, bytes->len);
	return finish_text(text, limit);
}
