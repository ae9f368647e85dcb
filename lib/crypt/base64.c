/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 in lines. See base64.h.
 */
#include "lib/crypt/base64.h"

#include <string.h>

#include <openssl/evp.h>

/* Lines that are handed on at once. */
#define BATCH_LINES 64
#define BATCH_COLUMNS 78 /* 76 and CRLF */

/* Encodes whole lines, at most BATCH_LINES. */
static gboolean write_lines(Base64 *base64, const guint8 *data, gsize lines, GError **error)
{
	guint8 text[BATCH_LINES * BATCH_COLUMNS + 1]; /* EVP_EncodeBlock() adds a NUL */
	guint8 *at = text;

	for (gsize i = 0; i < lines; i++) {
		at += EVP_EncodeBlock(at, data + i * BASE64_LINE, BASE64_LINE);
		*at++ = '\r';
		*at++ = '\n';
	}
	return sink_write(base64->next, text, (gsize)(at - text), error);
}

gboolean base64_write(Base64 *base64, const void *data, gsize size, GError **error)
{
	const guint8 *at = data;

	while (size > 0) {
		gsize part;

		if (base64->have == 0 && size >= BASE64_LINE) {
			gsize lines = MIN(size / BASE64_LINE, BATCH_LINES);

			if (!write_lines(base64, at, lines, error))
				return FALSE;
			part = lines * BASE64_LINE;
		} else {
			part = MIN(size, BASE64_LINE - base64->have);
			memcpy(base64->line + base64->have, at, part);
			base64->have += part;
			if (base64->have == BASE64_LINE) {
				if (!write_lines(base64, base64->line, 1, error))
					return FALSE;
				base64->have = 0;
			}
		}
		at += part;
		size -= part;
	}
	return TRUE;
}

gboolean base64_finish(Base64 *base64, GError **error)
{
	guint8 text[BATCH_COLUMNS + 1];
	int size;

	if (base64->have == 0)
		return TRUE;
	size = EVP_EncodeBlock(text, base64->line, (int)base64->have);
	base64->have = 0;
	text[size++] = '\r';
	text[size++] = '\n';
	return sink_write(base64->next, text, (gsize)size, error);
}
