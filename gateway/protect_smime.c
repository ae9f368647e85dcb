/* SPDX-License-Identifier: Apache-2.0
 *
 * One variant in S/MIME: signed and encrypted, encrypted, or signed alone. See protect.h.
 */
#include "lib/base/error.h"
#include "lib/crypt/cms.h"

#include "gateway/head.h"
#include "gateway/protect.h"

static GPtrArray *recipient_certs(const PlanVariant *variant)
{
	GPtrArray *certs = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);

	for (guint i = 0; i < variant->recipients->len; i++) {
		const PlanRecipient *recipient = variant->recipients->pdata[i];

		g_ptr_array_add(certs, cert_ref(recipient->key->cert));
	}
	return certs;
}

static int compare_ids(gconstpointer a, gconstpointer b)
{
	return g_strcmp0(*(char *const *)a, *(char *const *)b);
}

/* The recipients that stand in the output, against the certificates of the plan. Two recipients
 * with one certificate are one entry or two; both are right. */
static gboolean holds_exactly(GPtrArray *found, GPtrArray *wanted)
{
	guint i = 0, k = 0;

	g_ptr_array_sort(found, compare_ids);
	g_ptr_array_sort(wanted, compare_ids);
	while (i < found->len && k < wanted->len) {
		const char *id = found->pdata[i];

		if (g_strcmp0(id, wanted->pdata[k]) != 0)
			return FALSE;
		while (i < found->len && g_strcmp0(id, found->pdata[i]) == 0)
			i++;
		while (k < wanted->len && g_strcmp0(id, wanted->pdata[k]) == 0)
			k++;
	}
	return i == found->len && k == wanted->len && found->len > 0;
}

gboolean protect_smime_check(Spool *output, const PlanVariant *variant, GError **error)
{
	Range body;
	g_autoptr(Headers) fields = head_read(output, &body, error);

	if (!fields)
		return FALSE;
	g_autoptr(Source) content = spool_source(output, body);
	g_autoptr(CmsHead) head = cms_head_read_base64(content, error);

	if (!head)
		return FALSE;
	g_autoptr(GPtrArray) wanted = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < variant->recipients->len; i++) {
		const PlanRecipient *recipient = variant->recipients->pdata[i];

		g_ptr_array_add(wanted, cms_recipient_id(recipient->key->cert));
	}
	if ((head->type == CMS_ENVELOPED || head->type == CMS_AUTH_ENVELOPED) &&
	    holds_exactly(head->recipients, wanted))
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO,
		    "S/MIME output is not for the planned recipients");
	return FALSE;
}

static void set_signer(CmsJob *cms, const ProtectJob *work)
{
	const SmimeSigner *signer = work->plan->smime_signer;

	if (work->variant->sign != SIGN_SMIME)
		return;
	cms->signer = signer->cert;
	cms->signer_key = signer->key;
	cms->signer_chain = signer->chain;
	cms->signing_time = g_get_real_time() / G_USEC_PER_SEC;
}

/* Clear-signed where the bytes can be made to survive relays, else opaque. */
static gboolean sign_only(const ProtectJob *work, const CmsJob *cms, Sink *sink, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(Source) safe = protect_safe_entity(work, &failure);

	if (safe)
		return cms_protect(cms, safe, sink, error);
	if (!g_error_matches(failure, SEALPOST_ERROR, ERROR_UNSUPPORTED)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	g_autoptr(Source) entity = protect_entity(work, error);

	return entity && cms_sign_opaque(cms, entity, sink, error);
}

guint protect_smime_capabilities(const PlanVariant *variant)
{
	guint shared = CMS_OPENS_GCM | CMS_OPENS_OAEP;

	for (guint i = 0; i < variant->recipients->len; i++) {
		const PlanRecipient *recipient = variant->recipients->pdata[i];

		shared &= recipient->key->capabilities;
	}
	return shared;
}

gboolean protect_smime(const ProtectJob *work, Source *entity, Spool *into, GError **error)
{
	CmsJob cms = {.cipher = CMS_CIPHER_AES256_CBC};
	g_autoptr(Sink) sink = protect_sink(work, into);

	set_signer(&cms, work);
	if (!entity)
		return sign_only(work, &cms, sink, error);
	g_autoptr(GPtrArray) certs = recipient_certs(work->variant);

	cms.recipients = certs;
	guint opens = protect_smime_capabilities(work->variant);

	if (opens & CMS_OPENS_GCM)
		cms.cipher = CMS_CIPHER_AES256_GCM;
	cms.oaep = (opens & CMS_OPENS_OAEP) != 0;
	return cms_protect(&cms, entity, sink, error) &&
	       protect_smime_check(into, work->variant, error);
}
