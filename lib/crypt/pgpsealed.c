/* SPDX-License-Identifier: Apache-2.0
 *
 * Is this one OpenPGP ciphertext from its first byte to its last? A head alone proves nothing:
 * text around the armour, or behind the packets, would leave as "already encrypted". Reads in one
 * pass without holding the message.
 */
#include <string.h>

#include "lib/crypt/pgpdearmour.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/pgpstream.h"

/* RFC 4880 makes lines of 76; mail can have none of more than 998. */
#define LINE_MAX_BYTES 1000
/* A tag and the longest form of a length. */
#define PACKET_HEAD_MAX 6

/* The packets: session keys, then the data that they open, then nothing. */
typedef struct {
	guint8 head[PACKET_HEAD_MAX];
	guint have; /* bytes of head, while one is being read */
	gboolean in_body;
	guint64 left; /* of the body, or of its part */
	gboolean more; /* another part follows */
	gboolean endless; /* it goes up to the end of the input */
	guint tag;
	gboolean has_session_key, has_data, broken;
} Walk;

typedef enum { BEFORE, HEADERS, DATA, AFTER } Place;

typedef struct {
	Place place;
	gint state;
	guint save;
	Walk walk;
} Armour;

/* How long the packet's head is, by what of it is there: more than have means "read on". A later
 * part has a length but no tag. 0: no packet. */
static guint head_size(const Walk *walk)
{
	guint at = walk->more ? 0 : 1;
	guint8 first = walk->head[0];

	if (walk->have == 0)
		return 1;
	if (!walk->more && !(first & 0x80))
		return 0;
	if (!walk->more && !(first & 0x40))
		return (first & 3) == 3 ? 1 : 1 + (1u << (first & 3));
	if (walk->have <= at)
		return at + 1;
	first = walk->head[at];
	if (first >= 192 && first < 224)
		return at + 2;
	return first == 255 ? at + 5 : at + 1;
}

