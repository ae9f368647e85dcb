/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing: the store, the directories of the configuration, and what is trusted.
 */
#include "keystore/directory.h"
#include "keystore/inside.h"
#include "lib/base/error.h"

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
	if (!trust || !learner_open(keystore, error))
		return NULL;
	keystore->pool = lookup_pool_new(keystore, threads, error);
	return keystore->pool ? g_steal_pointer(&keystore) : NULL;
}

void keystore_close(Keystore *keystore)
{
	if (!keystore)
		return;
	lookup_pool_free(keystore->pool);
	learner_close(keystore);
	g_ptr_array_unref(keystore->sources);
	signer_cache_free(keystore->signers);
	kept_free(keystore->unlocked);
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
