/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes one OpenPGP layer off: PGP/MIME encrypted or signed (RFC 3156), or a text that is nothing
 * but one encrypted armour. See open.h.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgp_open.h"

#include "gateway/open.h"
#include "gateway/protect.h"

/* A key of the sender's that may be used speaks for him; another one with his name is untrusted. */
static void report_signature(OpenWork *work, const PgpSignature *found)
{
	OpenSignature *signature = open_add_signature(work, "pgp", found->result);
	const GPtrArray *keys = work->sender ? work->sender->keys : NULL;

	signature->key = g_strdup(found->key);
	for (guint i = 0; keys && found->key && i < keys->len; i++) {
		const Key *key = keys->pdata[i];

		if (key->type != KEY_PGP || g_ascii_strcasecmp(key->id, found->key) != 0)
			continue;
		signature->signer = g_strdup(work->from);
		signature->matches_from = TRUE;
		if (!key->usable && g_str_equal(found->result, "good"))
			signature->result = "untrusted";
		return;
	}
	if (g_str_equal(found->result, "good"))
		signature->result = "untrusted";
}

static void report_signatures(OpenWork *work, const GPtrArray *signatures)
{
	for (guint i = 0; i < signatures->len; i++)
		report_signature(work, signatures->pdata[i]);
}

static gboolean set_job(OpenWork *work, PgpOpenJob *job, GError **error)
{
	const Verifiers *verifiers = open_verifiers(work, error);

	if (!verifiers)
		return FALSE;
	*job = (PgpOpenJob){work->openers->pgp, verifiers->pgp, work->job->deadline};
	return TRUE;
}

/* A part's content with its transfer encoding undone. */
static Spool *decoded(OpenWork *work, const MimePart *part, GError **error)
{
	g_autoptr(Spool) spool = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(spool);

	return mime_decode(work->tree, part, sink, error) ? g_steal_pointer(&spool) : NULL;
}

/* What an inline armour holds is text without a head of its own. */
static gboolean write_text_head(Spool *spool, GError **error)
{
	static const char head[] = "Content-Type: text/plain; charset=utf-8\r\n"
				   "Content-Transfer-Encoding: 8bit\r\n\r\n";

	return spool_append(spool, head, strlen(head), error);
}

static gboolean open_encrypted(OpenWork *work, const MimePart *data, gboolean is_inline,
			       OpenStep *step, GError **error)
{
	OpenLayer *layer =
		open_add_layer(work, is_inline ? "pgp-inline-encrypted" : "pgp-encrypted");
	g_autoptr(Spool) armour = decoded(work, data, error);
	g_autoptr(Spool) plain = protect_spool(work->job);
	PgpOpenJob job;

	if (!armour || !set_job(work, &job, error) || (is_inline && !write_text_head(plain, error)))
		return FALSE;
	g_autoptr(Source) source = spool_source_all(armour);
	g_autoptr(Sink) sink = spool_sink(plain);
	g_autoptr(PgpOpened) result = pgp_open(work->job->snapshot->pgp, &job, source, sink, error);

	if (!result)
		return FALSE;
	layer->opened = result->opened;
	layer->reason = result->opened ? NULL : result->reason;
	layer->algorithm = g_strdup(result->algorithm);
	layer->key = g_strdup(result->key);
	if (!result->opened)
		return TRUE;
	work->opened->decrypted = TRUE;
	report_signatures(work, result->signatures);
	*step = (OpenStep){g_steal_pointer(&plain), TRUE};
	return TRUE;
}

static gboolean open_signed(OpenWork *work, const MimePart *root, OpenStep *step, GError **error)
{
	OpenLayer *layer = open_add_layer(work, "pgp-signed");
	const MimePart *content = root->children->pdata[0];
	g_autoptr(Spool) armour = decoded(work, root->children->pdata[1], error);
	PgpOpenJob job;

	if (!armour || !set_job(work, &job, error))
		return FALSE;
	g_autoptr(Source) signature = spool_source_all(armour);
	g_autoptr(Source) bytes = spool_source(work->current, content->whole);
	PgpSigned signed_thing = {signature, bytes, NULL};
	g_autoptr(GPtrArray) found =
		pgp_verify(work->job->snapshot->pgp, &job, &signed_thing, error);

	if (!found)
		return FALSE;
	layer->opened = TRUE;
	report_signatures(work, found);
	step->next = open_copy_part(work, content, error);
	return step->next != NULL;
}

gboolean open_pgp(OpenWork *work, const MimePart *root, OpenStep *step, GError **error)
{
	if (g_str_equal(root->type, "multipart/signed"))
		return open_signed(work, root, step, error);
	if (!root->children)
		return open_encrypted(work, root, TRUE, step, error);
	return open_encrypted(work, root->children->pdata[root->children->len - 1], FALSE, step,
			      error);
}
