/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes to the store, each one transaction that also counts up the generation: see store.h.
 */
#include "keystore/store_db.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/masterkey.h"

gboolean store_finish(Store *store, gboolean ok, gboolean counts, GError **error)
{
	if (ok && counts)
		ok = db_run(store->db, NULL, error, "UPDATE meta SET generation = generation + 1",
			    "");
	if (ok)
		return db_commit(store->db, error);
	db_rollback(store->db);
	return FALSE;
}

static gboolean put_addresses(Store *store, const char *id, const char *const *addresses,
			      GError **error)
{
	if (!db_run(store->db, NULL, error,
		    "DELETE FROM address WHERE fingerprint = ? AND bound = 0", "s", id))
		return FALSE;
	for (; addresses && *addresses; addresses++)
		if (!db_run(store->db, NULL, error,
			    "INSERT OR IGNORE INTO address VALUES (?, ?, 0)", "ss", *addresses, id))
			return FALSE;
	return TRUE;
}

gboolean store_put_cert(Store *store, const Cert *cert, gboolean trusted, StoreChange *change,
			GError **error)
{
	const char *id = cert_fingerprint(cert);
	int added = 0, raised = 0;

	if (!db_begin(store->db, error))
		return FALSE;
	gboolean ok = db_run(store->db, &added, error,
			     "INSERT OR IGNORE INTO cert (fingerprint, der, ca, trusted)"
			     " VALUES (?, ?, ?, ?)",
			     "sbii", id, cert_der(cert), (gint64)(cert_is_ca(cert) != FALSE),
			     (gint64)(trusted != FALSE)) &&
		      (added || !trusted ||
		       db_run(store->db, &raised, error,
			      "UPDATE cert SET trusted = 1 WHERE fingerprint = ? AND NOT trusted",
			      "s", id)) &&
		      (!added || put_addresses(store, id, cert_addresses(cert), error));
	if (!store_finish(store, ok, added || raised, error))
		return FALSE;
	*change = added ? STORE_ADDED : raised ? STORE_UPDATED : STORE_UNCHANGED;
	return TRUE;
}

gboolean store_put_private(Store *store, const char *fingerprint, const PrivateKey *key,
			   StoreChange *change, GError **error)
{
	g_autoptr(Secret) pkcs8 = private_key_export(key, error);
	int changed = 0;

	if (!pkcs8)
		return FALSE;
	g_autoptr(GBytes) wrapped = secret_wrap(store->master, pkcs8, fingerprint);
	if (!db_begin(store->db, error))
		return FALSE;
	gboolean ok = db_run(store->db, &changed, error,
			     "UPDATE cert SET secret = ? WHERE fingerprint = ? AND secret IS NULL",
			     "bs", wrapped, fingerprint);
	if (!store_finish(store, ok, changed > 0, error))
		return FALSE;
	*change = changed ? STORE_UPDATED : STORE_UNCHANGED;
	return TRUE;
}

/* How the key compares to what is there. */
static gboolean compare_pgp(Store *store, const PgpKey *key, StoreChange *change, GError **error)
{
	g_autoptr(DbQuery) query =
		db_query(store->db, error,
			 "SELECT public, secret IS NOT NULL FROM pgp WHERE fingerprint = ?", "s",
			 key->fingerprint);
	gboolean there;

	if (!db_row(query, &there, error))
		return FALSE;
	if (!there) {
		*change = STORE_ADDED;
		return TRUE;
	}
	g_autoptr(GBytes) public = db_bytes(query, 0);
	gboolean same = public && g_bytes_equal(public, key->bytes);
	*change = same && (!key->secret || db_int(query, 1)) ? STORE_UNCHANGED : STORE_UPDATED;
	return TRUE;
}

char *store_join_lines(char **items)
{
	return items ? g_strjoinv("\n", items) : g_strdup("");
}

