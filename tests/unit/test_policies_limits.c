/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policies.h"

#include <string.h>
#include <time.h>

#include "policies/model.h"

#define INTERNAL "internal domains \"firma.example\"\n"

/* What is wrong with the policy, NULL if nothing. */
static char *load(const char *text, Policy **policy)
{
	char *folder = folder_new();
	g_autofree char *path = write_file(folder, "p", text, -1);
	g_autoptr(GError) error = NULL;
	char *message = NULL;

	*policy = policy_load(path, &error);
	if (!*policy)
		message = without_folder(error->message, folder);
	folder_free(folder);
	return message;
}

static void refuse(const char *text, const char *expected)
{
	g_autoptr(Policy) policy = NULL;
	g_autofree char *message = load(text, &policy);

	if (g_strcmp0(message, expected) != 0)
		fail_msg("gave %s, not %s", message ? message : "(nothing)", expected);
}

static void test_many_rules(void **state)
{
	g_autoptr(GString) text = g_string_new(INTERNAL);
	g_autoptr(Policy) policy = NULL;
	clock_t start;

	(void)state;
	for (int i = 0; i < 10000; i++)
		g_string_append_printf(text,
				       "outgoing to \"p%d@d%d.example\", \"*.e%d.example\" subject "
				       "has \"tag %d\" require smime, pgp, portal\n",
				       i, i, i, i);
	g_string_append(text, "outgoing prefer pgp\n");
	policy = policy_from(text->str);
	assert_int_equal(policy_rule_count(policy), 10001);
	start = clock();
	for (int i = 0; i < 100; i++) {
		PolicyFacts facts = {DIRECTION_OUTGOING,
				     "a@firma.example",
				     "x@a.e9999.example",
				     "Re: Tag 9999",
				     NULL,
				     NULL};
		g_autoptr(PolicyDecision) decision = policy_decide(policy, &facts);

		assert_int_equal(decision->rule.line, 10001);
	}
	/* measured: under 0.1 ms each; the bound only catches another order of growth */
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
}

static void test_rule_count(void **state)
{
	g_autoptr(GString) text = g_string_new(INTERNAL);

	(void)state;
	for (int i = 0; i < POLICY_RULES_MAX + 1; i++)
		g_string_append(text, "internal plain\n");
	refuse(text->str, "p:50002:1: found one more rule, expected at most 50000");
}

static void test_sizes(void **state)
{
	g_autofree char *blanks = g_strnfill(POLICY_BYTES_MAX + 1, ' ');
	g_autofree char *long_text = g_strnfill(TEXT_BYTES_MAX + 1, 'x');
	g_autofree char *long_word = g_strnfill(100, 'x');
	g_autoptr(GString) conditions = g_string_new(INTERNAL "outgoing");
	g_autofree char *texts =
		g_strdup_printf(INTERNAL "outgoing subject has \"%s\" plain\noutgoing to %s plain",
				long_text, long_word);

	(void)state;
	refuse(blanks, "p: larger than 4096 KiB");
	refuse(texts, "p:2:22: found a text of 1001 bytes, expected 1000 at most\n"
		      "p:3:13: found a word of more than 64 bytes");
	for (int i = 0; i < CONDITIONS_MAX + 1; i++)
		g_string_append_printf(conditions, " subject has \"%d\"", i);
	g_string_append(conditions, " plain");
	refuse(conditions->str, "p:2:138: found one more condition, expected at most 8 in a rule");
}

static void test_many_errors(void **state)
{
	g_autoptr(GString) text = g_string_new(INTERNAL);
	g_autoptr(Policy) policy = NULL;
	g_autofree char *message = NULL;
	g_auto(GStrv) lines = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++)
		g_string_append(text, "outgoing to plain\n");
	message = load(text->str, &policy);
	assert_non_null(message);
	lines = g_strsplit(message, "\n", -1);
	assert_int_equal(g_strv_length(lines), 51);
	assert_string_equal(lines[50], "p: and more");
}

static void test_long_sentence(void **state)
{
	g_autoptr(GString) text = g_string_new(INTERNAL "outgoing to \"x\"");
	g_autoptr(Policy) policy = NULL;
	g_autofree char *message = NULL;

	(void)state;
	for (int i = 0; i < 100000; i++)
		g_string_append(text, ",\n\"x\"");
	message = load(text->str, &policy);
	assert_non_null(message); /* it goes on in the first column */
	g_clear_pointer(&message, g_free);
	g_string_assign(text, INTERNAL "outgoing to \"x\"");
	for (int i = 0; i < 100000; i++)
		g_string_append(text, ",\n \"x\"");
	g_string_append(text, " plain");
	message = load(text->str, &policy);
	assert_null(message);
	assert_int_equal(policy_rule_count(policy), 1);
}

static void test_list_file(void **state)
{
	char *folder = folder_new();
	g_autofree char *path = write_file(
		folder, "p",
		INTERNAL "list l from \"l\"\noutgoing to l require pgp\noutgoing plain", -1);
	g_autoptr(GString) list = g_string_new(NULL);
	g_autofree char *list_path = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(Policy) policy = NULL;
	PolicyFacts facts = {DIRECTION_OUTGOING, "", "p99999@d99.example", "", NULL, NULL};

	(void)state;
	for (int i = 0; i < LIST_ENTRIES_MAX; i++)
		g_string_append_printf(list, "p%d@d%d.example # nr %d\r\n", i, i % 100, i);
	list_path = write_file(folder, "l", list->str, -1);
	policy = policy_load(path, &error);
	assert_non_null(policy);
	g_autoptr(PolicyDecision) decision = policy_decide(policy, &facts);
	assert_int_equal(decision->verdict, VERDICT_REQUIRE);
	facts.recipient = "p99999@d98.example";
	g_autoptr(PolicyDecision) other = policy_decide(policy, &facts);
	assert_int_equal(other->verdict, VERDICT_PLAIN);

	g_string_append(list, "one.more");
	g_free(write_file(folder, "l", list->str, -1));
	assert_null(policy_load(path, &error));
	g_autofree char *message = without_folder(error->message, folder);
	assert_string_equal(message, "l:100001:1: found one more entry, expected at most 100000");
	folder_free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_rules),    cmocka_unit_test(test_rule_count),
		cmocka_unit_test(test_sizes),	      cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_long_sentence), cmocka_unit_test(test_list_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
