/* SPDX-License-Identifier: Apache-2.0
 *
 * Charsets by iconv. Their names come from strangers: only plain ones reach iconv, and none is
 * remembered.
 */
#include "lib/mail/charset.h"

#include <errno.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"
#define NAME_MAX_LENGTH 40
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-_.:+"

/* Names in mail that iconv has under another one, or as part of a larger charset. */
static const char *const aliases[][2] = {
	{"cp-850", "ibm850"},		{"gb2312", "gbk"},
	{"iso-8859-8-i", "iso-8859-8"}, {"ks_c_5601-1987", "cp949"},
	{"unicode-1-1-utf-7", "utf-7"}, {"x-gbk", "gbk"},
	{"x-mac-roman", "macintosh"},	{"x-sjis", "shift_jis"},
};

static GIConv open_charset(const char *charset)
{
	g_autofree char *name = NULL;
	const char *known;

	if (charset == NULL || strnlen(charset, NAME_MAX_LENGTH + 1) > NAME_MAX_LENGTH)
		return (GIConv)-1;
	name = g_ascii_strdown(charset, -1);
	if (*name == '\0' || name[strspn(name, NAME_CHARACTERS)] != '\0')
		return (GIConv)-1;
	known = name;
	for (gsize i = 0; i < G_N_ELEMENTS(aliases); i++)
		if (strcmp(name, aliases[i][0]) == 0)
			known = aliases[i][1];
	return g_iconv_open("UTF-8", known);
}

static void append_iconv(GString *text, GIConv converter, char *in, gsize in_left)
{
	char buffer[4096];

	while (in_left > 0) {
		char *out = buffer;
		gsize out_left = sizeof(buffer);
		gsize result = g_iconv(converter, &in, &in_left, &out, &out_left);
		int cause = errno;

		g_string_append_len(text, buffer, out - buffer);
		if (result != (gsize)-1 || cause == E2BIG)
			continue;
		g_string_append(text, REPLACEMENT);
		if (cause != EILSEQ) /* cut off in the middle of a character */
			break;
		in++;
		in_left--;
		g_iconv(converter, NULL, NULL, NULL, NULL);
	}
}

/* More whole characters of UTF-8 than bytes that are none: damaged, but no other charset. */
static gboolean is_mostly_utf8(const char *bytes, gsize size)
{
	const char *end = bytes + size;
	gsize whole = 0;
	gsize stray = 0;

	while (bytes < end) {
		gunichar c = g_utf8_get_char_validated(bytes, end - bytes);

		if (c >= (gunichar)-2) {
			stray++;
			bytes++;
			continue;
		}
		whole += c >= 0x80;
		bytes = g_utf8_next_char(bytes);
	}
	return whole >= stray;
}

void charset_append_utf8(GString *text, const char *charset, const char *bytes, gsize size)
{
	GIConv converter;

	if (size == 0)
		return;
	converter = open_charset(charset);
	if (converter == (GIConv)-1 && is_mostly_utf8(bytes, size)) {
		g_autofree char *valid = g_utf8_make_valid(bytes, (gssize)size);

		g_string_append(text, valid);
		return;
	}
	if (converter == (GIConv)-1)
		converter = g_iconv_open("UTF-8", "ISO-8859-1");
	append_iconv(text, converter, (char *)bytes, size);
	g_iconv_close(converter);
}
