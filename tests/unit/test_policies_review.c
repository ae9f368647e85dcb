/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policies.h"

#include <string.h>

#include "policies/expect.h"
#include "policies/model.h"
#include "policies/nearest.h"

#define INTERNAL "internal domains \"firma.example\"\n"
#define LAST "\noutgoing plain"

static const struct {
	const char *text; /* after `internal domains` in line 1 */
	const char *warnings;
} reviews[] = {
	{"outgoing to \"a\" plain" LAST, ""},
	{"outgoing to \"a\" plain", "p: warning: no rule for all other outgoing mail: what "
				    "no rule matches is refused"},
	{"outgoing prefer pgp\ninternal plain\noutgoing to \"a\" require pgp",
	 "p:4:1: warning: this rule is never reached: the one in line 2 takes all mail "
	 "that "
	 "it would match"},
	{"outgoing to \"a\", \"b\" plain\noutgoing subject has \"x\" to \"B\", \"a\" "
	 "plain" LAST,
	 "p:3:1: warning: this rule is never reached: the one in line 2 takes all mail "
	 "that "
	 "it would match"},
	{"outgoing to \"a\", \"b\" plain\noutgoing to \"a\", \"c\" plain" LAST, ""},
	{"outgoing subject has \"x\" plain\noutgoing not subject has \"x\" plain" LAST, ""},
	{"outgoing subject has \"x\" plain\noutgoing header \"y\" has \"x\" plain" LAST, ""},
	{"outgoing to \"*.de.example\" plain\noutgoing to \"b@praxis.de.example\" plain\n"
	 "outgoing to \"praxis.de.example\", \"*.a.de.example\" plain\n"
	 "outgoing to \"de.example\" plain" LAST,
	 "p:3:1: warning: this rule is never reached: the one in line 2 takes all mail "
	 "that "
	 "it would match\n"
	 "p:4:1: warning: this rule is never reached: the one in line 2 takes all mail "
	 "that "
	 "it would match"},
	{"outgoing to \"a\" subject has \"x\" plain\noutgoing to \"b@a\" plain" LAST, ""},
	{"list l = \"a\"\nlist m = \"a\"\noutgoing to l plain\n"
	 "outgoing to l not from m subject has \"x\" plain" LAST,
	 "p:5:1: warning: this rule is never reached: the one in line 4 takes all mail "
	 "that "
	 "it would match"},
	{"outgoing to \"firma.example\" plain\ninternal to \"a@b\" plain\n"
	 "internal to \"*.example\", \"b\" plain\nincoming to \"x\", \"x@firma.example\" "
	 "plain" LAST,
	 "p:2:10: warning: this rule never matches: outgoing mail does not go to these "
	 "recipients\n"
	 "p:3:10: warning: this rule never matches: internal mail does not go to these "
	 "recipients"},
	{"copy outgoing to \"a@b.example\"" LAST,
	 "p:2:1: warning: copies go to a@b.example, which is no address of ours"},
	{"list l = \"a\"" LAST, "p:2:6: warning: no rule uses the list \"l\""},
};

static void test_warnings(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(reviews); i++) {
		g_autofree char *text = g_strconcat(INTERNAL, reviews[i].text, NULL);
		g_autoptr(Policy) policy = policy_from(text);
		g_autoptr(GString) warnings = g_string_new(NULL);
		const GPtrArray *lines = policy_warnings(policy);

		for (guint j = 0; j < lines->len; j++) {
			const char *line = g_ptr_array_index(lines, j);

			g_string_append_printf(warnings, "%s%s", j > 0 ? "\n" : "",
					       strstr(line, "/p:") + 1);
		}
		if (strcmp(warnings->str, reviews[i].warnings) != 0)
			fail_msg("%s\n--- gave\n%s\n--- not\n%s", text, warnings->str,
				 reviews[i].warnings);
	}
}

static const char expected_policy[] =
	INTERNAL "outgoing subject has \"[x]\" require smime over tls, portal sign remove tag\n"
		 "outgoing header \"X-A\" is \"b\" reject \"no \\\"b\\\"\"\n"
		 "outgoing to \"web.example\" prefer verified tls, tls sign as from\n"
		 "outgoing to \"pgp.example\" require pgp keys from learned\n"
		 "copy outgoing from \"a@firma.example\" to \"archive@firma.example\"\n"
		 "incoming from \"bad.example\" reject\n"
		 "incoming from \"bank.example\" require signature require tls 1.2 require smime\n"
		 "incoming from \"gov.example\" require smime\n";

