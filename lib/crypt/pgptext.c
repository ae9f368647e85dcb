/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the lines. A block that turns out to be none is given up at the next line that
 * begins one, so that no text costs more than its length.
 */
#include "lib/crypt/pgptext.h"

#include <string.h>

#include "lib/crypt/pgppacket.h"

#define BEGIN_MESSAGE "-----BEGIN PGP MESSAGE-----"
#define END_MESSAGE "-----END PGP MESSAGE-----"
#define BEGIN_SIGNED "-----BEGIN PGP SIGNED MESSAGE-----"
#define BEGIN_SIGNATURE "-----BEGIN PGP SIGNATURE-----"
#define END_SIGNATURE "-----END PGP SIGNATURE-----"
#define BEGIN_ANY "-----BEGIN PGP "

#define BEGIN_KEY "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#define END_KEY "-----END PGP PUBLIC KEY BLOCK-----"

/* The longest header. "Comment: Using GnuPG with Thunderbird - http://www.enigmail.net/" has 64. */
#define ARMOUR_HEADER_MAX 76
#define ARMOUR_HEADERS 3
/* "=" and three bytes in base64 (RFC 4880, section 6.1) */
#define SUM_LENGTH 5
/* What may stand behind a program's name: "v2.0.22 (GNU/Linux)", the address of its pages. */
#define PROGRAM_REST_MAX 24
/* Some programs describe a key in as many comments. */
#define KEY_COMMENTS_MAX 12

typedef struct {
	const char *text;
	gsize size;
	gsize at; /* of the next line */
	gsize start; /* of this one */
	const char *line; /* without blanks around it */
	gsize length;
	gboolean worded; /* of the last armour that was skipped: as in PgpTextPiece */
} Lines;

static gboolean is_blank(char c)
{
	/* A no-break space is A0 in Latin 1, C2 A0 in UTF-8. */
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\xa0' || c == '\xc2';
}

static gboolean next_line(Lines *lines)
{
	if (lines->at >= lines->size)
		return FALSE;
	const char *start = lines->text + lines->at;
	const char *newline = memchr(start, '\n', lines->size - lines->at);
	const char *end = newline ? newline + 1 : lines->text + lines->size;

	lines->start = lines->at;
	lines->at = (gsize)(end - lines->text);
	while (start < end && is_blank(*start))
		start++;
	while (end > start && is_blank(end[-1]))
		end--;
	lines->line = start;
	lines->length = (gsize)(end - start);
	return TRUE;
}

static gboolean is_line(const Lines *lines, const char *wanted)
{
	return lines->length == strlen(wanted) && memcmp(lines->line, wanted, lines->length) == 0;
}

static gboolean begins(const Lines *lines, const char *prefix)
{
	return lines->length >= strlen(prefix) && memcmp(lines->line, prefix, strlen(prefix)) == 0;
}

/* gpg wants it so where the text is not armoured. */
static gboolean is_flush(const Lines *lines)
{
	return lines->line == lines->text + lines->start;
}

/* Up to this line, with no other block's beginning before it. Else lines stand at that one. */
static gboolean skip_to(Lines *lines, const char *wanted)
{
	gsize before = lines->at;

	for (; next_line(lines); before = lines->at) {
		if (is_line(lines, wanted))
			return TRUE;
		if (begins(lines, BEGIN_ANY)) {
			lines->at = before;
			return FALSE;
		}
	}
	return FALSE;
}

/* The headers of a clear-signed text, with the blank line. */
static gboolean skip_hash_headers(Lines *lines)
{
	for (gsize before = lines->at; next_line(lines); before = lines->at) {
		if (lines->length == 0)
			return TRUE;
		if (!begins(lines, "Hash:")) {
			lines->at = before;
			return FALSE;
		}
	}
	return FALSE;
}

/* What programs write there, each name so many times. */
static gboolean is_armour_header(const Lines *lines, guint counts[ARMOUR_HEADERS], guint most)
{
	static const char *const names[ARMOUR_HEADERS] = {"Version: ", "Comment: ", "Charset: "};

	for (guint i = 0; i < ARMOUR_HEADERS; i++)
		if (begins(lines, names[i]))
			return counts[i]++ < most && lines->length <= ARMOUR_HEADER_MAX;
	return FALSE;
}

/* Of the headers above, those that programs write: a few words that they are known by. Others a reader
 * might take for the signer's. */
