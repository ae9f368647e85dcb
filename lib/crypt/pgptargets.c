/* SPDX-License-Identifier: Apache-2.0
 *
 * gpg's answers, kept. See pgptargets.h. What is kept goes by the key's bytes: a new form of a key,
 * with a revocation say, is another one.
 */
#include "lib/crypt/pgptargets.h"

typedef struct {
	gint64 until; /* seconds since 1970 */
	PgpTarget *target; /* NULL: gpg has to do it */
} Entry;

struct PgpTargets {
	GMutex lock;
	GHashTable *entries; /* SHA-256 of the key -> Entry * */
};

static void entry_free(gpointer data)
{
	Entry *entry = data;

	pgp_target_unref(entry->target);
	g_free(entry);
}

PgpTargets *pgp_targets_new(void)
{
	PgpTargets *targets = g_new0(PgpTargets, 1);

	g_mutex_init(&targets->lock);
	targets->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	return targets;
}

void pgp_targets_free(PgpTargets *targets)
{
	if (!targets)
		return;
	g_hash_table_unref(targets->entries);
	g_mutex_clear(&targets->lock);
	g_free(targets);
}

static gint64 seconds_now(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

/* TRUE: *target is what was kept, NULL included. */
static gboolean find(PgpTargets *targets, const char *name, PgpTarget **target)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&targets->lock);
	const Entry *entry = g_hash_table_lookup(targets->entries, name);

	if (!entry || entry->until <= seconds_now())
		return FALSE;
	*target = entry->target ? pgp_target_ref(entry->target) : NULL;
	return TRUE;
}

static void keep(PgpTargets *targets, const char *name, PgpTarget *target)
{
	gint64 end = target ? pgp_target_end(target) : 0;
	Entry *entry = g_new0(Entry, 1);

	entry->until = seconds_now() + PGP_TARGETS_SECONDS;
	if (end && end < entry->until)
		entry->until = end;
	entry->target = target ? pgp_target_ref(target) : NULL;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&targets->lock);
	if (g_hash_table_size(targets->entries) >= PGP_TARGETS_MAX)
		g_hash_table_remove_all(targets->entries);
	g_hash_table_replace(targets->entries, g_strdup(name), entry);
}

/* gpg lists the key without taking it into a keyring. FALSE: it could not be asked. */
static gboolean ask(PgpHome *home, GBytes *key, gint64 deadline, PgpTarget **target)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func((GDestroyNotify)gpgme_key_unref);
	gsize size;
	const void *bytes = g_bytes_get_data(key, &size);
	g_autoptr(PgpData) data = pgp_data_new_bytes(bytes, size, NULL);
	PgpContext *context = data ? pgp_home_take(home, NULL) : NULL;

	if (!context)
		return FALSE;
	gpgme_error_t started = gpgme_op_keylist_from_data_start(pgp_context_gpgme(context),
								 pgp_data_gpgme(data), 0);
	if (!pgp_home_end(home, context, pgp_run(context, started, deadline, keys, NULL)))
		return FALSE;
	if (keys->len == 1)
		*target = pgp_target_new(keys->pdata[0], key);
	return TRUE;
}

PgpTarget *pgp_targets_find(PgpTargets *targets, PgpHome *home, GBytes *key, gint64 deadline)
{
	g_autofree char *name = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, key);
	PgpTarget *target = NULL;

	if (!find(targets, name, &target) && ask(home, key, deadline, &target))
		keep(targets, name, target);
	return target;
}
