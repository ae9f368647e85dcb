/* SPDX-License-Identifier: Apache-2.0
 *
 * What rules mean: see build.h.
 */
#include "policies/build.h"

#include <string.h>

#include "lib/mail/address.h"
#include "policies/fold.h"

static void free_condition(gpointer data)
{
	condition_free(data);
}

GPtrArray *build_conditions(void)
{
	return g_ptr_array_new_with_free_func(free_condition);
}

/* The condition of that kind, not negated, that the rule has already; NULL if none. */
static const Condition *find(const GPtrArray *conditions, ConditionKind kind)
{
	for (guint i = 0; i < conditions->len; i++) {
		const Condition *condition = g_ptr_array_index(conditions, i);

		if (condition->kind == kind && !condition->negated)
			return condition;
	}
	return NULL;
}

GPtrArray *build_and(Parser *parser, GPtrArray *conditions, Condition *condition)
{
	if (conditions->len == CONDITIONS_MAX)
		problems_add(parser->problems, parser->file, &condition->where,
			     "found one more condition, expected at most %d in a rule",
			     CONDITIONS_MAX);
	if (conditions->len < CONDITIONS_MAX)
		g_ptr_array_add(conditions, condition);
	else
		condition_free(condition);
	return conditions;
}

/* "to A to B" reads as both, and one recipient is never both. */
static void check_twice(Parser *parser, const GPtrArray *conditions)
{
	const Condition *to = find(conditions, CONDITION_TO);
	const Condition *from = find(conditions, CONDITION_FROM);

	for (guint i = 0; i < conditions->len; i++) {
		const Condition *condition = g_ptr_array_index(conditions, i);
		gboolean second = (condition->kind == CONDITION_TO && condition != to) ||
				  (condition->kind == CONDITION_FROM && condition != from);

		if (second && !condition->negated)
			problems_add(parser->problems, parser->file, &condition->where,
				     "found a second \"%s\" in one rule, expected one: separate "
				     "several addresses by commas",
				     condition->kind == CONDITION_TO ? "to" : "from");
	}
}

Condition *build_address(Parser *parser, ConditionKind kind, const Span *where, GPtrArray *words)
{
	Condition *condition = condition_new(kind, where);

	g_ptr_array_unref(condition->words);
	condition->words = words;
	for (guint i = 0; i < words->len; i++) {
		const Word *word = g_ptr_array_index(words, i);
		const char *pattern =
			word->quoted ? build_pattern(parser, parser->file, word) : NULL;

		if (pattern)
			g_ptr_array_add(condition->patterns, (gpointer)pattern);
	}
	return condition;
}

static void add_texts(Parser *parser, Condition *condition, GPtrArray *words)
{
	for (guint i = 0; i < words->len; i++) {
		Word *word = g_ptr_array_index(words, i);
		g_autofree char *folded = NULL;

		/* a field's value has no blanks at its ends */
		if (condition->kind == CONDITION_HEADER_IS)
			g_strstrip(word->text);
		folded = text_fold(word->text);
		if (*folded == '\0' || strcmp(folded, " ") == 0)
			problems_add(parser->problems, parser->file, &word->where,
				     "found an empty text, expected one to look for");
		g_ptr_array_add(condition->texts, g_strdup(word->text));
		g_ptr_array_add(condition->folded, g_steal_pointer(&folded));
	}
	g_ptr_array_unref(words);
}

Condition *build_subject(Parser *parser, const Span *where, GPtrArray *words)
{
	Condition *condition = condition_new(CONDITION_SUBJECT_HAS, where);

	add_texts(parser, condition, words);
	return condition;
}

/* RFC 5322, section 3.6.8 */
static gboolean is_field_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!g_ascii_isgraph(*p) || *p == ':')
			return FALSE;
	return *name != '\0';
}

Condition *build_header(Parser *parser, ConditionKind kind, Word *field, GPtrArray *words)
{
	Condition *condition = condition_new(kind, &field->where);

	if (!is_field_name(field->text))
		problems_add(parser->problems, parser->file, &field->where,
			     "found \"%s\", expected the name of a header field without a colon",
			     field->text);
	condition->field = g_ascii_strdown(field->text, -1);
	word_free(field);
	add_texts(parser, condition, words);
	return condition;
}

/* Is b never tried, because a is possible whenever b is? */
static gboolean covers(const Rung *a, const Rung *b)
{
	if (a->way == WAY_TLS && b->way == WAY_VERIFIED_TLS)
		return TRUE;
	return a->way == b->way && a->transport <= b->transport;
}

Outcome *build_rung(Parser *parser, Outcome *outcome, Rung rung, const Span *where)
{
	if (!outcome)
		outcome = outcome_new(VERDICT_REQUIRE);
	if (rung.way == WAY_PLAIN) {
		problems_add(parser->problems, parser->file, where,
			     "found plain as one way of several, expected ways that protect: "
			     "\"prefer\" sends as it is where none is possible");
		return outcome;
	}
	for (guint i = 0; i < outcome->ladder->len; i++)
		if (covers(&g_array_index(outcome->ladder, Rung, i), &rung)) {
			problems_add(parser->problems, parser->file, where,
				     "found a way that is never tried: one before it is possible "
				     "whenever this one is");
			return outcome;
		}
	g_array_append_val(outcome->ladder, rung);
	return outcome;
}

Rung build_tls(Parser *parser, Way way, Transport transport, const Span *where)
{
	if (transport != TRANSPORT_ANY)
		problems_add(parser->problems, parser->file, where,
			     "found tls over tls, expected tls or verified tls alone");
	return (Rung){way, way == WAY_TLS ? TRANSPORT_TLS : TRANSPORT_VERIFIED_TLS};
}

