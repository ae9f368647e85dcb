/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes one OpenPGP layer off: PGP/MIME encrypted or signed (RFC 3156). See open.h.
 */
#include "lib/base/error.h"

#include "gateway/lessons.h"
#include "gateway/open.h"
#include "gateway/protect.h"

/* To verify needs none of the recipient's keys. */
static gboolean set_job(OpenWork *work, PgpOpenJob *job, GError **error)
{
	const Verifiers *verifiers = open_verifiers(work, error);

	if (!verifiers)
		return FALSE;
	lessons_collect(work, NULL, NULL);
	*job = (PgpOpenJob){.signers = verifiers->pgp, .deadline = work->job->deadline};
	return TRUE;
}

static PgpOpened *open_armour(OpenWork *work, Source *armour, Spool *plain, GError **error)
{
	g_autoptr(Sink) sink = spool_sink(plain);
	GPtrArray *secrets = open_pgp_keys(work, error);
	PgpOpenJob job;

	if (!secrets || !set_job(work, &job, error))
		return NULL;
	job.secrets = secrets;
	return pgp_open(work->job->snapshot->pgp, &job, armour, sink, error);
}

static gboolean is_unknown(const GPtrArray *signatures)
{
	const PgpSignature *first = signatures->len ? signatures->pdata[0] : NULL;

	return first && g_str_equal(first->result, "no-key");
}

/* Has the content brought a key along that we did not have? */
static gboolean brings_key(OpenWork *work, Spool *plain)
{
	guint before = work->verifiers->pgp->len;
	g_autoptr(MimeTree) tree = mime_parse(plain, NULL);

	if (tree)
		lessons_collect(work, tree, mime_root(tree));
	return work->verifiers->pgp->len > before;
}

/* *plain gets what was inside. Opened again if a signature inside turns out to be of somebody whose
 * key we have. */
static PgpOpened *open_with_signers(OpenWork *work, Source *armour, Spool **plain, GError **error)
{
	g_autoptr(Spool) first = protect_spool(work->job), second = NULL;
	g_autoptr(PgpOpened) result = open_armour(work, armour, first, error);
	gboolean more;

	if (!result || !open_find_signers(work, result->signatures, &more, error))
		return NULL;
	if (result->opened && is_unknown(result->signatures))
		more = brings_key(work, first) || more;
	if (!more) {
		*plain = g_steal_pointer(&first);
		return g_steal_pointer(&result);
	}
	second = protect_spool(work->job);
	g_autoptr(PgpOpened) again =
		source_rewind(armour, error) ? open_armour(work, armour, second, error) : NULL;

	*plain = g_steal_pointer(&second);
	return g_steal_pointer(&again);
}

OpenLayer *open_pgp_message(OpenWork *work, const char *kind, Source *message, Spool **plain,
			    GError **error)
{
	OpenLayer *layer = open_add_layer(work, kind);
	g_autoptr(Spool) inside = NULL;
	g_autoptr(PgpOpened) result = open_with_signers(work, message, &inside, error);

	if (!result)
		return NULL;
	layer->opened = result->opened;
	layer->reason = result->opened ? NULL : result->reason;
	layer->algorithm = g_strdup(result->algorithm);
	layer->key = g_strdup(result->key);
	if (!result->opened)
		return layer;
	g_autoptr(Source) bytes = spool_source_all(inside);

	opened_decrypted(work->opened, FALSE);
	open_report_pgp(work, result->signatures);
	layer->sha256 = source_sha256(bytes, error);
	*plain = g_steal_pointer(&inside);
	return layer->sha256 ? layer : NULL;
}

static GPtrArray *verify_text_once(OpenWork *work, Source *text, Spool *plain, GError **error)
{
	g_autoptr(Sink) sink = spool_sink(plain);
	PgpSigned signed_thing = {text, NULL, sink};
	PgpOpenJob job;

	if (!set_job(work, &job, error))
		return NULL;
	return pgp_verify(work->job->snapshot->pgp, &job, &signed_thing, error);
}

GPtrArray *open_pgp_verify(OpenWork *work, Source *text, Spool **plain, GError **error)
{
	g_autoptr(Spool) first = protect_spool(work->job), second = NULL;
	g_autoptr(GPtrArray) found = verify_text_once(work, text, first, error);
	gboolean more;

	if (!found || !open_find_signers(work, found, &more, error))
		return NULL;
	if (!more) {
		*plain = g_steal_pointer(&first);
		return g_steal_pointer(&found);
	}
	second = protect_spool(work->job);
	g_autoptr(GPtrArray) again =
		source_rewind(text, error) ? verify_text_once(work, text, second, error) : NULL;

	*plain = g_steal_pointer(&second);
	return g_steal_pointer(&again);
}

