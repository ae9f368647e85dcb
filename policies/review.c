/* SPDX-License-Identifier: Apache-2.0
 *
 * What was probably not meant: see review.h.
 *
 * A rule is never reached if all conditions of an earlier one are among its own. Each rule's
 * conditions are written in one form; of a rule with n conditions, 2^n such forms are looked up
 * among the earlier rules (n <= CONDITIONS_MAX), so that 10,000 rules take no 10,000 squared.
 */
#include "policies/review.h"

#include <string.h>

#include "policies/match.h"

G_STATIC_ASSERT(CONDITIONS_MAX <= 8);

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A condition's one form: equal for two conditions that hold for the same mail, whatever the order
 * of what they name. */
static char *condition_form(const Condition *condition)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *list = NULL;
	g_autofree char *form = NULL;

	for (guint i = 0; i < condition->patterns->len; i++)
		g_ptr_array_add(parts, g_strdup(g_ptr_array_index(condition->patterns, i)));
	for (guint i = 0; i < condition->lists->len; i++) {
		const List *named = g_ptr_array_index(condition->lists, i);

		g_ptr_array_add(parts, g_strconcat("list ", named->name, NULL));
	}
	for (guint i = 0; i < condition->folded->len; i++)
		g_ptr_array_add(parts, g_strdup(g_ptr_array_index(condition->folded, i)));
	g_ptr_array_sort(parts, by_text);
	g_ptr_array_add(parts, NULL);
	list = g_strjoinv("\n", (char **)parts->pdata);
	form = g_strdup_printf("%d\n%d\n%s\n%s", condition->kind, condition->negated,
			       condition->field ? condition->field : "", list);
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, form, -1); /* short */
}

static GPtrArray *rule_forms(const Rule *rule)
{
	GPtrArray *forms = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < rule->conditions->len; i++)
		g_ptr_array_add(forms, condition_form(g_ptr_array_index(rule->conditions, i)));
	g_ptr_array_sort(forms, by_text);
	return forms;
}

/* Those forms whose bit is set, as one. */
static char *subset_form(const GPtrArray *forms, guint set)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < forms->len; i++)
		if (set & (1U << i)) {
			g_string_append(text, g_ptr_array_index(forms, i));
			g_string_append_c(text, '\f');
		}
	return g_string_free(text, FALSE);
}

/* The first earlier rule whose conditions are all among these; NULL if there is none. */
static const Rule *find_cover(GHashTable *earlier, const GPtrArray *forms)
{
	const Rule *cover = NULL;

	for (guint set = 0; set < 1U << forms->len; set++) {
		g_autofree char *form = subset_form(forms, set);
		const Rule *rule = g_hash_table_lookup(earlier, form);

		if (rule && (!cover || rule->where.first_line < cover->where.first_line))
			cover = rule;
	}
	return cover;
}

/* The interned patterns that take all that this one takes. */
static GPtrArray *covering(const Policy *policy, const char *pattern)
{
	/* A domain, or *.domain, is covered as any address in it is, save those that are named;
	 * no name has a line end. */
	g_autofree char *address = g_strconcat(strchr(pattern, '@') ? "" : "\n@", pattern, NULL);

	return match_patterns(policy, address);
}

/* Do all patterns that the condition names meet those that earlier rules took whole? `taken` has
 * the patterns of earlier rules with no other condition than their `to`. */
static const Rule *find_taken(const Policy *policy, GHashTable *taken, const Condition *condition)
{
	const Rule *cover = NULL;

	if (condition->kind != CONDITION_TO || condition->negated || condition->lists->len > 0)
		return NULL;
	for (guint i = 0; i < condition->patterns->len; i++) {
		const char *pattern = g_ptr_array_index(condition->patterns, i);
		g_autoptr(GPtrArray) hits = covering(policy, pattern);
		const Rule *rule = NULL;

		for (guint j = 0; j < hits->len && !rule; j++)
			rule = g_hash_table_lookup(taken, g_ptr_array_index(hits, j));
		if (!rule)
			return NULL;
		cover = rule;
	}
	return cover;
}

static void take_patterns(GHashTable *taken, const Rule *rule)
{
	const Condition *only =
		rule->conditions->len == 1 ? g_ptr_array_index(rule->conditions, 0) : NULL;

	if (!only || only->kind != CONDITION_TO || only->negated)
		return;
	for (guint i = 0; i < only->patterns->len; i++)
		g_hash_table_insert(taken, g_ptr_array_index(only->patterns, i), (gpointer)rule);
}

