/* SPDX-License-Identifier: Apache-2.0
 *
 * Armour off, line by line. See pgpdearmour.h.
 */
#include "lib/crypt/pgpdearmour.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgppacket.h"

/* Mail can have no longer lines. */
#define LINE_LIMIT 1000
#define NO_DIGIT 0xFF

typedef enum { BEFORE, HEADERS, DATA, AFTER } Place;

typedef struct {
	Source *text;
	const char *label;
	Place place;
	gboolean padded; /* base64 has come to its end */
	gboolean summed;
	guint32 sum; /* as the armour says */
	guint32 crc; /* as it is */
	guint32 table[PGP_CRC_TABLE];
	guint8 digits[256];
	gsize at, have; /* of in */
	gboolean end; /* no more comes into in */
	gsize out_at, out_have;
	char in[STREAM_CHUNK];
	guint8 out[STREAM_CHUNK];
} Dearmour;

static gboolean malformed(GError **error)
{
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_MALFORMED, "not plain armour");
	return FALSE;
}

static gboolean fill(Dearmour *self, GError **error)
{
	memmove(self->in, self->in + self->at, self->have - self->at);
	self->have -= self->at;
	self->at = 0;
	gssize got = source_read(self->text, self->in + self->have, sizeof(self->in) - self->have,
				 error);
	if (got < 0)
		return FALSE;
	self->end = got == 0;
	self->have += (gsize)got;
	return TRUE;
}

/* The next line without its end and the blanks before it. *length is SIZE_MAX after the last one. */
static gboolean next_line(Dearmour *self, const char **line, gsize *length, GError **error)
{
	for (;;) {
		char *start = self->in + self->at;
		gsize left = self->have - self->at;
		char *newline = memchr(start, '\n', left);
		gsize size = newline ? (gsize)(newline - start) : left;

		if (size > LINE_LIMIT)
			return malformed(error);
		if (newline || self->end) {
			self->at += size + (newline ? 1 : 0);
			*line = start;
			*length = newline || size > 0 ? size : G_MAXSIZE;
			while (*length != G_MAXSIZE && *length > 0 &&
			       strchr("\r \t", start[*length - 1]) && start[*length - 1])
				(*length)--;
			return TRUE;
		}
		if (!fill(self, error))
			return FALSE;
	}
}

/* "-----BEGIN PGP MESSAGE-----" */
static gboolean is_mark(const Dearmour *self, const char *line, gsize length, const char *word)
{
	if (length == 0 || line[0] != '-')
		return FALSE;
	g_autofree char *mark = g_strdup_printf("-----%s %s-----", word, self->label);

	return length == strlen(mark) && memcmp(line, mark, length) == 0;
}

static gboolean is_line(const char *line, gsize length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(line, wanted, length) == 0;
}

/* "Version: …" and its like, but nothing that changes what the block means. */
static gboolean is_header(const char *line, gsize length)
{
	static const char *const names[] = {"Version: ", "Comment: ", "Charset: "};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (length >= strlen(names[i]) && memcmp(line, names[i], strlen(names[i])) == 0)
			return TRUE;
	return is_line(line, length, "Version:") || is_line(line, length, "Comment:");
}

/* Four digits. FALSE: they are none; *count: bytes in them. */
static gboolean take_quad(const Dearmour *self, const guint8 *text, guint8 *bytes, gsize *count)
{
	guint8 a = self->digits[text[0]], b = self->digits[text[1]];
	guint8 c = self->digits[text[2]], d = self->digits[text[3]];

	*count = 3;
	if (text[3] == '=') {
		*count = text[2] == '=' ? 1 : 2;
		d = 0;
		c = *count == 1 ? 0 : c;
		if (*count == 1 ? b & 15 : c & 3)
			return FALSE; /* bits that belong to no byte */
	}
	if ((a | b | c | d) & 0x80)
		return FALSE;
	bytes[0] = (guint8)(a << 2 | b >> 4);
	bytes[1] = (guint8)(b << 4 | c >> 2);
	bytes[2] = (guint8)(c << 6 | d);
	return TRUE;
}

static gboolean take_sum(Dearmour *self, const char *line, gsize length)
{
	guint8 sum[3];
	gsize count;

	if (length != 5 || !take_quad(self, (const guint8 *)line + 1, sum, &count) || count != 3)
		return FALSE;
	self->sum = (guint32)sum[0] << 16 | (guint32)sum[1] << 8 | sum[2];
	self->summed = TRUE;
	return TRUE;
}

/* out has room for a line. */
static gboolean take_data(Dearmour *self, const char *line, gsize length)
{
	guint8 *out = self->out + self->out_have;

	if (length > 0 && line[0] == '=' && !self->summed)
		return take_sum(self, line, length);
	if (is_mark(self, line, length, "END")) {
		self->place = AFTER;
		return TRUE;
	}
	if (self->summed || length == 0 || length % 4 != 0 || self->padded)
		return FALSE;
	for (gsize i = 0; i < length; i += 4) {
		gsize count;

		if (self->padded || !take_quad(self, (const guint8 *)line + i, out, &count))
			return FALSE;
		self->padded = count < 3;
		out += count;
	}
	self->out_have = (gsize)(out - self->out);
	return TRUE;
}

static gboolean take_line(Dearmour *self, const char *line, gsize length)
{
	switch (self->place) {
	case BEFORE:
		if (length > 0)
			self->place = HEADERS;
		return length == 0 || is_mark(self, line, length, "BEGIN");
	case HEADERS:
		if (length == 0)
			self->place = DATA;
		return length == 0 || is_header(line, length);
	case DATA: return take_data(self, line, length);
	case AFTER: break;
	}
	return length == 0;
}

/* Lines until out is nearly full; FALSE with error where there is no armour. */
static gboolean decode(Dearmour *self, GError **error)
{
	const char *line;
	gsize length;

	self->out_at = self->out_have = 0;
	while (self->out_have + LINE_LIMIT <= sizeof(self->out)) {
		if (!next_line(self, &line, &length, error))
			return FALSE;
		if (length == G_MAXSIZE)
			break;
		if (!take_line(self, line, length))
			return malformed(error);
	}
	self->crc = pgp_crc24(self->table, self->crc, self->out, self->out_have);
	if (self->out_have > 0)
		return TRUE;
	return (self->place == AFTER && (!self->summed || self->sum == self->crc)) ||
	       malformed(error);
}

static gssize dearmour_read(void *data, void *buffer, gsize size, GError **error)
{
	Dearmour *self = data;

	if (self->out_at == self->out_have && !decode(self, error))
		return -1;
	gsize step = MIN(size, self->out_have - self->out_at);

	memcpy(buffer, self->out + self->out_at, step);
	self->out_at += step;
	return (gssize)step;
}

static const SourceClass dearmour_class = {.read = dearmour_read, .destroy = g_free};

Source *pgp_dearmour_new(Source *text, const char *label)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	Dearmour *self = g_new(Dearmour, 1);

	/* The buffers are left as they are: they are large, and a message is often small. */
	memset(self, 0, offsetof(Dearmour, in));
	self->text = text;
	self->label = label;
	self->crc = PGP_CRC_INIT;
	pgp_crc24_prepare(self->table);
	memset(self->digits, NO_DIGIT, sizeof(self->digits));
	for (guint8 i = 0; i < 64; i++)
		self->digits[(guint8)digits[i]] = i;
	return source_new(&dearmour_class, self);
}
