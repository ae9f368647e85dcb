/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/address.h"

static void assert_text(const char *actual, const char *expected, const char *input)
{
	if (g_strcmp0(actual, expected) != 0)
		fail_msg("\"%s\" gave \"%s\", not \"%s\"", input, actual ? actual : "(null)",
			 expected ? expected : "(null)");
}

static void test_from_path(void **state)
{
	static const struct {
		const char *path;
		const char *mailbox; /* NULL: refused */
	} cases[] = {
		{"<alice@firma.example>", "alice@firma.example"},
		{"alice@firma.example", "alice@firma.example"},
		{"<Alice@Firma.Example.>", "Alice@Firma.Example."},
		{"<>", ""},
		{"", ""},
		{"postmaster", "postmaster"},
		{"<a.b+tag@x>", "a.b+tag@x"},
		{"<a!b%c@x>", "a!b%c@x"},
		{"<\"a b\"@x>", "\"a b\"@x"},
		{"<\"a\\\"@b\"@x>", "\"a\\\"@b\"@x"},
		{"<j\xc3\xbcrgen@m\xc3\xbcller.example>", "j\xc3\xbcrgen@m\xc3\xbcller.example"},
		{"<a@[192.0.2.1]>", "a@[192.0.2.1]"},
		{"<@relay:x@b>", NULL},
		{"@relay:x@b", NULL},
		{"<<x@b>>", NULL},
		{"<<x@b>", NULL},
		{"<x@b", NULL},
		{"x@b>", NULL},
		{"<x@b> <y@b>", NULL},
		{"<x@b>, <y@b>", NULL},
		{"<x @b>", NULL},
		{"<x(c)@b>", NULL},
		{"<x@b(c)>", NULL},
		{"<x@@b>", NULL},
		{"<x@y@b>", NULL},
		{"<@b>", NULL},
		{"<x@>", NULL},
		{"<\"x@b>", NULL},
		{"<\"x\"y@b>", NULL},
		{"<x\r\nRCPT TO:<y@b>", NULL},
		{"<x\n@b>", NULL},
		{"<x\x7f@b>", NULL},
		{"<\"x\n\"@b>", NULL},
		{"<\xff@b>", NULL},
		{"<", NULL},
		{">", NULL},
		{" ", NULL},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *mailbox = address_from_path(cases[i].path, &error);

		assert_text(mailbox, cases[i].mailbox, cases[i].path);
		if (mailbox == NULL)
			assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_BAD_ADDRESS));
	}
}

static void test_from_path_length(void **state)
{
	g_autofree char *longest = g_strnfill(ADDRESS_MAX - 2, 'a');
	g_autofree char *fits = g_strdup_printf("%s@x", longest);
	g_autofree char *over = g_strdup_printf("a%s@x", longest);
	g_autofree char *mailbox = address_from_path(fits, NULL);

	(void)state;
	assert_string_equal(mailbox, fits);
	assert_null(address_from_path(over, NULL));
	assert_null(address_from_path(NULL, NULL));
	assert_null(address_fold(over));
}

static void test_fold(void **state)
{
	static const char *const cases[][2] = {
		{"Alice@Firma.Example", "alice@firma.example"},
		{"alice@firma.example.", "alice@firma.example"},
		{"J\xc3\x9cRGEN@M\xc3\x9cLLER.example", "j\xc3\xbcrgen@xn--mller-kva.example"},
		{"ju\xcc\x88rgen@x.example", "j\xc3\xbcrgen@x.example"},
		{"a@XN--MLLER-KVA.example", "a@xn--mller-kva.example"},
		{"\"Alice\"@x", "alice@x"},
		{"\"a\\l\\ice\"@x", "alice@x"},
		{"\"a b\"@x", "\"a b\"@x"},
		{"\"a\\\"b\"@x", "\"a\\\"b\"@x"},
		{"\"a..b\"@x", "\"a..b\"@x"},
		{"\"\"@x", "\"\"@x"},
		{"\"a@b\"@x", "\"a@b\"@x"},
		{"A@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]"},
		{"a_b@c_d.example", "a_b@c_d.example"},
		{"", NULL},
		{"alice", NULL},
		{"@x", NULL},
		{"a@", NULL},
		{"a@.", NULL},
		{"a@x..y", NULL},
		{"a@.x", NULL},
		{"a@b@c", NULL},
		{"a b@c", NULL},
		{"a@b c", NULL},
		{"a@b/c", NULL},
		{"a@\xe2\x84\x80.example", NULL}, /* "a/c" in one letter */
		{"a@stra\xc3\x9f"
		 "e.example",
		 NULL}, /* two domains, by two standards */
		{"a@x\nb", NULL},
		{"a@[", NULL},
		{"a@[]", NULL},
		{"a@[x y]", NULL},
		{"\xff@x", NULL},
		{"a@\xff", NULL},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *folded = address_fold(cases[i][0]);
		g_autofree char *again = folded != NULL ? address_fold(folded) : NULL;

		assert_text(folded, cases[i][1], cases[i][0]);
		assert_text(again, folded, cases[i][0]);
	}
	assert_null(address_fold(NULL));
}

