/* SPDX-License-Identifier: Apache-2.0
 *
 * Text in header fields: decoded for people and rules, encoded for the wire (RFC 2047, RFC 5322).
 */
#include <string.h>

#include "lib/mail/charset.h"
#include "lib/mail/headers.h"

/* RFC 5322, section 2.1.1: lines should have at most 78 characters; RFC 2047, section 2: an
 * encoded word at most 75. */
#define LINE_MAX_WISHED 78
#define WORD_MAX 75
#define WORD_START "=?UTF-8?Q?"
#define WORD_END "?="
/* One character of UTF-8, quoted. */
#define CHARACTER_MAX 12

/* Longest value that is decoded; the rest is left out. */
#define DECODE_MAX (64 * 1024)

static char *without_controls(const GString *text)
{
	g_autofree char *valid = g_utf8_make_valid(text->str, (gssize)text->len);
	GString *clean = g_string_new(NULL);

	for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		g_string_append_unichar(clean, g_unichar_iscntrl(c) ? ' ' : c);
	}
	return g_string_free(clean, FALSE);
}

/* One encoded word, "=?charset?encoding?payload?=", as places in the value. */
typedef struct {
	const char *charset;
	gsize charset_size; /* without an RFC 2231 language */
	char encoding; /* 'q' or 'b' */
	const char *payload;
	gsize payload_size;
	const char *end;
} Word;

static gboolean word_read(const char *text, Word *word)
{
	const char *mark;

	if (text[0] != '=' || text[1] != '?')
		return FALSE;
	word->charset = text + 2;
	word->charset_size = strcspn(word->charset, "?* ");
	mark = word->charset + strcspn(word->charset, "? ");
	if (word->charset_size == 0 || mark[0] != '?' || mark[1] == '\0' || mark[2] != '?')
		return FALSE;
	word->encoding = g_ascii_tolower(mark[1]);
	if (word->encoding != 'q' && word->encoding != 'b')
		return FALSE;
	word->payload = mark + 3;
	mark = strchr(word->payload, '?');
	if (mark == NULL || mark[1] != '=')
		return FALSE;
	word->payload_size = (gsize)(mark - word->payload);
	word->end = mark + 2;
	return TRUE;
}

/* A word's bytes. The state of base64 goes on from word to word, but for padding. */
static void word_decode(const Word *word, GString *bytes, gint *state, guint *save)
{
	const char *end = word->payload + word->payload_size;
	gsize old = bytes->len;

	if (word->encoding == 'b') {
		g_string_set_size(bytes, old + word->payload_size + 3);
		g_string_truncate(
			bytes, old + g_base64_decode_step(word->payload, word->payload_size,
							  (guchar *)bytes->str + old, state, save));
		if (word->payload_size == 0 || end[-1] != '=')
			return;
	}
	*state = 0;
	*save = 0;
	if (word->encoding == 'b')
		return;
	for (const char *p = word->payload; p < end; p++) {
		if (*p == '=' && end - p > 2 && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
			g_string_append_c(bytes, (char)(g_ascii_xdigit_value(p[1]) * 16 +
							g_ascii_xdigit_value(p[2])));
			p += 2;
		} else {
			g_string_append_c(bytes, *p == '_' ? ' ' : *p);
		}
	}
}

/* A run of encoded words of one charset: their bytes are put together before they become
 * characters, since many mailers split inside one. Returns where the run ends. */
static const char *append_run(GString *text, const Word *first)
{
	g_autoptr(GString) bytes = g_string_new(NULL);
	g_autofree char *charset = g_strndup(first->charset, first->charset_size);
	Word word = *first;
	gint state = 0;
	guint save = 0;

	for (;;) {
		const char *next = word.end + strspn(word.end, " \t\r\n");
		Word following;

		word_decode(&word, bytes, &state, &save);
		if (!word_read(next, &following)) {
			charset_append_utf8(text, charset, bytes->str, bytes->len);
			return word.end;
		}
		if (following.charset_size != first->charset_size ||
		    g_ascii_strncasecmp(following.charset, charset, first->charset_size) != 0) {
			charset_append_utf8(text, charset, bytes->str, bytes->len);
			return next;
		}
		word = following;
	}
}

