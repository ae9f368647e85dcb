/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/headers.h"

static char *written(const Headers *headers, HeadersWhich which)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, 64 * 1024 * 1024);

	assert_true(headers_write(headers, which, sink, NULL));
	return g_strndup((const char *)bytes->data, bytes->len);
}

static void test_order_and_find(void **state)
{
	g_autoptr(Headers) headers = headers_new();
	g_autoptr(Headers) copy = NULL;

	(void)state;
	assert_true(headers_append(headers, "Received", " one", NULL));
	assert_true(headers_append(headers, "Subject", " s", NULL));
	assert_true(headers_append(headers, "RECEIVED", " two", NULL));
	assert_int_equal(headers_count(headers), 3);
	assert_int_equal(headers_count_name(headers, "received"), 2);
	assert_string_equal(headers_find(headers, "received", 0)->value, " one");
	assert_string_equal(headers_find(headers, "Received", 1)->name, "RECEIVED");
	assert_null(headers_find(headers, "received", 2));
	assert_null(headers_at(headers, 3));
	copy = headers_copy(headers);
	headers_remove_at(headers, 0);
	headers_remove_at(headers, 7);
	assert_string_equal(headers_at(headers, 0)->name, "Subject");
	assert_int_equal(headers_count(copy), 3);
}

static void test_write(void **state)
{
	g_autoptr(Headers) headers = headers_new();
	g_autofree char *all = NULL;
	g_autofree char *content = NULL;
	g_autofree char *other = NULL;

	(void)state;
	headers_append(headers, "Subject", "no blank", NULL);
	headers_append(headers, "X-Folded", "  a\n\tb\n  c ", NULL);
	headers_append(headers, "content-type", " text/plain;\n\tcharset=x", NULL);
	headers_append(headers, "Content-Identifier", " x400", NULL);
	headers_append(headers, "MIME-Version", " 1.0", NULL);
	headers_append(headers, "X-Raw", " \xfc\xff", NULL);
	all = written(headers, HEADERS_ALL);
	content = written(headers, HEADERS_CONTENT);
	other = written(headers, HEADERS_OTHER);
	assert_string_equal(all, "Subject:no blank\r\nX-Folded:  a\r\n\tb\r\n  c \r\n"
				 "content-type: text/plain;\r\n\tcharset=x\r\n"
				 "Content-Identifier: x400\r\nMIME-Version: 1.0\r\n"
				 "X-Raw: \xfc\xff\r\n");
	assert_string_equal(content, "content-type: text/plain;\r\n\tcharset=x\r\n");
	assert_string_equal(other, "Subject:no blank\r\nX-Folded:  a\r\n\tb\r\n  c \r\n"
				   "Content-Identifier: x400\r\nMIME-Version: 1.0\r\n"
				   "X-Raw: \xfc\xff\r\n");
}

static void test_no_injection(void **state)
{
	static const char *const cases[][2] = {
		{" x\nBcc: eve", "X: x\r\n\tBcc: eve\r\n"},
		{" x\n\nbody", "X: x\r\n\t\r\n\tbody\r\n"},
		{" x\r\nBcc: eve", "X: x\r\n\tBcc: eve\r\n"},
		{" x\rBcc: eve", "X: x Bcc: eve\r\n"},
		{" x\n", "X: x\r\n"},
		{" x\r", "X: x \r\n"},
		{" x\r\n", "X: x\r\n"},
		{"", "X:\r\n"},
	};
	static const char *const names[] = {"", "A:", "A B", "A\nB", "A\t", "\xc3\xbc", "A\x7f"};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Headers) headers = headers_new();
		g_autofree char *text = NULL;

		assert_true(headers_append(headers, "X", cases[i][0], NULL));
		text = written(headers, HEADERS_ALL);
		assert_string_equal(text, cases[i][1]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(Headers) headers = headers_new();
		g_autoptr(GError) error = NULL;

		assert_false(headers_append(headers, names[i], " x", &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_MALFORMED));
		assert_int_equal(headers_count(headers), 0);
	}
}

static void test_limits(void **state)
{
	g_autoptr(Headers) many = headers_new();
	g_autoptr(Headers) large = headers_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *value = g_strnfill(HEADERS_BYTES_MAX - 1, 'a');

	(void)state;
	for (int i = 0; i < HEADERS_MAX; i++)
		assert_true(headers_append(many, "X", "", NULL));
	assert_false(headers_append(many, "X", "", &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE));
	headers_remove_at(many, 0);
	assert_true(headers_append(many, "X", "", NULL));
	assert_true(headers_append(large, "X", value, NULL));
	assert_false(headers_append(large, "X", "", NULL));
	headers_remove_at(large, 0);
	assert_true(headers_append(large, "X", "", NULL));
}

