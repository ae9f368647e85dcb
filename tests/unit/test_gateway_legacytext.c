/* SPDX-License-Identifier: Apache-2.0
 *
 * The legacy display element in texts (RFC 9788): put in, taken out, left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/legacytext.h"

#define DIV "<div class=\"header-protection-legacy-display\">"

static void same(char *made, const gsize *length, const char *expected)
{
	if (!expected) {
		assert_null(made);
		return;
	}
	assert_non_null(made);
	assert_int_equal(*length, strlen(expected));
	assert_string_equal(made, expected);
	g_free(made);
}

/* What was put in comes out again, and nothing else. */
static void test_plain(void **state)
{
	static const char *const cases[][3] = {
		{"utf-8", "Hallo\r\n", "Subject: gr\xc3\xbc\xc3\x9f\r\n\r\nHallo\r\n"},
		{"iso-8859-1", "Hallo\r\n", "Subject: gr\xfc\xdf\r\n\r\nHallo\r\n"},
		{"us-ascii", "", "Subject: gr??\r\n\r\n"},
		{"utf-16", "x", NULL},
		{"utf-16le", "x", NULL},
		{"nonsense", "x", NULL},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *text = cases[i][1];
		gsize length = 0, rest = 0;
		char *made = legacytext_add(text, strlen(text), cases[i][0],
					    "Subject: gr\xc3\xbc\xc3\x9f\n", &length);

		if (made)
			same(legacytext_remove(made, length, &rest), &rest, text);
		same(made, &length, cases[i][2]);
	}
}

static void test_plain_left(void **state)
{
	static const char *const cases[][2] = {
		{"Subject: a\nFrom: b\n c\n\nText\n", "Text\n"},
		{"Subject: a\n\n", ""},
		/* somebody's own words */
		{"Hello: x\nyou there\n\nText\n", NULL},
		{"\nText\n\nmore", NULL},
		{" Subject: a\n\nText", NULL},
		{"Subject: a", NULL},
		{"Subject: a\n", NULL},
		{"http://x y: z\n\nText",
		 "Text"}, /* looks like one; and the mark says that it is */
		{"Sub ject: a\n\nText", NULL},
		{"", NULL},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gsize length = 0;

		same(legacytext_remove(cases[i][0], strlen(cases[i][0]), &length), &length,
		     cases[i][1]);
	}
}

static void test_html(void **state)
{
#define ELEMENT "\r\n" DIV "\r\n<pre>\r\nSubject: &lt;b&gt; &#252;\r\n</pre>\r\n</div>"
	static const char *const cases[][2] = {
		{"<html><BODY class=x>text</body>", "<html><BODY class=x>" ELEMENT "text</body>"},
		{"<p>text</p>", ELEMENT "<p>text</p>"},
		{"<html><head><title>x</title></head>text",
		 "<html><head><title>x</title></head>" ELEMENT "text"},
		{"<!DOCTYPE html><title>x</title>text", NULL},
		{"<html>text", NULL},
		{"<bodyguard>text", ELEMENT "<bodyguard>text"},
		{"<body", ELEMENT "<body"},
		{"<body class=", NULL},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *text = cases[i][0];
		gsize length = 0, rest = 0;
		char *made =
			legacytext_add_html(text, strlen(text), "Subject: <b> \xc3\xbc\n", &length);

		if (made)
			same(legacytext_remove_html(made, length, &rest), &rest, text);
		same(made, &length, cases[i][1]);
	}
}

static void test_html_left(void **state)
{
	static const char *const cases[][2] = {
		{"<body>\n" DIV "<pre>x</pre></div><p>y", "<body><p>y"},
		{"<body><p>y</p>" DIV "<pre>x</pre></div>", NULL},
		{"<body>" DIV "<div>x</div>words</div>", NULL},
		{"<body>" DIV "never closed", NULL},
		{"<body><div class=\"other\">x</div>", NULL},
		{"", NULL},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gsize length = 0;

		same(legacytext_remove_html(cases[i][0], strlen(cases[i][0]), &length), &length,
		     cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_plain_left),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_html_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
