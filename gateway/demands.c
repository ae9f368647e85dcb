/* SPDX-License-Identifier: Apache-2.0
 *
 * Does mail that came in have what its rule requires? See demands.h.
 */
#include "lib/base/error.h"

#include "gateway/demands.h"

/* A text that helps: what is missing, and for whom. */
static gboolean refuse(const Recipient *recipient, const char *what, GError **error)
{
	g_set_error(error, SEALPOST_ERROR, ERROR_DEMANDED, "Not accepted for <%s>: mail must %s",
		    recipient->address, what);
	return FALSE;
}

gboolean demands_tls_met(guint tls, const Job *job, const Recipient *recipient, GError **error)
{
	if (client_tls(job->client) >= tls)
		return TRUE;
	return refuse(recipient,
		      tls == TLS_1_3   ? "come over TLS 1.3 or newer"
		      : tls == TLS_1_2 ? "come over TLS 1.2 or newer"
				       : "come over TLS",
		      error);
}

/* Where a key of the recipient's was tried on a cipher that anybody can change, what came out may not
 * show in the answer. */
static gboolean was_tried(const OpenLayer *layer)
{
	if (layer->unread)
		return FALSE;
	return layer->opened || g_strcmp0(layer->reason, "damaged") == 0 ||
	       g_strcmp0(layer->reason, "too-large") == 0;
}

/* From outside in, to the first layer whose inside proves nothing. */
static gboolean is_encrypted(const Demands *demands, const Opened *opened)
{
	for (guint i = 0; opened && i < opened->layers->len; i++) {
		const OpenLayer *layer = opened->layers->pdata[i];

		if (layer->partial)
			continue;
		if (g_str_equal(layer->kind, "smime-encrypted"))
			return demands->smime && was_tried(layer);
		if (demands->smime && layer->opened &&
		    g_str_equal(layer->kind, "smime-auth-encrypted"))
			return TRUE;
		if (demands->pgp && layer->opened &&
		    (g_str_equal(layer->kind, "pgp-encrypted") ||
		     g_str_equal(layer->kind, "pgp-inline-encrypted")))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_signed(const Opened *opened)
{
	for (guint i = 0; opened && i < opened->signatures->len; i++) {
		const OpenSignature *signature = opened->signatures->pdata[i];

		if (opened_covers(signature) && signature->matches_from && !signature->loose)
			return TRUE;
	}
	return FALSE;
}

gboolean demands_met(const Demands *demands, const Job *job, const Recipient *recipient,
		     const Opened *opened, GError **error)
{
	gboolean either = demands->smime && demands->pgp;

	if (!demands_tls_met(demands->tls, job, recipient, error))
		return FALSE;
	if ((demands->smime || demands->pgp) && !is_encrypted(demands, opened))
		return refuse(recipient,
			      either	       ? "be encrypted for this address with S/MIME or PGP"
			      : demands->smime ? "be encrypted for this address with S/MIME"
					       : "be encrypted for this address with PGP",
			      error);
	if (demands->signature && !is_signed(opened))
		return refuse(recipient, "carry a valid signature of the address in From", error);
	return TRUE;
}