static gboolean is_program(const Lines *lines)
{
	static const char *const known[] = {
		"Version: GnuPG ",
		"Version: GnuPG/",
		"Version: PGP ",
		"Version: OpenPGP.js ",
		"Version: BCPG ",
		"Version: Mailvelope ",
		"Version: FlowCrypt ",
		"Version: GopenPGP ",
		"Version: PGPainless",
		"Version: ProtonMail",
		"Version: rnp ",
		"Charset: ",
		"Comment: https://gnupg.org",
		"Comment: GPGTools - http",
		"Comment: Using GnuPG with Icedove - http",
		"Comment: Using GnuPG with Mozilla - http",
		"Comment: Using GnuPG with SeaMonkey - http",
		"Comment: Using GnuPG with Thunderbird - http",
		"Comment: http://openpgpjs.org",
		"Comment: https://openpgpjs.org",
		"Comment: https://gopenpgp.org",
		"Comment: https://www.mailvelope.com",
		"Comment: https://flowcrypt.com",
		"Comment: Seamlessly send and receive encrypted email",
		"Comment: Seamlessly send, receive and search encrypted email",
	};

	for (guint i = 0; i < G_N_ELEMENTS(known); i++)
		if (begins(lines, known[i]))
			return lines->length <= strlen(known[i]) + PROGRAM_REST_MAX;
	return FALSE;
}

static gboolean is_base64(const Lines *lines)
{
	for (gsize i = 0; i < lines->length; i++) {
		char c = lines->line[i];

		if (!g_ascii_isalnum(c) && c != '+' && c != '/' && c != '=')
			return FALSE;
	}
	return TRUE;
}

/* An armour up to its end, with no room for words: few headers, none behind the first line of data,
 * nothing behind the sum. */
static gboolean skip_armour(Lines *lines, const char *end, guint most)
{
	gboolean in_data = FALSE, summed = FALSE;
	guint counts[ARMOUR_HEADERS] = {0};

	lines->worded = FALSE;
	for (gsize before = lines->at; next_line(lines); before = lines->at) {
		if (is_line(lines, end))
			return TRUE;
		if (lines->length == 0)
			continue;
		gboolean sum = lines->line[0] == '=';

		if (summed || (sum && lines->length != SUM_LENGTH) ||
		    !(is_base64(lines) || (!in_data && is_armour_header(lines, counts, most)))) {
			lines->at = before;
			return FALSE;
		}
		in_data = is_base64(lines);
		lines->worded = lines->worded || (!in_data && !is_program(lines));
		summed = sum;
	}
	return FALSE;
}

/* A reader sees the signature's armour, and gpg does not hash it. */
static gboolean skip_clear_signed(Lines *lines)
{
	return skip_hash_headers(lines) && skip_to(lines, BEGIN_SIGNATURE) && is_flush(lines) &&
	       skip_armour(lines, END_SIGNATURE, 1);
}

static void add_piece(GArray *pieces, PgpTextKind kind, gsize start, gsize end)
{
	PgpTextPiece piece = {kind, start, end, FALSE};

	if (start < end)
		g_array_append_val(pieces, piece);
}

GArray *pgp_text_split(const char *text, gsize size)
{
	GArray *pieces = g_array_new(FALSE, FALSE, sizeof(PgpTextPiece));
	Lines lines = {.text = text, .size = size};
	gsize outside = 0;
	guint blocks = 0;

	while (blocks < PGP_TEXT_BLOCKS_MAX && next_line(&lines)) {
		PgpTextKind kind = is_line(&lines, BEGIN_MESSAGE) ? PGP_TEXT_MESSAGE
				   : is_line(&lines, BEGIN_SIGNED) && is_flush(&lines)
					   ? PGP_TEXT_CLEAR_SIGNED
					   : PGP_TEXT_OUTSIDE;
		gsize start = lines.start;

		if (kind == PGP_TEXT_OUTSIDE ||
		    !(kind == PGP_TEXT_MESSAGE ? skip_to(&lines, END_MESSAGE)
					       : skip_clear_signed(&lines)))
			continue;
		add_piece(pieces, PGP_TEXT_OUTSIDE, outside, start);
		add_piece(pieces, kind, start, lines.at);
		g_array_index(pieces, PgpTextPiece, pieces->len - 1).worded =
			kind == PGP_TEXT_CLEAR_SIGNED && lines.worded;
		outside = lines.at;
		blocks++;
	}
	add_piece(pieces, PGP_TEXT_OUTSIDE, outside, size);
	return pieces;
}

gboolean pgp_text_is_blank(const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (!is_blank(text[i]))
			return FALSE;
	return TRUE;
}

/* Nothing but armoured keys and signatures, and blanks around them. */
static gboolean is_all_armour(const char *text, gsize size)
{
	Lines lines = {.text = text, .size = size};

	while (next_line(&lines)) {
		gboolean key = is_line(&lines, BEGIN_KEY);

		if (lines.length == 0)
			continue;
		if ((!key && !is_line(&lines, BEGIN_SIGNATURE)) ||
		    !skip_armour(&lines, key ? END_KEY : END_SIGNATURE, KEY_COMMENTS_MAX))
			return FALSE;
	}
	return TRUE;
}