static void test_equal_and_domain(void **state)
{
	(void)state;
	assert_true(address_equal("A@X.example", "a@x.EXAMPLE."));
	assert_false(address_equal("a@x.example", "b@x.example"));
	assert_false(address_equal("a", "a"));
	assert_true(address_spelled_alike("Anna@X.example", "Anna@x.EXAMPLE"));
	assert_false(address_spelled_alike("Anna@x.example", "anna@x.example"));
	assert_false(address_spelled_alike("An@x.example", "Anna@x.example"));
	assert_false(address_spelled_alike("An", "An"));
	assert_string_equal(address_domain("a@B.example"), "B.example");
	assert_string_equal(address_domain("\"a@b\"@c"), "c");
	assert_null(address_domain("a"));
	assert_null(address_domain("a@"));
	assert_null(domain_fold(NULL));
	assert_null(domain_fold(""));
}

static void test_patterns(void **state)
{
	static const char *const cases[][2] = {
		{"Alice@X.Example", "alice@x.example"},
		{"X.example.", "x.example"},
		{"*.X.example", "*.x.example"},
		{"*.M\xc3\xbcller.example", "*.xn--mller-kva.example"},
		{"[192.0.2.1]", "[192.0.2.1]"},
	};
	static const char *const refused[] = {"",   "*",    "*.",    "@x", "a@",
					      "*x", "a*.x", "*.*.x", "x y"};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *pattern = address_pattern_fold(cases[i][0], NULL);

		assert_non_null(pattern);
		assert_string_equal(pattern, cases[i][1]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(GError) error = NULL;

		if (address_pattern_fold(refused[i], &error) != NULL)
			fail_msg("\"%s\" was taken", refused[i]);
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_BAD_ADDRESS));
	}
}

static void test_without_tag(void **state)
{
	static const char *const cases[][2] = {
		{"user+tag@x", "user@x"}, {"user+a+b@x", "user@x"}, {"user@x", NULL},
		{"+tag@x", NULL},	  {"\"a+b\"@x", NULL},	    {"user@x+y", NULL},
		{"user+tag", NULL},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *address = address_without_tag(cases[i][0], '+');

		assert_text(address, cases[i][1], cases[i][0]);
	}
	assert_null(address_without_tag("user+tag@x", '\0'));
}