static gboolean write_pgp(Store *store, const PgpKey *key, GError **error)
{
	g_autofree char *user_ids = store_join_lines(key->user_ids);
	g_autofree char *encryption_ids = store_join_lines(key->encryption_ids);
	g_autoptr(GBytes) secret =
		key->secret ? secret_wrap(store->master, key->secret, key->fingerprint) : NULL;

	return db_run(store->db, NULL, error,
		      "INSERT INTO pgp VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		      " ON CONFLICT (fingerprint) DO UPDATE SET public = excluded.public,"
		      " secret = coalesce(excluded.secret, secret), user_ids = excluded.user_ids,"
		      " encryption_ids = excluded.encryption_ids, algorithm = excluded.algorithm,"
		      " created = excluded.created, expires = excluded.expires,"
		      " revoked = excluded.revoked, expired = excluded.expired,"
		      " can_encrypt = excluded.can_encrypt, can_sign = excluded.can_sign",
		      "sbbsssiiiiii", key->fingerprint, key->bytes, secret, user_ids,
		      encryption_ids, key->algorithm ? key->algorithm : "", key->created,
		      key->expires, (gint64)(key->revoked != FALSE),
		      (gint64)(key->expired != FALSE), (gint64)(key->can_encrypt != FALSE),
		      (gint64)(key->can_sign != FALSE)) &&
	       put_addresses(store, key->fingerprint, (const char *const *)key->addresses, error);
}

gboolean store_put_pgp(Store *store, const PgpKey *key, StoreChange *change, GError **error)
{
	StoreChange result = STORE_UNCHANGED;

	if (!db_begin(store->db, error))
		return FALSE;
	gboolean ok = compare_pgp(store, key, &result, error);
	if (ok && result != STORE_UNCHANGED)
		ok = write_pgp(store, key, error);
	if (!store_finish(store, ok, result != STORE_UNCHANGED, error))
		return FALSE;
	*change = result;
	return TRUE;
}

gboolean store_put_crl(Store *store, const Crl *crl, StoreChange *change, GError **error)
{
	int added = 0, renewed = 0;

	if (!db_begin(store->db, error))
		return FALSE;
	gboolean ok = db_run(store->db, &added, error,
			     "INSERT OR IGNORE INTO crl VALUES (?, ?, ?, ?)", "ssbi",
			     crl_scope(crl), crl_fingerprint(crl), crl_der(crl), crl_issued(crl)) &&
		      (added || db_run(store->db, &renewed, error,
				       "UPDATE crl SET fingerprint = ?, der = ?, issued = ?"
				       " WHERE scope = ? AND issued < ?",
				       "sbisi", crl_fingerprint(crl), crl_der(crl), crl_issued(crl),
				       crl_scope(crl), crl_issued(crl)));
	if (!store_finish(store, ok, added || renewed, error))
		return FALSE;
	*change = added ? STORE_ADDED : renewed ? STORE_UPDATED : STORE_UNCHANGED;
	return TRUE;
}

gboolean store_bind(Store *store, const char *id, const char *address, GError **error)
{
	if (!db_begin(store->db, error))
		return FALSE;
	gboolean ok = db_run(store->db, NULL, error,
			     "INSERT INTO address VALUES (?, ?, 1)"
			     " ON CONFLICT DO UPDATE SET bound = 1",
			     "ss", address, id);
	return store_finish(store, ok, TRUE, error);
}

gboolean store_delete(Store *store, const char *id, GError **error)
{
	if (!db_begin(store->db, error))
		return FALSE;
	gboolean ok =
		db_run(store->db, NULL, error, "DELETE FROM cert WHERE fingerprint = ?", "s", id) &&
		db_run(store->db, NULL, error, "DELETE FROM crl WHERE fingerprint = ?", "s", id) &&
		db_run(store->db, NULL, error, "DELETE FROM pgp WHERE fingerprint = ?", "s", id) &&
		db_run(store->db, NULL, error, "DELETE FROM address WHERE fingerprint = ?", "s",
		       id);
	return store_finish(store, ok, TRUE, error);
}
