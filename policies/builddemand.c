/* SPDX-License-Identifier: Apache-2.0
 *
 * What `require` asks of mail that comes in: see build.h. "smime", "pgp" and "tls" alone can be
 * ways for mail that leaves and demands on mail that came; which of both is known only when the
 * rule's direction is, so an outcome carries both readings until then.
 */
#include "policies/build.h"

#include <string.h>

/* The one way, read as a demand. FALSE: it cannot be one. */
static gboolean read_way(const Rung *way, Demands *demands)
{
	switch (way->way) {
	case WAY_SMIME: demands->smime = TRUE; return way->transport == TRANSPORT_ANY;
	case WAY_PGP: demands->pgp = TRUE; return way->transport == TRANSPORT_ANY;
	case WAY_TLS: demands->tls = TLS_ANY; return TRUE;
	case WAY_PORTAL:
	case WAY_VERIFIED_TLS:
	case WAY_PLAIN:
	case WAY_COUNT: break;
	}
	return FALSE;
}

Outcome *build_ways(Outcome *ways)
{
	const GArray *ladder = ways->ladder;

	ways->clauses = 1;
	ways->for_leaving =
		ladder->len != 1 || !read_way(&g_array_index(ladder, Rung, 0), &ways->demands);
	return ways;
}

static Outcome *demand_new(void)
{
	Outcome *outcome = outcome_new(VERDICT_REQUIRE);

	outcome->clauses = 1;
	outcome->for_incoming = TRUE;
	return outcome;
}

Outcome *build_encrypted(void)
{
	Outcome *outcome = demand_new();

	outcome->demands.smime = outcome->demands.pgp = TRUE;
	return outcome;
}

Outcome *build_signature(void)
{
	Outcome *outcome = demand_new();

	outcome->demands.signature = TRUE;
	return outcome;
}

Outcome *build_tls_version(Parser *parser, Word *number)
{
	Outcome *outcome = demand_new();

	outcome->demands.tls = strcmp(number->text, "1.3") == 0 ? TLS_1_3 : TLS_1_2;
	if (outcome->demands.tls == TLS_1_2 && strcmp(number->text, "1.2") != 0)
		problems_add(parser->problems, parser->file, &number->where,
			     "found tls %.20s, expected tls, tls 1.2 or tls 1.3", number->text);
	word_free(number);
	return outcome;
}

static gboolean asks_encryption(const Demands *demands)
{
	return demands->smime || demands->pgp;
}

Outcome *build_also(Parser *parser, Outcome *outcome, Outcome *also, const Span *where)
{
	Demands *demands = &outcome->demands;
	const Demands *more = &also->demands;
	gboolean twice = (asks_encryption(demands) && asks_encryption(more)) ||
			 (demands->signature && more->signature) || (demands->tls && more->tls);

	if (twice)
		problems_add(
			parser->problems, parser->file, where,
			"found a second demand of the same kind, expected one: all that a rule "
			"requires must hold; either of both is \"require smime or pgp\"");
	demands->smime |= more->smime;
	demands->pgp |= more->pgp;
	demands->signature |= more->signature;
	demands->tls = MAX(demands->tls, more->tls);
	outcome->clauses += also->clauses;
	outcome->for_incoming |= also->for_incoming;
	outcome->for_leaving |= also->for_leaving;
	outcome_free(also);
	return outcome;
}

static void refuse(Parser *parser, const Rule *rule, const char *text)
{
	problems_add(parser->problems, parser->file, &rule->where, "%s", text);
}

static gboolean changes_mail(const Outcome *outcome)
{
	return outcome->sign || outcome->sign_as_from || outcome->remove_tag ||
	       outcome->hide_subject || outcome->keys_from_learned;
}

static void check_incoming(Parser *parser, const Rule *rule)
{
	const Outcome *outcome = rule->outcome;

	if (changes_mail(outcome))
		refuse(parser, rule,
		       "found an incoming rule that changes mail, expected require, plain or "
		       "reject");
	else if (outcome->verdict == VERDICT_PREFER)
		refuse(parser, rule,
		       "found \"prefer\" in an incoming rule, expected require, plain or reject: "
		       "what has arrived can only be asked for, or taken as it is");
	else if (outcome->for_leaving)
		refuse(parser, rule,
		       "found ways for mail that leaves in an incoming rule, expected what the "
		       "mail "
		       "must have: smime, pgp, smime or pgp, signature, tls, tls 1.2, tls 1.3, "
		       "each "
		       "after a \"require\" of its own");
}

static gboolean leaves_us(const Rule *rule)
{
	return rule->direction == DIRECTION_OUTGOING || rule->direction == DIRECTION_INTERNAL;
}

/* Only who we are can answer what came to us; and what a stranger's mail is made of shows when it is
 * opened, after the rules were asked. */
void build_check_conditions(Parser *parser, const Rule *rule)
{
	for (guint i = 0; i < rule->conditions->len && !leaves_us(rule); i++) {
		const Condition *condition = g_ptr_array_index(rule->conditions, i);
		const char *words = condition->kind == CONDITION_REPLY	      ? "reply to encrypted"
				    : condition->kind == CONDITION_INVITATION ? "invitation"
									      : NULL;

		if (words)
			problems_add(parser->problems, parser->file, &condition->where,
				     "found \"%s\" in a rule for %s mail, expected it for outgoing "
				     "or internal mail",
				     words, direction_name(rule->direction));
	}
}

void build_check_direction(Parser *parser, const Rule *rule)
{
	const Outcome *outcome = rule->outcome;
	gboolean leaves = leaves_us(rule);

	if (rule->direction == DIRECTION_INCOMING)
		check_incoming(parser, rule);
	else if (leaves && (outcome->for_incoming || outcome->clauses > 1))
		refuse(parser, rule,
		       "found what only incoming mail can be asked for (signature, a version of "
		       "TLS, "
		       "smime or pgp, a second \"require\"), expected ways separated by commas");
	else if (!leaves && outcome->verdict != VERDICT_REJECT &&
		 (outcome->verdict != VERDICT_PLAIN || changes_mail(outcome)))
		refuse(parser, rule,
		       "found a rule that protects or changes relayed mail, expected plain or "
		       "reject");
}
