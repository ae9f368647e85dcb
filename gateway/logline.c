/* SPDX-License-Identifier: Apache-2.0
 *
 * The log's record of a message. See logline.h.
 */
#include "lib/base/log.h"

#include "gateway/contradiction.h"
#include "gateway/logline.h"

/* What became of the message, for the log: the verdict, and how it left. */
static const char *result_name(const Handback *handback)
{
	if (handback->verdict == HANDBACK_ACCEPT)
		return "in-place";
	return handback->verdict == HANDBACK_DISCARD ? "split"
						     : handback_verdict_name(handback->verdict);
}

static char *common_text(const Job *job, const Handback *handback)
{
	g_autofree char *from = log_address(job->sender.address ? job->sender.address : "");
	const char *contradiction = contradiction_find(job);
	gint64 ms = (g_get_monotonic_time() - job->started) / 1000;

	return g_strdup_printf("result=%s%s%s ms=%" G_GINT64_FORMAT " from=<%s> client=%s%s%s",
			       result_name(handback), handback->reason ? " error=" : "",
			       handback->reason ? handback->reason : "", ms, from, job->trusted_why,
			       contradiction ? " warning=" : "",
			       contradiction ? contradiction : "");
}

static const char *sign_name(const PlanRecipient *outcome)
{
	switch (outcome->sign) {
	case SIGN_SMIME: return "smime";
	case SIGN_PGP: return "pgp";
	case SIGN_NONE: break;
	}
	return outcome->bare_report ? "no-report" : "no";
}

/* FILE:LINE; "-" if no rule matched. */
static char *rule_name(const PolicyDecision *decision)
{
	if (!decision || !decision->rule.file || decision->rule.line == 0)
		return g_strdup("-");
	g_autofree char *file = g_path_get_basename(decision->rule.file);

	return g_strdup_printf("%s:%d", file, decision->rule.line);
}

/* A key is the reason: which one, and what is wrong with it. */
static void tell_key(GString *text, const KeyAnswer *answer, Way way)
{
	KeyType type = way == WAY_SMIME ? KEY_SMIME : KEY_PGP;

	for (guint i = 0; i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];

		if (key->type != type)
			continue;
		g_string_append_printf(text, "%s:%s", key->reason ? key->reason : "?", key->id);
		return;
	}
}

/* The ways that come before the one that was taken, and why they were not possible. New string. */
static char *why_not(const PlanRecipient *outcome)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < outcome->rungs->len; i++) {
		const RungResult *result = &g_array_index(outcome->rungs, RungResult, i);

		if (result->possible)
			break;
		g_string_append_printf(text,
				       "%s%s:", i > 0 ? "," : " why=", way_name(result->rung.way));
		if (g_strcmp0(result->reason, "no-usable-key") == 0)
			tell_key(text, outcome->answer, result->rung.way);
		else
			g_string_append(text, result->reason ? result->reason : "?");
	}
	return g_string_free(text, FALSE);
}

static void log_recipient(const Job *job, const PlanRecipient *outcome, const char *common)
{
	g_autofree char *why = why_not(outcome);
	g_autofree char *to = log_address(outcome->recipient->address);
	g_autofree char *rule = rule_name(outcome->decision);

	log_info("id=%s to=<%s> direction=%s rule=%s way=%s transport=%s key=%s signed=%s%s %s",
		 job->queue_id ? job->queue_id : "-", to,
		 direction_name(outcome->recipient->direction), rule,
		 outcome->error ? "none" : plan_recipient_way(outcome),
		 transport_name(outcome->transport), outcome->key ? outcome->key->id : "-",
		 sign_name(outcome), why, common);
}

void logline_message(const Job *job, const Plan *plan, const Handback *handback)
{
	g_autofree char *common = common_text(job, handback);

	for (guint i = 0; plan && i < plan->recipients->len; i++)
		log_recipient(job, plan->recipients->pdata[i], common);
	if (!plan)
		log_info("id=%s recipients=%u %s", job->queue_id ? job->queue_id : "-",
			 job->recipients->len, common);
	if (handback->detail)
		log_warning("id=%s %s: %s", job->queue_id ? job->queue_id : "-", handback->reason,
			    handback->detail);
}
