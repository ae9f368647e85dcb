/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes one S/MIME layer off: enveloped, compressed, signed opaque or clear. See open.h.
 */
#include "lib/base/error.h"
#include "lib/crypt/cms.h"
#include "lib/crypt/cms_open.h"
#include "lib/crypt/cms_verify.h"
#include "lib/mail/address.h"

#include "gateway/head.h"
#include "gateway/lessons.h"
#include "gateway/open.h"
#include "gateway/protect.h"

/* What is looked at to tell a text from garbage. */
#define TEXT_START 256

static gboolean is_base64(const MimePart *part)
{
	return g_str_equal(part->encoding, "base64");
}

/* The signer's address: the one in From if his certificate names it, else its first. */
static void report_signature(OpenWork *work, const CmsSignature *found, const CmsVerified *verified)
{
	OpenSignature *signature =
		open_add_signature(work, "smime", cms_signature_result_name(found->result));
	const char *const *addresses = found->signer ? cert_addresses(found->signer) : NULL;

	if (!found->signer)
		return;
	signature->key = g_strdup(cert_fingerprint(found->signer));
	gboolean named = work->from && g_strv_contains(addresses, work->from);

	signature->matches_from = named && found->result != CMS_SIGNATURE_BAD;
	signature->signer = g_strdup(named ? work->from : addresses[0]);
	lessons_note_smime(work, found, verified, signature);
}

static void report_signatures(OpenWork *work, OpenLayer *layer, const CmsVerified *verified)
{
	layer->opened = TRUE;
	for (guint i = 0; i < verified->signatures->len; i++)
		report_signature(work, verified->signatures->pdata[i], verified);
}

static gboolean set_trust(OpenWork *work, CmsTrust *trust, GError **error)
{
	const Verifiers *verifiers = open_verifiers(work, error);

	if (!verifiers)
		return FALSE;
	*trust = (CmsTrust){verifiers->anchors, verifiers->certs,
			    g_get_real_time() / G_USEC_PER_SEC};
	return TRUE;
}

static gboolean is_text(Spool *spool)
{
	char start[TEXT_START];
	gssize size = spool_read(spool, 0, start, sizeof(start), NULL);
	const char *end = start;

	for (gssize i = 0; i < size; i++)
		if (g_ascii_iscntrl(start[i]) && !g_ascii_isspace(start[i]))
			return FALSE;
	if (size <= 0 || g_utf8_validate(start, size, &end))
		return size > 0;
	/* A letter may be cut where we stopped reading. */
	return size == sizeof(start) && start + size - end < 4;
}

/* Is it a MIME entity, or at least a text (some leave the head out)? CBC opens garbage by chance,
 * and a wrong key does not show. */
static gboolean is_content(Spool *spool)
{
	Range body = {0, 0};
	g_autoptr(Headers) headers = head_read(spool, &body, NULL);

	return headers && (headers_count(headers) > 0 || body.start > 0 || is_text(spool));
}

/* Tries one key. *into gets what was inside if it opened. */
static gboolean try_key(OpenWork *work, const MimePart *root, const KeyPair *pair, Spool **into,
			GError **error)
{
	OpenLayer *layer = work->opened->layers->pdata[work->opened->layers->len - 1];
	g_autoptr(Source) source = spool_source(work->current, root->content);
	g_autoptr(Spool) plain = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(plain);
	CmsKey key = {pair->cert, pair->key};
	GError *failure = NULL;
	g_autoptr(CmsOpened) result = cms_open(source, is_base64(root), &key, sink, &failure);

	if (!result)
		return open_excuse(layer, failure, error);
	gboolean opened = result->result == CMS_OPENED && (result->protected || is_content(plain));

	layer->reason = opened				     ? NULL
			: result->result == CMS_NO_KEY	     ? "no-key"
			: result->result == CMS_NO_INTEGRITY ? "no-integrity"
							     : "damaged";
	g_free(layer->algorithm);
	layer->algorithm = g_strdup(result->algorithm);
	if (result->result == CMS_NO_INTEGRITY)
		opened_warn(work->opened, "misplaced-cipher");
	if (!opened)
		return TRUE;
	layer->opened = TRUE;
	layer->key = g_strdup(cert_fingerprint(pair->cert));
	layer->sha256 = g_strdup(result->sha256);
	opened_decrypted(work->opened, !result->protected);
	if (result->weak)
		opened_warn(work->opened, "weak-cipher");
	*into = g_steal_pointer(&plain);
	return TRUE;
}

static gboolean is_for(const CmsHead *head, const Cert *cert)
{
	for (guint i = 0; i < head->recipients->len; i++)
		if (cms_recipient_is(head->recipients->pdata[i], cert))
			return TRUE;
	return FALSE;
}

