/* SPDX-License-Identifier: Apache-2.0
 *
 * The fourth step: the bytes of one variant. See protect.h.
 */
#include "lib/base/error.h"

#include "gateway/annotate.h"
#include "gateway/head.h"
#include "gateway/protect.h"

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

Source *protect_entity(const Job *job, GError **error)
{
	g_autoptr(GByteArray) head = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(head, HEADERS_BYTES_MAX * 2);

	if (!headers_write(job->headers, HEADERS_CONTENT, sink, error) ||
	    !sink_write(sink, "\r\n", 2, error))
		return NULL;
	g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(g_steal_pointer(&head));

	return source_new_concat(source_new_bytes(bytes),
				 spool_source(job->message, job_body(job)));
}

Source *protect_safe_entity(const ProtectJob *work, GError **error)
{
	const MimeTree *tree = work->parsed->tree;
	GError *failure = NULL;

	if (!tree) {
		g_set_error(error, SEALPOST_ERROR, ERROR_UNSUPPORTED,
			    "structure cannot be read: %s", work->parsed->failure->message);
		return NULL;
	}
	if (mime_is_transport_safe(tree, mime_root(tree), &failure))
		return protect_entity(work->job, error);
	if (failure) {
		g_propagate_error(error, failure);
		return NULL;
	}
	g_autoptr(Spool) safe = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(safe);

	if (!mime_write_transport_safe(tree, mime_root(tree), sink, error))
		return NULL;
	return spool_source_all(safe);
}

static gboolean is_encrypted(const PlanVariant *variant)
{
	return !variant->unchanged && (variant->way == WAY_SMIME || variant->way == WAY_PGP);
}

/* Puts on what the plan says; *content gets the new entity's fields. */
static gboolean protect_body(const ProtectJob *work, Output *output, Headers **content,
			     GError **error)
{
	const PlanVariant *variant = work->variant;
	g_autoptr(Spool) spool = protect_spool(work->job);
	gboolean encrypted = is_encrypted(variant);
	gboolean pgp = variant->way == WAY_PGP || (!encrypted && variant->sign == SIGN_PGP);
	g_autoptr(Source) entity = encrypted ? protect_entity(work->job, error) : NULL;

	if (encrypted && !entity)
		return FALSE;
	if (entity && !(output->inner_sha256 = source_sha256(entity, error)))
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

/* Incoming: the entity that was found inside. */
static gboolean take_opened(const Opened *opened, Output *output, Headers **content, GError **error)
{
	if (!opened->entity)
		return TRUE;
	*content = head_read(opened->entity, &output->body_range, error);
	output->body = spool_ref(opened->entity);
	output->opened = opened->decrypted;
	return *content != NULL;
}

Output *protect(const Job *job, const Parsed *parsed, const Plan *plan, const PlanVariant *variant,
		GError **error)
{
	g_autoptr(Output) output = g_new0(Output, 1);
	g_autoptr(Headers) content = NULL;
	g_autofree char *route = plan_route(variant);
	g_autofree char *results = NULL, *details = NULL, *tags = NULL;
	const char *hostname = job->snapshot->hostname;
	const Opened *opened = variant->opened;
	ProtectJob work = {job, parsed, plan, variant};
	EditWish wish = {.authserv_id = hostname, .subject.rule_tag = variant->tag};

	if (opened ? !take_opened(opened, output, &content, error)
		   : (is_encrypted(variant) || variant->sign != SIGN_NONE) &&
			     !protect_body(&work, output, &content, error))
		return NULL;
	if (opened) {
		wish.results = results = annotate_results(opened, hostname);
		wish.details = details = annotate_details(opened);
	}
	if (!job->trusted && tags_wanted(&job->snapshot->tags))
		wish.subject.tags = tags = tags_text(&job->snapshot->tags, opened);
	wish.content = content;
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
