/* SPDX-License-Identifier: Apache-2.0
 *
 * gpg's answers, kept. See pgptargets.h.
 */
#include "lib/crypt/pgptargets.h"

Kept *pgp_targets_new(void)
{
	return kept_new(PGP_TARGETS_MAX, (KeptRef)pgp_target_ref, (GDestroyNotify)pgp_target_unref);
}

/* How long the answer holds. */
static gint64 lifetime(const PgpTarget *target)
{
	gint64 end = target ? pgp_target_end(target) : 0;
	gint64 left = end ? end - g_get_real_time() / G_USEC_PER_SEC : PGP_TARGETS_SECONDS;

	return MIN(left, PGP_TARGETS_SECONDS) * G_USEC_PER_SEC;
}

PgpTarget *pgp_targets_find(PgpHome *home, GBytes *key, gint64 deadline)
{
	g_autofree char *name = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, key);
	Kept *kept = pgp_home_targets(home);
	gpointer found;
	PgpTarget *target = NULL;

	if (kept_find(kept, name, &found))
		return found;
	g_autoptr(GPtrArray) keys = pgp_home_list(home, key, deadline);

	if (keys && keys->len == 1)
		target = pgp_target_new(keys->pdata[0], key);
	if (keys)
		kept_put(kept, name, target, g_get_monotonic_time() + lifetime(target));
	return target;
}