static void test_decode(void **state)
{
	static const char *const cases[][2] = {
		{" plain", "plain"},
		{" folded\n\ttext", "folded text"},
		{" =?utf-8?q?f=C3=BCr?=\n =?utf-8?b?IGRpY2g=?=", "f\xc3\xbcr dich"},
		{" =?iso-8859-1?q?=FC?= x", "\xc3\xbc x"},
		{" raw \xc3\xbc", "raw \xc3\xbc"},
		{" raw \xfc", "raw \xc3\xbc"},
		{" \xc3\xbc\xc3\xb6 cut \xc3", "\xc3\xbc\xc3\xb6 cut \xef\xbf\xbd"},
		{" =?utf-8//translit?q?x?=", "x"},
		{" =?utf-8?q?a=0AB=00c=1Bd?=", "a B\xef\xbf\xbd"
					       "c d"},
		{" =?utf-8?b?YQpCYw==?=", "a Bc"},
		{" =?nonsense?q?x?=", "x"},
		{" =?utf-8?q?broken", "=?utf-8?q?broken"},
		{" =?utf-8?b?ZsO8cg==?= =?utf-8?b?IGRpY2g=?=", "f\xc3\xbcr dich"},
		{" =?utf-8?b?w?=\n =?UTF-8?b?7xy?=", "\xc3\xbcr"},
		{" =?utf-8?q?=C3?= =?utf-8?q?=BC?= x", "\xc3\xbc x"},
		{" =?utf-8?q?a?= =?iso-8859-1?q?=FC?=", "a\xc3\xbc"},
		{" =?utf-8*de?q?a?= b =?utf-8?q?_c?=", "a b  c"},
		{" x=?utf-8?q?a b?=y", "xa by"},
		{" =?utf-8?b?W3Zl cnRyYXVsaWNoXQ==?=", "[vertraulich]"},
		{" =?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
		{" =?utf-8?x?a?= =??q?a?= =?a?q?=", "=?utf-8?x?a?= =??q?a?= =?a?q?="},
		{"", ""},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Header header = {(char *)"Subject", (char *)cases[i][0]};
		g_autofree char *text = header_decode(&header);

		assert_true(g_utf8_validate(text, -1, NULL));
		assert_string_equal(text, cases[i][1]);
	}
}

static void test_encode(void **state)
{
	static const char *const texts[] = {
		"short",
		"f\xc3\xbcr dich",
		"a long plain subject that has to be folded at some blank so that no line is "
		"longer than it should be, and then goes on and on",
		"a  double blank",
		"=?utf-8?q?looks encoded?=",
		"wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
		"\xf0\x9f\x94\x92\xf0\x9f\x94\x92\xf0\x9f\x94\x92\xf0\x9f\x94\x92\xf0\x9f\x94\x92"
		"\xf0\x9f\x94\x92\xf0\x9f\x94\x92\xf0\x9f\x94\x92\xf0\x9f\x94\x92\xf0\x9f\x94\x92"
		"\xf0\x9f\x94\x92\xf0\x9f\x94\x92\xf0\x9f\x94\x92\xf0\x9f\x94\x92\xf0\x9f\x94\x92",
		"",
	};
	static const char *const names[] = {
		"Subject", "X-A-Rather-Long-Name-For-A-Header-Field",
		"X-Sealpost-A-Name-That-Takes-Nearly-All-Of-The-Line-For-Itself"};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(names); j++) {
			g_autofree char *value = header_encode_text(names[j], texts[i]);
			g_autofree char *whole = g_strdup_printf("%s:%s", names[j], value);
			g_auto(GStrv) lines = g_strsplit(whole, "\n", -1);
			Header header = {(char *)names[j], value};
			g_autofree char *back = header_decode(&header);

			assert_string_equal(back, texts[i]);
			for (guint k = 0; lines[k] != NULL; k++) {
				gsize most = j == 2 ? 100 : 78;

				if (strlen(lines[k]) > most)
					fail_msg("too long: %s", lines[k]);
				assert_true(k == 0 || lines[k][0] == ' ');
				assert_true(k == 0 || strspn(lines[k], " ") < strlen(lines[k]));
			}
		}
	}
}

static void test_encode_hostile(void **state)
{
	static const char *const texts[] = {"a\r\nBcc: eve@x",
					    "a\n\nbody",
					    "a\rb",
					    "a\x1b[2J",
					    "\xff\xfe",
					    "a\xc2\x85"
					    "b"};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *value = header_encode_text("Subject", texts[i]);

		for (const char *p = value; *p != '\0'; p++) {
			assert_true(*p != '\r' && (*p == '\n' || (*p >= ' ' && *p <= '~')));
			assert_true(*p != '\n' || p[1] == ' ');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_find), cmocka_unit_test(test_write),
		cmocka_unit_test(test_no_injection),   cmocka_unit_test(test_limits),
		cmocka_unit_test(test_decode),	       cmocka_unit_test(test_encode),
		cmocka_unit_test(test_encode_hostile),
	};

	return cmocka_run_group_tests_name("mail headers", tests, NULL, NULL);
}
