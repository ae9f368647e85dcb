/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's way through the gateway. The steps, in order: receive (done while it came in),
 * parse, decide, protect, hand back. A message's answer starts as "try again"; each step can only
 * earn more. All outputs are made before the first one leaves (of very many, as many as there is
 * time for), and all have left before the MTA hears it.
 */
#include "lib/base/error.h"

#include "gateway/decide.h"
#include "gateway/lessons.h"
#include "gateway/logline.h"
#include "gateway/pipeline.h"
#include "gateway/receive.h"
#include "gateway/resubmit.h"
#include "gateway/returned.h"

/* decide: what of ours goes how; what of a stranger's can be opened, and for whom. */
static Plan *decide_message(Job *job, const Parsed *parsed)
{
	Advisers advisers = decide_advisers(job);

	return job->trusted ? decide(job, parsed, &advisers) : decide_incoming(job, parsed);
}

/* hand back: is the message itself, edited, what every recipient shall get? */
static gboolean fits_in_place(const Plan *plan, GHashTable *done)
{
	const PlanVariant *first = plan->variants->len == 1 ? plan->variants->pdata[0] : NULL;

	return first && plan->copies->len == 0 && g_hash_table_size(done) == 0 &&
	       (first->way != WAY_PORTAL || first->unchanged);
}

/* In which order they leave: what is refused to the archive nobody else shall have; of the others, what
 * was opened is the one that a virus scanner may refuse, and then nobody shall have a copy; a deposit is
 * the one that knows a retry by itself. */
enum { DEPARTS_COPY, DEPARTS_OPENED, DEPARTS_DEPOSIT, DEPARTS_LAST, DEPARTURES };

static int departure(const PlanVariant *variant, const Output *output)
{
	if (plan_is_copy(variant))
		return DEPARTS_COPY;
	if (output && output->opened)
		return DEPARTS_OPENED;
	return variant->way == WAY_PORTAL && output ? DEPARTS_DEPOSIT : DEPARTS_LAST;
}

/* hand back: each variant by a door of its own; then the original is dropped. */
static Handback *split(Resubmission *resubmission, const Plan *plan, const GPtrArray *outputs,
		       GError **error)
{
	const Job *job = resubmission->job;

	if (!journal_ready(job->snapshot->journal, resubmission->entry, error))
		return NULL;
	for (int turn = 0; turn < DEPARTURES; turn++) {
		for (guint i = 0; i < plan->variants->len; i++) {
			const PlanVariant *variant = plan->variants->pdata[i];
			const Output *output = outputs->pdata[i];

			if (departure(variant, output) == turn &&
			    !resubmit_variant(resubmission, variant, output, error))
				return NULL;
		}
	}
	if (!journal_finish(job->snapshot->journal, resubmission->entry, error))
		return NULL;
	return handback_discard();
}

static Handback *hand_back(Resubmission *resubmission, Preview *preview, GError **error)
{
	if (fits_in_place(preview->plan, resubmission->entry->done)) {
		Output *output = g_ptr_array_steal_index(preview->outputs, 0);

		if (output)
			return handback_accept(output);
		/* To accept without one would be to let it go as it came. */
		g_set_error(error, SEALPOST_ERROR, ERROR_INTERNAL, "nothing was made of it");
		return NULL;
	}
	if (resubmission->job->too_large) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE,
			    "over message_limit: only the MTA has all of it to make copies of");
		return NULL;
	}
	return split(resubmission, preview->plan, preview->outputs, error);
}

static gboolean still_waits(PipelineWaits waits, void *context, GError **error)
{
	if (!waits || waits(context))
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT, "the MTA has gone away");
	return FALSE;
}

/* parse: of what cannot be read now nobody knows what it is. FALSE with error set. */
static gboolean parse(Job *job, Parsed **parsed, GError **error)
{
	if (job->too_large)
		return TRUE;
	*parsed = parse_message(job->message);
	const GError *failure = (*parsed)->failure;

	if (!failure || error_info(failure)->class == ERROR_PERMANENT)
		return TRUE;
	g_propagate_error(error, g_error_copy(failure));
	return FALSE;
}

/* receive, parse, decide: everything before the first byte is made. */
static Preview *prepare(Job *job)
{
	Preview *preview = g_new0(Preview, 1);

	if (!receive_end(job, &preview->error) || !parse(job, &preview->parsed, &preview->error))
		return preview;
	preview->plan = decide_message(job, preview->parsed);
	if (preview->plan->error)
		preview->error = g_error_copy(preview->plan->error);
	else if (preview->plan->variants->len == 0)
		g_set_error(&preview->error, SEALPOST_ERROR, ERROR_INTERNAL, "no recipients");
	return preview;
}

/* What an earlier try of this message has sent already, whatever the plan was then: keys and rules
 * may have changed since. */
static JournalEntry *remember(const Job *job, const Plan *plan, GError **error)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (guint i = 0; i < plan->recipients->len; i++) {
		const PlanRecipient *outcome = plan->recipients->pdata[i];

		g_strv_builder_add(builder, recipient_id(outcome->recipient));
	}
	g_auto(GStrv) addresses = g_strv_builder_end(builder);

	return journal_begin(job->snapshot->journal, job->digest, job->unique,
			     (const char *const *)addresses, error);
}

