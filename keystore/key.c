/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and answers as values: see keystore.h.
 */
#include "keystore/inside.h"

#include <string.h>

const char *key_type_name(KeyType type)
{
	return type == KEY_SMIME ? "smime" : "pgp";
}

void key_free(Key *key)
{
	if (!key)
		return;
	g_free(key->id);
	g_free(key->source);
	g_free(key->base);
	cert_unref(key->cert);
	g_clear_pointer(&key->pgp, g_bytes_unref);
	g_strfreev(key->pgp_encryption_ids);
	g_free(key);
}

static Key *key_copy(const Key *key)
{
	Key *copy = g_new0(Key, 1);

	*copy = *key;
	copy->id = g_strdup(key->id);
	copy->source = g_strdup(key->source);
	copy->base = g_strdup(key->base);
	copy->cert = key->cert ? cert_ref(key->cert) : NULL;
	copy->pgp = key->pgp ? g_bytes_ref(key->pgp) : NULL;
	copy->pgp_encryption_ids = g_strdupv(key->pgp_encryption_ids);
	return copy;
}

Key *key_from_candidate(const Candidate *candidate, const char *source, const char *reason)
{
	Key *key = g_new0(Key, 1);

	key->type = candidate->type;
	key->id = g_strdup(candidate->id);
	key->source = g_strdup(source);
	key->usable = reason == NULL;
	key->reason = reason;
	key->first_contact =
		candidate->learned == LEARNED_USED || candidate->learned == LEARNED_CHANGED;
	if (candidate->cert)
		key->cert = cert_ref(candidate->cert);
	if (candidate->pgp) {
		key->pgp = g_bytes_ref(candidate->pgp->bytes);
		key->pgp_encryption_ids = g_strdupv(candidate->pgp->encryption_ids);
	}
	return key;
}

gboolean key_is_vouched(const Key *key)
{
	static const char *const nothing[] = {"malformed", "address-mismatch", "wrong-usage", NULL};

	return !key->first_contact && !(key->reason && g_strv_contains(nothing, key->reason));
}

void key_answer_take_learned(KeyAnswer *answer)
{
	for (guint i = 0; i < answer->keys->len; i++) {
		Key *key = answer->keys->pdata[i];
		if (g_strcmp0(key->reason, KEY_NOT_APPROVED) != 0)
			continue;
		key->usable = TRUE;
		key->reason = NULL;
	}
}

KeyAnswer *key_answer_new(const char *address)
{
	KeyAnswer *answer = g_new0(KeyAnswer, 1);

	answer->address = g_strdup(address);
	answer->keys = g_ptr_array_new_with_free_func((GDestroyNotify)key_free);
	return answer;
}

KeyAnswer *key_answer_copy(const KeyAnswer *answer)
{
	KeyAnswer *copy = key_answer_new(answer->address);

	for (guint i = 0; i < answer->keys->len; i++)
		g_ptr_array_add(copy->keys, key_copy(answer->keys->pdata[i]));
	copy->failure = answer->failure ? g_error_copy(answer->failure) : NULL;
	return copy;
}

void key_answer_free(KeyAnswer *answer)
{
	if (!answer)
		return;
	g_free(answer->address);
	g_ptr_array_unref(answer->keys);
	g_clear_error(&answer->failure);
	g_free(answer);
}

const Key *key_answer_best(const KeyAnswer *answer, KeyType type)
{
	for (guint i = 0; i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];
		if (key->type == type && key->usable)
			return key;
	}
	return NULL;
}
