/* SPDX-License-Identifier: Apache-2.0
 *
 * Quoted-printable and base64 in a form that no relay has a reason to touch.
 */
#include <string.h>

#include "lib/mail/mimecode.h"

/* RFC 2045: 76 characters a line. Of quoted-printable, room is left for the soft break and for
 * quoting the first character. */
#define QUOTED_WIDTH 73
#define BASE64_BYTES 57
#define BASE64_WIDTH 76

#define NOTHING (-1)

typedef struct {
	GString *out;
	char line[QUOTED_WIDTH];
	gsize size;
	int held; /* a CR or blank whose form depends on what follows; or NOTHING */
} Quoter;

static void end_line(Quoter *quoter, const char *end)
{
	gsize skip = 0;

	if (quoter->size >= 5 && memcmp(quoter->line, "From ", 5) == 0) {
		g_string_append(quoter->out, "=46");
		skip = 1;
	} else if (quoter->size > 0 && quoter->line[0] == '-') {
		g_string_append(quoter->out, "=2D"); /* it may look like a boundary now */
		skip = 1;
	}
	g_string_append_len(quoter->out, quoter->line + skip, (gssize)(quoter->size - skip));
	g_string_append(quoter->out, end);
	quoter->size = 0;
}

static void put(Quoter *quoter, guint8 byte, gboolean quoted)
{
	static const char hex[] = "0123456789ABCDEF";

	if (quoter->size + (quoted ? 3 : 1) > QUOTED_WIDTH)
		end_line(quoter, "=\r\n");
	if (!quoted) {
		quoter->line[quoter->size++] = (char)byte;
		return;
	}
	quoter->line[quoter->size++] = '=';
	quoter->line[quoter->size++] = hex[byte >> 4];
	quoter->line[quoter->size++] = hex[byte & 15];
}

static void quote_byte(Quoter *quoter, guint8 byte)
{
	int held = quoter->held;

	quoter->held = NOTHING;
	if (held == '\r' && byte == '\n') {
		end_line(quoter, "\r\n");
		return;
	}
	if (held != NOTHING)
		put(quoter, (guint8)held, held == '\r' || byte == '\r' || byte == '\n');
	if (byte == '\r' || byte == ' ' || byte == '\t')
		quoter->held = byte;
	else
		put(quoter, byte, byte <= ' ' || byte > '~' || byte == '=');
}

gboolean encode_quoted(Decoder *decoder, Sink *sink, GError **error)
{
	g_autoptr(GString) out = g_string_sized_new(STREAM_CHUNK);
	Quoter quoter = {.out = out, .held = NOTHING};
	const guint8 *data;
	gsize size;
	int more;

	while ((more = decoder_next(decoder, &data, &size, error)) > 0) {
		for (gsize i = 0; i < size; i++)
			quote_byte(&quoter, data[i]);
		if (!sink_write(sink, out->str, out->len, error))
			return FALSE;
		g_string_truncate(out, 0);
	}
	if (more < 0)
		return FALSE;
	if (quoter.held != NOTHING)
		put(&quoter, (guint8)quoter.held, TRUE);
	end_line(&quoter, "");
	return sink_write(sink, out->str, out->len, error);
}

static void base64_line(GString *out, const guint8 *data, gsize size)
{
	gint state = 0;
	gint save = 0;
	gsize old = out->len;
	gsize count;

	g_string_set_size(out, old + BASE64_WIDTH + 8);
	count = g_base64_encode_step(data, size, FALSE, out->str + old, &state, &save);
	count += g_base64_encode_close(FALSE, out->str + old + count, &state, &save);
	g_string_truncate(out, old + count);
	g_string_append(out, "\r\n");
}

gboolean encode_base64(Decoder *decoder, Sink *sink, GError **error)
{
	g_autoptr(GString) out = g_string_sized_new(2 * STREAM_CHUNK);
	g_autoptr(GByteArray) pending = g_byte_array_new();
	const guint8 *data;
	gsize size;
	int more;

	while ((more = decoder_next(decoder, &data, &size, error)) > 0) {
		guint at = 0;

		g_byte_array_append(pending, data, (guint)size);
		for (; pending->len - at >= BASE64_BYTES; at += BASE64_BYTES)
			base64_line(out, pending->data + at, BASE64_BYTES);
		if (at > 0)
			g_byte_array_remove_range(pending, 0, at);
		if (!sink_write(sink, out->str, out->len, error))
			return FALSE;
		g_string_truncate(out, 0);
	}
	if (more < 0)
		return FALSE;
	if (pending->len > 0)
		base64_line(out, pending->data, pending->len);
	return sink_write(sink, out->str, out->len, error);
}

gboolean mime_encode(const char *encoding, Source *source, Sink *sink, GError **error)
{
	g_autoptr(Decoder) plain = decoder_new_plain(source);

	if (strcmp(encoding, "base64") == 0)
		return encode_base64(plain, sink, error);
	if (strcmp(encoding, "quoted-printable") == 0)
		return encode_quoted(plain, sink, error);
	return stream_copy(source, sink, error);
}
