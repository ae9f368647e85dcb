/* SPDX-License-Identifier: Apache-2.0
 *
 * Making and freeing what a policy is made of: see model.h.
 */
#include "policies/model.h"

#include <string.h>

static void free_word(gpointer data)
{
	word_free(data);
}

static void free_condition(gpointer data)
{
	condition_free(data);
}

static void free_rule(gpointer data)
{
	rule_free(data);
}

static void free_list(gpointer data)
{
	list_free(data);
}

Policy *policy_new(const char *path)
{
	Policy *policy = g_new0(Policy, 1);

	g_atomic_ref_count_init(&policy->references);
	policy->path = g_strdup(path);
	policy->patterns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	policy->internal = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	policy->lists = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_list);
	for (int i = 0; i < DIRECTIONS; i++) {
		policy->rules[i] = g_ptr_array_new_with_free_func(free_rule);
		policy->gates[i] = g_array_new(FALSE, FALSE, sizeof(Gate));
		policy->copies[i] = g_ptr_array_new_with_free_func(free_rule);
	}
	return policy;
}

void policy_unref(Policy *policy)
{
	if (!policy || !g_atomic_ref_count_dec(&policy->references))
		return;
	for (int i = 0; i < DIRECTIONS; i++) {
		g_ptr_array_unref(policy->rules[i]);
		g_array_unref(policy->gates[i]);
		g_ptr_array_unref(policy->copies[i]);
	}
	g_clear_pointer(&policy->warnings, g_ptr_array_unref);
	g_hash_table_unref(policy->lists);
	g_hash_table_unref(policy->internal);
	g_hash_table_unref(policy->patterns);
	g_free(policy->path);
	g_free(policy);
}

const char *policy_intern(Policy *policy, const char *pattern)
{
	gpointer known = g_hash_table_lookup(policy->patterns, pattern);

	if (!known) {
		known = g_strdup(pattern);
		g_hash_table_add(policy->patterns, known);
	}
	return known;
}

Word *word_new(const char *text, gboolean quoted, const Span *where)
{
	Word *word = g_new0(Word, 1);

	word->text = g_strdup(text);
	word->quoted = quoted;
	word->where = *where;
	return word;
}

void word_free(Word *word)
{
	if (!word)
		return;
	g_free(word->text);
	g_free(word);
}

GPtrArray *words_new(void)
{
	return g_ptr_array_new_with_free_func(free_word);
}

Condition *condition_new(ConditionKind kind, const Span *where)
{
	Condition *condition = g_new0(Condition, 1);

	condition->kind = kind;
	condition->where = *where;
	condition->patterns = g_ptr_array_new();
	condition->lists = g_ptr_array_new();
	condition->words = words_new();
	condition->texts = g_ptr_array_new_with_free_func(g_free);
	condition->folded = g_ptr_array_new_with_free_func(g_free);
	return condition;
}

void condition_free(Condition *condition)
{
	if (!condition)
		return;
	g_ptr_array_unref(condition->patterns);
	g_ptr_array_unref(condition->lists);
	g_ptr_array_unref(condition->words);
	g_ptr_array_unref(condition->texts);
	g_ptr_array_unref(condition->folded);
	g_free(condition->field);
	g_free(condition);
}

Outcome *outcome_new(PolicyVerdict verdict)
{
	Outcome *outcome = g_new0(Outcome, 1);

	outcome->verdict = verdict;
	outcome->ladder = g_array_new(FALSE, FALSE, sizeof(Rung));
	return outcome;
}

void outcome_free(Outcome *outcome)
{
	if (!outcome)
		return;
	g_array_unref(outcome->ladder);
	g_free(outcome->reject_text);
	g_free(outcome);
}

Rule *rule_new(Direction direction, GPtrArray *conditions, Outcome *outcome)
{
	Rule *rule = g_new0(Rule, 1);

	rule->direction = direction;
	rule->conditions = conditions ? g_ptr_array_ref(conditions)
				      : g_ptr_array_new_with_free_func(free_condition);
	rule->outcome = outcome;
	return rule;
}

void rule_free(Rule *rule)
{
	if (!rule)
		return;
	g_ptr_array_unref(rule->conditions);
	outcome_free(rule->outcome);
	g_free(rule->copy_to);
	g_free((char *)rule->source.text);
	g_free(rule);
}

List *list_new(const char *name, const Span *where)
{
	List *list = g_new0(List, 1);

	list->name = g_strdup(name);
	list->where = *where;
	list->patterns = g_hash_table_new(NULL, NULL);
	return list;
}

void list_free(List *list)
{
	if (!list)
		return;
	g_free(list->name);
	g_hash_table_unref(list->patterns);
	g_free(list);
}
