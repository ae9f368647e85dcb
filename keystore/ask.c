/* SPDX-License-Identifier: Apache-2.0
 *
 * The question itself: asks each source in turn, judges what they have, ranks it. A source that
 * cannot be asked never hides what the others found, and never looks like "no key". Behind them all
 * stands what was learned from mail.
 */
#include <string.h>

#include "keystore/inside.h"
#include "keystore/learned.h"
#include "lib/base/error.h"
#include "lib/mail/address.h"

#define LEARNED "learned" /* the source of what came by mail */

/* One judged candidate on its way into the answer. */
typedef struct {
	Key *key;
	gint64 since;
	gboolean pinned; /* bound to the address by the administrator */
	gboolean exact; /* names the address in the case in which it was asked for */
	gboolean revoked; /* by its owner, as one of the sources knows */
} Judged;

static void judged_clear(gpointer data)
{
	key_free(((Judged *)data)->key);
}

static gboolean is_learned(const Judged *judged)
{
	return strcmp(judged->key->source, LEARNED) == 0;
}

static gint by_rank(gconstpointer a, gconstpointer b)
{
	const Judged *left = a, *right = b;

	if (left->key->usable != right->key->usable)
		return left->key->usable ? -1 : 1;
	/* No newer key of a directory displaces the one that was chosen by hand. */
	if (left->pinned != right->pinned)
		return left->pinned ? -1 : 1;
	/* Whoever has his key learned and approved does not choose its date against the
	 * administrator's own. */
	if (is_learned(left) != is_learned(right))
		return is_learned(left) ? 1 : -1;
	if (left->exact != right->exact)
		return left->exact ? -1 : 1;
	if (left->since != right->since)
		return left->since > right->since ? -1 : 1;
	return strcmp(left->key->id, right->key->id);
}

/* By its owner: gpg has seen the key's own signature for that, so it holds whoever brings it. */
static gboolean is_revoked(const Candidate *candidate)
{
	return candidate->pgp && candidate->pgp->revoked;
}

/* One question: for whom, and what is known so far. */
typedef struct {
	Keystore *keystore;
	Trust *trust;
	const char *spelled; /* whom, as it was asked */
	GArray *all; /* of Judged */
	GError **failure;
	const char *
		base; /* what is found is of this address, the one without its tag; NULL: it is not */
} Asking;

/* The same key from two sources is one: the first that may be used; none, where one of them knows
 * that it was revoked. */
static void add_judged(const Asking *asking, const Candidate *candidate, const char *source,
		       const char *reason)
{
	GArray *all = asking->all;
	Judged judged = {NULL, candidate_since(candidate),
			 candidate->bound && candidate->learned == LEARNED_NOT,
			 candidate_spells(candidate, asking->spelled), is_revoked(candidate)};

	for (guint i = 0; i < all->len; i++) {
		Judged *other = &g_array_index(all, Judged, i);
		if (other->key->type != candidate->type ||
		    strcmp(other->key->id, candidate->id) != 0)
			continue;
		if (is_revoked(candidate)) {
			other->key->usable = FALSE;
			other->key->reason = "revoked";
			other->revoked = TRUE;
		} else if (!other->key->usable && !reason && !other->revoked) {
			key_free(other->key);
			other->key = key_from_candidate(candidate, source, reason);
			other->key->base = g_strdup(asking->base);
		}
		return;
	}
	judged.key = key_from_candidate(candidate, source, reason);
	judged.key->base = g_strdup(asking->base);
	g_array_append_val(all, judged);
}

static gboolean has_usable(GArray *all)
{
	for (guint i = 0; i < all->len; i++)
		if (g_array_index(all, Judged, i).key->usable)
			return TRUE;
	return FALSE;
}

/* The first failure is the answer's. Whatever it was (a password file that went away, GnuPG that
 * does not run): a source could not be asked. */
static void keep_first(GError **failure, GError *error)
{
	if (!g_error_matches(error, SEALPOST_ERROR, ERROR_STORE) &&
	    !g_error_matches(error, SEALPOST_ERROR, ERROR_DISK_FULL)) {
		error->domain = SEALPOST_ERROR;
		error->code = ERROR_LOOKUP;
	}
	if (*failure)
		g_error_free(error);
	else
		*failure = error;
}

static void ask_sources(const Asking *asking, const char *address)
{
	const GPtrArray *sources = asking->keystore->sources;

	for (guint i = 0; i < sources->len; i++) {
		KeySource *source = sources->pdata[i];
		g_autoptr(GPtrArray) found = candidate_array_new();
		GError *error = NULL;
		if (!source->ask(source->self, address, found, &error)) {
			g_prefix_error(&error, "%s: ", source->name);
			keep_first(asking->failure, error);
			continue;
		}
		gint64 now = g_get_real_time() / G_USEC_PER_SEC;
		for (guint k = 0; k < found->len; k++)
			add_judged(asking, found->pdata[k], source->name,
				   trust_judge(asking->trust, found->pdata[k], address,
					       CERT_FOR_ENCRYPTION, now));
	}
}

/* Somebody's own key of that type, or one of another type that can take its place: no learned key
 * stands before it, whatever type a rule prefers. */
