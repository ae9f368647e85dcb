/* SPDX-License-Identifier: Apache-2.0
 *
 * Expectations against a policy: see expect.h.
 */
#include "policies/expect.h"

#include <string.h>

#include "policies/expectation.h"
#include "policies/match.h"
#include "policies/parser.h"

static void free_expectation(gpointer data)
{
	expectation_free(data);
}

static void free_field(gpointer data)
{
	ExpectedField *field = data;

	g_free(field->name);
	g_free(field->text);
	g_free(field);
}

Expectation *expectation_new(const Span *where)
{
	Expectation *expectation = g_new0(Expectation, 1);

	expectation->where = *where;
	expectation->fields = g_ptr_array_new_with_free_func(free_field);
	expectation->copies = g_ptr_array_new_with_free_func(g_free);
	return expectation;
}

void expectation_free(Expectation *expectation)
{
	if (!expectation)
		return;
	g_free(expectation->sender);
	g_free(expectation->recipient);
	g_free(expectation->subject);
	g_ptr_array_unref(expectation->fields);
	g_ptr_array_unref(expectation->copies);
	outcome_free(expectation->outcome);
	g_free(expectation);
}

Expectations *expectations_load(const char *path, GError **error)
{
	g_autoptr(Problems) problems = problems_new();
	g_autoptr(Expectations) expectations = g_new0(Expectations, 1);
	Parser parser = {.file = path, .problems = problems, .expectations = expectations};

	expectations->path = g_strdup(path);
	expectations->all = g_ptr_array_new_with_free_func(free_expectation);
	parser_read(&parser, path);
	if (!problems_none(problems, path, error))
		return NULL;
	return g_steal_pointer(&expectations);
}

void expectations_free(Expectations *expectations)
{
	if (!expectations)
		return;
	expectation_free(expectations->open);
	g_ptr_array_unref(expectations->all);
	g_free(expectations->path);
	g_free(expectations);
}

guint expectations_count(const Expectations *expectations)
{
	return expectations->all->len;
}

/* As a message has it from a trusted client, unless the expectation says it. */
static Direction direction_of(const Expectation *expectation, const Policy *policy)
{
	gboolean from_us = policy_is_internal(policy, expectation->sender);
	gboolean to_us = policy_is_internal(policy, expectation->recipient);

	if (expectation->directed)
		return expectation->direction;
	if (from_us)
		return to_us ? DIRECTION_INTERNAL : DIRECTION_OUTGOING;
	return to_us ? DIRECTION_INCOMING : DIRECTION_OTHER;
}

static GPtrArray *find_fields(void *context, const char *name)
{
	const Expectation *expectation = context;
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < expectation->fields->len; i++) {
		const ExpectedField *field = g_ptr_array_index(expectation->fields, i);

		if (strcmp(field->name, name) == 0)
			g_ptr_array_add(texts, g_strdup(field->text));
	}
	return texts;
}

/* The first expected copy that the policy does not make; NULL if all are made. */
static const char *missing_copy(const Expectation *expectation, const GPtrArray *copies)
{
	for (guint i = 0; i < expectation->copies->len; i++) {
		const char *copy = g_ptr_array_index(expectation->copies, i);

		if (!g_ptr_array_find_with_equal_func((GPtrArray *)copies, copy, g_str_equal, NULL))
			return copy;
	}
	return NULL;
}

gboolean expectations_met(const Expectations *expectations, guint n, const Policy *policy,
			  char **failure)
{
	const Expectation *expectation = g_ptr_array_index(expectations->all, n);
	PolicyFacts facts = {
		.direction = direction_of(expectation, policy),
		.sender = expectation->sender,
		.recipient = expectation->recipient,
		.subject = expectation->subject ? expectation->subject : "",
		.reply_to_encrypted = expectation->reply,
		.invitation = expectation->invitation,
		.headers = find_fields,
		.context = (void *)expectation,
	};
	g_autoptr(PolicyDecision) decision = policy_decide(policy, &facts);
	g_auto(Matcher) matcher;
	const Rule *rule;
	const char *copy = missing_copy(expectation, decision->copies);

	matcher_init(&matcher, policy, &facts);
	rule = match_first(&matcher, policy, NULL);
	g_autofree char *expected =
		expectation->outcome ? outcome_text(expectation->outcome) : g_strdup("no rule");
	g_autofree char *got = rule ? outcome_text(rule->outcome) : g_strdup("no rule");
	gboolean same = strcmp(expected, got) == 0 &&
			(expectation->line == 0 || expectation->line == decision->rule.line);

	if (same && !copy)
		return TRUE;
	g_autofree char *at =
		expectation->line ? g_strdup_printf(" (line %d)", expectation->line) : g_strdup("");
	*failure = g_strdup_printf(
		"%s:%d: %s mail, expected %s%s%s%s\n  but %s:%d says %s: %s", expectations->path,
		expectation->where.first_line, direction_name(facts.direction), expected,
		copy ? " copy to " : "", copy ? copy : "", at, decision->rule.file,
		decision->rule.line, got, decision->rule.text);
	return FALSE;
}