static void test_list(void **state)
{
	static const struct {
		const char *value;
		const char *addresses; /* joined by blanks */
		gboolean unparsed;
	} cases[] = {
		{" alice@x.example", "alice@x.example", FALSE},
		{" Alice <alice@x.example>,\n\t\"Bob, the @\" <bob@x.example>",
		 "alice@x.example bob@x.example", FALSE},
		{" =?utf-8?q?J=C3=BCrgen?= <j@x.example>", "j@x.example", FALSE},
		{" j\xc3\xbcrgen@m\xc3\xbcller.example", "j\xc3\xbcrgen@m\xc3\xbcller.example",
		 FALSE},
		{" alice@x.example (the @ boss)", "alice@x.example", FALSE},
		{" Team: a@x.example, B <b@x.example>;, c@x.example",
		 "a@x.example b@x.example c@x.example", FALSE},
		{" undisclosed-recipients:;", "", FALSE},
		{"", "", FALSE},
		{" ", "", FALSE},
		{" alice", "", TRUE},
		{" nobody here", "", TRUE},
		{" alice@x.example, garbage", "alice@x.example", TRUE},
		{" boss@x.example <eve@evil.example>", "eve@evil.example", TRUE},
		{" <>", "", TRUE},
		{" @", "", TRUE},
		{" a@[192.0.2.1], b@ [IPv6:2001:db8::1]", "a@[192.0.2.1] b@[IPv6:2001:db8::1]",
		 FALSE},
		{" a@[0,;](, b@x", "", TRUE},
		{" a . b @ c . example (d), <e@ (f) g>", "a.b@c.example e@g", FALSE},
		{" [List] Name <a@x>", "a@x", FALSE},
		{" \"quoted, local\"@x, \"a\\\"b\" <c@x>", "\"quoted, local\"@x c@x", FALSE},
		{" a@x b@x", "", TRUE},
		{" alice smith@x", "", TRUE},
		{" <alice smith@x>", "", TRUE},
		{" <a@x> <b@x>", "b@x", TRUE},
		{" <a@x> b", "a@x", TRUE},
		{" <@route,@b:c@x>", "c@x", TRUE},
		{" a@x; b@x", "a@x b@x", TRUE},
		{" g: a@x", "a@x", TRUE},
		{" g: h: a@x;;", "a@x", TRUE},
		{" a@x: b@x;", "b@x", TRUE},
		{" a@x)", "a@x", TRUE},
		{" a@x (b", "a@x", TRUE},
		{" <a@x", "a@x", TRUE},
		{" \xff <a@x>", "a@x", FALSE},
		{" a@x\xff", "", TRUE},
		{" \"alice@x.example", "", TRUE},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gboolean unparsed = !cases[i].unparsed;
		g_autoptr(GPtrArray) list = address_list_parse(cases[i].value, &unparsed);
		g_autofree char *joined = NULL;

		g_ptr_array_add(list, NULL);
		joined = g_strjoinv(" ", (char **)list->pdata);
		assert_text(joined, cases[i].addresses, cases[i].value);
		if (unparsed != cases[i].unparsed)
			fail_msg("\"%s\": unparsed is %d", cases[i].value, unparsed);
	}
}

static void test_list_hostile(void **state)
{
	GString *text = g_string_new(NULL);
	gboolean unparsed = FALSE;
	g_autoptr(GPtrArray) null = address_list_parse(NULL, NULL);
	g_autoptr(GPtrArray) many = NULL;
	g_autoptr(GPtrArray) nested = NULL;
	g_autoptr(GPtrArray) comments = NULL;
	g_autoptr(GPtrArray) large = NULL;

	(void)state;
	assert_int_equal(null->len, 0);
	for (int i = 0; i < 100000; i++)
		g_string_append_printf(text, "a%d@x,", i % 10);
	many = address_list_parse(text->str, &unparsed);
	assert_int_equal(many->len, ADDRESS_LIST_MAX);
	assert_true(unparsed);
	g_string_truncate(text, 0);
	for (int i = 0; i < 50000; i++)
		g_string_append(text, "g:");
	unparsed = FALSE;
	nested = address_list_parse(text->str, &unparsed);
	assert_true(unparsed);
	g_string_truncate(text, 0);
	for (int i = 0; i < 50000; i++)
		g_string_append(text, "((\"<");
	unparsed = FALSE;
	comments = address_list_parse(text->str, &unparsed);
	assert_true(unparsed);
	g_string_set_size(text, ADDRESS_LIST_BYTES_MAX + 1);
	memset(text->str, 'a', text->len);
	unparsed = FALSE;
	large = address_list_parse(text->str, &unparsed);
	assert_true(unparsed && large->len == 0);
	g_string_free(text, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_path), cmocka_unit_test(test_from_path_length),
		cmocka_unit_test(test_fold),	  cmocka_unit_test(test_equal_and_domain),
		cmocka_unit_test(test_patterns),  cmocka_unit_test(test_without_tag),
		cmocka_unit_test(test_list),	  cmocka_unit_test(test_list_hostile),
	};

	return cmocka_run_group_tests_name("mail address", tests, NULL, NULL);
}
