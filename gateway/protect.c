/* SPDX-License-Identifier: Apache-2.0
 *
 * The fourth step: the bytes of one variant. See protect.h.
 */
#include "lib/base/error.h"
#include "lib/mail/fieldparams.h"

#include "gateway/annotate.h"
#include "gateway/head.h"
#include "gateway/headprotect.h"
#include "gateway/protect.h"
#include "gateway/reported.h"
#include "gateway/returned.h"

void output_free(Output *output)
{
	if (!output)
		return;
	g_clear_pointer(&output->edits, g_ptr_array_unref);
	spool_unref(output->body);
	g_free(output->inner_sha256);
	g_free(output);
}

Spool *protect_spool(const Job *job)
{
	const Conf *conf = job->snapshot->conf;

	/* Base64 twice over (a signature, then encryption) stays below twice the size; the MTA's
	 * own limit speaks last. */
	return spool_new(job->snapshot->spool_folder,
			 2 * conf_size(conf, "gateway", "message_limit") + (1 << 20));
}

Sink *protect_sink(const ProtectJob *work, Spool *into)
{
	return sink_new_timed(spool_sink(into), work->deadline);
}

/* The fields that go inside with the body: none where the client's own layer is the root, for what
 * is inside that is not ours to change; unless a rule wants the subject to go inside. */
static gboolean protect_head(ProtectJob *work, const EditWish *wish, GError **error)
{
	const PlanVariant *variant = work->variant;
	gboolean layered = work->parsed && work->parsed->layer != LAYER_NONE;
	g_autoptr(GPtrArray) edits = NULL;
	g_autoptr(Headers) sent = NULL;

	if (layered && !variant->hide_subject)
		return TRUE;
	edits = edits_for(work->job->headers,
			  &(EditWish){.subject = wish->subject, .authserv_id = wish->authserv_id});
	sent = edits_apply(work->job->headers, edits, error);
	if (!sent)
		return FALSE;
	work->wrap = layered;
	work->inside =
		headprotect_fields(sent, plan_is_encrypted(variant), variant->hide_subject, error);
	if (!work->inside || !variant->hide_subject || layered || !work->parsed->tree)
		return work->inside != NULL;
	work->display =
		legacydisplay_add(work->parsed->tree, work->job->message, work->inside, error);
	return work->display != NULL;
}

/* Puts on what the plan says; *content gets the new entity's fields. */
static gboolean protect_body(const ProtectJob *work, Output *output, Headers **content,
			     GError **error)
{
	const PlanVariant *variant = work->variant;
	g_autoptr(Spool) spool = protect_spool(work->job);
	gboolean encrypted = plan_is_encrypted(variant);
	gboolean pgp = variant->way == WAY_PGP || (!encrypted && variant->sign == SIGN_PGP);
	g_autoptr(Source) entity = encrypted ? protect_entity(work, error) : NULL;

	if (encrypted && !entity)
		return FALSE;
	if (entity && work->job->preview && !(output->inner_sha256 = source_sha256(entity, error)))
		return FALSE;
	if (pgp ? !protect_pgp(work, entity, spool, error)
		: !protect_smime(work, entity, spool, error))
		return FALSE;
	*content = head_read(spool, &output->body_range, error);
	if (!*content)
		return FALSE;
	output->body = g_steal_pointer(&spool);
	if (output->body_range.start == 0 || output->body_range.start >= output->body_range.end) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "protecting gave no content");
		return FALSE;
	}
	return TRUE;
}

static gboolean puts_on(const PlanVariant *variant)
{
	return plan_is_encrypted(variant) || variant->sign != SIGN_NONE;
}

static gboolean protect_content(ProtectJob *work, const EditWish *wish, Output *output,
				Headers **content, GError **error)
{
	gboolean done =
		protect_head(work, wish, error) && protect_body(work, output, content, error);

	headers_free(work->inside);
	legacydisplay_free(work->display);
	return done;
}

/* What is delivered is no inside any more: the mark would say what is not so. */
static gboolean unmark(Headers **content, GError **error)
{
	static const char *const marks[] = {"hp", "protected-headers", NULL};
	g_autoptr(Headers) bare = headers_new();

	for (guint i = 0; i < headers_count(*content); i++) {
		const Header *header = headers_at(*content, i);
		gboolean type = g_ascii_strcasecmp(header->name, "Content-Type") == 0;
		g_autofree char *value =
			type ? field_params_remove(header->value, marks) : g_strdup(header->value);

		if (!headers_append(bare, header->name, value, error))
			return FALSE;
	}
	headers_free(*content);
	*content = g_steal_pointer(&bare);
	return TRUE;
}