char *header_text_decode(const char *raw)
{
	/* g_strndup() alone would fill up all of that length. */
	g_autofree char *cut = g_strndup(raw, strnlen(raw, DECODE_MAX));
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) plain = g_string_new(NULL);
	const char *p = cut;

	while (*p != '\0') {
		Word word;

		if (word_read(p, &word)) {
			charset_append_utf8(text, NULL, plain->str, plain->len);
			g_string_truncate(plain, 0);
			p = append_run(text, &word);
			continue;
		}
		if (*p != '\n' && *p != '\r')
			g_string_append_c(plain, *p);
		p++;
	}
	charset_append_utf8(text, NULL, plain->str, plain->len);
	return g_strstrip(without_controls(text));
}

char *header_decode(const Header *header)
{
	return header_text_decode(header->value);
}

/* Printable ASCII that nobody takes for an encoded word and that folds at its blanks. */
static gboolean is_plain(const char *text, gsize first_column)
{
	gsize column = first_column;

	if (*text == ' ' || g_str_has_suffix(text, " ") || strstr(text, "=?") != NULL)
		return FALSE;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~')
			return FALSE;
		column = *p == ' ' ? 1 : column + 1;
		if (column > LINE_MAX_WISHED)
			return FALSE;
	}
	return TRUE;
}

/* Folds at the blanks of plain text: each piece is a blank run with the word after it. */
static void append_folded(GString *value, const char *text, gsize column)
{
	g_string_append_c(value, ' ');
	column++;
	while (*text != '\0') {
		gsize blanks = strspn(text, " ");
		gsize size = blanks + strcspn(text + blanks, " ");

		if (column + size > LINE_MAX_WISHED && blanks > 0) {
			g_string_append_c(value, '\n');
			column = 0;
		}
		g_string_append_len(value, text, (gssize)size);
		column += size;
		text += size;
	}
}

/* In a form that stands in every place where encoded words may (RFC 2047, section 5 (3)). */
static void append_quoted(GString *quoted, const char *character, gsize size)
{
	for (gsize i = 0; i < size; i++) {
		if (g_ascii_isalnum(character[i]))
			g_string_append_c(quoted, character[i]);
		else if (character[i] == ' ')
			g_string_append_c(quoted, '_');
		else
			g_string_append_printf(quoted, "=%02X", (guint8)character[i]);
	}
}

/* As encoded words, split between characters, one a line; the first shares its line with the
 * name. Q, not B: not every reader puts several padded words together again. */
static void append_words(GString *value, const char *text, gsize column)
{
	const gsize frame = sizeof(WORD_START) - 1 + sizeof(WORD_END) - 1;
	gsize room = column + 1 + frame + CHARACTER_MAX < WORD_MAX ? WORD_MAX - frame - column - 1
								   : CHARACTER_MAX;
	const char *separator = " ";

	while (*text != '\0') {
		g_autoptr(GString) word = g_string_new(NULL);

		while (*text != '\0') {
			gsize size = (gsize)(g_utf8_next_char(text) - text);
			gsize old = word->len;

			append_quoted(word, text, size);
			if (word->len > room) {
				g_string_truncate(word, old);
				break;
			}
			text += size;
		}
		g_string_append_printf(value, "%s%s%s%s", separator, WORD_START, word->str,
				       WORD_END);
		separator = "\n ";
		room = WORD_MAX - frame;
	}
}

char *header_encode_text(const char *name, const char *utf8)
{
	g_autoptr(GString) given = g_string_new(utf8);
	g_autofree char *text = without_controls(given);
	GString *value = g_string_new(NULL);
	gsize column = strlen(name) + 1;

	if (is_plain(text, column + 1))
		append_folded(value, text, column);
	else
		append_words(value, text, column);
	return g_string_free(value, FALSE);
}
