/* SPDX-License-Identifier: Apache-2.0
 *
 * What we sign with for an own address. The answer is kept for a short while, as long as the store
 * does not change: a private key need not be unwrapped anew for each message.
 */
#include "keystore/inside.h"

#include <string.h>

#include "keystore/scratch.h"
#include "lib/base/error.h"
#include "lib/mail/address.h"

/* A key that ends in between is used at most this much longer. */
#define SIGNER_SECONDS 30
/* Own addresses are few; a full cache is emptied. */
#define SIGNERS_MAX 1000

typedef struct {
	gint64 generation; /* of the store */
	gint64 until; /* monotonic */
	SmimeSigner *smime;
	char *form; /* pgp_own_form() of it */
	char *pgp; /* fingerprint */
	const char *reason;
} Entry;

struct SignerCache {
	GMutex lock;
	GHashTable *entries; /* "smime ADDRESS", "pgp ADDRESS" -> Entry */
};

void smime_signer_free(SmimeSigner *signer)
{
	if (!signer)
		return;
	cert_unref(signer->cert);
	private_key_unref(signer->key);
	g_clear_pointer(&signer->chain, g_ptr_array_unref);
	g_free(signer);
}

static SmimeSigner *signer_copy(const SmimeSigner *signer)
{
	SmimeSigner *copy = g_new0(SmimeSigner, 1);

	copy->cert = cert_ref(signer->cert);
	copy->key = private_key_ref(signer->key);
	copy->chain = g_ptr_array_ref(signer->chain);
	return copy;
}

static void entry_free(gpointer data)
{
	Entry *entry = data;

	if (!entry)
		return;
	smime_signer_free(entry->smime);
	g_free(entry->pgp);
	g_free(entry->form);
	g_free(entry);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Entry, entry_free)

SignerCache *signer_cache_new(void)
{
	SignerCache *cache = g_new0(SignerCache, 1);

	g_mutex_init(&cache->lock);
	cache->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	return cache;
}

void signer_cache_free(SignerCache *cache)
{
	if (!cache)
		return;
	g_hash_table_unref(cache->entries);
	g_mutex_clear(&cache->lock);
	g_free(cache);
}

/* A copy of what is kept and still holds; NULL: nothing. */
static Entry *cache_find(SignerCache *cache, const char *name, gint64 generation)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&cache->lock);
	const Entry *entry = g_hash_table_lookup(cache->entries, name);

	if (!entry || entry->generation != generation || entry->until < g_get_monotonic_time())
		return NULL;
	Entry *copy = g_new0(Entry, 1);
	copy->smime = entry->smime ? signer_copy(entry->smime) : NULL;
	copy->pgp = g_strdup(entry->pgp);
	copy->form = g_strdup(entry->form);
	copy->reason = entry->reason;
	return copy;
}

static void cache_keep(SignerCache *cache, const char *name, gint64 generation, const Entry *found)
{
	Entry *entry = g_new0(Entry, 1);

	entry->generation = generation;
	entry->until = g_get_monotonic_time() + SIGNER_SECONDS * G_USEC_PER_SEC;
	entry->smime = found->smime ? signer_copy(found->smime) : NULL;
	entry->pgp = g_strdup(found->pgp);
	entry->form = g_strdup(found->form);
	entry->reason = found->reason;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&cache->lock);
	if (g_hash_table_size(cache->entries) >= SIGNERS_MAX)
		g_hash_table_remove_all(cache->entries);
	g_hash_table_replace(cache->entries, g_strdup(name), entry);
}

/* Why we may not sign with it; NULL: we may. A root that we do not know is no obstacle: whoever
 * gets the signature has roots of their own. */
static const char *judge_own(Trust *trust, const Candidate *candidate, const char *address)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	const char *reason = trust_judge(trust, candidate, address, CERT_FOR_SIGNING, now);

	return g_strcmp0(reason, chain_result_name(CHAIN_UNTRUSTED)) == 0 ? NULL : reason;
}

/* The newest key of that type that may sign; NULL: none, *reason tells why of the newest. */
static Candidate *choose(Trust *trust, GPtrArray *found, KeyType type, const char *address,
			 const char **reason)
{
	Candidate *best = NULL;
	gint64 best_refused = G_MININT64;

	for (guint i = 0; i < found->len; i++) {
		Candidate *candidate = found->pdata[i];
		if (candidate->type != type || !candidate->secret)
			continue;
		gint64 since = candidate_since(candidate);
		const char *why = judge_own(trust, candidate, address);
		if (why && since > best_refused) {
			best_refused = since;
			*reason = why;
		}
		if (!why && (!best || since > candidate_since(best)))
			best = candidate;
	}
	return best;
}

static gboolean make_smime(Keystore *keystore, Trust *trust, const Candidate *own, Entry *entry,
			   GError **error)
{
	g_autoptr(Secret) pkcs8 = store_secret(keystore->store, own, error);
	PrivateKey *key = pkcs8 ? private_key_import(pkcs8, error) : NULL;

	if (!key)
		return FALSE;
	entry->smime = g_new0(SmimeSigner, 1);
	entry->smime->key = key;
	entry->smime->cert = cert_ref(own->cert);
	entry->smime->chain = trust_chain(trust, own->cert);
	return TRUE;
}

