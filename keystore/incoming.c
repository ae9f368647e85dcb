/* SPDX-License-Identifier: Apache-2.0
 *
 * What the keystore gives for mail that comes in: the keys that open it, and what its signatures
 * are verified with.
 */
#include "keystore/inside.h"

#include <string.h>

#include "lib/mail/address.h"

/* How long an own private key stays ready, and how many. */
#define UNLOCKED_SECONDS 60
#define UNLOCKED_MAX 1000

static void key_pair_free(gpointer data)
{
	KeyPair *pair = data;

	cert_unref(pair->cert);
	private_key_unref(pair->key);
	g_free(pair);
}

Kept *unlocked_new(void)
{
	return kept_new(UNLOCKED_MAX, (KeptRef)private_key_ref, (GDestroyNotify)private_key_unref);
}

/* Unsealing and reading a key, and what OpenSSL prepares at its first use (blinding), cost as much
 * as opening a message. A certificate's key never changes, so its fingerprint is name enough;
 * whether it may be used has been asked of the store. */
static PrivateKey *unlock(Keystore *keystore, const Candidate *own, GError **error)
{
	gpointer kept;

	if (kept_find(keystore->unlocked, own->id, &kept))
		return kept;
	g_autoptr(Secret) secret = store_secret(keystore->store, own, error);
	PrivateKey *key = secret ? private_key_import(secret, error) : NULL;

	if (key)
		kept_put(keystore->unlocked, own->id, key,
			 g_get_monotonic_time() + UNLOCKED_SECONDS * G_USEC_PER_SEC);
	return key;
}

static gboolean add_smime(Keystore *keystore, const Candidate *own, GPtrArray *pairs,
			  GError **error)
{
	PrivateKey *key = unlock(keystore, own, error);

	if (!key)
		return FALSE;
	KeyPair *pair = g_new0(KeyPair, 1);
	pair->cert = cert_ref(own->cert);
	pair->key = key;
	g_ptr_array_add(pairs, pair);
	return TRUE;
}

static gboolean add_pgp(Keystore *keystore, const Candidate *own, const PgpDelivery *to,
			GPtrArray *ids, GError **error)
{
	g_autoptr(Secret) secret = store_secret(keystore->store, own, error);
	const PgpOwnKey key = {own->id, own->pgp->bytes, secret, to->deadline};

	if (!secret || !pgp_home_need_secret(to->home, &key, error))
		return FALSE;
	g_ptr_array_add(ids, g_strdup(own->id));
	return TRUE;
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
	gint64 left = candidate_since(*(Candidate *const *)a);
	gint64 right = candidate_since(*(Candidate *const *)b);

	return left > right ? -1 : left < right;
}

/* address: folded, or "@domain" for a domain key, which only the administrator makes. to: NULL
 * for S/MIME. */
static gboolean add_openers(Keystore *keystore, const char *address, const PgpDelivery *to,
			    GPtrArray *openers, GError **error)
{
	g_autoptr(GPtrArray) found = candidate_array_new();

	if (!store_find(keystore->store, address, found, error))
		return FALSE;
	g_ptr_array_sort(found, newest_first);
	for (guint i = 0; i < found->len; i++) {
		const Candidate *own = found->pdata[i];

		if (!own->secret || (*address == '@' && !own->bound) ||
		    own->type != (to ? KEY_PGP : KEY_SMIME))
			continue;
		if (!(to ? add_pgp(keystore, own, to, openers, error)
			 : add_smime(keystore, own, openers, error)))
			return FALSE;
	}
	return TRUE;
}

static gboolean add_all_openers(Keystore *keystore, const char *address, const PgpDelivery *to,
				GPtrArray *openers, GError **error)
{
	g_autofree char *folded = address_fold(address);

	if (!folded)
		return TRUE;
	g_autofree char *base = keystore_base(keystore, folded);
	const char *domain = strrchr(folded, '@');

	return add_openers(keystore, folded, to, openers, error) &&
	       (!base || add_openers(keystore, base, to, openers, error)) &&
	       (!domain || add_openers(keystore, domain, to, openers, error));
}

GPtrArray *keystore_smime_openers(Keystore *keystore, const char *address, GError **error)
{
	g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(key_pair_free);

	return add_all_openers(keystore, address, NULL, pairs, error) ? g_steal_pointer(&pairs)
								      : NULL;
}

GPtrArray *keystore_pgp_openers(Keystore *keystore, const char *address, const PgpDelivery *to,
				GError **error)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

	return add_all_openers(keystore, address, to, ids, error) ? g_steal_pointer(&ids) : NULL;
}

void verifiers_free(Verifiers *verifiers)
{
	if (!verifiers)
		return;
	trust_store_unref(verifiers->anchors);
	g_ptr_array_unref(verifiers->certs);
	g_ptr_array_unref(verifiers->pgp);
	g_free(verifiers);
}

char *keystore_pgp_owner(Keystore *keystore, const char *id, GError **error)
{
	return store_pgp_owner(keystore->store, id, error);
}

Verifiers *keystore_verifiers(Keystore *keystore, const KeyAnswer *sender, GError **error)
{
	g_autoptr(Trust) trust = keystore_trust(keystore, NULL, error);

	if (!trust)
		return NULL;
	Verifiers *verifiers = g_new0(Verifiers, 1);
	verifiers->anchors = trust_store_ref((TrustStore *)trust_anchors(trust));
	verifiers->certs = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);
	verifiers->pgp = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	for (guint i = 0; sender && i < sender->keys->len; i++) {
		const Key *key = sender->keys->pdata[i];
		if (key->cert)
			g_ptr_array_add(verifiers->certs, cert_ref(key->cert));
		if (key->pgp && g_strcmp0(key->reason, "address-mismatch") != 0)
			g_ptr_array_add(verifiers->pgp, g_bytes_ref(key->pgp));
	}
	GPtrArray *authorities = trust_authorities(trust);
	for (guint i = 0; i < authorities->len; i++)
		g_ptr_array_add(verifiers->certs, cert_ref(authorities->pdata[i]));
	return verifiers;
}