static const Rule *find_taken_by_any(const Policy *policy, GHashTable *taken, const Rule *rule)
{
	for (guint i = 0; i < rule->conditions->len; i++) {
		const Rule *cover =
			find_taken(policy, taken, g_ptr_array_index(rule->conditions, i));

		if (cover)
			return cover;
	}
	return NULL;
}

static void review_reach(const Policy *policy, const GPtrArray *rules, Problems *problems)
{
	g_autoptr(GHashTable) earlier =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < rules->len; i++) {
		const Rule *rule = g_ptr_array_index(rules, i);
		g_autoptr(GPtrArray) forms = rule_forms(rule);
		const Rule *cover = find_cover(earlier, forms);

		if (!cover)
			cover = find_taken_by_any(policy, taken, rule);
		if (cover)
			problems_warn(problems, policy->path, &rule->where,
				      "this rule is never reached: the one in line %d takes all "
				      "mail that it would match",
				      cover->where.first_line);
		else
			g_hash_table_insert(earlier, subset_form(forms, (1U << forms->len) - 1),
					    (gpointer)rule);
		take_patterns(taken, rule);
	}
}

/* TRUE if the condition's patterns are all internal (or all external), as the recipients of that
 * direction never are. */
static gboolean contradicts(const Policy *policy, const Rule *rule, const Condition *condition)
{
	gboolean internal =
		rule->direction == DIRECTION_INTERNAL || rule->direction == DIRECTION_INCOMING;

	if (condition->kind != CONDITION_TO || condition->negated || condition->lists->len > 0)
		return FALSE;
	for (guint i = 0; i < condition->patterns->len; i++) {
		const char *pattern = g_ptr_array_index(condition->patterns, i);
		const char *domain = strchr(pattern, '@') ? strrchr(pattern, '@') + 1 : pattern;
		g_autofree char *address = g_strconcat(
			"x@", g_str_has_prefix(domain, "*.") ? domain + 2 : domain, NULL);

		/* sub-domains of an external domain may be internal, and the other way round */
		if (g_str_has_prefix(domain, "*.") ||
		    policy_is_internal(policy, address) == internal)
			return FALSE;
	}
	return TRUE;
}

static void review_recipients(const Policy *policy, const GPtrArray *rules, Problems *problems)
{
	for (guint i = 0; i < rules->len; i++) {
		const Rule *rule = g_ptr_array_index(rules, i);

		for (guint j = 0; j < rule->conditions->len; j++) {
			const Condition *condition = g_ptr_array_index(rule->conditions, j);

			if (contradicts(policy, rule, condition))
				problems_warn(problems, policy->path, &condition->where,
					      "this rule never matches: %s mail does not go to "
					      "these recipients",
					      direction_name(rule->direction));
		}
	}
}

static void review_copies(const Policy *policy, const GPtrArray *copies, Problems *problems)
{
	for (guint i = 0; i < copies->len; i++) {
		const Rule *copy = g_ptr_array_index(copies, i);

		if (!policy_is_internal(policy, copy->copy_to))
			problems_warn(problems, policy->path, &copy->where,
				      "copies go to %s, which is no address of ours",
				      copy->copy_to);
	}
}

/* Is there a rule for whatever no other rule of the direction matched? */
static gboolean has_catch_all(const GPtrArray *rules)
{
	for (guint i = 0; i < rules->len; i++) {
		const Rule *rule = g_ptr_array_index(rules, i);

		if (rule->conditions->len == 0)
			return TRUE;
	}
	return FALSE;
}

void review(const Policy *policy, Problems *problems)
{
	GHashTableIter lists;
	gpointer value;

	for (int i = 0; i < DIRECTIONS; i++) {
		review_reach(policy, policy->rules[i], problems);
		review_recipients(policy, policy->rules[i], problems);
		review_recipients(policy, policy->copies[i], problems);
		review_copies(policy, policy->copies[i], problems);
	}
	if (!has_catch_all(policy->rules[DIRECTION_OUTGOING]))
		problems_warn(problems, policy->path, NULL,
			      "no rule for all other outgoing mail: what no rule matches is "
			      "refused");
	g_hash_table_iter_init(&lists, policy->lists);
	while (g_hash_table_iter_next(&lists, NULL, &value)) {
		const List *list = value;

		if (!list->used)
			problems_warn(problems, policy->path, &list->where,
				      "no rule uses the list \"%s\"", list->name);
	}
}
