/* SPDX-License-Identifier: Apache-2.0
 *
 * CompressedData (RFC 3274): Debian's OpenSSL is built without zlib, so the structure is read
 * here and GLib's converter inflates. The output is capped: a few kilobytes can unfold to
 * gigabytes.
 */
#include <gio/gio.h>

#include "lib/base/error.h"
#include "lib/crypt/cms_ber.h"
#include "lib/crypt/cms_open.h"

#define CMS_MAX ((guint64)4 << 30)
#define INFLATE_CHUNK (16 * 1024)

typedef struct {
	BerReader *reader;
	BerOctets content;
	GConverter *converter;
	Sink *sink;
	goffset left; /* output that is still allowed */
} Inflating;

/* ContentInfo { OID, [0] { CompressedData { version, algorithm, { OID, [0] { content } } } } }.
 * Which OIDs they are: the caller has seen the first (CMS_COMPRESSED), and there is only one
 * algorithm; anything else does not inflate. */
static gboolean read_head(Inflating *inflating, GError **error)
{
	static const guint8 path[] = {BER_OID,	    BER_CONTEXT_CONSTRUCTED,
				      BER_SEQUENCE, BER_INTEGER,
				      BER_SEQUENCE, BER_SEQUENCE,
				      BER_OID,	    BER_CONTEXT_CONSTRUCTED};
	static const gboolean enters[] = {FALSE, TRUE, TRUE, FALSE, FALSE, TRUE, FALSE, TRUE};
	BerItem around, item;

	if (!ber_expect(inflating->reader, NULL, BER_SEQUENCE, &around, error))
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(path); i++) {
		if (!ber_expect(inflating->reader, &around, path[i], &item, error))
			return FALSE;
		if (enters[i])
			around = item;
		else if (!ber_skip(inflating->reader, &item, error))
			return FALSE;
	}
	if (!ber_need(inflating->reader, &around, &item, error))
		return FALSE;
	if (item.tag != BER_OCTETS && item.tag != BER_OCTETS_CONSTRUCTED)
		return ber_malformed(error, "compressed content that is no OCTET STRING");
	ber_octets_begin(&inflating->content, &item);
	return TRUE;
}

static gboolean pass_on(Inflating *inflating, const guint8 *data, gsize size, GError **error)
{
	if ((goffset)size > inflating->left) {
		g_set_error_literal(error, SEALPOST_ERROR, ERROR_TOO_LARGE,
				    "compressed content unfolds over its limit");
		return FALSE;
	}
	inflating->left -= (goffset)size;
	return size == 0 || sink_write(inflating->sink, data, size, error);
}

/* All of one chunk. *finished is set when the stream says that it is whole. */
static gboolean inflate(Inflating *inflating, const guint8 *in, gsize size, gboolean *finished,
			GError **error)
{
	guint8 out[INFLATE_CHUNK];
	gsize read, written = 0;

	/* a full buffer: more waits inside, though all input has been taken */
	while (!*finished && (size > 0 || written == sizeof out)) {
		g_autoptr(GError) failure = NULL;
		GConverterResult result =
			g_converter_convert(inflating->converter, in, size, out, sizeof out,
					    G_CONVERTER_NO_FLAGS, &read, &written, &failure);

		if (result == G_CONVERTER_ERROR &&
		    g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT))
			return TRUE; /* wants the next chunk */
		if (result == G_CONVERTER_ERROR)
			return ber_malformed(error, "compressed content is broken");
		*finished = result == G_CONVERTER_FINISHED;
		if (!pass_on(inflating, out, written, error))
			return FALSE;
		in += read;
		size -= read;
	}
	return TRUE;
}

static gboolean inflate_all(Inflating *inflating, GError **error)
{
	guint8 in[INFLATE_CHUNK];
	gboolean finished = FALSE;
	gssize size;

	if (!read_head(inflating, error))
		return FALSE;
	while ((size = ber_octets_read(inflating->reader, &inflating->content, in, sizeof in,
				       error)) > 0)
		if (!inflate(inflating, in, (gsize)size, &finished, error))
			return FALSE;
	if (size < 0)
		return FALSE;
	return finished || ber_malformed(error, "compressed content is cut off");
}

gboolean cms_decompress(Source *source, gboolean base64, goffset limit, Sink *sink, GError **error)
{
	g_autoptr(BerReader) reader = ber_reader_new(source, base64, CMS_MAX);
	g_autoptr(GZlibDecompressor) converter =
		g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB);
	Inflating inflating = {
		.reader = reader, .converter = G_CONVERTER(converter), .sink = sink, .left = limit};

	return inflate_all(&inflating, error);
}