/* Nothing but the packets of keys and signatures, all complete. */
static gboolean are_keys(const guint8 *bytes, gsize size)
{
	PgpPackets packets = {bytes, size, 0};
	PgpPacket packet;
	gboolean first = TRUE, cut = FALSE;

	for (; pgp_packet_next(&packets, &packet, &cut, NULL); first = FALSE) {
		switch (packet.tag) {
		case PGP_PUBLIC_KEY:
		case PGP_SIGNATURE: break;
		case PGP_PUBLIC_SUBKEY:
		case PGP_USER_ID:
		case PGP_USER_ATTRIBUTE:
		case PGP_TRUST:
			if (!first)
				break;
			return FALSE;
		default: return FALSE;
		}
		if (cut || packet.partial)
			return FALSE;
	}
	return !first && packets.at == size;
}

gboolean pgp_text_is_keys(const char *text, gsize size)
{
	static const char *const labels[] = {"PGP PUBLIC KEY BLOCK", "PGP SIGNATURE", NULL};
	gboolean damaged;

	if (size > 0 && (text[0] & 0x80))
		return are_keys((const guint8 *)text, size);
	if (!is_all_armour(text, size))
		return FALSE;
	g_autoptr(GByteArray) packets = pgp_dearmor((const guint8 *)text, size, labels, &damaged);

	return packets && !damaged && are_keys(packets->data, packets->len);
}

GBytes *pgp_text_packets(const char *text, const PgpTextPiece *piece)
{
	static const char *const labels[] = {"PGP MESSAGE", NULL};
	GByteArray *packets = pgp_dearmor((const guint8 *)text + piece->start,
					  piece->end - piece->start, labels, NULL);

	/* There is such a block: the piece is one. */
	return packets ? g_byte_array_free_to_bytes(packets) : g_bytes_new(NULL, 0);
}

/* The text up to its signature, and that armoured anew. */
static GBytes *sign_with(const char *text, gsize size, const GByteArray *signature)
{
	GByteArray *block = g_byte_array_sized_new((guint)size);
	g_autofree char *armour = g_malloc(PGP_ARMOR_SIZE(signature->len));
	gsize length = pgp_armor("PGP SIGNATURE", signature->data, signature->len, armour);

	g_byte_array_append(block, (const guint8 *)text, (guint)size);
	g_byte_array_append(block, (const guint8 *)armour, (guint)length);
	return g_byte_array_free_to_bytes(block);
}

GBytes *pgp_text_clear_signed(const char *text, const PgpTextPiece *piece)
{
	static const char *const labels[] = {"PGP SIGNATURE", NULL};
	const char *start = text + piece->start;
	gsize size = piece->end - piece->start;
	const char *mark = g_strrstr_len(start, (gssize)size, "\n" BEGIN_SIGNATURE);
	gsize signed_size = mark ? (gsize)(mark + 1 - start) : size;
	const char *armour = start + signed_size;
	gboolean damaged = TRUE;
	g_autoptr(GByteArray) packets = NULL;

	if (!g_strstr_len(armour, (gssize)(size - signed_size), "\n="))
		packets = pgp_dearmor((const guint8 *)armour, size - signed_size, labels, &damaged);
	return packets && !damaged ? sign_with(start, signed_size, packets)
				   : g_bytes_new(start, size);
}

char *pgp_text_charset(const char *text, const PgpTextPiece *piece)
{
	Lines lines = {.text = text, .size = piece->end, .at = piece->start};

	if (!next_line(&lines))
		return NULL;
	while (next_line(&lines) && lines.length > 0 && memchr(lines.line, ':', lines.length)) {
		gsize name = strlen("Charset:");

		if (lines.length > name && g_ascii_strncasecmp(lines.line, "Charset:", name) == 0)
			return g_strstrip(g_strndup(lines.line + name, lines.length - name));
	}
	return NULL;
}

/* The line with the blanks before it. */
static const char *whole_line(const Lines *lines, gsize *length)
{
	const char *start = lines->text + lines->start;

	*length = lines->length == 0 ? 0 : (gsize)(lines->line + lines->length - start);
	return start;
}

/* The next line of the text that is signed, without its dash escape. */
static gboolean next_shown(Lines *lines, const char **line, gsize *length)
{
	if (!next_line(lines) || is_line(lines, BEGIN_SIGNATURE))
		return FALSE;
	*line = whole_line(lines, length);
	if (*length >= 2 && memcmp(*line, "- ", 2) == 0) {
		*line += 2;
		*length -= 2;
	}
	return TRUE;
}

gboolean pgp_text_shows(const char *text, const PgpTextPiece *piece, const char *shown, gsize size)
{
	Lines block = {.text = text, .size = piece->end, .at = piece->start};
	Lines other = {.text = shown, .size = size};
	const char *line;
	gsize length, other_length;

	if (!next_line(&block) || !skip_hash_headers(&block))
		return FALSE;
	while (next_shown(&block, &line, &length)) {
		/* The last line end belongs to the armour. */
		if (!next_line(&other))
			return length == 0 && !next_shown(&block, &line, &length);
		const char *start = whole_line(&other, &other_length);

		if (length != other_length || memcmp(line, start, length) != 0)
			return FALSE;
	}
	return pgp_text_is_blank(shown + other.at, size - other.at);
}