/* Keys and rules may have changed since: what they lack now who have their copy keeps it from nobody else. */
static void reconsider(const Job *job, Preview *preview)
{
	g_autoptr(JournalEntry) entry = remember(job, preview->plan, NULL);

	if (!entry)
		return;
	plan_leave_out(preview->plan, entry->done);
	g_clear_error(&preview->error);
	if (preview->plan->error)
		preview->error = g_error_copy(preview->plan->error);
}

/* Was there anything that a private key could open? Where opening failed, nobody knows. */
static gboolean met_encryption(const Preview *preview)
{
	const Plan *plan = preview->plan;

	if (!preview->parsed || preview->parsed->encrypted != LAYER_NONE)
		return preview->parsed != NULL;
	for (guint i = 0; plan && i < plan->recipients->len; i++) {
		const PlanRecipient *outcome = plan->recipients->pdata[i];

		if (outcome->opened && opened_met_encryption(outcome->opened))
			return TRUE;
	}
	return preview->parsed->layer != LAYER_NONE && (!plan || plan->error);
}

/* An answer names the Message-ID that was delivered: it may come from inside. */
static gboolean note_restored(const Job *job, const Plan *plan, GError **error)
{
	for (guint i = 0; i < plan->recipients->len; i++) {
		const Opened *opened = ((const PlanRecipient *)plan->recipients->pdata[i])->opened;

		if (opened && opened->restored &&
		    !threads_note(job->snapshot->threads, opened->restored, error))
			return FALSE;
	}
	return TRUE;
}

/* decide: what arrived encrypted, for a rule about answers to it. */
static gboolean note_encrypted(const Job *job, const Preview *preview, GError **error)
{
	if (job->trusted || !policy_asks_replies(job->snapshot->policy) || !met_encryption(preview))
		return TRUE;
	return threads_note(job->snapshot->threads, job->headers, error) &&
	       note_restored(job, preview->plan, error);
}

static Handback *carry_on(Job *job, Preview *preview, PipelineWaits waits, void *context,
			  GError **error)
{
	g_autoptr(JournalEntry) entry = remember(job, preview->plan, error);
	Resubmission resubmission = {job, entry};

	if (!entry || !note_encrypted(job, preview, error))
		return NULL;
	preview->outputs = protect_all(job, preview->parsed, preview->plan, entry->done, error);
	if (!preview->outputs)
		return NULL;
	/* An answer to nobody is none; a copy would arrive. */
	if (!fits_in_place(preview->plan, entry->done) && !still_waits(waits, context, error))
		return NULL;
	return hand_back(&resubmission, preview, error);
}

/* Whether a key was there, and whether it opened, must not show in how long the answer to a
 * stranger takes: encrypted mail is answered on the beat, larger mail on a slower one. */
static gint64 beat_of(const Job *job, const Preview *preview)
{
	const gint64 beats = 1 + spool_length(job->message) / PIPELINE_BEAT_BYTES;

	return !job->trusted && met_encryption(preview) ? beats * PIPELINE_BEAT_MS * 1000 : 0;
}

gint64 pipeline_pause(const Job *job, const Handback *handback, gint64 now)
{
	const gint64 beat = handback->beat;

	if (beat <= 0)
		return 0;
	return MIN(beat - (now - job->started) % beat,
		   MAX(job->deadline + PIPELINE_OVER_MS * 1000 - now, 0));
}

void pipeline_wait(const Job *job, const Handback *handback)
{
	gint64 pause = pipeline_pause(job, handback, g_get_monotonic_time());

	if (pause > 0)
		g_usleep((gulong)pause);
}

/* A notice of the MTA's own goes another, shorter way. */
static Handback *run_notice(Job *job)
{
	g_autoptr(GError) error = NULL;
	Output *output = receive_end(job, &error) ? returned_output(job, &error) : NULL;
	Handback *handback = output ? handback_accept(output) : handback_error(error);

	logline_message(job, NULL, handback);
	return handback;
}

Handback *pipeline_run(Job *job, PipelineWaits waits, void *context)
{
	if (client_brings_notice(job->client))
		return run_notice(job);
	g_autoptr(GError) error = NULL;
	Handback *handback = NULL;
	g_autoptr(Preview) preview = prepare(job);

	if (preview->plan && preview->plan->error)
		reconsider(job, preview);
	if (preview->error)
		handback = handback_error(preview->error);
	else
		handback = carry_on(job, preview, waits, context, &error);
	if (!handback)
		handback = handback_error(error);
	else if (!preview->error)
		lessons_hand_over(job, preview->plan);
	handback->beat = beat_of(job, preview);
	logline_message(job, preview->plan, handback);
	return handback;
}

Preview *pipeline_preview(Job *job)
{
	Preview *preview = prepare(job);

	job->preview = TRUE;
	if (!preview->error)
		preview->outputs =
			protect_all(job, preview->parsed, preview->plan, NULL, &preview->error);
	return preview;
}

void preview_free(Preview *preview)
{
	if (!preview)
		return;
	g_clear_pointer(&preview->outputs, g_ptr_array_unref);
	plan_free(preview->plan);
	parsed_free(preview->parsed);
	g_clear_error(&preview->error);
	g_free(preview);
}
