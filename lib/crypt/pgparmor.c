/* SPDX-License-Identifier: Apache-2.0
 *
 * Armour (RFC 4880, section 6), lenient where mail programs and relays have been at it: line ends
 * of any kind, blanks at both ends of a line, no blank line after the headers, no checksum.
 */
#include <string.h>

#include "lib/crypt/pgppacket.h"

#define CRC_POLY 0x1864CFB

typedef struct {
	const char *at;
	gsize length;
} Line;

void pgp_crc24_prepare(guint32 table[PGP_CRC_TABLE])
{
	for (guint32 byte = 0; byte < 256; byte++) {
		guint32 crc = byte << 16;
		for (int bit = 0; bit < 8; bit++) {
			crc <<= 1;
			if (crc & 0x1000000)
				crc ^= CRC_POLY;
		}
		table[byte] = crc;
	}
	/* What a byte does that one, or two, others follow. */
	for (guint i = 256; i < PGP_CRC_TABLE; i++)
		table[i] = (table[i - 256] << 8 & 0xFFFFFF) ^ table[table[i - 256] >> 16];
}

guint32 pgp_crc24(const guint32 table[PGP_CRC_TABLE], guint32 crc, const guint8 *bytes, gsize size)
{
	/* Three bytes at a time, as many as the sum has. */
	for (; size >= 3; bytes += 3, size -= 3) {
		crc ^= (guint32)bytes[0] << 16 | (guint32)bytes[1] << 8 | bytes[2];
		crc = table[512 + (crc >> 16)] ^ table[256 + (crc >> 8 & 0xFF)] ^ table[crc & 0xFF];
	}
	for (gsize i = 0; i < size; i++)
		crc = (crc << 8 & 0xFFFFFF) ^ table[(crc >> 16 ^ bytes[i]) & 0xFF];
	return crc;
}

static guint32 sum_of(const guint8 *bytes, gsize size)
{
	guint32 table[PGP_CRC_TABLE];

	pgp_crc24_prepare(table);
	return pgp_crc24(table, PGP_CRC_INIT, bytes, size);
}

static gboolean is_blank(char c)
{
	/* A no-break space is A0 in Latin 1, C2 A0 in UTF-8: Exchange puts it for a blank line. */
	return c == ' ' || c == '\t' || c == '\r' || c == '\xa0' || c == '\xc2';
}

/* The next line without its end and without blanks around it. */
static gboolean next_line(const char *text, gsize size, gsize *at, Line *line)
{
	if (*at >= size)
		return FALSE;
	const char *start = text + *at;
	const char *newline = memchr(start, '\n', size - *at);
	const char *end = newline ? newline : text + size;

	*at = (gsize)(end - text) + (newline ? 1 : 0);
	while (start < end && is_blank(*start))
		start++;
	while (end > start && is_blank(end[-1]))
		end--;
	line->at = start;
	line->length = (gsize)(end - start);
	return TRUE;
}

static gboolean begins(const Line *line, const char *prefix)
{
	gsize length = strlen(prefix);

	return line->length >= length && memcmp(line->at, prefix, length) == 0;
}

static gboolean begins_block(const Line *line, const char *const *labels)
{
	Line label = {line->at + 11, line->length - 11};

	if (!begins(line, "-----BEGIN ") || line->length < 16 ||
	    memcmp(line->at + line->length - 5, "-----", 5) != 0)
		return FALSE;
	for (; *labels; labels++) {
		if (begins(&label, *labels))
			return TRUE;
	}
	return FALSE;
}

/* Armour's headers are "Key: value"; base64 has no colon. */
static gboolean is_header(const Line *line)
{
	return memchr(line->at, ':', line->length) != NULL;
}

static gboolean checksum_holds(const Line *line, const guint8 *bytes, gsize size)
{
	guint8 sum[16] = {0};
	gint state = 0;
	guint save = 0;

	if (line->length != 5)
		return FALSE;
	gsize have = g_base64_decode_step(line->at + 1, 4, sum, &state, &save);
	return have == 3 && (guint32)(sum[0] << 16 | sum[1] << 8 | sum[2]) == sum_of(bytes, size);
}

/* One block, from the line after BEGIN; appended to out. TRUE: it is whole. The last checksum counts,
 * and is made once: a sender can write many. */
static gboolean read_block(const char *text, gsize size, gsize *at, GByteArray *out)
{
	gsize start = out->len;
	gboolean in_headers = TRUE;
	gint state = 0;
	guint save = 0;
	Line line, sum = {NULL, 0};

	while (next_line(text, size, at, &line)) {
		if (begins(&line, "-----"))
			return begins(&line, "-----END ") &&
			       (!sum.at ||
				checksum_holds(&sum, out->data + start, out->len - start));
		if (in_headers && is_header(&line))
			continue;
		in_headers = FALSE;
		if (line.length == 0)
			continue;
		if (line.at[0] == '=' && line.length > 2) {
			sum = line;
			continue;
		}
		gsize before = out->len;
		g_byte_array_set_size(out, (guint)(before + line.length / 4 * 3 + 6));
		gsize got = g_base64_decode_step(line.at, line.length, out->data + before, &state,
						 &save);
		g_byte_array_set_size(out, (guint)(before + got));
	}
	return FALSE;
}

GByteArray *pgp_dearmor(const guint8 *text, gsize size, const char *const *labels,
			gboolean *damaged)
{
	g_autoptr(GByteArray) out = g_byte_array_sized_new(1);
	gboolean found = FALSE, whole = TRUE;
	gsize at = 0;
	Line line;

	while (next_line((const char *)text, size, &at, &line)) {
		if (!begins_block(&line, labels))
			continue;
		found = TRUE;
		whole = read_block((const char *)text, size, &at, out) && whole;
	}
	if (damaged)
		*damaged = !whole;
	return found ? g_steal_pointer(&out) : NULL;
}

gsize pgp_armor(const char *label, const guint8 *bytes, gsize size, char *out)
{
	guint32 sum = sum_of(bytes, size);
	const guint8 sum_bytes[] = {(guint8)(sum >> 16), (guint8)(sum >> 8), (guint8)sum};
	char *at = out;

	at += g_snprintf(at, 100, "-----BEGIN %s-----\n\n", label);
	for (gsize done = 0; done < size; done += 48) {
		gint state = 0, save = 0;
		gsize n = MIN(48, size - done);
		at += g_base64_encode_step(bytes + done, n, FALSE, at, &state, &save);
		at += g_base64_encode_close(FALSE, at, &state, &save);
		*at++ = '\n';
	}
	gint state = 0, save = 0;
	*at++ = '=';
	at += g_base64_encode_step(sum_bytes, sizeof(sum_bytes), FALSE, at, &state, &save);
	at += g_base64_encode_close(FALSE, at, &state, &save);
	at += g_snprintf(at, 100, "\n-----END %s-----\n", label);
	return (gsize)(at - out);
}
