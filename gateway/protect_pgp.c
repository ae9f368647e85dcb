/* SPDX-License-Identifier: Apache-2.0
 *
 * One variant in PGP/MIME: signed and encrypted in one, encrypted, or signed alone. See protect.h.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpkey.h"

#include "gateway/protect.h"

static GPtrArray *recipient_keys(const PlanVariant *variant)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

	for (guint i = 0; i < variant->recipients->len; i++) {
		const PlanRecipient *recipient = variant->recipients->pdata[i];

		g_ptr_array_add(keys, g_bytes_ref(recipient->key->pgp));
	}
	return keys;
}

static gboolean has_id(const Key *key, const char *id)
{
	for (char **own = key->pgp_encryption_ids; own && *own; own++)
		if (g_ascii_strcasecmp(*own, id) == 0)
			return TRUE;
	return FALSE;
}

/* Every key id in the output belongs to a recipient, and every recipient has one there. */
static gboolean holds_exactly(const GPtrArray *ids, const PlanVariant *variant)
{
	for (guint i = 0; i < ids->len; i++) {
		gboolean known = FALSE;

		for (guint r = 0; r < variant->recipients->len; r++) {
			const PlanRecipient *recipient = variant->recipients->pdata[r];

			known = known || has_id(recipient->key, ids->pdata[i]);
		}
		if (!known)
			return FALSE;
	}
	for (guint r = 0; r < variant->recipients->len; r++) {
		const PlanRecipient *recipient = variant->recipients->pdata[r];
		gboolean found = FALSE;

		for (guint i = 0; i < ids->len; i++)
			found = found || has_id(recipient->key, ids->pdata[i]);
		if (!found)
			return FALSE;
	}
	return TRUE;
}

/* As much of the beginning as holds all session keys. */
static Spool *front_of(Spool *spool, const PlanVariant *variant, GError **error)
{
	goffset size = STREAM_CHUNK + (goffset)variant->recipients->len * PGP_HEAD_RECIPIENT;
	g_autoptr(Spool) front = spool_new(NULL, size);
	g_autoptr(Source) source = spool_source(spool, (Range){0, size});
	g_autoptr(Sink) sink = spool_sink(front);

	return stream_copy(source, sink, error) ? g_steal_pointer(&front) : NULL;
}

gboolean protect_pgp_check(Spool *output, const PlanVariant *variant, GError **error)
{
	g_autoptr(Spool) spool = front_of(output, variant, error);
	g_autoptr(MimeTree) tree = spool ? mime_parse(spool, error) : NULL;

	if (!tree)
		return FALSE;
	const GPtrArray *children = mime_root(tree)->children;

	if (children && children->len == 2) {
		const MimePart *data = children->pdata[1];
		g_autoptr(Source) content = spool_source(spool, data->content);
		g_autoptr(PgpHead) head = pgp_head_read(content, error);

		if (!head)
			return FALSE;
		if (head->encrypted && head->integrity && holds_exactly(head->key_ids, variant))
			return TRUE;
	}
	g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO,
		    "PGP output is not for the planned recipients");
	return FALSE;
}

gboolean protect_pgp(const ProtectJob *work, Source *entity, Spool *into, GError **error)
{
	PgpHome *home = work->job->snapshot->pgp;
	PgpJob pgp = {.deadline = work->deadline};
	g_autoptr(Sink) sink = protect_sink(work, into);

	if (work->variant->sign == SIGN_PGP)
		pgp.signer = work->plan->pgp_signer;
	if (!entity) {
		g_autoptr(Source) safe = protect_safe_entity(work, error);

		return safe && pgp_protect(home, &pgp, safe, sink, error);
	}
	g_autoptr(GPtrArray) keys = recipient_keys(work->variant);

	pgp.recipients = keys;
	return pgp_protect(home, &pgp, entity, sink, error) &&
	       protect_pgp_check(into, work->variant, error);
}
