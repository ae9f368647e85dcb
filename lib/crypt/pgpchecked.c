/* SPDX-License-Identifier: Apache-2.0
 *
 * Public keys whose own signatures gpg has looked at. See pgpchecked.h.
 */
#include "lib/crypt/pgpchecked.h"

struct PgpChecked {
	GMutex lock;
	GHashTable *keys; /* GBytes -> GBytes */
};

PgpChecked *pgp_checked_new(void)
{
	PgpChecked *checked = g_new0(PgpChecked, 1);

	g_mutex_init(&checked->lock);
	checked->keys =
		g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref,
				      (GDestroyNotify)g_bytes_unref);
	return checked;
}

void pgp_checked_free(PgpChecked *checked)
{
	if (!checked)
		return;
	g_hash_table_unref(checked->keys);
	g_mutex_clear(&checked->lock);
	g_free(checked);
}

GBytes *pgp_checked_find(PgpChecked *checked, GBytes *key)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&checked->lock);
	GBytes *found = g_hash_table_lookup(checked->keys, key);

	return found ? g_bytes_ref(found) : NULL;
}

void pgp_checked_keep(PgpChecked *checked, GBytes *key, GBytes *with_notes)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&checked->lock);

	if (g_hash_table_size(checked->keys) >= PGP_CHECKED_MAX)
		g_hash_table_remove_all(checked->keys);
	g_hash_table_replace(checked->keys, g_bytes_ref(key), g_bytes_ref(with_notes));
}