/* Incoming: the entity that was found inside. */
static gboolean take_opened(const Opened *opened, Output *output, Headers **content, GError **error)
{
	if (!opened->entity)
		return TRUE;
	*content = head_read(opened->entity, &output->body_range, error);
	if (*content && opened->restored && !unmark(content, error))
		return FALSE;
	output->body = spool_ref(opened->entity);
	output->opened = opened->decrypted;
	return *content != NULL;
}

static gboolean goes_outside(const PlanVariant *variant)
{
	for (guint i = 0; i < variant->recipients->len; i++) {
		const PlanRecipient *outcome = variant->recipients->pdata[i];

		if (outcome->recipient->direction == DIRECTION_OUTGOING)
			return TRUE;
	}
	return FALSE;
}

/* Might it carry out in the clear what an inner server or a receipt quotes of a message that came encrypted? */
static gboolean may_quote(const ProtectJob *work)
{
	const PlanVariant *variant = work->variant;

	return work->job->trusted && !plan_is_encrypted(variant) && variant->way != WAY_PORTAL &&
	       goes_outside(variant);
}

static gboolean is_report(const ProtectJob *work)
{
	g_autoptr(MimeTree) own = NULL;
	const MimeTree *tree = work->parsed ? work->parsed->tree : NULL;

	if (!tree)
		tree = own = mime_parse_unquoted(work->job->message, NULL);
	return tree && reported_root(mime_root(tree));
}

static gboolean refuse_quoted(ErrorCode code, const char *how, GError **error)
{
	g_set_error(error, SEALPOST_ERROR, code,
		    "Not sent: it would %s, and quotes mail that came encrypted", how);
	return FALSE;
}

/* The few reports that are signed alone (Parsed.report says which are not) go whole or not at all; so does
 * what old servers write, a text or an attached message, of which nobody knows where the quote begins. Only
 * programs write with a null sender. */
static gboolean cut_quoted(const ProtectJob *work, Output *output, GError **error)
{
	const Job *job = work->job;
	gboolean report = is_report(work), tells = FALSE;

	if (!report && *job->sender.address)
		return TRUE;
	if (report && !returned_cut(job, output, error))
		return FALSE;
	if (output->cut)
		return !puts_on(work->variant) ||
		       refuse_quoted(ERROR_NOT_SIGNABLE, "only be signed", error);
	g_autoptr(Source) body = output_body(job, output);

	if (!returned_tells(body, &tells, error))
		return FALSE;
	return !tells || refuse_quoted(ERROR_NO_WAY, "leave unencrypted", error);
}

Output *protect(const ProtectJob *order, GError **error)
{
	const Job *job = order->job;
	const PlanVariant *variant = order->variant;
	g_autoptr(Output) output = g_new0(Output, 1);
	g_autoptr(Headers) content = NULL;
	g_autofree char *route = plan_route(variant);
	g_autofree char *results = NULL, *details = NULL, *tags = NULL;
	const char *hostname = job->snapshot->hostname;
	const Opened *opened = variant->opened;
	ProtectJob work = *order;
	EditWish wish = {.authserv_id = hostname,
			 .hides_bcc = job->trusted,
			 .subject.rule_tag = variant->tag};

	if (!opened && may_quote(order) && !cut_quoted(order, output, error))
		return NULL;
	if (opened ? !take_opened(opened, output, &content, error)
		   : puts_on(variant) && !protect_content(&work, &wish, output, &content, error))
		return NULL;
	if (opened) {
		wish.results = results = annotate_results(opened, hostname);
		wish.details = details = annotate_details(opened);
		wish.subject.restored = opened->subject;
		wish.restored = opened->restored;
	}
	if (!job->trusted && tags_wanted(&job->snapshot->tags))
		wish.subject.tags = tags = tags_text(&job->snapshot->tags, opened);
	wish.content = content;
	wish.hide_subject = variant->hide_subject;
	/* A portal message does not travel; its notice has the route. */
	wish.route = variant->way == WAY_PORTAL && !variant->unchanged ? NULL : route;
	output->edits = edits_for(job->headers, &wish);
	return g_steal_pointer(&output);
}

Headers *output_headers(const Job *job, const Output *output, GError **error)
{
	return edits_apply(job->headers, output->edits, error);
}

Source *output_body(const Job *job, const Output *output)
{
	return output->body ? spool_source(output->body, output->body_range)
			    : spool_source(job->message, job_body(job));
}
