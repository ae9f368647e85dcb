/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions against facts: see match.h.
 */
#include "policies/match.h"

#include <string.h>

#include "lib/mail/address.h"
#include "policies/texts.h"

static guint64 bit(const char *pattern)
{
	return G_GUINT64_CONSTANT(1) << (g_str_hash(pattern) % 64);
}

static guint64 bits(const GPtrArray *patterns)
{
	guint64 mask = 0;

	for (guint i = 0; i < patterns->len; i++)
		mask |= bit(g_ptr_array_index(patterns, i));
	return mask;
}

/* The bits of all that a rule's conditions of that kind take. */
static guint64 rule_bits(const Rule *rule, ConditionKind kind)
{
	guint64 mask = G_MAXUINT64;

	for (guint i = 0; i < rule->conditions->len; i++) {
		const Condition *condition = g_ptr_array_index(rule->conditions, i);

		if (condition->kind != kind || condition->negated)
			continue;
		mask = bits(condition->patterns);
		for (guint j = 0; j < condition->lists->len; j++)
			mask |= ((const List *)g_ptr_array_index(condition->lists, j))->mask;
	}
	return mask;
}

static gboolean asks(const GPtrArray *rules, ConditionKind kind)
{
	for (guint i = 0; i < rules->len; i++) {
		const Rule *rule = g_ptr_array_index(rules, i);

		for (guint j = 0; j < rule->conditions->len; j++) {
			const Condition *condition = g_ptr_array_index(rule->conditions, j);

			if (condition->kind == kind)
				return TRUE;
		}
	}
	return FALSE;
}

void match_prepare(Policy *policy)
{
	GHashTableIter lists;
	gpointer value;

	g_hash_table_iter_init(&lists, policy->lists);
	while (g_hash_table_iter_next(&lists, NULL, &value)) {
		List *list = value;
		GHashTableIter patterns;
		gpointer pattern;

		g_hash_table_iter_init(&patterns, list->patterns);
		while (g_hash_table_iter_next(&patterns, &pattern, NULL))
			list->mask |= bit(pattern);
	}
	for (int i = 0; i < DIRECTIONS; i++)
		for (guint j = 0; j < policy->rules[i]->len; j++) {
			const Rule *rule = g_ptr_array_index(policy->rules[i], j);
			Gate gate = {rule_bits(rule, CONDITION_TO),
				     rule_bits(rule, CONDITION_FROM)};

			g_array_append_val(policy->gates[i], gate);
		}
	for (int i = 0; i < DIRECTIONS; i++) {
		policy->asks_replies |= asks(policy->rules[i], CONDITION_REPLY) ||
					asks(policy->copies[i], CONDITION_REPLY);
		if (i == DIRECTION_INCOMING || i == DIRECTION_OTHER)
			policy->asks_claimed |= asks(policy->rules[i], CONDITION_FROM) ||
						asks(policy->copies[i], CONDITION_FROM);
	}
}

static void add_known(GPtrArray *hits, const Policy *policy, const char *pattern)
{
	gpointer known = g_hash_table_lookup(policy->patterns, pattern);

	if (known)
		g_ptr_array_add(hits, known);
}

GPtrArray *match_patterns(const Policy *policy, const char *folded)
{
	GPtrArray *hits = g_ptr_array_new();
	const char *domain = *folded ? address_domain(folded) : NULL;

	add_known(hits, policy, folded);
	if (!domain)
		return hits;
	add_known(hits, policy, domain);
	for (const char *dot = strchr(domain + 1, '.'); dot; dot = strchr(dot + 1, '.')) {
		g_autofree char *wild = g_strconcat("*", dot, NULL);

		add_known(hits, policy, wild);
	}
	return hits;
}

void matcher_init(Matcher *matcher, const Policy *policy, const PolicyFacts *facts)
{
	*matcher = (Matcher){0};
	matcher->facts = facts;
	matcher->to = match_patterns(policy, facts->recipient);
	matcher->from = match_patterns(policy, facts->sender);
	for (const char *const *claimed = facts->claimed; claimed && *claimed; claimed++)
		g_ptr_array_extend_and_steal(matcher->from, match_patterns(policy, *claimed));
	matcher->gate = (Gate){bits(matcher->to), bits(matcher->from)};
	matcher->texts = facts->texts ? facts->texts : policy_texts_new();
}

void matcher_clear(Matcher *matcher)
{
	g_clear_pointer(&matcher->to, g_ptr_array_unref);
	g_clear_pointer(&matcher->from, g_ptr_array_unref);
	if (matcher->texts != matcher->facts->texts)
		policy_texts_free(matcher->texts);
}

