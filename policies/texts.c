/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's texts for conditions: see texts.h.
 */
#include "policies/texts.h"

#include "policies/fold.h"

struct PolicyTexts {
	char *subject; /* NULL until it is needed */
	GHashTable *headers; /* name -> array of texts; filled when needed */
};

PolicyTexts *policy_texts_new(void)
{
	PolicyTexts *texts = g_new0(PolicyTexts, 1);

	texts->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					       (GDestroyNotify)g_ptr_array_unref);
	return texts;
}

void policy_texts_free(PolicyTexts *texts)
{
	if (!texts)
		return;
	g_free(texts->subject);
	g_hash_table_unref(texts->headers);
	g_free(texts);
}

const char *texts_subject(PolicyTexts *texts, const PolicyFacts *facts)
{
	if (!texts->subject)
		texts->subject = text_fold(facts->subject);
	return texts->subject;
}

const GPtrArray *texts_headers(PolicyTexts *texts, const PolicyFacts *facts, const char *name)
{
	GPtrArray *found = g_hash_table_lookup(texts->headers, name);

	if (found)
		return found;
	found = facts->headers ? facts->headers(facts->context, name)
			       : g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < found->len; i++) {
		g_autofree char *text = found->pdata[i];

		found->pdata[i] = text_fold(g_strstrip(text));
	}
	g_hash_table_insert(texts->headers, g_strdup(name), found);
	return found;
}
