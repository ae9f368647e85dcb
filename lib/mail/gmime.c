/* SPDX-License-Identifier: Apache-2.0
 *
 * GMime's start, options and charsets. g_mime_init() is not safe among threads: it runs before
 * main().
 */
#include "lib/mail/gmime.h"

#include <errno.h>

#define REPLACEMENT "\xef\xbf\xbd"

__attribute__((constructor)) static void gmime_start(void)
{
	g_mime_init();
}

GMimeParserOptions *gmime_options_new(void)
{
	GMimeParserOptions *options = g_mime_parser_options_new();
	const char *charsets[] = {"utf-8", "iso-8859-1", NULL};

	g_mime_parser_options_set_address_compliance_mode(options, GMIME_RFC_COMPLIANCE_LOOSE);
	g_mime_parser_options_set_parameter_compliance_mode(options, GMIME_RFC_COMPLIANCE_LOOSE);
	g_mime_parser_options_set_rfc2047_compliance_mode(options, GMIME_RFC_COMPLIANCE_LOOSE);
	g_mime_parser_options_set_allow_addresses_without_domain(options, TRUE);
	g_mime_parser_options_set_fallback_charsets(options, charsets);
	return options;
}

static void append_iconv(GString *text, GIConv converter, char *in, gsize in_left)
{
	char buffer[4096];

	while (in_left > 0) {
		char *out = buffer;
		gsize out_left = sizeof(buffer);
		gsize result = g_iconv(converter, &in, &in_left, &out, &out_left);

		g_string_append_len(text, buffer, out - buffer);
		if (result != (gsize)-1 || errno == E2BIG)
			continue;
		g_string_append(text, REPLACEMENT);
		if (errno != EILSEQ) /* cut off in the middle of a character */
			break;
		in++;
		in_left--;
		g_iconv(converter, NULL, NULL, NULL, NULL);
	}
}

void gmime_append_utf8(GString *text, const char *charset, const char *bytes, gsize size)
{
	const char *name = charset != NULL ? g_mime_charset_iconv_name(charset) : NULL;
	GIConv converter = (GIConv)-1;

	if (name != NULL)
		converter = g_iconv_open("UTF-8", name);
	if (converter == (GIConv)-1 && g_utf8_validate(bytes, (gssize)size, NULL)) {
		g_string_append_len(text, bytes, (gssize)size);
		return;
	}
	if (converter == (GIConv)-1)
		converter = g_iconv_open("UTF-8", "ISO-8859-1");
	append_iconv(text, converter, (char *)bytes, size);
	g_iconv_close(converter);
}
