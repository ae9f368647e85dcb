/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "keystore/filter.h"
#include "lib/base/error.h"

static void test_escape(void **state)
{
	static const struct {
		const char *bytes;
		gsize length;
		const char *escaped;
	} rows[] = {
		{"sofia@smime.example", 19, "sofia@smime.example"},
		{"a.b-c_d+e=f@x", 13, "a.b-c_d+e=f@x"},
		{"*)(uid=*", 8, "\\2a\\29\\28uid=\\2a"},
		{"a\\b", 3, "a\\5cb"},
		{"a\0b", 3, "a\\00b"},
		{"m\xc3\xbcller@x", 9, "m\\c3\\bcller@x"},
		{"&|!<>~ \"", 8, "\\26\\7c\\21\\3c\\3e\\7e\\20\\22"},
		{"\xff\x01\n", 3, "\\ff\\01\\0a"},
		{"%m", 2, "\\25m"},
		{"", 0, ""},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *escaped = filter_escape(rows[i].bytes, rows[i].length);
		assert_string_equal(escaped, rows[i].escaped);
	}
}

static void test_fill(void **state)
{
	static const struct {
		const char *template, *value, *filter;
	} rows[] = {
		{"(mail=%m)", "a@b", "(mail=a@b)"},
		{"(|(mail=%m)(proxyAddresses=smtp:%m))", "a@b",
		 "(|(mail=a@b)(proxyAddresses=smtp:a@b))"},
		{"(mail=%m)", "*)(uid=*", "(mail=\\2a\\29\\28uid=\\2a)"},
		{"(mail=%m)", "%m", "(mail=\\25m)"},
		{"(&(mail=%m)(ou=50%))", "x", "(&(mail=x)(ou=50%))"},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *filter = filter_fill(rows[i].template, rows[i].value);
		assert_string_equal(filter, rows[i].filter);
	}
}

static void test_check(void **state)
{
	static const char *const bad[] = {"",	      "mail=%m",   "(mail=x)",
					  "(mail=%m", "mail=%m)(", ")%m("};
	GError *error = NULL;

	(void)state;
	assert_true(filter_check("(&(objectClass=person)(mail=%m))", NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		assert_false(filter_check(bad[i], &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG));
		g_clear_error(&error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
