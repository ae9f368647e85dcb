/* SPDX-License-Identifier: Apache-2.0
 *
 * The third step for mail that is not from one of us: what each recipient's rule says, opened with
 * that recipient's keys, and judged. See decide.h.
 */
#include "gateway/decide.h"
#include "gateway/demands.h"
#include "gateway/facts.h"
#include "gateway/leaves.h"
#include "gateway/open.h"

static void keep(PlanRecipient *outcome, Opened *opened)
{
	outcome->opened_key = opened_key(opened, &outcome->error);
	outcome->opened = opened;
}

/* What all recipients have in common, found once: a list may have thousands. */
typedef struct {
	const Facts *facts;
	const Parsed *parsed;
	gboolean layered; /* there is something to open or to verify */
	const PlanRecipient *first; /* with whose keys it was looked at, and they played no part;
				       NULL: nobody yet, or they did */
} Common;

/* Opened with this recipient's keys. A recipient of ours who has none still learns what the
 * signatures are worth. A failure of ours holds the message. */
static void open_for(Common *common, PlanRecipient *outcome)
{
	const Recipient *recipient = outcome->recipient;
	const PlanRecipient *first = common->first;

	if (recipient->direction != DIRECTION_INCOMING || !recipient->folded)
		return;
	if (first) {
		outcome->opened = first->opened ? opened_ref(first->opened) : NULL;
		outcome->opened_key = g_strdup(first->opened_key);
		return;
	}
	g_autoptr(Opened) opened = open_message(common->facts->job, common->parsed,
						recipient->folded, &outcome->error);

	if (!opened)
		return;
	if (!opened_met_encryption(opened))
		common->first = outcome;
	if (!opened_is_plain(opened))
		keep(outcome, g_steal_pointer(&opened));
}

static gboolean is_relayed_too(const Job *job)
{
	for (guint i = 0; i < job->recipients->len; i++) {
		const Recipient *recipient = job->recipients->pdata[i];

		if (recipient->direction != DIRECTION_INCOMING)
			return TRUE;
	}
	return FALSE;
}

/* Too large or too deep to be looked into: that is told, whatever it may hold. Those that it is relayed
 * to are not told, and what is over message_limit cannot be split: then nobody is. */
static void leave_unread(const Job *job, const Parsed *parsed, PlanRecipient *outcome)
{
	if (job->too_large && is_relayed_too(job))
		return;
	Opened *opened = opened_new();

	opened_warn_unread(opened, parsed ? parsed->failure : NULL);
	keep(outcome, opened);
}

/* Is there anything to open or to verify? */
static gboolean is_protected(const Job *job, const Parsed *parsed)
{
	if (parsed->layer != LAYER_NONE || open_has_claim(parsed->tree) ||
	    open_has_parts(parsed->tree) || open_has_tnef(parsed->tree))
		return TRUE;
	g_autoptr(GPtrArray) leaves = leaves_find(parsed->tree, job->message);

	return leaves_hold_pgp(leaves);
}

/* What cannot be looked into (not readable, too large) has nothing that could be demanded. */
static void decide_one(Common *common, PlanRecipient *outcome)
{
	const Job *job = common->facts->job;
	const Parsed *parsed = common->parsed;

	outcome->unchanged = TRUE;
	outcome->decision = facts_ask(common->facts, outcome->recipient);
	if (outcome->decision->verdict == VERDICT_REJECT) {
		ladder_walk(outcome, LAYER_NONE, NULL);
		return;
	}
	if (common->layered)
		open_for(common, outcome);
	else if ((!parsed || !parsed->tree) && outcome->recipient->direction == DIRECTION_INCOMING)
		leave_unread(job, parsed, outcome);
	if (!outcome->error)
		demands_met(&outcome->decision->demands, job, outcome->recipient, outcome->opened,
			    &outcome->error);
}

/* A copy of what came in goes as it came: it is opened for nobody, and no rule but the one that
 * asked for it speaks of it. */
static PolicyDecision *copy_decision(const PlanRecipient *of)
{
	PolicyDecision *decision = g_new0(PolicyDecision, 1);

	decision->verdict = VERDICT_PLAIN;
	decision->rule = (RuleSource){of->decision->rule.file, 0, "(a copy, as it came)"};
	decision->ladder = g_array_new(FALSE, FALSE, sizeof(Rung));
	decision->copies = g_ptr_array_new_with_free_func(g_free);
	return decision;
}

static void add_copies(const Job *job, Plan *plan)
{
	guint count = plan->recipients->len;

	for (guint i = 0; i < count; i++) {
		const PlanRecipient *of = plan->recipients->pdata[i];
		const GPtrArray *copies = of->decision->copies;

		for (guint c = 0; c < copies->len; c++) {
			if (plan_has_recipient(plan, copies->pdata[c]))
				continue;
			PlanRecipient *copy = plan_add_copy(plan, copies->pdata[c],
							    job_direction(job, copies->pdata[c]));

			copy->decision = copy_decision(of);
			copy->unchanged = TRUE;
		}
	}
}

Plan *decide_incoming(const Job *job, const Parsed *parsed)
{
	Plan *plan = plan_new();
	g_auto(Facts) facts = {0};

	plan->signer_reason = "stranger";
	if (!facts_init(&facts, job, job->sender.folded, &plan->error))
		return plan;
	Common common = {.facts = &facts, .parsed = parsed};

	common.layered = parsed && parsed->tree && is_protected(job, parsed);
	for (guint i = 0; i < job->recipients->len; i++)
		decide_one(&common, plan_add_recipient(plan, job->recipients->pdata[i]));
	add_copies(job, plan);
	plan_group(plan);
	return plan;
}
