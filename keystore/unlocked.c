/* SPDX-License-Identifier: Apache-2.0
 *
 * Own private keys for S/MIME that opened mail lately. Unsealing and reading one, and what OpenSSL
 * prepares at its first use (blinding), cost as much as opening a message. A certificate's key
 * never changes, so its fingerprint is name enough; whether it may be used is asked of the store
 * each time.
 */
#include "keystore/inside.h"

#define UNLOCKED_SECONDS 60
/* A full cache is emptied. */
#define UNLOCKED_MAX 1000

typedef struct {
	PrivateKey *key;
	gint64 until; /* g_get_monotonic_time() */
} Entry;

struct Unlocked {
	GMutex lock;
	GHashTable *entries; /* fingerprint -> Entry * */
};

static void entry_free(gpointer data)
{
	Entry *entry = data;

	private_key_unref(entry->key);
	g_free(entry);
}

Unlocked *unlocked_new(void)
{
	Unlocked *unlocked = g_new0(Unlocked, 1);

	g_mutex_init(&unlocked->lock);
	unlocked->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	return unlocked;
}

void unlocked_free(Unlocked *unlocked)
{
	if (!unlocked)
		return;
	g_hash_table_unref(unlocked->entries);
	g_mutex_clear(&unlocked->lock);
	g_free(unlocked);
}

PrivateKey *unlocked_find(Unlocked *unlocked, const char *fingerprint)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&unlocked->lock);
	const Entry *entry = g_hash_table_lookup(unlocked->entries, fingerprint);

	return entry && entry->until > g_get_monotonic_time() ? private_key_ref(entry->key) : NULL;
}

static gboolean is_over(gpointer name, gpointer value, gpointer now)
{
	(void)name;
	return ((Entry *)value)->until <= *(gint64 *)now;
}

void unlocked_keep(Unlocked *unlocked, const char *fingerprint, PrivateKey *key)
{
	gint64 now = g_get_monotonic_time();
	Entry *entry = g_new0(Entry, 1);

	entry->key = private_key_ref(key);
	entry->until = now + UNLOCKED_SECONDS * G_USEC_PER_SEC;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&unlocked->lock);
	g_hash_table_foreach_remove(unlocked->entries, is_over, &now);
	if (g_hash_table_size(unlocked->entries) >= UNLOCKED_MAX)
		g_hash_table_remove_all(unlocked->entries);
	g_hash_table_replace(unlocked->entries, g_strdup(fingerprint), entry);
}
