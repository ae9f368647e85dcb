/* SPDX-License-Identifier: Apache-2.0
 *
 * Which fields stand inside, and what their outside is said to be (RFC 9788).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/error.h"

#include "gateway/head.h"
#include "gateway/headprotect.h"

static Headers *parse(const char *text)
{
	gsize used = 0;
	Headers *headers = head_parse(text, strlen(text), &used, NULL);

	assert_non_null(headers);
	return headers;
}

static char *print(const Headers *headers)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, HEADERS_BYTES_MAX * 2);

	assert_true(headers_write(headers, HEADERS_ALL, sink, NULL));
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	return g_strdup((const char *)bytes->data);
}

static const struct {
	const char *sent;
	gboolean encrypted, hide;
	const char *inside;
} cases[] = {
	/* each field, and what of it is outside; nothing of transport, structure or ours */
	{"Received: from x\nReturn-Path: <a@b>\nFrom: A\n <a@b>\nSubject:  s \nDKIM-Signature: d\n"
	 "X-Sealpost-Route: r\nBcc: c@d\nMIME-Version: 1.0\nContent-Type: text/plain\n"
	 "ARC-Seal: s\nResent-From: x\nX-Spam-Flag: NO\nHP-Outer: Subject: x\nX-Own: 1\n"
	 "Content-Return: ALLOWED\nReferences: <1@x>\n\t<2@x>\nList-Id: l\n",
	 TRUE, FALSE,
	 "From: A\r\n <a@b>\r\nSubject:  s \r\nX-Own: 1\r\nContent-Return: ALLOWED\r\n"
	 "References: <1@x>\r\n\t<2@x>\r\nList-Id: l\r\n"
	 "HP-Outer: From: A\r\n <a@b>\r\nHP-Outer: Subject:  s \r\nHP-Outer: X-Own: 1\r\n"
	 "HP-Outer: Content-Return: ALLOWED\r\nHP-Outer: References: <1@x>\r\n\t<2@x>\r\n"
	 "HP-Outer: List-Id: l\r\n"},
	/* hidden: all that repeats the subject; one [...] for several */
	{"From: a\nSUBJECT: one\nSubject: two\nThread-Topic: one\nKeywords: k\nComments: c\n", TRUE,
	 TRUE,
	 "From: a\r\nSUBJECT: one\r\nSubject: two\r\nThread-Topic: one\r\nKeywords: k\r\n"
	 "Comments: c\r\nHP-Outer: From: a\r\nHP-Outer: SUBJECT: [...]\r\n"},
	/* nothing to hide */
	{"From: a\n", TRUE, TRUE, "From: a\r\nHP-Outer: From: a\r\n"},
	/* signed only: no HP-Outer; 7-bit, no blanks at line ends; what has no such form stays out */
	{"From: J\xc3\xbcrgen <j\xc3\xbcrgen@b>\nSubject: gr\xc3\xbc\xc3\x9f \nTo: b@c \n", FALSE,
	 FALSE, "Subject: =?UTF-8?Q?gr=C3=BC=C3=9F?=\r\nTo: b@c\r\n"},
	/* the same encrypted: as it is */
	{"From: J\xc3\xbcrgen <j\xc3\xbcrgen@b>\n", TRUE, FALSE,
	 "From: J\xc3\xbcrgen <j\xc3\xbcrgen@b>\r\nHP-Outer: From: J\xc3\xbcrgen <j\xc3\xbcrgen@b>"
	 "\r\n"},
	{"", TRUE, TRUE, ""},
};

static void test_fields(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Headers) sent = parse(cases[i].sent);
		g_autoptr(Headers) inside =
			headprotect_fields(sent, cases[i].encrypted, cases[i].hide, NULL);

		assert_non_null(inside);
		g_autofree char *text = print(inside);

		assert_string_equal(text, cases[i].inside);
	}
}

/* Many fields, or large ones: those that readers know go first, and the limits hold. */
static void test_limits(void **state)
{
	g_autoptr(Headers) sent = headers_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *large = g_strnfill(HEADERS_BYTES_MAX / 4, 'x');

	(void)state;
	for (guint i = 0; i < HEADERS_MAX; i++)
		assert_true(headers_append(sent, i == HEADERS_MAX - 1 ? "Subject" : "X-Field", " x",
					   NULL));
	g_autoptr(Headers) inside = headprotect_fields(sent, TRUE, TRUE, NULL);

	assert_non_null(inside);
	assert_int_equal(headers_count_name(inside, "X-Field"), HEADPROTECT_FIELDS_MAX);
	assert_int_equal(headers_count_name(inside, "Subject"), 1);
	assert_int_equal(headers_count(inside), 2 * (HEADPROTECT_FIELDS_MAX + 1));
	g_autoptr(Headers) big = headers_new();

	assert_true(headers_append(big, "Subject", large, NULL));
	assert_true(headers_append(big, "From", " a", NULL));
	g_autoptr(Headers) shown = headprotect_fields(big, TRUE, FALSE, NULL);

	assert_int_equal(headers_count(shown), 2);
	/* a subject that is to be hidden, and has no room inside, does not leave at all */
	assert_null(headprotect_fields(big, TRUE, TRUE, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE));
}

static void test_content_type(void **state)
{
#define MARK ";\n hp=\"cipher\"; protected-headers=\"v1\""
	static const char *const types[][2] = {
		{" text/plain; charset=utf-8;\n\tformat=flowed",
		 " text/plain" MARK "; charset=utf-8;\n\tformat=flowed"},
		{NULL, " text/plain" MARK},
		{" ", " text/plain" MARK},
		{" multipart/mixed; boundary=\"a;b\"; hp=\"clear\";PROTECTED-HEADERS=v1",
		 " multipart/mixed" MARK "; boundary=\"a;b\""},
		{" text/html (a;\"b\") ; hpx=1; name=\"open; hp=clear",
		 " text/html (a;\"b\") " MARK "; hpx=1; name=\"open; hp=clear"},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		g_autofree char *type = headprotect_content_type(types[i][0], TRUE);

		assert_string_equal(type, types[i][1]);
	}
	g_autofree char *clear = headprotect_content_type(" text/plain", FALSE);

	assert_string_equal(clear, " text/plain;\n hp=\"clear\"; protected-headers=\"v1\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_content_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