static const struct {
	const char *text;
	const char *result; /* "" met; else what is wrong with the file or its first */
} expected[] = {
	{"expect from \"a@firma.example\" to \"x@b\" subject \"Re: [X]\":\n"
	 "  require smime over tls, portal sign remove tag "
	 "copy to \"archive@firma.example\" (line 2)",
	 ""},
	{"expect to \"x@b\" header \"x-a\" \"B\" from \"c@firma.example\": reject \"no "
	 "\\\"b\\\"\"",
	 ""},
	{"expect outgoing from \"\" to \"x@WEB.example\": prefer verified tls, tls sign as "
	 "from",
	 ""},
	{"expect from \"c@firma.example\" to \"x@pgp.example\": require pgp keys from learned", ""},
	{"expect from \"c@firma.example\" to \"x@b\": no rule", ""},
	{"expect from \"x@bad.example\" to \"a@firma.example\": reject", ""},
	{"expect from \"c@firma.example\" to \"x@b\": plain",
	 "e:1: outgoing mail, expected plain\n  but p:0 says no rule: (no rule matches)"},
	{"expect from \"c@firma.example\" to \"x@web.example\": prefer verified tls, tls "
	 "sign "
	 "as from copy to \"archive@firma.example\"",
	 "e:1: outgoing mail, expected prefer verified tls, tls sign as from copy to "
	 "archive@firma.example\n"
	 "  but p:4 says prefer verified tls, tls sign as from: outgoing to "
	 "\"web.example\" "
	 "prefer verified tls, tls sign as from"},
	{"expect from \"x@bank.example\" to \"a@firma.example\": require tls 1.2 require signature "
	 "require smime",
	 ""},
	{"expect from \"x@bank.example\" to \"a@firma.example\": require signature",
	 "e:1: incoming mail, expected require signature\n"
	 "  but p:8 says require smime require signature require tls 1.2: incoming from "
	 "\"bank.example\" require signature require tls 1.2 require smime"},
	{"expect from \"x@gov.example\" to \"a@firma.example\": require smime", ""},
	{"\nexpect from \"x@bad.example\" to \"a@firma.example\": reject (line 8)",
	 "e:2: incoming mail, expected reject (line 8)\n"
	 "  but p:7 says reject: incoming from \"bad.example\" reject"},
	{"expect from \"c@firma.example\": plain\nexpect from \"\" to \"a@b\": plain\n"
	 "expect to \"a\" to \"b@c\" from \"d@e\" subject \"\" subject \"\": no rule\n"
	 "expect form \"a@b\": plain\nexpect from \"a@b\" to \"c@d\": rejct\n"
	 "expect from \"a@b\" to \"c@d\": plain (line 0)",
	 "e:1:1: found an expectation without \"to\", expected from \"ADDRESS\" and to "
	 "\"ADDRESS\"\n"
	 "e:2:1: found an empty sender without a direction, expected outgoing, internal, "
	 "incoming or relayed after expect\n"
	 "e:3:11: found \"a\", expected one address\n"
	 "e:3:18: found a second \"to\" in one expectation, expected one\n"
	 "e:3:54: found a second \"subject\" in one expectation, expected one\n"
	 "e:4:8: found \"form\", expected outgoing, internal, incoming, relayed, to, from, "
	 "subject, header, reply, invitation or : (did you mean \"from\"?)\n"
	 "e:5:29: found \"rejct\", expected require, prefer, plain, reject or no (did you "
	 "mean "
	 "\"reject\"?)\n"
	 "e:6:41: found 0, expected the line of a rule"},
	{"outgoing plain",
	 "e:1:1: found \"outgoing\", expected expect (a line that continues a rule begins "
	 "with blanks)"},
};

static void test_expectations(void **state)
{
	char *folder = folder_new();
	g_autofree char *policy_path = write_file(folder, "p", expected_policy, -1);
	g_autoptr(Policy) policy = policy_load(policy_path, NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
		g_autofree char *path = write_file(folder, "e", expected[i].text, -1);
		g_autoptr(GError) error = NULL;
		g_autoptr(Expectations) expectations = expectations_load(path, &error);
		g_autofree char *failure = NULL;
		g_autofree char *result = NULL;

		if (expectations)
			assert_int_equal(expectations_count(expectations), 1);
		if (!expectations)
			result = without_folder(error->message, folder);
		else if (expectations_met(expectations, 0, policy, &failure))
			result = g_strdup("");
		else
			result = without_folder(failure, folder);
		if (strcmp(result, expected[i].result) != 0)
			fail_msg("%s\n--- gave\n%s\n--- not\n%s", expected[i].text, result,
				 expected[i].result);
	}
	folder_free(folder);
}

static const char *const known[] = {"require", "prefer", "pgp", "tls", "to"};
static const struct {
	const char *word, *nearest;
} slips[] = {
	{"requrie", "require"}, {"Prefers", "prefer"}, {"gpg", "pgp"},	   {"t", "to"},
	{"ssl", "tls"},		{"xyz", NULL},	       {"zzzzzzzz", NULL},
};

static void test_nearest(void **state)
{
	g_autofree char *monster = g_strnfill(10000, 'r');

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(slips); i++) {
		const char *nearest = nearest_word(slips[i].word, known, G_N_ELEMENTS(known));

		if (g_strcmp0(nearest, slips[i].nearest) != 0)
			fail_msg("%s: %s", slips[i].word, nearest ? nearest : "none");
	}
	assert_null(nearest_word(monster, known, G_N_ELEMENTS(known)));
	assert_int_equal(nearest_distance("", "abc"), 3);
	assert_int_equal(nearest_distance("ca", "ac"), 1);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
}

/* The policies that come with Sealpost are in order, without a warning. */
static void test_presets(void **state)
{
	static const char *const names[] = {"example", "strict", "friendly"};
	const char *source = g_getenv("srcdir") ? g_getenv("srcdir") : ".";

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strdup_printf("%s/policies/%s.policy", source, names[i]);
		g_autofree char *text = NULL;

		assert_true(g_file_get_contents(path, &text, NULL, NULL));
		g_autoptr(GString) filled = g_string_new(text);
		assert_true(g_string_replace(filled, "@DOMAIN@", "firma.example", 0) > 0);
		g_autoptr(Policy) policy = policy_from(filled->str);
		assert_int_equal(policy_warnings(policy)->len, 0);
		assert_true(policy_rule_count(policy) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_expectations),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_presets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
