/* SPDX-License-Identifier: Apache-2.0
 *
 * The question itself: asks each source in turn, judges what they have, ranks it. A source that
 * cannot be asked never hides what the others found, and never looks like "no key".
 */
#include "keystore/keystore.h"

#include <string.h>

#include "keystore/directory.h"
#include "keystore/inside.h"
#include "lib/base/error.h"
#include "lib/mail/address.h"

void key_source_free(KeySource *source)
{
	if (!source)
		return;
	if (source->free)
		source->free(source->self);
	g_free(source->name);
	g_free(source);
}

static gboolean ask_store(void *self, const char *address, GPtrArray *into, GError **error)
{
	return store_find(self, address, into, error);
}

static gboolean add_sources(Keystore *keystore, GError **error)
{
	const char *const *sections = conf_instances(keystore->conf, "ldap");
	KeySource *own = g_new0(KeySource, 1);

	own->name = g_strdup("store");
	own->self = keystore->store;
	own->ask = ask_store;
	g_ptr_array_add(keystore->sources, own);
	for (; *sections; sections++) {
		KeySource *source = directory_source(keystore->conf, *sections, error);
		if (!source)
			return FALSE;
		g_ptr_array_add(keystore->sources, source);
	}
	return TRUE;
}

static gboolean read_system_roots(Keystore *keystore, GError **error)
{
	const char *path = conf_path(keystore->conf, "keystore", "system_roots_file");
	g_autofree char *text = NULL;
	g_autoptr(GError) cause = NULL;
	gsize size;

	if (!conf_boolean(keystore->conf, "keystore", "system_roots"))
		return TRUE;
	g_autoptr(X509Bundle) bundle = NULL;
	if (g_file_get_contents(path, &text, &size, &cause)) {
		g_autoptr(GBytes) file = g_bytes_new_take(g_steal_pointer(&text), size);
		bundle = x509_read(file, NULL, &cause);
	}
	if (!bundle) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "[keystore] system_roots_file: %s",
			    cause->message);
		return FALSE;
	}
	keystore->system_roots = g_ptr_array_ref(bundle->certs);
	return TRUE;
}

gboolean keystore_create(const Conf *conf, GError **error)
{
	return store_create(conf_path(conf, "keystore", "database"), error);
}

Keystore *keystore_open(const Conf *conf, GError **error)
{
	g_autoptr(Keystore) keystore = g_new0(Keystore, 1);
	const char *delimiter = conf_string(conf, "mta", "recipient_delimiter");
	int threads = (int)CLAMP(conf_number(conf, "keystore", "threads"), 1, 256);

	g_mutex_init(&keystore->lock);
	keystore->conf = conf_ref((Conf *)conf);
	keystore->tag_delimiter = delimiter ? *delimiter : '\0';
	keystore->sources = g_ptr_array_new_with_free_func((GDestroyNotify)key_source_free);
	keystore->signers = signer_cache_new();
	keystore->unlocked = unlocked_new();
	keystore->store = store_open(conf_path(conf, "keystore", "database"),
				     conf_path(conf, "keystore", "master_key"), error);
	if (!keystore->store || !add_sources(keystore, error) ||
	    !read_system_roots(keystore, error))
		return NULL;
	g_autoptr(Trust) trust = keystore_trust(keystore, NULL, error);
	if (!trust)
		return NULL;
	keystore->pool = lookup_pool_new(keystore, threads, error);
	return keystore->pool ? g_steal_pointer(&keystore) : NULL;
}

void keystore_close(Keystore *keystore)
{
	if (!keystore)
		return;
	lookup_pool_free(keystore->pool);
	g_ptr_array_unref(keystore->sources);
	signer_cache_free(keystore->signers);
	unlocked_free(keystore->unlocked);
	trust_unref(keystore->trust);
	store_close(keystore->store);
	g_clear_pointer(&keystore->system_roots, g_ptr_array_unref);
	conf_unref(keystore->conf);
	g_mutex_clear(&keystore->lock);
	g_free(keystore);
}

