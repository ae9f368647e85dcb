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

static void log_recipient(const Job *job, const PlanRecipient *outcome, const char *common)
{
	g_autofree char *to = log_address(outcome->recipient->address);
	g_autofree char *rule = rule_name(outcome->decision);

	log_info("id=%s to=<%s> direction=%s rule=%s way=%s transport=%s key=%s signed=%s %s",
		 job->queue_id ? job->queue_id : "-", to,
		 direction_name(outcome->recipient->direction), rule,
		 outcome->error ? "none" : plan_recipient_way(outcome),
		 transport_name(outcome->transport), outcome->key ? outcome->key->id : "-",
		 sign_name(outcome), common);
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