/* The form is that of the store's bytes, as keystore_pgp_openers() brings them. */
static gboolean make_pgp(Keystore *keystore, const char *id, Entry *entry, GError **error)
{
	g_autoptr(Candidate) own = store_get(keystore->store, id, error);
	g_autoptr(Secret) secret = own ? store_secret(keystore->store, own, error) : NULL;

	if (!secret)
		return FALSE;
	entry->pgp = g_strdup(id);
	entry->form = pgp_own_form(&(PgpOwnKey){id, own->pgp->bytes, secret});
	return TRUE;
}

/* What the store says of a key was true when it was imported; gpg says what is true now. */
static Candidate *judged_now(const Candidate *stored, gint64 deadline, GError **error)
{
	g_autoptr(GPtrArray) keys = scratch_read_pgp(stored->pgp->bytes, NULL, deadline, error);

	if (!keys)
		return NULL;
	for (guint i = 0; i < keys->len; i++) {
		PgpKey *key = keys->pdata[i];
		if (strcmp(key->fingerprint, stored->id) != 0)
			continue;
		Candidate *candidate = candidate_new_pgp(g_ptr_array_steal_index(keys, i));
		candidate->bound = stored->bound;
		candidate->secret = stored->secret;
		return candidate;
	}
	g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "%s: gpg reads another key", stored->id);
	return NULL;
}

static gboolean refresh_pgp(GPtrArray *found, gint64 deadline, GError **error)
{
	for (guint i = 0; i < found->len; i++) {
		Candidate *stored = found->pdata[i];
		if (stored->type != KEY_PGP || !stored->secret)
			continue;
		Candidate *fresh = judged_now(stored, deadline, error);
		if (!fresh)
			return FALSE;
		found->pdata[i] = fresh;
		candidate_unref(stored);
	}
	return TRUE;
}

/* to: NULL for S/MIME. */
static Entry *find_signer(Keystore *keystore, const char *address, const PgpDelivery *to,
			  GError **error)
{
	KeyType type = to ? KEY_PGP : KEY_SMIME;

	g_autofree char *name = g_strconcat(key_type_name(type), " ", address, NULL);
	g_autoptr(GPtrArray) found = candidate_array_new();
	gint64 generation = 0;
	g_autoptr(Trust) trust = keystore_trust(keystore, &generation, error);

	if (!trust)
		return NULL;
	g_autoptr(Entry) entry = cache_find(keystore->signers, name, generation);
	if (entry)
		return g_steal_pointer(&entry);
	if (!store_find(keystore->store, address, found, error) ||
	    (to && !refresh_pgp(found, to->deadline, error)))
		return NULL;
	entry = g_new0(Entry, 1);
	Candidate *own = choose(trust, found, type, address, &entry->reason);
	if (own)
		entry->reason = NULL;
	if (own && to && !make_pgp(keystore, own->id, entry, error))
		return NULL;
	if (own && !to && !make_smime(keystore, trust, own, entry, error))
		return NULL;
	cache_keep(keystore->signers, name, generation, entry);
	return g_steal_pointer(&entry);
}

SmimeSigner *keystore_smime_signer(Keystore *keystore, const char *address, const char **reason,
				   GError **error)
{
	g_autofree char *folded = address_fold(address);

	*reason = NULL;
	if (!folded)
		return NULL;
	g_autoptr(Entry) entry = find_signer(keystore, folded, NULL, error);
	if (!entry)
		return NULL;
	*reason = entry->reason;
	return g_steal_pointer(&entry->smime);
}

char *keystore_pgp_signer(Keystore *keystore, const char *address, const PgpDelivery *to,
			  const char **reason, GError **error)
{
	g_autofree char *folded = address_fold(address);

	*reason = NULL;
	if (!folded)
		return NULL;
	g_autoptr(Entry) entry = find_signer(keystore, folded, to, error);
	if (!entry)
		return NULL;
	*reason = entry->reason;
	if (entry->pgp && !pgp_home_has_secret(to->home, entry->pgp, entry->form)) {
		g_autoptr(Candidate) own = store_get(keystore->store, entry->pgp, error);
		g_autoptr(Secret) secret = own ? store_secret(keystore->store, own, error) : NULL;
		PgpOwnKey key = {entry->pgp, own ? own->pgp->bytes : NULL, secret, to->deadline};
		if (!secret || !pgp_home_need_secret(to->home, &key, error))
			return NULL;
	}
	return g_steal_pointer(&entry->pgp);
}

gboolean keystore_forget_deleted(Keystore *keystore, PgpHome *home, GError **error)
{
	g_auto(GStrv) there = pgp_home_secrets(home);

	for (char **fingerprint = there; *fingerprint; fingerprint++) {
		gboolean has = FALSE;
		if (!store_has_pgp_secret(keystore->store, *fingerprint, &has, error))
			return FALSE;
		if (!has)
			pgp_home_forget_secret(home, *fingerprint);
	}
	return TRUE;
}