static gboolean meets(const Condition *condition, const GPtrArray *hits)
{
	for (guint i = 0; i < hits->len; i++) {
		gconstpointer hit = g_ptr_array_index(hits, i);

		for (guint j = 0; j < condition->patterns->len; j++)
			if (g_ptr_array_index(condition->patterns, j) == hit)
				return TRUE;
		for (guint j = 0; j < condition->lists->len; j++) {
			const List *list = g_ptr_array_index(condition->lists, j);

			if (g_hash_table_contains(list->patterns, hit))
				return TRUE;
		}
	}
	return FALSE;
}

/* The condition's text, as written, that this folded one has or is; NULL if none. */
static const char *find_text(const Condition *condition, const char *folded)
{
	for (guint i = 0; i < condition->folded->len; i++) {
		const char *wanted = g_ptr_array_index(condition->folded, i);
		gboolean found = condition->kind == CONDITION_HEADER_IS
					 ? strcmp(folded, wanted) == 0
					 : strstr(folded, wanted) != NULL;

		if (found)
			return g_ptr_array_index(condition->texts, i);
	}
	return NULL;
}

static gboolean match_header(Matcher *matcher, const Condition *condition)
{
	const GPtrArray *texts = texts_headers(matcher->texts, matcher->facts, condition->field);

	for (guint i = 0; i < texts->len; i++)
		if (find_text(condition, g_ptr_array_index(texts, i)))
			return TRUE;
	return FALSE;
}

static gboolean match_condition(Matcher *matcher, const Condition *condition, const char **found)
{
	*found = NULL;
	switch (condition->kind) {
	case CONDITION_TO: return meets(condition, matcher->to);
	case CONDITION_FROM: return meets(condition, matcher->from);
	case CONDITION_SUBJECT_HAS:
		*found = find_text(condition, texts_subject(matcher->texts, matcher->facts));
		return *found != NULL;
	case CONDITION_REPLY: return matcher->facts->reply_to_encrypted;
	case CONDITION_INVITATION: return matcher->facts->invitation;
	case CONDITION_HEADER_HAS:
	case CONDITION_HEADER_IS: return match_header(matcher, condition);
	}
	g_assert_not_reached();
}

/* The header can make a sender match who does not yet: by an address in From. */
static Foreseen foresee_condition(Matcher *matcher, const Condition *condition)
{
	gboolean met;

	if (condition->kind == CONDITION_TO)
		met = meets(condition, matcher->to);
	else if (condition->kind == CONDITION_FROM && meets(condition, matcher->from))
		met = TRUE;
	else
		return FORESEEN_MAYBE;
	return met != condition->negated ? FORESEEN_ALWAYS : FORESEEN_NEVER;
}

Foreseen match_foreseen(Matcher *matcher, const Rule *rule)
{
	Foreseen least = FORESEEN_ALWAYS;

	for (guint i = 0; i < rule->conditions->len; i++)
		least = MIN(least,
			    foresee_condition(matcher, g_ptr_array_index(rule->conditions, i)));
	return least;
}

gboolean match_rule(Matcher *matcher, const Rule *rule, const char **tag)
{
	const char *first = NULL;

	for (guint i = 0; i < rule->conditions->len; i++) {
		const Condition *condition = g_ptr_array_index(rule->conditions, i);
		const char *found;

		if (match_condition(matcher, condition, &found) == condition->negated)
			return FALSE;
		if (!first)
			first = found;
	}
	if (tag)
		*tag = first;
	return TRUE;
}

/* May the rule behind this gate match? A rule without the condition lets all in, those also that
 * meet no pattern. */
static gboolean opens(const Gate *gate, const Gate *bits_of_facts)
{
	return (gate->to == G_MAXUINT64 || (gate->to & bits_of_facts->to)) &&
	       (gate->from == G_MAXUINT64 || (gate->from & bits_of_facts->from));
}

const Rule *match_first(Matcher *matcher, const Policy *policy, const char **tag)
{
	const GPtrArray *rules = policy->rules[matcher->facts->direction];
	const GArray *gates = policy->gates[matcher->facts->direction];

	for (guint i = 0; i < rules->len; i++)
		if (opens(&g_array_index(gates, Gate, i), &matcher->gate) &&
		    match_rule(matcher, g_ptr_array_index(rules, i), tag))
			return g_ptr_array_index(rules, i);
	return NULL;
}
