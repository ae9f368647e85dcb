/* SPDX-License-Identifier: Apache-2.0
 *
 * Incoming mail, opened for one recipient. See open.h.
 */
#include <string.h>

#include "lib/base/error.h"

#include "gateway/edits.h"
#include "gateway/fromname.h"
#include "gateway/head.h"
#include "gateway/headrestore.h"
#include "gateway/lessons.h"
#include "gateway/open.h"
#include "gateway/protect.h"
#include "gateway/rebuild.h"
#include "gateway/signing.h"

/* Is there more to see than the part that is looked at? Of two types outside, a reader may take the
 * one that we do not. */
static gboolean is_partial(const OpenWork *work)
{
	return work->part || work->beside || work->rest ||
	       headers_count_name(work->job->headers, "Content-Type") > 1;
}

static void set_place(const OpenWork *work, char **part, gboolean *partial)
{
	g_free(*part);
	*part = mime_number(work->part ? work->part : mime_root(work->tree));
	*partial = is_partial(work);
}

OpenLayer *open_add_layer(OpenWork *work, const char *kind)
{
	OpenLayer *layer = opened_add_layer(work->opened, kind);

	set_place(work, &layer->part, &layer->partial);
	return layer;
}

OpenSignature *open_add_signature(OpenWork *work, const char *kind, const char *result)
{
	OpenSignature *signature = opened_add_signature(work->opened, kind, result);

	signature->loose = work->loose;
	set_place(work, &signature->part, &signature->partial);
	if (g_str_equal(mime_root(work->tree)->type, "multipart/signed") && open_shows_source(work))
		signature->partial = TRUE;
	return signature;
}

const Verifiers *open_verifiers(OpenWork *work, GError **error)
{
	Keystore *keystore = work->job->snapshot->keystore;

	if (work->verifiers)
		return work->verifiers;
	if (work->from) {
		g_autoptr(KeyLookup) lookup = keystore_lookup(keystore, work->from);

		/* A directory that is down is no reason to hold mail that came in: what the store
		 * knows is enough to report. */
		work->sender = key_lookup_wait(lookup, job_lookup_deadline(work->job));
	}
	work->verifiers = keystore_verifiers(keystore, work->sender, error);
	return work->verifiers;
}

const GPtrArray *open_smime_keys(OpenWork *work, GError **error)
{
	if (!work->smime_keys)
		work->smime_keys = keystore_smime_openers(work->job->snapshot->keystore,
							  work->recipient, error);
	return work->smime_keys;
}

GPtrArray *open_pgp_keys(OpenWork *work, GError **error)
{
	const Job *job = work->job;
	PgpDelivery to = {job->snapshot->pgp, job->deadline};

	if (!work->pgp_keys)
		work->pgp_keys =
			keystore_pgp_openers(job->snapshot->keystore, work->recipient, &to, error);
	return work->pgp_keys;
}

Spool *open_copy_part(OpenWork *work, const MimePart *part, GError **error)
{
	g_autoptr(Spool) copy = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(copy);
	g_autoptr(Source) source = spool_source(work->current, part->whole);

	return stream_copy(source, sink, error) ? g_steal_pointer(&copy) : NULL;
}

Spool *open_decoded(OpenWork *work, const MimePart *part, GError **error)
{
	g_autoptr(Spool) spool = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(spool);

	return mime_decode(work->tree, part, sink, error) ? g_steal_pointer(&spool) : NULL;
}

/* What an error about the message's bytes is called; NULL for one of ours. */
static const char *reason_of(const GError *failure)
{
	switch (error_info(failure)->code) {
	case ERROR_MALFORMED:
	case ERROR_UNSUPPORTED: return "damaged";
	case ERROR_TOO_LARGE: return "too-large";
	case ERROR_TOO_DEEP: return "too-deep";
	default: return NULL;
	}
}

gboolean open_excuse(OpenLayer *layer, GError *failure, GError **error)
{
	const char *reason = reason_of(failure);

	if (!reason) {
		g_propagate_error(error, failure);
		return FALSE;
	}
	layer->reason = reason;
	g_error_free(failure);
	return TRUE;
}

static gboolean open_layer(OpenWork *work, Layer layer, OpenStep *step, GError **error)
{
	const MimePart *root = mime_root(work->tree);

	switch (layer) {
	case LAYER_SMIME: return open_smime(work, root, step, error);
	case LAYER_PGP: return open_pgp(work, root, step, error);
	case LAYER_NONE: break;
	}
	if (open_claimed(work))
		return TRUE;
	return open_tnef(work, step, error) && (step->next || open_inline(work, step, error));
}

