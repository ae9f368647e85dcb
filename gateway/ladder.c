/* SPDX-License-Identifier: Apache-2.0
 *
 * One recipient's walk along the policy's ladder. See ladder.h.
 */
#include "lib/base/error.h"

#include "gateway/ladder.h"

typedef struct {
	PlanRecipient *outcome;
	Layer encrypted;
	const Advisers *advisers;
} Walk;

static gboolean is_key_way(Way way)
{
	return way == WAY_SMIME || way == WAY_PGP;
}

static gboolean is_tls_way(Way way)
{
	return way == WAY_TLS || way == WAY_VERIFIED_TLS;
}

static RungResult answer_rung(Rung rung, gboolean possible, const char *reason, char *text)
{
	return (RungResult){rung, possible, reason, text};
}

static const KeyAnswer *ask_keys(Walk *walk)
{
	PlanRecipient *outcome = walk->outcome;

	if (!outcome->answer) {
		outcome->answer = walk->advisers->keys(walk->advisers->context, outcome->recipient);
		if (outcome->decision->keys_from_learned)
			key_answer_take_learned(outcome->answer);
	}
	return outcome->answer;
}

static RungResult try_key(Walk *walk, Rung rung)
{
	const KeyAnswer *answer = ask_keys(walk);
	KeyType type = rung.way == WAY_SMIME ? KEY_SMIME : KEY_PGP;
	const char *what = type == KEY_SMIME ? "S/MIME certificate" : "PGP key";

	if (key_answer_best(answer, type))
		return answer_rung(rung, TRUE, NULL, g_strdup_printf("%s found", what));
	for (guint i = 0; i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];

		if (key->type == type)
			return answer_rung(rung, FALSE, "no-usable-key",
					   g_strdup_printf("no usable %s (%s)", what,
							   key->reason ? key->reason : "?"));
	}
	if (answer->failure)
		return answer_rung(
			rung, FALSE, "lookup-failed",
			g_strdup_printf("not all key sources could be asked for the %s", what));
	return answer_rung(rung, FALSE, "no-key", g_strdup_printf("no %s", what));
}

/* With nothing to fall back to there is no need to ask: Postfix enforces it and queues. */
static gboolean is_last_resort(const Walk *walk, guint index)
{
	const PolicyDecision *decision = walk->outcome->decision;

	return decision->verdict == VERDICT_REQUIRE && index + 1 == decision->ladder->len;
}

static RungResult try_transport(Walk *walk, Rung rung, Transport transport, guint index)
{
	TlsAbility ability;

	if (!walk->outcome->nexthop) /* "postmaster", and the MTA did not say */
		return answer_rung(rung, FALSE, "no-next-hop",
				   g_strdup("nothing says which mail server it goes to"));
	if (is_last_resort(walk, index))
		return answer_rung(rung, TRUE, NULL, g_strdup("the MTA enforces TLS"));
	ability = walk->advisers->tls(walk->advisers->context, walk->outcome->nexthop);
	if (ability == TLS_ABILITY_UNKNOWN)
		return answer_rung(rung, TRUE, "unreachable",
				   g_strdup("server not reached; the MTA enforces TLS"));
	if (ability == TLS_ABILITY_NONE)
		return answer_rung(rung, FALSE, "no-tls",
				   g_strdup("the recipient's mail server offers no TLS"));
	if (transport == TRANSPORT_VERIFIED_TLS && ability != TLS_ABILITY_VERIFIED)
		return answer_rung(
			rung, FALSE, "not-verified",
			g_strdup("the recipient's mail server has no valid certificate"));
	return answer_rung(rung, TRUE, NULL, g_strdup("the recipient's mail server offers TLS"));
}

static Transport rung_transport(Rung rung)
{
	if (rung.way == WAY_TLS)
		return TRANSPORT_TLS;
	if (rung.way == WAY_VERIFIED_TLS)
		return TRANSPORT_VERIFIED_TLS;
	return rung.transport;
}

/* What the rung asks of keys; the transport comes after. */
static RungResult try_content(Walk *walk, Rung rung)
{
	if (rung.way == WAY_PLAIN)
		return answer_rung(rung, TRUE, NULL, g_strdup("the rule allows plain text"));
	if (walk->encrypted != LAYER_NONE)
		return answer_rung(rung, TRUE, "already-protected",
				   g_strdup("the sender's client has encrypted it"));
	if (is_key_way(rung.way))
		return try_key(walk, rung);
	return answer_rung(rung, TRUE, NULL, g_strdup("the portal takes it"));
}

