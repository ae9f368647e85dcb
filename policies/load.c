/* SPDX-License-Identifier: Apache-2.0
 *
 * A policy from its file: read, built, checked, and what is asked of it as a whole.
 */
#include <string.h>

#include "lib/mail/address.h"
#include "policies/build.h"
#include "policies/match.h"
#include "policies/review.h"

Policy *policy_load(const char *path, GError **error)
{
	g_autoptr(Problems) problems = problems_new();
	g_autoptr(Policy) policy = policy_new(path);
	Parser parser = {.file = path, .problems = problems, .policy = policy};

	if (parser_read(&parser, path))
		build_finish(&parser);
	rule_free(parser.rule);
	if (!problems_none(problems, path, error))
		return NULL;
	match_prepare(policy);
	review(policy, problems);
	policy->warnings = problems_warnings(problems, path);
	return g_steal_pointer(&policy);
}

guint policy_rule_count(const Policy *policy)
{
	guint count = 0;

	for (int i = 0; i < DIRECTIONS; i++)
		count += policy->rules[i]->len + policy->copies[i]->len;
	return count;
}

const GPtrArray *policy_warnings(const Policy *policy)
{
	return policy->warnings;
}

gboolean policy_is_internal(const Policy *policy, const char *address)
{
	g_autofree char *folded = address_fold(address);
	g_autoptr(GPtrArray) hits = folded ? match_patterns(policy, folded) : NULL;

	for (guint i = 0; hits && i < hits->len; i++)
		if (g_hash_table_contains(policy->internal, g_ptr_array_index(hits, i)))
			return TRUE;
	return FALSE;
}