static Trust *make_trust(Keystore *keystore, GError **error)
{
	g_autoptr(GPtrArray) authorities =
		g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);
	g_autoptr(GPtrArray) trusted = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);

	g_autoptr(GPtrArray) crls = g_ptr_array_new_with_free_func((GDestroyNotify)crl_unref);

	if (!store_authorities(keystore->store, authorities, trusted, error) ||
	    !store_crls(keystore->store, crls, error))
		return NULL;
	return trust_new(keystore->system_roots, authorities, trusted, crls, error);
}

Trust *keystore_trust(Keystore *keystore, gint64 *generation, GError **error)
{
	gint64 now = 0;

	if (!store_generation(keystore->store, &now, error))
		return NULL;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&keystore->lock);
	/* The generation was read before the certificates: a change in between makes this Trust
	 * newer than its number, and it is only made once more. */
	if (!keystore->trust || keystore->trust_generation != now) {
		Trust *trust = make_trust(keystore, error);
		if (!trust)
			return NULL;
		trust_unref(keystore->trust);
		keystore->trust = trust;
		keystore->trust_generation = now;
	}
	if (generation)
		*generation = now;
	return trust_ref(keystore->trust);
}

/* One judged candidate on its way into the answer. */
typedef struct {
	Key *key;
	gint64 since;
} Judged;

static void judged_clear(gpointer data)
{
	key_free(((Judged *)data)->key);
}

static gint by_rank(gconstpointer a, gconstpointer b)
{
	const Judged *left = a, *right = b;

	if (left->key->usable != right->key->usable)
		return left->key->usable ? -1 : 1;
	if (left->since != right->since)
		return left->since > right->since ? -1 : 1;
	return strcmp(left->key->id, right->key->id);
}

/* The same key from two sources is one: the first that may be used. */
static void add_judged(GArray *all, const Candidate *candidate, const char *source,
		       const char *reason)
{
	Judged judged = {NULL, candidate_since(candidate)};

	for (guint i = 0; i < all->len; i++) {
		Judged *other = &g_array_index(all, Judged, i);
		if (other->key->type != candidate->type ||
		    strcmp(other->key->id, candidate->id) != 0)
			continue;
		if (!other->key->usable && !reason) {
			key_free(other->key);
			other->key = key_from_candidate(candidate, source, reason);
		}
		return;
	}
	judged.key = key_from_candidate(candidate, source, reason);
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

static void ask_sources(Keystore *keystore, Trust *trust, const char *address, GArray *all,
			GError **failure)
{
	for (guint i = 0; i < keystore->sources->len; i++) {
		KeySource *source = keystore->sources->pdata[i];
		g_autoptr(GPtrArray) found = candidate_array_new();
		GError *error = NULL;
		if (!source->ask(source->self, address, found, &error)) {
			g_prefix_error(&error, "%s: ", source->name);
			keep_first(failure, error);
			continue;
		}
		gint64 now = g_get_real_time() / G_USEC_PER_SEC;
		for (guint k = 0; k < found->len; k++)
			add_judged(all, found->pdata[k], source->name,
				   trust_judge(trust, found->pdata[k], address, CERT_FOR_ENCRYPTION,
					       now));
	}
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

gboolean keystore_is_at_hand(Keystore *keystore, const char *address)
{
	g_autofree char *base = keystore->tag_delimiter
					? address_without_tag(address, keystore->tag_delimiter)
					: NULL;

	return all_know(keystore, address) && (!base || all_know(keystore, base));
}

KeyAnswer *keystore_ask(Keystore *keystore, const char *address)
{
	KeyAnswer *answer = key_answer_new(address);
	g_autoptr(Trust) trust = keystore_trust(keystore, NULL, &answer->failure);
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Judged));

	if (!trust)
		return answer;
	g_array_set_clear_func(all, judged_clear);
	ask_sources(keystore, trust, address, all, &answer->failure);
	g_autofree char *base = keystore->tag_delimiter && !has_usable(all)
					? address_without_tag(address, keystore->tag_delimiter)
					: NULL;
	if (base)
		ask_sources(keystore, trust, base, all, &answer->failure);
	g_array_sort(all, by_rank);
	for (guint i = 0; i < MIN(all->len, KEYSTORE_KEYS_MAX); i++)
		g_ptr_array_add(answer->keys, g_steal_pointer(&g_array_index(all, Judged, i).key));
	return answer;
}