gboolean open_in_time(const OpenWork *work, GError **error)
{
	if (g_get_monotonic_time() < work->job->deadline)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT, "opening takes too long");
	return FALSE;
}

/* Asked once for each root: a ciphertext is read to its end for it. */
static Layer root_layer(OpenWork *work)
{
	if (!work->judged)
		work->layer = parse_layer(work->tree, work->current);
	work->judged = TRUE;
	return work->layer;
}

/* In which technology is the root a layer? An inline armour is none: it has a way of its own. */
static Layer layer_of(OpenWork *work)
{
	Layer layer = root_layer(work);
	const MimePart *root = mime_root(work->tree);

	return layer == LAYER_PGP && !root->children ? LAYER_NONE : layer;
}

/* Is what a reader makes of the header what was judged? It ends in one place, and one field says
 * what the body is. */
static gboolean is_clear(const Headers *head, goffset end, const MimeTree *tree)
{
	return headers_count_name(head, "Content-Type") <= 1 &&
	       headers_count_name(head, "Content-Transfer-Encoding") <= 1 &&
	       (!tree || mime_root(tree)->headers.end == end);
}

/* Those fields of it that become the message's own must be such as the MTA takes: its answer may not
 * tell what was inside. */
static gboolean fits(const Headers *head)
{
	for (guint i = 0; i < headers_count(head); i++) {
		const Header *header = headers_at(head, i);

		if (header_is_content(header->name) && strlen(header->value) > EDITS_VALUE_MAX)
			return FALSE;
	}
	return TRUE;
}

/* What takes the message's place, with its tree (NULL if it has none), needs a header that can be
 * read, and in one way, or the layer stays shut. */
static gboolean check_head(OpenWork *work, OpenStep *step, const MimeTree *tree, GError **error)
{
	const GPtrArray *layers = work->opened->layers;
	GError *failure = NULL;
	Range body;
	g_autoptr(Headers) head = head_read(step->next, &body, &failure);

	gboolean clear = head && is_clear(head, body.start, tree);

	if (clear && fits(head))
		return TRUE;
	if (head)
		g_set_error(&failure, SEALPOST_ERROR, clear ? ERROR_TOO_LARGE : ERROR_MALFORMED,
			    "a header that cannot be the message's");
	g_clear_pointer(&step->next, spool_unref);
	OpenLayer *layer = layers->pdata[layers->len - 1];

	layer->opened = FALSE;
	return open_excuse(layer, failure, error);
}

/* The entity's parts. *tree is NULL where it cannot be read, and the reader is told. */
static gboolean read_parts(OpenWork *work, Spool *entity, MimeTree **tree, GError **error)
{
	GError *failure = NULL;

	*tree = mime_parse(entity, &failure);
	if (failure && !reason_of(failure)) {
		g_propagate_error(error, failure);
		return FALSE;
	}
	if (failure)
		opened_warn_unread(work->opened, failure);
	g_clear_error(&failure);
	return TRUE;
}

/* As a text it would not survive. */
static gboolean attach(OpenWork *work, OpenStep *step, GError **error)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func((GDestroyNotify)new_part_free);
	g_autoptr(Spool) entity = protect_spool(work->job);

	g_ptr_array_add(parts, new_part_file(mime_root(work->tree), step->next));
	if (!rebuild_entity(work->current, parts, entity, error))
		return FALSE;
	spool_unref(step->next);
	step->next = g_steal_pointer(&entity);
	return TRUE;
}

/* What was inside, looked at before it takes its place. */
static gboolean prepare(OpenWork *work, OpenStep *step, MimeTree **tree, GError **error)
{
	if (step->replaces && rebuild_is_file(step->next) && !attach(work, step, error))
		return FALSE;
	return read_parts(work, step->next, tree, error) &&
	       (!step->replaces || check_head(work, step, *tree, error));
}

