/* SPDX-License-Identifier: Apache-2.0
 *
 * The cache of a directory's answers: see cache.h.
 */
#include "keystore/cache.h"

typedef struct {
	gint64 until; /* monotonic, microseconds */
	GPtrArray *candidates;
} Entry;

struct Cache {
	GMutex lock;
	GHashTable *entries; /* address -> Entry */
	gint64 positive, negative; /* microseconds */
};

static void entry_free(gpointer data)
{
	Entry *entry = data;

	g_ptr_array_unref(entry->candidates);
	g_free(entry);
}

Cache *cache_new(gint64 positive, gint64 negative)
{
	Cache *cache = g_new0(Cache, 1);

	g_mutex_init(&cache->lock);
	cache->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	cache->positive = positive * G_USEC_PER_SEC;
	cache->negative = negative * G_USEC_PER_SEC;
	return cache;
}

void cache_free(Cache *cache)
{
	if (!cache)
		return;
	g_hash_table_unref(cache->entries);
	g_mutex_clear(&cache->lock);
	g_free(cache);
}

static void add_from(GPtrArray *into, GPtrArray *from, guint first)
{
	for (guint i = first; i < from->len; i++)
		g_ptr_array_add(into, candidate_ref(from->pdata[i]));
}

gboolean cache_get(Cache *cache, const char *address, gint64 now, GPtrArray *into)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&cache->lock);
	Entry *entry = g_hash_table_lookup(cache->entries, address);

	if (!entry)
		return FALSE;
	if (entry->until <= now) {
		g_hash_table_remove(cache->entries, address);
		return FALSE;
	}
	if (into)
		add_from(into, entry->candidates, 0);
	return TRUE;
}

static gboolean is_over(gpointer key, gpointer value, gpointer now)
{
	(void)key;
	return ((Entry *)value)->until <= *(gint64 *)now;
}

/* What is over goes; if that is nothing, the entry that would end first. */
static void make_room(Cache *cache, gint64 now)
{
	GHashTableIter iter;
	gpointer key, value, oldest = NULL;
	gint64 until = G_MAXINT64;

	if (g_hash_table_size(cache->entries) < CACHE_ENTRIES_MAX ||
	    g_hash_table_foreach_remove(cache->entries, is_over, &now) > 0)
		return;
	g_hash_table_iter_init(&iter, cache->entries);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		if (((Entry *)value)->until < until) {
			until = ((Entry *)value)->until;
			oldest = key;
		}
	}
	g_hash_table_remove(cache->entries, oldest);
}

void cache_put(Cache *cache, const char *address, gint64 now, GPtrArray *candidates, guint first)
{
	gint64 time = candidates->len > first ? cache->positive : cache->negative;

	if (time <= 0)
		return;
	Entry *entry = g_new0(Entry, 1);
	entry->until = now + time;
	entry->candidates = candidate_array_new();
	add_from(entry->candidates, candidates, first);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&cache->lock);
	make_room(cache, now);
	g_hash_table_replace(cache->entries, g_strdup(address), entry);
}