/* How many question marks: g_str_to_ascii() puts one where it knows no other spelling. */
static guint count_marks(const char *text)
{
	guint count = 0;

	for (const char *p = text; *p; p++)
		count += *p == '?';
	return count;
}

/* Replies are ASCII (RFC 5321, section 4.2): umlauts and the like are spelled as in German. */
Outcome *build_reject(Parser *parser, Word *text)
{
	Outcome *outcome = outcome_new(VERDICT_REJECT);
	g_autofree char *ascii = g_str_to_ascii(text->text, "de");

	if (count_marks(ascii) != count_marks(text->text))
		problems_add(parser->problems, parser->file, &text->where,
			     "found letters in the text of a refusal that have no spelling in "
			     "ASCII, expected none: mail servers pass on only ASCII");
	else if (strlen(ascii) > REJECT_BYTES_MAX || *ascii == '\0')
		problems_add(parser->problems, parser->file, &text->where,
			     "found a refusal of %" G_GSIZE_FORMAT " bytes, expected 1 to %d",
			     strlen(ascii), REJECT_BYTES_MAX);
	outcome->reject_text = g_strdelimit(g_steal_pointer(&ascii), "\t", ' ');
	word_free(text);
	return outcome;
}

/* The tag that is removed is the text of `subject has`: there must be exactly one to mean. */
static void check_tag(Parser *parser, const Rule *rule)
{
	guint found = 0;

	for (guint i = 0; i < rule->conditions->len; i++) {
		const Condition *condition = g_ptr_array_index(rule->conditions, i);

		if (condition->kind == CONDITION_SUBJECT_HAS && !condition->negated)
			found++;
	}
	if (found != 1)
		problems_add(parser->problems, parser->file, &rule->where,
			     "found \"remove tag\" in a rule with %s, expected one: its text is "
			     "the tag",
			     found == 0 ? "no \"subject has\"" : "several \"subject has\"");
}

static gboolean has_key_way(const Rule *rule)
{
	const GArray *ladder = rule->outcome->ladder;

	for (guint i = 0; i < ladder->len; i++) {
		Way way = g_array_index(ladder, Rung, i).way;

		if (way == WAY_SMIME || way == WAY_PGP)
			return TRUE;
	}
	return FALSE;
}

/* Without a way that needs a key there is nothing that could be learned, and no inside where the
 * subject could go: whoever writes "plain hide subject" would believe that it is hidden. */
static void check_key_words(Parser *parser, const Rule *rule)
{
	if (has_key_way(rule))
		return;
	if (rule->outcome->keys_from_learned)
		problems_add(parser->problems, parser->file, &rule->where,
			     "found \"keys from learned\" in a rule without smime and pgp, "
			     "expected one of them: no other way takes a key");
	if (rule->outcome->hide_subject)
		problems_add(parser->problems, parser->file, &rule->where,
			     "found \"hide subject\" in a rule that never encrypts, expected smime "
			     "or pgp among its ways");
}

void build_rule(Parser *parser, Direction direction, GPtrArray *conditions, Outcome *outcome)
{
	rule_free(parser->rule);
	parser->rule = rule_new(direction, conditions, outcome);
	g_ptr_array_unref(conditions);
}

/* The last `to` of a copy rule is where the copy goes; it leaves the conditions. */
void build_copy(Parser *parser, Direction direction, GPtrArray *conditions)
{
	const Condition *last =
		conditions->len > 0 ? g_ptr_array_index(conditions, conditions->len - 1) : NULL;
	const char *target = NULL;

	build_rule(parser, direction, g_ptr_array_ref(conditions), NULL);
	if (last && last->kind == CONDITION_TO && !last->negated && last->words->len == 1 &&
	    last->patterns->len == 1)
		target = g_ptr_array_index(last->patterns, 0);
	if (target && strchr(target, '@'))
		parser->rule->copy_to = g_strdup(target);
	if (target)
		g_ptr_array_set_size(conditions, (gint)conditions->len - 1);
	g_ptr_array_unref(conditions);
}

static void check_rule(Parser *parser, const Rule *rule)
{
	check_twice(parser, rule->conditions);
	build_check_conditions(parser, rule);
	if (rule->outcome && rule->outcome->remove_tag)
		check_tag(parser, rule);
	if (rule->outcome)
		check_key_words(parser, rule);
	if (rule->outcome)
		build_check_direction(parser, rule);
	else if (!rule->copy_to)
		problems_add(parser->problems, parser->file, &rule->where,
			     "found a copy rule without a goal, expected it to end with: to "
			     "\"ADDRESS\"");
}

void build_commit(Parser *parser)
{
	Rule *rule = g_steal_pointer(&parser->rule);
	Policy *policy = parser->policy;

	if (!rule)
		return;
	rule->where = parser->finished_where;
	rule->source.file = policy->path;
	rule->source.line = rule->where.first_line;
	rule->source.text = g_steal_pointer(&parser->finished);
	check_rule(parser, rule);
	if (policy_rule_count(policy) == POLICY_RULES_MAX) {
		problems_add(parser->problems, parser->file, &rule->where,
			     "found one more rule, expected at most %d", POLICY_RULES_MAX);
		rule_free(rule);
		return;
	}
	g_ptr_array_add(rule->outcome ? policy->rules[rule->direction]
				      : policy->copies[rule->direction],
			rule);
}
