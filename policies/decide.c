/* SPDX-License-Identifier: Apache-2.0
 *
 * The decision for one recipient: the first rule that matches, and every copy rule that does.
 */
#include "policies/match.h"

PolicyDecision *policy_decide(const Policy *policy, const PolicyFacts *facts)
{
	g_auto(Matcher) matcher;
	PolicyDecision *decision = g_new0(PolicyDecision, 1);
	const GPtrArray *copies = policy->copies[facts->direction];
	const char *tag = NULL;
	const Rule *rule;

	matcher_init(&matcher, policy, facts);
	decision->copies = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < copies->len; i++) {
		const Rule *copy = g_ptr_array_index(copies, i);

		if (match_rule(&matcher, copy, NULL) &&
		    !g_ptr_array_find_with_equal_func(decision->copies, copy->copy_to, g_str_equal,
						      NULL))
			g_ptr_array_add(decision->copies, g_strdup(copy->copy_to));
	}
	rule = match_first(&matcher, policy, &tag);
	if (!rule) {
		/* What nobody thought of must not leave in the clear. */
		decision->verdict =
			facts->direction == DIRECTION_OUTGOING ? VERDICT_REJECT : VERDICT_PLAIN;
		decision->rule = (RuleSource){policy->path, 0, "(no rule matches)"};
		decision->ladder = g_array_new(FALSE, FALSE, sizeof(Rung));
		return decision;
	}
	decision->verdict = rule->outcome->verdict;
	decision->rule = rule->source;
	if (facts->direction == DIRECTION_INCOMING) {
		decision->ladder = g_array_new(FALSE, FALSE, sizeof(Rung));
		decision->demands = rule->outcome->demands;
	} else {
		decision->ladder = g_array_copy(rule->outcome->ladder);
	}
	decision->reject_text = g_strdup(rule->outcome->reject_text);
	decision->sign_required = rule->outcome->sign;
	decision->sign_as_from = rule->outcome->sign_as_from;
	decision->keys_from_learned = rule->outcome->keys_from_learned;
	decision->remove_tag = rule->outcome->remove_tag;
	decision->hide_subject = rule->outcome->hide_subject;
	decision->tag = g_strdup(tag);
	return decision;
}

guint policy_tls_foreseen(const Policy *policy, const PolicyFacts *facts)
{
	g_auto(Matcher) matcher;
	const GPtrArray *rules = policy->rules[facts->direction];
	guint least = G_MAXUINT;

	matcher_init(&matcher, policy, facts);
	for (guint i = 0; i < rules->len && least > 0; i++) {
		const Rule *rule = g_ptr_array_index(rules, i);
		Foreseen match = match_foreseen(&matcher, rule);

		if (match != FORESEEN_NEVER)
			least = MIN(least, rule->outcome->demands.tls);
		if (match == FORESEEN_ALWAYS)
			return least;
	}
	return 0;
}

gboolean policy_asks_tls(const Policy *policy)
{
	const GPtrArray *rules = policy->rules[DIRECTION_INCOMING];

	for (guint i = 0; i < rules->len; i++)
		if (((const Rule *)g_ptr_array_index(rules, i))->outcome->demands.tls)
			return TRUE;
	return FALSE;
}

gboolean policy_asks_replies(const Policy *policy)
{
	return policy->asks_replies;
}

gboolean policy_asks_claimed(const Policy *policy)
{
	return policy->asks_claimed;
}

void policy_decision_free(PolicyDecision *decision)
{
	if (!decision)
		return;
	g_array_unref(decision->ladder);
	g_ptr_array_unref(decision->copies);
	g_free(decision->reject_text);
	g_free(decision->tag);
	g_free(decision);
}
