/* SPDX-License-Identifier: Apache-2.0
 *
 * What is in a part: its bytes with the transfer encoding undone, its text as UTF-8.
 */
#include <string.h>

#include "lib/mail/charset.h"
#include "lib/mail/mimecode.h"
#include "lib/mail/mimescan.h"

/* How much longer than its input a step's output can be: what was held back. */
#define HELD_MAX 4

typedef enum {
	UNENCODED,
	BASE64,
	QUOTED,
} Encoding;

struct Decoder {
	Source *source;
	gboolean borrowed;
	Encoding encoding;
	gint base64_state;
	guint base64_save;
	char held[HELD_MAX]; /* of quoted-printable: an escape that is not complete */
	gsize held_size;
	guint8 in[STREAM_CHUNK];
	guint8 out[STREAM_CHUNK + HELD_MAX];
};

static Encoding encoding_of(const MimePart *part)
{
	if (strcmp(part->encoding, "base64") == 0)
		return BASE64;
	return strcmp(part->encoding, "quoted-printable") == 0 ? QUOTED : UNENCODED;
}

gboolean decoder_knows(const MimePart *part)
{
	return mime_is_identity(part) || encoding_of(part) != UNENCODED;
}

Decoder *decoder_new_plain(Source *source)
{
	Decoder *decoder = g_new(Decoder, 1);

	decoder->source = source;
	decoder->borrowed = TRUE;
	decoder->encoding = UNENCODED;
	decoder->base64_state = 0;
	decoder->base64_save = 0;
	decoder->held_size = 0;
	return decoder;
}

Decoder *decoder_new(const MimeTree *tree, const MimePart *part)
{
	Decoder *decoder = decoder_new_plain(spool_source(tree->spool, part->content));

	decoder->borrowed = FALSE;
	decoder->encoding = encoding_of(part);
	return decoder;
}

void decoder_free(Decoder *decoder)
{
	if (decoder == NULL)
		return;
	if (!decoder->borrowed)
		source_free(decoder->source);
	g_free(decoder);
}

/* Could more bytes make an escape of this one? "=", "=A", "=\r" */
static gboolean is_open_escape(const char *held, gsize size)
{
	return size == 1 || (size == 2 && (held[1] == '\r' || g_ascii_isxdigit(held[1])));
}

/* Ends what was held: a byte, nothing for a soft line break, or what stands there. */
static gsize close_escape(Decoder *decoder, guint8 *out)
{
	const char *held = decoder->held;
	gsize size = decoder->held_size;

	decoder->held_size = 0;
	if (size == 3 && g_ascii_isxdigit(held[1]) && g_ascii_isxdigit(held[2])) {
		*out = (guint8)(g_ascii_xdigit_value(held[1]) * 16 + g_ascii_xdigit_value(held[2]));
		return 1;
	}
	if ((size >= 2 && held[size - 1] == '\n') || size == 1)
		return 0;
	memcpy(out, held, size);
	return size;
}

static gsize decode_quoted(Decoder *decoder, gsize count)
{
	guint8 *out = decoder->out;

	for (gsize i = 0; i < count; i++) {
		char byte = (char)decoder->in[i];

		if (decoder->held_size == 0 && byte != '=') {
			*out++ = (guint8)byte;
			continue;
		}
		if (byte == '=' && decoder->held_size > 0) {
			/* no escape after all; another may begin */
			memcpy(out, decoder->held, decoder->held_size);
			out += decoder->held_size;
			decoder->held_size = 0;
		}
		decoder->held[decoder->held_size++] = byte;
		if (!is_open_escape(decoder->held, decoder->held_size))
			out += close_escape(decoder, out);
	}
	return (gsize)(out - decoder->out);
}

/* What is left at the end. Base64: padding that the sender left out, without which GLib keeps the
 * last bytes to itself. */
static gsize finish(Decoder *decoder)
{
	gint state = decoder->base64_state;
	gint pending = ABS(state);

	if (decoder->encoding == QUOTED)
		return close_escape(decoder, decoder->out);
	decoder->base64_state = 0;
	if (decoder->encoding != BASE64 || pending < 2)
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
		*size = finish(decoder);
		return *size > 0;
	}
	switch (decoder->encoding) {
	case BASE64:
		*size = g_base64_decode_step((const char *)decoder->in, (gsize)count, decoder->out,
					     &decoder->base64_state, &decoder->base64_save);
		break;
	case QUOTED: *size = decode_quoted(decoder, (gsize)count); break;
	case UNENCODED: *data = decoder->in; *size = (gsize)count;
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

typedef struct {
	const MimeTree *tree;
	const MimePart *part;
	Decoder *decoder;
	const guint8 *data; /* of the decoder's: what nobody has read yet */
	gsize left;
} DecodedSource;

static gssize decoded_read(void *self, void *buffer, gsize size, GError **error)
{
	DecodedSource *source = self;
	int more = 1;

	while (source->left == 0 && more > 0 && size > 0)
		more = decoder_next(source->decoder, &source->data, &source->left, error);
	if (more <= 0)
		return more;
	gsize count = MIN(size, source->left);

	if (count > 0)
		memcpy(buffer, source->data, count);
	source->data += count;
	source->left -= count;
	return (gssize)count;
}

static gboolean decoded_rewind(void *self, GError **error)
{
	DecodedSource *source = self;

	(void)error;
	decoder_free(source->decoder);
	source->decoder = decoder_new(source->tree, source->part);
	source->left = 0;
	return TRUE;
}

static goffset decoded_length(const void *self)
{
	const Range *content = &((const DecodedSource *)self)->part->content;

	return content->end - content->start;
}

static void decoded_destroy(void *self)
{
	DecodedSource *source = self;

	decoder_free(source->decoder);
	g_free(source);
}

static const SourceClass decoded_class = {decoded_read, decoded_rewind, decoded_length,
					  decoded_destroy};

Source *mime_source(const MimeTree *tree, const MimePart *part)
{
	DecodedSource *source;

	if (encoding_of(part) == UNENCODED)
		return spool_source(tree->spool, part->content);
	source = g_new0(DecodedSource, 1);
	source->tree = tree;
	source->part = part;
	source->decoder = decoder_new(tree, part);
	return source_new(&decoded_class, source);
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
	charset_append_utf8(text, charset, (const char *)bytes->data, bytes->len);
	return finish_text(text, limit);
}
