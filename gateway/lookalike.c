/* SPDX-License-Identifier: Apache-2.0
 *
 * Text that looks like one of our subject tags. See lookalike.h. The text is read into marks, one
 * for each character that shows: a plain letter, a blank, a bracket. All steps are linear, for a
 * Subject may be long and full of brackets.
 */
#include <string.h>

#include "gateway/lookalike.h"

#define BLANK ' '
#define OPEN '['
#define CLOSE ']'
#define COLON ':'
#define BAR '|' /* may stand for an "i" within a word */
#define OTHER '.' /* shows, but is none of these */

/* Of a name that is too long, the characters that stay, with one between them. */
#define NAME_START 24
#define NAME_END (LOOKALIKE_NAME_MAX - NAME_START - 1)

/* How one character of the text looks, and where it stands. */
typedef struct {
	char look;
	gsize start, end;
} Mark;

/* The words of our tags, as marks: without accents, "l" as "i", "x" for a letter that looks like none
 * of ours (see plain_letters). With them those that pairs of letters make: "cl" for "d", "vv" for "w",
 * "ii" for "ü". */
static const struct {
	const char *word;
	gboolean colon; /* a tag only with a colon behind: "[WARNING] disk is full" is none */
} words[] = {
	{"encrypted", FALSE},	  {"encrypteci", FALSE},     {"signed", FALSE},
	{"signeci", FALSE},	  {"warning", TRUE},	     {"vvarning", TRUE},
	{"verschiusseit", FALSE}, {"verschiuesseit", FALSE}, {"verschiuxeit", FALSE},
	{"verschiuexeit", FALSE}, {"verschiiisseit", FALSE}, {"signiert", FALSE},
	{"warnung", TRUE},	  {"vvarnung", TRUE},
};

/* Letters that look like those of the words but do not decompose into them: Cyrillic, Greek, Armenian,
 * small capitals, with strokes and hooks, Coptic, Cherokee, Lisu. */
static const struct {
	char look;
	const char *letters;
} plain_letters[] = {
	{'a', "аαɑᴀⱥꭺᎪꓮ"},
	{'c', "сϲᴄȼƈⲥᏟꮯꓚ"},
	{'d', "ԁɖᴅđɗᎠꭰꓓ"},
	{'e', "еεɛҽ℮ᴇєɇⲉᎬꭼꓰ"},
	{'g', "ɡցԍɢǥɠᏀꮐꓖ"},
	{'h', "һհɦʜНΗħⲏᎻꮋꓧ"},
	{'i', "іιıɩӏɪƖɨⲓᎥꭵꓲʟłƚɫլᏞꮮꓡاו"},
	{'n', "пոηɲɴΝИƞŋⲛꓠ"},
	{'p', "рρᴘϸƥᵽⲣᏢꮲꓑ"},
	{'r', "гɾʀᴦɍᏒꮢꓣ"},
	{'s', "ѕʂꜱςȿտᏚꮪꓢ"},
	{'t', "тτᴛŧƭⲧᎢꭲꓔ"},
	{'u', "υսʋᴜʉꓴ"},
	{'v', "ѵνᴠᏙꮩꓦ"},
	{'w', "ԝѡωաᴡⱳᎳꮃꓪ"},
	{'y', "уүγỿʏΥɏƴⲩᎩꭹꓬ"},
};

/* Emblems of letters: 🅢, 🆂 and 🇸. */
static const gunichar emblems[] = {0x1f150, 0x1f170, 0x1f1e6};

static char emblem_letter(gunichar c)
{
	for (gsize i = 0; i < G_N_ELEMENTS(emblems); i++)
		if (c >= emblems[i] && c < emblems[i] + 26)
			return (char)('a' + (c - emblems[i]));
	return '\0';
}

static char listed_look(gunichar c)
{
	for (gsize i = 0; i < G_N_ELEMENTS(plain_letters); i++)
		if (g_utf8_strchr(plain_letters[i].letters, -1, c))
			return plain_letters[i].look;
	return '\0';
}