void open_pgp_report(OpenWork *work, const GPtrArray *signatures)
{
	open_report_pgp(work, signatures);
	/* There is one, but gpg cannot read it. */
	if (signatures->len == 0)
		open_add_signature(work, "pgp", "bad");
}

static gboolean open_encrypted(OpenWork *work, const MimePart *data, OpenStep *step, GError **error)
{
	g_autoptr(Spool) armour = open_decoded(work, data, error);
	g_autoptr(Source) source = armour ? spool_source_all(armour) : NULL;
	g_autoptr(Spool) plain = NULL;
	OpenLayer *layer =
		source ? open_pgp_message(work, "pgp-encrypted", source, &plain, error) : NULL;

	if (!layer)
		return FALSE;
	if (layer->opened)
		*step = (OpenStep){.next = g_steal_pointer(&plain), .replaces = TRUE};
	return TRUE;
}

static guint count_bad(const GPtrArray *signatures)
{
	guint bad = 0;

	for (guint i = 0; i < signatures->len; i++) {
		const PgpSignature *signature = signatures->pdata[i];

		bad += g_str_equal(signature->result, "bad");
	}
	return bad;
}

static GPtrArray *verify_once(OpenWork *work, Spool *armour, Source *content, GError **error)
{
	g_autoptr(Source) signature = spool_source_all(armour);
	PgpSigned signed_thing = {signature, content, NULL};
	PgpOpenJob job;

	if (!set_job(work, &job, error))
		return NULL;
	return pgp_verify(work->job->snapshot->pgp, &job, &signed_thing, error);
}

static GPtrArray *verify_over(OpenWork *work, Spool *armour, Source *content, GError **error)
{
	g_autoptr(GPtrArray) found = verify_once(work, armour, content, error);
	gboolean more;

	if (!found || !open_find_signers(work, found, &more, error))
		return NULL;
	if (!more)
		return g_steal_pointer(&found);
	return source_rewind(content, error) ? verify_once(work, armour, content, error) : NULL;
}

/* Over the bytes as they are; where these do not fit, over their CRLF form: a text inside an
 * OpenPGP message may have lost its CRs, though its signature counts them (RFC 3156, section 5). */
static GPtrArray *verify_content(OpenWork *work, Spool *armour, const MimePart *content,
				 gboolean *with_crlf, GError **error)
{
	g_autoptr(Source) bytes = spool_source(work->current, content->whole);
	g_autoptr(GPtrArray) found = verify_over(work, armour, bytes, error);

	if (!found || count_bad(found) == 0 || !source_rewind(bytes, error))
		return g_steal_pointer(&found);
	g_autoptr(Spool) copy = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(copy);

	if (!stream_copy_crlf(bytes, sink, error))
		return NULL;
	g_autoptr(Source) lines = spool_source_all(copy);
	g_autoptr(GPtrArray) again = verify_over(work, armour, lines, error);

	if (!again)
		return NULL;
	*with_crlf = count_bad(again) < count_bad(found);
	return *with_crlf ? g_steal_pointer(&again) : g_steal_pointer(&found);
}

static gboolean open_signed(OpenWork *work, const MimePart *root, OpenStep *step, GError **error)
{
	OpenLayer *layer = open_add_layer(work, "pgp-signed");
	const MimePart *content = root->children->pdata[0];
	g_autoptr(Spool) armour = open_decoded(work, root->children->pdata[1], error);

	if (!armour || !open_verifiers(work, error))
		return FALSE;
	lessons_collect(work, work->tree, content);
	guint before = work->opened->signatures->len;
	gboolean with_crlf = FALSE;
	g_autoptr(GPtrArray) found = verify_content(work, armour, content, &with_crlf, error);

	if (!found)
		return FALSE;
	layer->opened = TRUE;
	open_pgp_report(work, found);
	open_set_form(work, before, with_crlf);
	if (work->rest)
		return TRUE;
	step->replaces = open_takes_report(work, content);
	step->next = open_copy_part(work, content, error);
	return step->next != NULL;
}

gboolean open_pgp(OpenWork *work, const MimePart *root, OpenStep *step, GError **error)
{
	if (g_str_equal(root->type, "multipart/signed"))
		return open_signed(work, root, step, error);
	return open_encrypted(work, parse_pgp_mime(work->tree, work->current, root), step, error);
}