static RungResult try_rung(Walk *walk, Rung rung, guint index)
{
	Transport transport = rung_transport(rung);

	if (is_tls_way(rung.way))
		return try_transport(walk, rung, transport, index);
	RungResult result = try_content(walk, rung);

	/* The portal takes the message in any case; only its notice waits for the transport. */
	if (!result.possible || transport == TRANSPORT_ANY || rung.way == WAY_PORTAL)
		return result;
	RungResult travel = try_transport(walk, rung, transport, index);

	if (travel.possible) {
		g_free(travel.text);
		return result;
	}
	g_free(result.text);
	return travel;
}

/* What the ladder holds behind the rung that was taken: said for explain, but nobody is asked. */
static RungResult leave_rung(Walk *walk, Rung rung)
{
	gboolean known = rung.way == WAY_PLAIN || rung.way == WAY_PORTAL ||
			 (is_key_way(rung.way) && walk->outcome->answer);

	if (known && rung_transport(rung) == TRANSPORT_ANY)
		return try_content(walk, rung);
	return answer_rung(rung, FALSE, "not-asked", g_strdup("an earlier way decided"));
}

static void take(Walk *walk, const RungResult *result)
{
	PlanRecipient *outcome = walk->outcome;
	Rung rung = result->rung;

	outcome->way = rung.way;
	outcome->transport = rung_transport(rung);
	if (walk->encrypted != LAYER_NONE && !is_tls_way(rung.way))
		outcome->unchanged = TRUE;
	else if (is_key_way(rung.way))
		outcome->key = key_answer_best(outcome->answer,
					       rung.way == WAY_SMIME ? KEY_SMIME : KEY_PGP);
}

/* May the walk go past what it has seen so far to a rung that needs no key, or to its end? */
static gboolean may_fall(const PlanRecipient *outcome)
{
	return !outcome->answer || !outcome->answer->failure;
}

static void defer(PlanRecipient *outcome)
{
	const GError *failure = outcome->answer->failure;

	/* Whatever kept a source from answering, the sender is told the same, 451 4.4.3; only a
	 * store of ours that fails has a better name. Never a refusal. */
	gboolean store = g_error_matches(failure, SEALPOST_ERROR, ERROR_STORE);

	g_set_error(&outcome->error, SEALPOST_ERROR, store ? ERROR_STORE : ERROR_LOOKUP, "%s: %s",
		    outcome->recipient->folded, failure->message);
}

/* A text that helps: who, and what is missing, without our inner life. */
static void refuse(PlanRecipient *outcome)
{
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_printf(text, "Not sent: protection is required for <%s>, and none is possible",
			outcome->recipient->address);
	for (guint i = 0; i < outcome->rungs->len; i++) {
		const RungResult *result = &g_array_index(outcome->rungs, RungResult, i);

		g_string_append_printf(text, "%s %s", i == 0 ? ":" : ",", result->text);
	}
	g_set_error(&outcome->error, SEALPOST_ERROR, ERROR_NO_WAY, "%s", text->str);
}

static void walk_rungs(Walk *walk)
{
	PlanRecipient *outcome = walk->outcome;
	const GArray *ladder = outcome->decision->ladder;
	gboolean taken = FALSE;

	for (guint i = 0; i < ladder->len; i++) {
		Rung rung = g_array_index(ladder, Rung, i);
		RungResult result;

		if (taken) {
			result = leave_rung(walk, rung);
		} else if (!is_key_way(rung.way) && !may_fall(outcome)) {
			result = answer_rung(rung, FALSE, "lookup-failed",
					     g_strdup("keys could not be looked up"));
		} else {
			result = try_rung(walk, rung, i);
			if (result.possible) {
				take(walk, &result);
				taken = TRUE;
			}
		}
		g_array_append_val(outcome->rungs, result);
	}
	if (taken)
		return;
	if (!may_fall(outcome))
		defer(outcome);
	else if (outcome->decision->verdict == VERDICT_REQUIRE)
		refuse(outcome);
}

void ladder_walk(PlanRecipient *outcome, Layer encrypted, const Advisers *advisers)
{
	Walk walk = {outcome, encrypted, advisers};
	const PolicyDecision *decision = outcome->decision;

	switch (decision->verdict) {
	case VERDICT_REJECT:
		g_set_error(&outcome->error, SEALPOST_ERROR, ERROR_REJECTED, "%s",
			    decision->reject_text ? decision->reject_text
						  : error_info_for(ERROR_REJECTED)->text);
		break;
	case VERDICT_PLAIN:
		/* Not asked for by any rule: passes as it is. */
		outcome->unchanged = decision->rule.line == 0 || encrypted != LAYER_NONE;
		break;
	case VERDICT_REQUIRE:
	case VERDICT_PREFER: walk_rungs(&walk); break;
	}
}