static gboolean open_enveloped(OpenWork *work, const MimePart *root, const CmsHead *head,
			       OpenStep *step, GError **error)
{
	const GPtrArray *pairs = open_smime_keys(work, error);
	OpenLayer *layer = open_add_layer(
		work, head->type == CMS_ENVELOPED ? "smime-encrypted" : "smime-auth-encrypted");

	layer->reason = "no-key";
	/* A signature inside needs the sender's keys: to ask a directory for them only where it opened would
	 * tell so, to whoever sees the question or how long the answer takes. */
	if (!pairs || !open_verifiers(work, error))
		return FALSE;
	for (guint i = 0; i < pairs->len && !step->next; i++) {
		const KeyPair *pair = pairs->pdata[i];

		if (is_for(head, pair->cert) && !try_key(work, root, pair, &step->next, error))
			return FALSE;
	}
	step->replaces = TRUE;
	return TRUE;
}

static gboolean open_compressed(OpenWork *work, const MimePart *root, OpenStep *step,
				GError **error)
{
	OpenLayer *layer = open_add_layer(work, "smime-compressed");
	goffset limit = conf_size(work->job->snapshot->conf, "gateway", "message_limit");
	g_autoptr(Source) source = spool_source(work->current, root->content);
	g_autoptr(Spool) plain = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(plain);
	GError *failure = NULL;

	if (!cms_decompress(source, is_base64(root), limit, sink, &failure))
		return open_excuse(layer, failure, error);
	layer->opened = TRUE;
	*step = (OpenStep){g_steal_pointer(&plain), TRUE};
	return TRUE;
}

/* Not if it is to stay for clients to verify; where readers may make different things of it, or more
 * stands behind it, it then is no more than a part. */
static gboolean unwraps(OpenWork *work, const MimePart *root)
{
	if (conf_boolean(work->job->snapshot->conf, "incoming", "unwrap_signed"))
		return TRUE;
	work->rest = !mime_is_strict(work->tree, root) || !open_fills(work->tree, work->current);
	return FALSE;
}

static gboolean open_opaque(OpenWork *work, const MimePart *root, OpenStep *step, GError **error)
{
	gboolean replaces = unwraps(work, root);
	OpenLayer *layer = open_add_layer(work, "smime-opaque-signed");
	g_autoptr(Source) source = spool_source(work->current, root->content);
	g_autoptr(Spool) plain = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(plain);
	GError *failure = NULL;
	CmsTrust trust;

	if (!set_trust(work, &trust, error))
		return FALSE;
	g_autoptr(CmsVerified) verified =
		cms_verify_opaque(source, is_base64(root), sink, &trust, &failure);

	if (!verified)
		return open_excuse(layer, failure, error);
	report_signatures(work, layer, verified);
	if (!work->rest)
		*step = (OpenStep){g_steal_pointer(&plain), replaces};
	return TRUE;
}

/* The clear-signed form stays, so that clients can verify too; only what is inside is looked at. */
static gboolean open_clear(OpenWork *work, const MimePart *root, OpenStep *step, GError **error)
{
	OpenLayer *layer = open_add_layer(work, "smime-signed");
	const MimePart *content = root->children->pdata[0], *mark = root->children->pdata[1];
	g_autoptr(Spool) decoded = open_decoded(work, mark, error);
	g_autoptr(Source) signature = decoded ? spool_source_all(decoded) : NULL;
	g_autoptr(Source) signed_bytes = spool_source(work->current, content->whole);
	GError *failure = NULL;
	CmsTrust trust;

	if (!signature || !set_trust(work, &trust, error))
		return FALSE;
	g_autoptr(CmsVerified) verified =
		cms_verify_detached(signature, FALSE, signed_bytes, &trust, &failure);

	if (!verified)
		return open_excuse(layer, failure, error);
	guint before = work->opened->signatures->len;

	report_signatures(work, layer, verified);
	open_set_form(work, before, verified->with_crlf);
	if (work->rest)
		return TRUE;
	step->replaces = open_takes_report(work, content);
	step->next = open_copy_part(work, content, error);
	return step->next != NULL;
}

gboolean open_smime(OpenWork *work, const MimePart *root, OpenStep *step, GError **error)
{
	if (g_str_equal(root->type, "multipart/signed"))
		return open_clear(work, root, step, error);
	g_autoptr(Source) source = spool_source(work->current, root->content);
	g_autoptr(CmsHead) head =
		is_base64(root) ? cms_head_read_base64(source, NULL) : cms_head_read(source, NULL);

	if (!head)
		return TRUE;
	switch (head->type) {
	case CMS_ENVELOPED:
	case CMS_AUTH_ENVELOPED: return open_enveloped(work, root, head, step, error);
	case CMS_COMPRESSED: return open_compressed(work, root, step, error);
	case CMS_SIGNED: return open_opaque(work, root, step, error);
	case CMS_OTHER: break;
	}
	return TRUE;
}
