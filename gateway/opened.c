/* SPDX-License-Identifier: Apache-2.0
 *
 * What was found when a message that came in was opened. See opened.h.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/sha256.h"

#include "gateway/annotate.h"
#include "gateway/opened.h"

static void layer_free(OpenLayer *layer)
{
	g_free(layer->part);
	g_free(layer->algorithm);
	g_free(layer->key);
	g_free(layer->sha256);
	g_free(layer);
}

static void signature_free(OpenSignature *signature)
{
	g_free(signature->part);
	g_free(signature->signer);
	g_free(signature->key);
	g_free(signature);
}

Opened *opened_new(void)
{
	Opened *opened = g_new0(Opened, 1);

	g_ref_count_init(&opened->references);
	opened->layers = g_ptr_array_new_with_free_func((GDestroyNotify)layer_free);
	opened->signatures = g_ptr_array_new_with_free_func((GDestroyNotify)signature_free);
	opened->warnings = g_ptr_array_new();
	opened->lessons = g_ptr_array_new_with_free_func((GDestroyNotify)lesson_free);
	return opened;
}

Opened *opened_ref(Opened *opened)
{
	g_ref_count_inc(&opened->references);
	return opened;
}

void opened_free(Opened *opened)
{
	if (!opened || !g_ref_count_dec(&opened->references))
		return;
	g_ptr_array_unref(opened->layers);
	g_ptr_array_unref(opened->signatures);
	g_ptr_array_unref(opened->warnings);
	g_free(opened->subject);
	headers_free(opened->restored);
	g_ptr_array_unref(opened->lessons);
	spool_unref(opened->entity);
	g_free(opened);
}

OpenLayer *opened_add_layer(Opened *opened, const char *kind)
{
	OpenLayer *layer = g_new0(OpenLayer, 1);

	layer->part = g_strdup("1");
	layer->kind = kind;
	g_ptr_array_add(opened->layers, layer);
	return layer;
}

OpenSignature *opened_add_signature(Opened *opened, const char *kind, const char *result)
{
	OpenSignature *signature = g_new0(OpenSignature, 1);

	signature->part = g_strdup("1");
	signature->kind = kind;
	signature->result = result;
	g_ptr_array_add(opened->signatures, signature);
	return signature;
}

void opened_warn(Opened *opened, const char *warning)
{
	for (guint i = 0; i < opened->warnings->len; i++)
		if (g_str_equal(opened->warnings->pdata[i], warning))
			return;
	g_ptr_array_add(opened->warnings, (gpointer)warning);
}

void opened_warn_unread(Opened *opened, const GError *failure)
{
	opened_warn(opened, g_error_matches(failure, SEALPOST_ERROR, ERROR_TOO_DEEP) ? "too-deep"
										     : "too-large");
}

void opened_decrypted(Opened *opened, gboolean changeable)
{
	opened->decrypted = TRUE;
	opened->changeable = changeable;
	for (guint i = 0; i < opened->signatures->len; i++)
		((OpenSignature *)opened->signatures->pdata[i])->outside = TRUE;
}

gboolean opened_covers(const OpenSignature *signature)
{
	return !signature->partial && !signature->outside && g_str_equal(signature->result, "good");
}

static gboolean is_partly_encrypted(const Opened *opened)
{
	for (guint i = 0; i < opened->layers->len; i++) {
		const OpenLayer *layer = opened->layers->pdata[i];

		if (layer->partial && g_str_has_suffix(layer->kind, "encrypted"))
			return TRUE;
	}
	return FALSE;
}

void opened_conclude(Opened *opened)
{
	gboolean covered = FALSE, fixed = FALSE, partial = FALSE, outside = FALSE;

	for (guint i = 0; i < opened->signatures->len; i++) {
		const OpenSignature *signature = opened->signatures->pdata[i];

		covered = covered || opened_covers(signature);
		fixed = fixed || (opened_covers(signature) && !signature->loose);
		partial = partial || signature->partial;
		outside = outside || (signature->outside && g_str_equal(signature->result, "good"));
	}
	if (is_partly_encrypted(opened))
		opened_warn(opened, "partial-encryption");
	if (opened->changeable && !fixed)
		opened_warn(opened, "not-protected-against-change");
	if (partial && !covered)
		opened_warn(opened, "partial-signature");
	if (outside && !covered)
		opened_warn(opened, "signed-ciphertext");
}

gboolean opened_met_encryption(const Opened *opened)
{
	for (guint i = 0; i < opened->layers->len; i++) {
		const OpenLayer *layer = opened->layers->pdata[i];

		if (g_str_has_suffix(layer->kind, "-encrypted"))
			return TRUE;
	}
	return FALSE;
}

gboolean opened_is_plain(const Opened *opened)
{
	return opened->layers->len == 0 && opened->signatures->len == 0 && !opened->unread;
}

char **opened_restored(const Opened *opened)
{
	g_autoptr(GStrvBuilder) names = g_strv_builder_new();
	const Headers *restored = opened->restored;

	if (opened->subject)
		g_strv_builder_add(names, "Subject");
	for (guint i = 0; restored && i < headers_count(restored); i++) {
		const Header *header = headers_at(restored, i);

		if (headers_find(restored, header->name, 0) == header)
			g_strv_builder_add(names, header->name);
	}
	return g_strv_builder_end(names);
}

char *opened_key(const Opened *opened, GError **error)
{
	g_autoptr(Sha256) sha256 = sha256_new();
	g_autofree char *details = annotate_details(opened);
	g_autofree char *buffer = g_malloc(STREAM_CHUNK);
	gssize got = 0;

	sha256_update(sha256, details, strlen(details));
	g_autoptr(Source) source = opened->entity ? spool_source_all(opened->entity) : NULL;

	while (source && (got = source_read(source, buffer, STREAM_CHUNK, error)) > 0)
		sha256_update(sha256, buffer, (gsize)got);
	return got < 0 ? NULL : sha256_finish(sha256);
}