/* A capital may look like another letter than its small form: Greek Υ and υ. */
static char letter_look(gunichar c)
{
	if (c < 0x80)
		return c == 'l' || c == 'L' ? 'i' : g_ascii_tolower((char)c);
	char look = listed_look(c);

	if (look == '\0')
		look = listed_look(g_unichar_tolower(c));
	return look ? look : 'x';
}

/* Letters and signs of other scripts among them. */
static gboolean is_colon(gunichar c)
{
	return g_utf8_strchr(":∶꞉։׃ː˸ꓽःઃ܃܄᛬᠃᠉⁚፡⠆", -1, c) != NULL;
}

/* Does not show, or is drawn over its neighbour. U+FFFD stands for bytes that a reader may leave
 * out, U+FFFC for what is not there; the fillers are letters without a shape. */
static gboolean is_invisible(gunichar c)
{
	if (is_colon(c))
		return FALSE;
	switch (g_unichar_type(c)) {
	case G_UNICODE_FORMAT:
	case G_UNICODE_NON_SPACING_MARK:
	case G_UNICODE_SPACING_MARK:
	case G_UNICODE_ENCLOSING_MARK:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_PRIVATE_USE:
	case G_UNICODE_UNASSIGNED: return TRUE;
	default: break;
	}
	return c == 0xfffd || c == 0xfffc || c == 0x1d159 || c == 0x115f || c == 0x1160 ||
	       c == 0x3164 || c == 0xffa0;
}

/* Round and curly ones do not look like ours: "contract (signed)" is no tag. */
static gboolean is_round(gunichar c)
{
	return c == '(' || c == ')' || c == '{' || c == '}' || c == 0x201a || c == 0x201e;
}

static char bracket_look(gunichar c)
{
	static const char pieces_open[] = "⎡⎢⎣ㄈ匚匸⊏ⵎ", pieces_close[] = "⎤⎥⎦コｺ⊐";

	if (g_utf8_strchr(pieces_open, -1, c))
		return OPEN;
	if (g_utf8_strchr(pieces_close, -1, c))
		return CLOSE;
	if (is_round(c))
		return OTHER;
	if (g_unichar_type(c) == G_UNICODE_OPEN_PUNCTUATION)
		return OPEN;
	return g_unichar_type(c) == G_UNICODE_CLOSE_PUNCTUATION ? CLOSE : OTHER;
}

static char look_of(gunichar c)
{
	char bracket = bracket_look(c);

	if (bracket != OTHER)
		return bracket;
	if (c < 0x80 && g_ascii_isdigit((char)c))
		return c == '1' ? 'i' : 'x';
	if (g_utf8_strchr("|!ǀ∣│⏐׀", -1, c))
		return BAR;
	if (is_colon(c))
		return COLON;
	if (emblem_letter(c))
		return letter_look((gunichar)emblem_letter(c));
	if (g_unichar_isalpha(c))
		return letter_look(c);
	return g_unichar_isspace(c) || g_unichar_iscntrl(c) || c == 0x2800 ? BLANK : OTHER;
}

/* One character as what it is made of: "ü" is u and its dots, a wide bracket is a bracket. */
static void read_character(GArray *marks, const char *text, gsize start, gsize size)
{
	g_autofree char *parts = g_utf8_normalize(text + start, (gssize)size, G_NORMALIZE_ALL);

	for (const char *p = parts; p && *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		Mark mark = {look_of(c), start, start + size};

		if (!is_invisible(c))
			g_array_append_val(marks, mark);
	}
}

static GArray *read_marks(const char *text)
{
	GArray *marks = g_array_new(FALSE, FALSE, sizeof(Mark));

	for (const char *p = text; *p; p = g_utf8_next_char(p))
		read_character(marks, text, (gsize)(p - text), (gsize)(g_utf8_next_char(p) - p));
	return marks;
}

static char look_at(const GArray *marks, guint at)
{
	return at < marks->len ? g_array_index(marks, Mark, at).look : '\0';
}

/* Where a word that begins at this mark ends, blanks between its letters left out; 0: other text. */
static guint match_word(const GArray *marks, guint at, const char *word)
{
	for (; *word; word++, at++) {
		while (look_at(marks, at) == BLANK)
			at++;
		if (look_at(marks, at) != *word && (look_at(marks, at) != BAR || *word != 'i'))
			return 0;
	}
	return at;
}

