/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of values with an end each. See kept.h.
 */
#include "lib/base/kept.h"

typedef struct {
	gpointer value;
	gint64 until;
} Entry;

struct Kept {
	GMutex lock;
	GHashTable *entries; /* name -> Entry * */
	guint max;
	KeptRef ref;
	GDestroyNotify unref;
};

Kept *kept_new(guint max, KeptRef ref, GDestroyNotify unref)
{
	Kept *kept = g_new0(Kept, 1);

	g_mutex_init(&kept->lock);
	kept->entries = g_hash_table_new(g_str_hash, g_str_equal);
	kept->max = max;
	kept->ref = ref;
	kept->unref = unref;
	return kept;
}

static void drop(Kept *kept, gpointer name, Entry *entry)
{
	if (entry->value)
		kept->unref(entry->value);
	g_free(entry);
	g_free(name);
}

/* Takes out what ends before that time. */
static void remove_over(Kept *kept, gint64 time)
{
	GHashTableIter iter;
	gpointer name, entry;

	g_hash_table_iter_init(&iter, kept->entries);
	while (g_hash_table_iter_next(&iter, &name, &entry)) {
		if (((Entry *)entry)->until > time)
			continue;
		g_hash_table_iter_steal(&iter);
		drop(kept, name, entry);
	}
}

void kept_free(Kept *kept)
{
	if (!kept)
		return;
	remove_over(kept, G_MAXINT64);
	g_hash_table_unref(kept->entries);
	g_mutex_clear(&kept->lock);
	g_free(kept);
}

gboolean kept_find(Kept *kept, const char *name, gpointer *value)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&kept->lock);
	const Entry *entry = g_hash_table_lookup(kept->entries, name);

	if (!entry || entry->until <= g_get_monotonic_time())
		return FALSE;
	if (value)
		*value = entry->value ? kept->ref(entry->value) : NULL;
	return TRUE;
}

void kept_put(Kept *kept, const char *name, gpointer value, gint64 until)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&kept->lock);
	gpointer old_name, old;
	Entry *entry = g_new0(Entry, 1);

	entry->value = value ? kept->ref(value) : NULL;
	entry->until = until;
	if (g_hash_table_steal_extended(kept->entries, name, &old_name, &old))
		drop(kept, old_name, old);
	remove_over(kept, g_get_monotonic_time());
	if (g_hash_table_size(kept->entries) >= kept->max)
		remove_over(kept, G_MAXINT64);
	g_hash_table_insert(kept->entries, g_strdup(name), entry);
}
