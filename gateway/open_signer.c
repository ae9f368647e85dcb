/* SPDX-License-Identifier: Apache-2.0
 *
 * Who signed with OpenPGP: the sender, or somebody else whose key we know. A signature names a key,
 * no address; so the store is asked whose it is, for "signed by eve, not by the sender" is more than
 * "key unknown". See open.h.
 */
#include "gateway/lessons.h"
#include "gateway/open.h"

/* Most others that are looked up for one message. */
#define OTHERS_MAX 4

static const Key *find_key(const KeyAnswer *answer, const char *id)
{
	for (guint i = 0; answer && id && i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];

		if (key->type == KEY_PGP && key->pgp && g_ascii_strcasecmp(key->id, id) == 0)
			return key;
	}
	return NULL;
}

/* The answer that has the key: the sender's before all others. */
static const KeyAnswer *find_owner(const OpenWork *work, const char *id, const Key **key)
{
	*key = find_key(work->sender, id);
	if (*key)
		return work->sender;
	for (guint i = 0; work->others && i < work->others->len; i++) {
		*key = find_key(work->others->pdata[i], id);
		if (*key)
			return work->others->pdata[i];
	}
	return NULL;
}

static gboolean was_verified(const OpenSignature *signature)
{
	return !g_str_equal(signature->result, "no-key") &&
	       !g_str_equal(signature->result, "unsupported");
}

void open_call_bad(OpenSignature *signature)
{
	if (!was_verified(signature))
		return;
	signature->result = "bad";
	signature->form = NULL;
	signature->matches_from = FALSE;
}

void open_set_form(OpenWork *work, guint from, gboolean with_crlf)
{
	const GPtrArray *signatures = work->opened->signatures;

	for (; from < signatures->len; from++) {
		OpenSignature *signature = signatures->pdata[from];

		if (was_verified(signature) && !g_str_equal(signature->result, "bad"))
			signature->form = with_crlf ? "crlf" : "raw";
	}
}

/* A key that may be used speaks for its owner, as it names him: user@domain is not user+tag@domain. Another one with his name is untrusted, and so is one
 * that only his own mail has told us. */
static OpenSignature *report(OpenWork *work, const PgpSignature *found)
{
	OpenSignature *signature = open_add_signature(work, "pgp", found->result);
	gboolean good = g_str_equal(found->result, "good");
	const Key *key;
	const KeyAnswer *owner = find_owner(work, found->key, &key);

	signature->key = g_strdup(found->key);
	signature->signer = owner ? g_strdup(key->base ? key->base : owner->address) : NULL;
	signature->matches_from = owner && owner == work->sender && !key->base;
	if (good && !(key && key->usable && !key->first_contact))
		signature->result = "untrusted";
	return signature;
}

static gboolean has_bad(const GPtrArray *signatures)
{
	for (guint i = 0; i < signatures->len; i++) {
		const PgpSignature *signature = signatures->pdata[i];

		if (g_str_equal(signature->result, "bad"))
			return TRUE;
	}
	return FALSE;
}

void open_report_pgp(OpenWork *work, const GPtrArray *signatures)
{
	gboolean bad = has_bad(signatures);

	for (guint i = 0; i < signatures->len; i++) {
		OpenSignature *signature = report(work, signatures->pdata[i]);

		if (bad)
			open_call_bad(signature);
		else
			lessons_note_pgp(work, signatures->pdata[i], signature);
	}
}

static gboolean is_known(const OpenWork *work, const char *address)
{
	for (guint i = 0; i < work->others->len; i++) {
		const KeyAnswer *other = work->others->pdata[i];

		if (g_str_equal(other->address, address))
			return TRUE;
	}
	return g_strcmp0(work->from, address) == 0;
}

static gboolean find_signer(OpenWork *work, const char *id, gboolean *more, GError **error)
{
	Keystore *keystore = work->job->snapshot->keystore;
	GError *failure = NULL;
	g_autofree char *address = keystore_pgp_owner(keystore, id, &failure);

	if (failure) {
		g_propagate_error(error, failure);
		return FALSE;
	}
	if (!address || is_known(work, address))
		return TRUE;
	g_autoptr(KeyLookup) lookup = keystore_lookup(keystore, address);
	KeyAnswer *answer = key_lookup_wait(lookup, work->job->deadline);

	g_ptr_array_add(work->others, answer);
	for (guint i = 0; i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];

		if (key->type != KEY_PGP || !key->pgp)
			continue;
		g_ptr_array_add(work->verifiers->pgp, g_bytes_ref(key->pgp));
		*more = TRUE;
	}
	return TRUE;
}

gboolean open_find_signers(OpenWork *work, const GPtrArray *signatures, gboolean *more,
			   GError **error)
{
	*more = FALSE;
	if (!work->others)
		work->others = g_ptr_array_new_with_free_func((GDestroyNotify)key_answer_free);
	for (guint i = 0; i < signatures->len && work->others->len < OTHERS_MAX; i++) {
		const PgpSignature *found = signatures->pdata[i];

		if (g_str_equal(found->result, "no-key") && found->key &&
		    !find_signer(work, found->key, more, error))
			return FALSE;
	}
	return TRUE;
}