static guint skip(const GArray *marks, guint at, const char *looks)
{
	while (look_at(marks, at) && strchr(looks, look_at(marks, at)))
		at++;
	return at;
}

/* Where a tag that opens at this mark ends: behind its bracket, or, where it has none, behind its
 * word. 0: it is no tag. */
static guint match_tag(const GArray *marks, guint at)
{
	guint start = skip(marks, at + 1, " .:|"), end = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(words) && end == 0; i++) {
		end = match_word(marks, start, words[i].word);
		if (end && (g_ascii_isalpha(look_at(marks, end)) ||
			    (words[i].colon && look_at(marks, skip(marks, end, " ")) != COLON)))
			end = 0;
	}
	if (end == 0)
		return 0;
	guint close = end;

	while (look_at(marks, close) && look_at(marks, close) != OPEN &&
	       look_at(marks, close) != CLOSE)
		close++;
	return look_at(marks, close) == CLOSE ? close + 1 : skip(marks, end, " :");
}

/* One round: the text without its tags, each with the blanks behind it. NULL: it has none. */
static char *remove_once(const char *text)
{
	g_autoptr(GArray) marks = read_marks(text);
	g_autoptr(GString) rest = g_string_new(NULL);
	gsize kept = 0; /* up to here the text has been looked at */

	for (guint at = 0; at < marks->len; at++) {
		guint end = look_at(marks, at) == OPEN ? match_tag(marks, at) : 0;

		if (end == 0)
			continue;
		gsize start = g_array_index(marks, Mark, at).start;

		end = skip(marks, end, " ");
		g_string_append_len(rest, text + kept, (gssize)(start - MIN(kept, start)));
		kept = g_array_index(marks, Mark, end - 1).end;
		at = end - 1;
	}
	if (kept == 0)
		return NULL;
	g_string_append(rest, text + kept);
	return g_string_free(g_steal_pointer(&rest), FALSE);
}

/* LRO and RLO: behind them letters stand in another order than they are read. */
static char *without_overrides(const char *text)
{
	GString *plain = g_string_new(NULL);

	for (const char *p = text; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c != 0x202d && c != 0x202e)
			g_string_append_unichar(plain, c);
	}
	return g_string_free(plain, FALSE);
}

static char *without_brackets(const char *text)
{
	GString *plain = g_string_new(NULL);

	for (const char *p = text; *p; p = g_utf8_next_char(p)) {
		g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(Mark));

		read_character(marks, p, 0, (gsize)(g_utf8_next_char(p) - p));
		if (look_at(marks, 0) == OPEN || look_at(marks, 0) == CLOSE)
			g_string_append_c(plain, ' ');
		else
			g_string_append_unichar(plain, g_utf8_get_char(p));
	}
	return g_string_free(plain, FALSE);
}

char *lookalike_remove(const char *text)
{
	char *rest = without_overrides(text);

	for (guint round = 0; round < LOOKALIKE_ROUNDS_MAX; round++) {
		char *less = remove_once(rest);

		if (!less)
			return rest;
		g_free(rest);
		rest = less;
	}
	g_autofree char *stubborn = rest;

	return without_brackets(stubborn);
}

/* Of an address the end says whose it is: "boss@firma.example.….elsewhere.example". */
static char *cut_middle(const char *text)
{
	glong length = g_utf8_strlen(text, -1);

	if (length <= LOOKALIKE_NAME_MAX)
		return g_strdup(text);
	const char *start_end = g_utf8_offset_to_pointer(text, NAME_START);
	const char *end = g_utf8_offset_to_pointer(text, length - NAME_END);
	g_autofree char *start = g_strndup(text, (gsize)(start_end - text));

	return g_strconcat(start, "…", end, NULL);
}

char *lookalike_clean_name(const char *name)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	g_autofree char *plain = without_brackets(valid);
	g_autoptr(GString) clean = g_string_new(NULL);

	for (const char *p = plain; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (!is_invisible(c))
			g_string_append_unichar(clean, g_unichar_iscntrl(c) ? ' ' : c);
	}
	return cut_middle(g_strstrip(clean->str));
}