static guint64 number(const guint8 *bytes, guint size)
{
	guint64 value = 0;

	for (guint i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void take_length(Walk *walk, guint at)
{
	guint8 first = walk->head[at];

	walk->more = first >= 224 && first < 255;
	if (first < 192)
		walk->left = first;
	else if (first < 224)
		walk->left = ((guint64)(first - 192) << 8) + walk->head[at + 1] + 192;
	else if (first == 255)
		walk->left = number(walk->head + at + 1, 4);
	else
		walk->left = (guint64)1 << (first & 31);
}

static gboolean may_follow(Walk *walk)
{
	switch (walk->tag) {
	case PGP_MARKER:
	case PGP_PADDING: return !walk->has_data;
	case PGP_PKESK:
	case PGP_SKESK: walk->has_session_key = TRUE; return !walk->has_data;
	case PGP_ENCRYPTED:
	case PGP_ENCRYPTED_MDC:
	case PGP_ENCRYPTED_AEAD:
		if (walk->has_data)
			return FALSE;
		walk->has_data = TRUE;
		return walk->has_session_key;
	default: return FALSE;
	}
}

/* The head is whole. */
static void begin_body(Walk *walk)
{
	guint8 first = walk->head[0];

	if (walk->more) {
		take_length(walk, 0);
	} else if (first & 0x40) {
		walk->tag = first & 63;
		take_length(walk, 1);
		walk->broken = !may_follow(walk);
	} else {
		walk->tag = (first >> 2) & 15;
		walk->endless = (first & 3) == 3;
		walk->left = walk->endless ? 0 : number(walk->head + 1, 1u << (first & 3));
		walk->broken = !may_follow(walk);
	}
	walk->have = 0;
	walk->in_body = walk->left > 0 || walk->endless;
}

static void walk_on(Walk *walk, const guint8 *bytes, gsize size)
{
	while (size > 0 && !walk->broken && !walk->endless) {
		if (walk->in_body) {
			gsize step = (gsize)MIN((guint64)size, walk->left);

			bytes += step;
			size -= step;
			walk->left -= step;
			walk->in_body = walk->left > 0;
			continue;
		}
		walk->head[walk->have++] = *bytes++;
		size--;
		guint wanted = head_size(walk);

		walk->broken = wanted == 0;
		if (wanted == walk->have)
			begin_body(walk);
	}
}

/* Nothing is missing, either. */
static gboolean is_complete(const Walk *walk)
{
	return !walk->broken && walk->has_data && walk->have == 0 && !walk->more && walk->left == 0;
}

static gboolean is_pure_base64(const char *line)
{
	for (; g_ascii_isalnum(*line) || *line == '+' || *line == '/'; line++)
		;
	return line[strspn(line, "=")] == '\0';
}

/* "Version: GnuPG v2" and its like: what programs write, not people. */
static gboolean is_armour_header(const char *line)
{
	static const char *const names[] = {
		"Version:", "Comment:", "Hash:", "Charset:", "MessageID:"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_ascii_strncasecmp(line, names[i], strlen(names[i])) == 0)
			return TRUE;
	return FALSE;
}

static gboolean take_data(Armour *armour, char *line)
{
	guint8 bytes[LINE_MAX_BYTES + 3];
	gsize got;

	if (*line == '=' && strlen(line) == 5)
		return TRUE; /* the checksum */
	if (!is_pure_base64(line))
		return FALSE;
	got = g_base64_decode_step(line, strlen(line), bytes, &armour->state, &armour->save);
	walk_on(&armour->walk, bytes, got);
	return !armour->walk.broken;
}

/* One line, without blanks around it. FALSE: not a sealed message. */
static gboolean take_line(Armour *armour, char *line)
{
	if (*line == '\0')
		return TRUE;
	switch (armour->place) {
	case BEFORE:
		armour->place = HEADERS;
		return g_str_equal(line, "-----BEGIN PGP MESSAGE-----");
	case HEADERS:
		if (is_armour_header(line))
			return TRUE;
		armour->place = DATA;
		return take_data(armour, line);
	case DATA:
		if (!g_str_equal(line, "-----END PGP MESSAGE-----"))
			return take_data(armour, line);
		armour->place = AFTER;
		return TRUE;
	case AFTER: break;
	}
	return FALSE;
}

/* Whole lines out of what has come; the rest waits. */
static gboolean take_lines(Armour *armour, GString *text, gboolean end)
{
	char *start = text->str;
	char *newline;

	if (strlen(text->str) != text->len)
		return FALSE;
	while ((newline = strchr(start, '\n')) || (end && *start)) {
		if (newline)
			*newline = '\0';
		if (strlen(start) > LINE_MAX_BYTES || !take_line(armour, g_strstrip(start)))
			return FALSE;
		if (!newline)
			break;
		start = newline + 1;
	}
	g_string_erase(text, 0, start - text->str);
	return text->len <= LINE_MAX_BYTES;
}

static gboolean drain(PgpStream *stream)
{
	g_autofree guint8 *buffer = g_malloc(STREAM_CHUNK);
	gssize got;

	while ((got = pgp_stream_read(stream, buffer, STREAM_CHUNK, NULL)) > 0)
		;
	return got == 0;
}

static gboolean is_common(Source *packets)
{
	g_autoptr(PgpStream) stream = pgp_stream_new(packets);
	guint tag;
	gboolean keys = FALSE;

	while (pgp_stream_next(stream, &tag, NULL) && tag == PGP_PKESK && drain(stream))
		keys = TRUE;
	return keys && tag == PGP_ENCRYPTED_MDC && drain(stream) &&
	       pgp_stream_next(stream, &tag, NULL) && tag == 0;
}

/* Of the form that programs write: seen in a third of the time. */
static gboolean is_plainly_sealed(Source *source)
{
	guint8 first = 0;

	if (source_read(source, &first, 1, NULL) < 0 || !source_rewind(source, NULL))
		return FALSE;
	if (first & 0x80)
		return is_common(source);
	g_autoptr(Source) bytes = pgp_dearmour_new(source, "PGP MESSAGE");

	return is_common(bytes);
}

static gboolean is_sealed(Source *source)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *buffer = g_malloc(STREAM_CHUNK);
	Armour armour = {.place = BEFORE};
	gboolean binary = FALSE, first = TRUE;
	gssize got;

	while ((got = source_read(source, buffer, STREAM_CHUNK, NULL)) > 0) {
		if (first)
			binary = (*buffer & 0x80) != 0;
		first = FALSE;
		if (binary) {
			walk_on(&armour.walk, (guint8 *)buffer, (gsize)got);
			continue;
		}
		g_string_append_len(text, buffer, got);
		if (!take_lines(&armour, text, FALSE))
			return FALSE;
	}
	if (got < 0 || (!binary && !take_lines(&armour, text, TRUE)))
		return FALSE;
	return is_complete(&armour.walk) && (binary || armour.place == AFTER);
}

gboolean pgp_is_sealed(Source *source)
{
	return is_plainly_sealed(source) || (source_rewind(source, NULL) && is_sealed(source));
}