static gboolean has_vouched(const GArray *all, KeyType type)
{
	for (guint i = 0; i < all->len; i++) {
		const Key *key = g_array_index(all, Judged, i).key;
		if (key_is_vouched(key) && (key->type == type || key->usable))
			return TRUE;
	}
	return FALSE;
}

/* Has somebody brought that very key who vouches for it? Then it is as he says. */
static gboolean is_brought(const GArray *all, const Candidate *candidate)
{
	for (guint i = 0; i < all->len; i++) {
		const Key *key = g_array_index(all, Judged, i).key;
		if (key->type == candidate->type && !key->first_contact &&
		    strcmp(key->id, candidate->id) == 0)
			return TRUE;
	}
	return FALSE;
}

/* What may be used besides itself: a key that nobody approved stands behind all others, and is
 * not used while it is not known whether there are others. */
static const char *judge_learned(const Asking *asking, const Learned *row)
{
	const Candidate *candidate = row->candidate;
	const char *reason = trust_judge(asking->trust, candidate, row->address,
					 CERT_FOR_ENCRYPTION, g_get_real_time() / G_USEC_PER_SEC);

	if (reason || candidate->learned == LEARNED_APPROVED)
		return reason;
	if (candidate->learned == LEARNED_CHANGED)
		return "changed";
	if (has_vouched(asking->all, candidate->type))
		return "other-key";
	if (*asking->failure)
		return "lookup-failed";
	return asking->keystore->learn_mode == LEARN_MODE_USE ? NULL : KEY_NOT_APPROVED;
}

/* Those of one kind, behind what the sources have. */
static void add_learned(const Asking *asking, const GPtrArray *rows, gboolean approved)
{
	for (guint i = 0; i < rows->len; i++) {
		const Learned *row = rows->pdata[i];
		LearnedState state = row->candidate->learned;
		if ((state == LEARNED_APPROVED) == approved && state != LEARNED_REJECTED &&
		    !is_brought(asking->all, row->candidate))
			add_judged(asking, row->candidate, LEARNED, judge_learned(asking, row));
	}
}

/* What was learned for an address; NULL: the store failed. */
static GPtrArray *find_learned(const Asking *asking, const char *address)
{
	GError *error = NULL;
	GPtrArray *rows = learned_list(asking->keystore->store, address, &error);

	if (!rows)
		keep_first(asking->failure, error);
	return rows;
}

static gboolean all_know(const Keystore *keystore, const char *address)
{
	for (guint i = 0; i < keystore->sources->len; i++) {
		const KeySource *source = keystore->sources->pdata[i];
		if (source->knows && !source->knows(source->self, address))
			return FALSE;
	}
	return TRUE;
}

char *keystore_base(const Keystore *keystore, const char *address)
{
	return keystore->tag_delimiter ? address_without_tag(address, keystore->tag_delimiter)
				       : NULL;
}

gboolean keystore_is_at_hand(Keystore *keystore, const char *address)
{
	g_autofree char *base = keystore_base(keystore, address);

	return all_know(keystore, address) && (!base || all_know(keystore, base));
}

/* Whom somebody vouches for: the sources, and the administrator who approved what was learned. */
static GPtrArray *ask_vouched(const Asking *asking, const char *address)
{
	ask_sources(asking, address);
	GPtrArray *rows = find_learned(asking, address);

	if (rows)
		add_learned(asking, rows, TRUE);
	return rows;
}

static void ask_unapproved(const Asking *asking, const GPtrArray *rows)
{
	if (rows && asking->keystore->learn_mode != LEARN_MODE_OFF)
		add_learned(asking, rows, FALSE);
}

/* An address with a tag is its owner's: what is vouched for the one without stands before what
 * nobody approved for the one with it. */
static void ask_for(const Asking *asking, const char *address)
{
	g_autoptr(GPtrArray) rows = ask_vouched(asking, address);
	g_autofree char *base =
		has_usable(asking->all) ? NULL : keystore_base(asking->keystore, address);
	Asking tagless = *asking;

	tagless.base = base;
	g_autoptr(GPtrArray) base_rows = base ? ask_vouched(&tagless, base) : NULL;

	ask_unapproved(asking, rows);
	if (!has_usable(asking->all))
		ask_unapproved(&tagless, base_rows);
}

/* What the owner's program opens. Not to know is to expect the least. */
static void add_capabilities(const Asking *asking)
{
	gint64 signed_at;

	for (guint i = 0; i < asking->all->len; i++) {
		Key *key = g_array_index(asking->all, Judged, i).key;
		if (key->type == KEY_SMIME)
			learned_capabilities(asking->keystore->store, key->id, &key->capabilities,
					     &signed_at, NULL);
	}
}

KeyAnswer *keystore_ask(Keystore *keystore, const char *address, const char *spelled)
{
	KeyAnswer *answer = key_answer_new(address);
	g_autoptr(Trust) trust = keystore_trust(keystore, NULL, &answer->failure);
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Judged));
	Asking asking = {keystore, trust, spelled, all, &answer->failure, NULL};

	if (!trust)
		return answer;
	g_array_set_clear_func(all, judged_clear);
	ask_for(&asking, address);
	add_capabilities(&asking);
	g_array_sort(all, by_rank);
	for (guint i = 0; i < MIN(all->len, KEYSTORE_KEYS_MAX); i++)
		g_ptr_array_add(answer->keys, g_steal_pointer(&g_array_index(all, Judged, i).key));
	return answer;
}