static gboolean walk(OpenWork *work, GError **error)
{
	OpenStep step = {NULL, FALSE, FALSE};

	if (!read_parts(work, work->current, &work->tree, error))
		return FALSE;
	for (guint depth = 0;; depth++) {
		if (!work->tree || step.last)
			return TRUE;
		Layer layer = layer_of(work);

		if (depth == OPEN_DEPTH_MAX) {
			if (layer != LAYER_NONE)
				opened_add_layer(work->opened, layer == LAYER_PGP
								       ? "pgp-encrypted"
								       : "smime-encrypted")
					->reason = "too-deep";
			return TRUE;
		}
		step = (OpenStep){NULL, FALSE, FALSE};
		work->rest = open_has_rest(work->tree);
		work->loose |= work->opened->changeable && !open_fills(work->tree, work->current);
		if (!open_in_time(work, error) || !open_layer(work, layer, &step, error))
			return FALSE;
		g_autoptr(MimeTree) tree = NULL;

		if (step.next && !prepare(work, &step, &tree, error)) {
			spool_unref(step.next);
			return FALSE;
		}
		if (!step.next)
			return TRUE;
		mime_free(work->tree);
		work->tree = g_steal_pointer(&tree);
		spool_unref(work->current);
		work->current = step.next;
		work->judged = FALSE;
		if (step.replaces) {
			spool_unref(work->opened->entity);
			work->opened->entity = spool_ref(step.next);
		}
	}
}

/* For readers who do not see the fields that are now restored (RFC 9788, section 4.5.3). Where it
 * cannot be taken out, it stays: that is no reason to hold mail back. */
static gboolean remove_display(OpenWork *work, GError **error)
{
	GError *failure = NULL;
	g_autoptr(LegacyDisplay) display =
		legacydisplay_remove(work->tree, work->current, &failure);
	const MimePart *root = mime_root(work->tree);

	if (failure && !reason_of(failure)) {
		g_propagate_error(error, failure);
		return FALSE;
	}
	g_clear_error(&failure);
	if (!display || !legacydisplay_changes(display))
		return TRUE;
	const Headers *fields = legacydisplay_root(display);
	g_autoptr(Spool) entity = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(entity);
	g_autoptr(Source) head = spool_source(work->current, root->headers);
	g_autoptr(Source) content = legacydisplay_content(display, root->content);

	if (fields ? !headers_write(fields, HEADERS_ALL, sink, error) ||
			     !sink_write(sink, "\r\n", 2, error)
		   : !stream_copy(head, sink, error))
		return FALSE;
	if (!stream_copy(content, sink, error))
		return FALSE;
	spool_unref(work->opened->entity);
	work->opened->entity = g_steal_pointer(&entity);
	return TRUE;
}

/* What takes the payload's place if it is a message that was put into the layer as a whole; NULL: it
 * is not, or one that is forwarded (error unset). */
static Spool *unwrap(const OpenWork *work, Headers **head, MimeTree **tree, GError **error)
{
	const MimePart *root = mime_root(work->tree);
	const char *forwarded = mime_param(root, "forwarded");
	GError *failure = NULL;
	Range body;

	if (!g_str_equal(root->type, "message/rfc822") || !root->children ||
	    root->children->len != 1)
		return NULL;
	g_autoptr(Spool) message = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(message);
	g_autoptr(Source) source = spool_source(work->current, root->content);
	g_autoptr(MimeTree) parsed =
		stream_copy(source, sink, error) ? mime_parse(message, NULL) : NULL;
	g_autoptr(Headers) inside = parsed ? head_read(message, &body, &failure) : NULL;

	if (failure && !reason_of(failure))
		g_propagate_error(error, g_steal_pointer(&failure));
	g_clear_error(&failure);
	if (!inside || !is_clear(inside, body.start, parsed) || !fits(inside) ||
	    parse_layer(parsed, message) != LAYER_NONE || mime_param(mime_root(parsed), "hp") ||
	    !headrestore_is_whole(work->job->headers, inside, forwarded))
		return NULL;
	*head = g_steal_pointer(&inside);
	*tree = g_steal_pointer(&parsed);
	return g_steal_pointer(&message);
}

/* RFC 8551, section 3.1, and RFC 9788, section 4.10. Where the message stays as it came, clear-signed,
 * so does the wrapping. */
