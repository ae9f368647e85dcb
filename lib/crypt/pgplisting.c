/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of gpg about keys, each by one run in PgpHome's folder. See pgphome.h.
 */
#include "lib/crypt/pgphome.h"
#include "lib/crypt/pgpkey.h"

GBytes *pgp_export_public(PgpHome *home, const char *fingerprint, gint64 deadline, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, PGPKEY_MAX);
	g_autoptr(PgpData) data = pgp_data_new(NULL, sink, error);
	PgpContext *context = data ? pgp_home_take(home, error) : NULL;

	if (!context)
		return NULL;
	gpgme_ctx_t gpgme = pgp_context_gpgme(context);
	gpgme_set_armor(gpgme, 0);
	gpgme_error_t started = gpgme_op_export_start(gpgme, fingerprint, 0, pgp_data_gpgme(data));
	if (pgp_home_end(home, context, pgp_run(context, started, deadline, NULL, error)))
		return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
	pgp_data_failed(data, error);
	return NULL;
}

GPtrArray *pgp_home_list(PgpHome *home, GBytes *key, gint64 deadline)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func((GDestroyNotify)gpgme_key_unref);
	gsize size;
	const void *bytes = g_bytes_get_data(key, &size);
	g_autoptr(PgpData) data = pgp_data_new_bytes(bytes, size, NULL);
	PgpContext *context = data ? pgp_home_take(home, NULL) : NULL;

	if (!context)
		return NULL;
	gpgme_error_t started = gpgme_op_keylist_from_data_start(pgp_context_gpgme(context),
								 pgp_data_gpgme(data), 0);
	gboolean good =
		pgp_home_end(home, context, pgp_run(context, started, deadline, keys, NULL));

	return good ? g_steal_pointer(&keys) : NULL;
}

gboolean pgp_home_wake(PgpHome *home, gint64 deadline, GError **error)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func((GDestroyNotify)gpgme_key_unref);
	PgpContext *context = pgp_home_take(home, error);

	if (!context)
		return FALSE;
	/* Whoever lists secret keys asks the agent, and starts it. */
	gboolean good =
		pgp_run(context, gpgme_op_keylist_start(pgp_context_gpgme(context), NULL, 1),
			deadline, keys, error);
	return pgp_home_end(home, context, good);
}
