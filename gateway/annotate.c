/* SPDX-License-Identifier: Apache-2.0
 *
 * What the reader and his client are told of a message that came in. See annotate.h.
 */
#include <string.h>

#include "gateway/annotate.h"

/* The MTA takes no field of 64 KiB, and would get the message again and again. */
#define ANNOTATE_MAX 30000

/* A word for a header: addresses and keys come from outside, so only harmless bytes pass. */
static void append_word(GString *text, const char *word)
{
	for (; word && *word; word++)
		g_string_append_c(text,
				  g_ascii_isalnum(*word) || strchr("@.-_+=/", *word) ? *word : '?');
}

/* Of a broken signature nobody is the signer, whatever it says. */
static gboolean is_named(const OpenSignature *signature)
{
	return signature->signer && !g_str_equal(signature->result, "bad");
}

/* RFC 7281, section 3: pass only for a signature of the From address that holds, over all that the
 * reader sees. */
static const char *result_word(const OpenSignature *signature)
{
	static const char *const neutral[] = {"untrusted", "no-key", "unsupported"};

	if (g_str_equal(signature->result, "good"))
		return signature->matches_from && opened_covers(signature) ? "pass" : "policy";
	for (gsize i = 0; i < G_N_ELEMENTS(neutral); i++)
		if (g_str_equal(signature->result, neutral[i]))
			return "neutral";
	return g_str_equal(signature->result, "bad") ? "fail" : "policy";
}

static void tell_result(GString *text, const OpenSignature *signature)
{
	g_string_append_printf(text, ";\n\t%s=%s (%s%s", signature->kind, result_word(signature),
			       signature->result,
			       signature->matches_from ? "" : ", not the From address");
	if (signature->partial)
		g_string_append_printf(text, ", covers part %s only", signature->part);
	if (signature->outside)
		g_string_append(text, ", covers the ciphertext only");
	g_string_append_c(text, ')');
	if (is_named(signature)) {
		g_string_append_printf(text, "\n\t body.%s-identifier=", signature->kind);
		append_word(text, signature->signer);
	}
}

char *annotate_results(const Opened *opened, const char *authserv_id)
{
	GString *text = g_string_new(" ");

	append_word(text, authserv_id);
	gsize start = text->len;

	for (guint i = 0; i < opened->signatures->len; i++)
		tell_result(text, opened->signatures->pdata[i]);
	if (opened->signatures->len == 0)
		g_string_append(text, "; none");
	if (text->len > ANNOTATE_MAX) {
		/* Whatever is left out might be the one that fails. */
		g_string_truncate(text, start);
		g_string_append(text, ";\n\tsmime=permerror (too many signatures);"
				      "\n\tpgp=permerror (too many signatures)");
	}
	return g_string_free(text, FALSE);
}

static void tell_layer(GString *text, const OpenLayer *layer)
{
	g_string_append_printf(text, "%s %s", layer->kind, layer->opened ? "opened" : "shut");
	if (layer->reason)
		g_string_append_printf(text, " (%s)", layer->reason);
	if (layer->algorithm) {
		g_string_append_c(text, ' ');
		append_word(text, layer->algorithm);
	}
	if (layer->partial)
		g_string_append_printf(text, " part=%s", layer->part);
}

static void tell_signature(GString *text, const OpenSignature *signature)
{
	g_string_append_printf(text, "signature %s %s", signature->kind, signature->result);
	if (is_named(signature)) {
		g_string_append(text, " signer=");
		append_word(text, signature->signer);
	}
	if (!signature->matches_from)
		g_string_append(text, " not-from");
	if (g_strcmp0(signature->form, "crlf") == 0)
		g_string_append(text, " form=crlf");
	if (signature->partial)
		g_string_append_printf(text, " part=%s", signature->part);
	if (signature->outside)
		g_string_append(text, " over-ciphertext");
	if (is_named(signature) && signature->key) {
		g_string_append(text, "\n\tkey=");
		append_word(text, signature->key);
	}
}

static void begin_item(GString *text)
{
	g_string_append(text, text->len ? ";\n\t" : " ");
}

char *annotate_details(const Opened *opened)
{
	GString *text = g_string_new(NULL);
	g_auto(GStrv) restored = opened_restored(opened);

	for (guint i = 0; i < opened->layers->len; i++) {
		begin_item(text);
		tell_layer(text, opened->layers->pdata[i]);
	}
	for (guint i = 0; i < opened->signatures->len; i++) {
		begin_item(text);
		tell_signature(text, opened->signatures->pdata[i]);
	}
	if (text->len > ANNOTATE_MAX) {
		while (text->str[text->len - 1] != '\n' || text->len > ANNOTATE_MAX)
			g_string_truncate(text, text->len - 1);
		g_string_append(text, "\tand more");
	}
	for (guint i = 0; i < opened->warnings->len; i++)
		g_string_append_printf(text, "%swarning %s", text->len ? ";\n\t" : " ",
				       (const char *)opened->warnings->pdata[i]);
	if (*restored) {
		g_autofree char *names = g_strjoinv(", ", restored);

		g_string_append_printf(text, ";\n\trestored %s", names);
	}
	return g_string_free(text, FALSE);
}