static gboolean restore_whole(OpenWork *work, GError **error)
{
	GError *failure = NULL;
	g_autoptr(Headers) inside = NULL;
	g_autoptr(MimeTree) tree = NULL;
	g_autoptr(Spool) message = unwrap(work, &inside, &tree, &failure);

	if (failure)
		g_propagate_error(error, failure);
	if (!message)
		return failure == NULL;
	headrestore(work->opened,
		    &(HeadrestoreJob){work->job->headers, inside, work->from, HEADRESTORE_OLD});
	if (work->opened->entity != work->current)
		return TRUE;
	spool_unref(work->current);
	spool_unref(work->opened->entity);
	work->current = spool_ref(message);
	work->opened->entity = g_steal_pointer(&message);
	mime_free(work->tree);
	work->tree = g_steal_pointer(&tree);
	work->judged = FALSE;
	return TRUE;
}

/* The header that stood inside, if this is the payload: the root below all layers, and nothing
 * beside it (RFC 9788, section 4.1). */
static gboolean restore_head(OpenWork *work, GError **error)
{
	Opened *opened = work->opened;
	Range body;

	if (!work->tree || opened->layers->len == 0 || root_layer(work) != LAYER_NONE)
		return TRUE;
	for (guint i = 0; i < opened->layers->len; i++) {
		const OpenLayer *layer = opened->layers->pdata[i];

		if (layer->partial || layer->unread)
			return TRUE;
	}
	const MimePart *root = mime_root(work->tree);
	HeadrestoreJob job = {.outer = work->job->headers, .from = work->from};

	job.mark = headrestore_mark(mime_param(root, "hp"), mime_param(root, "protected-headers"));
	if (job.mark == HEADRESTORE_NONE)
		return restore_whole(work, error);
	g_autoptr(Headers) inside = head_read(work->current, &body, error);

	job.inside = inside;
	if (!inside)
		return FALSE;
	headrestore(opened, &job);
	/* Only what was encrypted has hidden fields, and only what replaces the message may change. */
	if (job.mark != HEADRESTORE_CIPHER || !opened->decrypted || opened->entity != work->current)
		return TRUE;
	return remove_display(work, error);
}

/* The one address in From, folded, and what is to be said of who writes; NULL if there is not one. */
static char *warn_of_sender(Opened *opened, const Job *job)
{
	const char *reason = NULL;
	char *from = signing_only_from(job->headers, &reason);

	if (!from)
		opened_warn(opened, reason);
	if (fromname_lies(job->headers))
		opened_warn(opened, "forged-display-name");
	return from;
}

/* As it came: of what was found nothing counts but its outermost layer. Without one, nothing is said
 * that a rule could take for encryption. */
static Opened *leave_shut(const Opened *found, const Job *job)
{
	const OpenLayer *first = found->layers->len ? found->layers->pdata[0] : NULL;
	Opened *shut = opened_new();
	OpenLayer *layer = opened_add_layer(shut, first ? first->kind : "smime-signed");

	layer->reason = "too-large";
	layer->partial = first && first->partial;
	g_free(warn_of_sender(shut, job));
	opened_conclude(shut);
	return shut;
}

static void work_clear(OpenWork *work)
{
	spool_unref(work->current);
	mime_free(work->tree);
	key_answer_free(work->sender);
	g_clear_pointer(&work->others, g_ptr_array_unref);
	g_clear_pointer(&work->smime_keys, g_ptr_array_unref);
	g_clear_pointer(&work->pgp_keys, g_ptr_array_unref);
	verifiers_free(work->verifiers);
	g_ptr_array_unref(work->lessons);
}

Opened *open_message(const Job *job, const Parsed *parsed, const char *recipient, GError **error)
{
	g_autoptr(Opened) opened = opened_new();
	g_autofree char *from = warn_of_sender(opened, job);
	OpenWork work = {.job = job,
			 .recipient = recipient,
			 .from = from,
			 .opened = opened,
			 .layer = parsed->layer,
			 .judged = TRUE};
	GError *failure = NULL;

	work.lessons = g_ptr_array_new_with_free_func((GDestroyNotify)lesson_free);
	work.current = spool_ref(job->message);
	gboolean done = walk(&work, &failure) && restore_head(&work, &failure) &&
			open_parts(&work, &failure);
	if (done) {
		open_tell_tnef(&work);
		lessons_conclude(&work);
	}
	work_clear(&work);
	if (done) {
		opened_conclude(opened);
		return g_steal_pointer(&opened);
	}
	if (job_was_costly(job, job_cpu() - job->cpu_started, failure)) {
		g_error_free(failure);
		return leave_shut(opened, job);
	}
	g_propagate_error(error, failure);
	return NULL;
}
