/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening the store and reading from it: see store.h; store_write.c changes it.
 */
#include "keystore/store_db.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/masterkey.h"

/* One row per address that a key names (bound 0) or was bound to (1). */
static const char *const migrations[] = {
	"CREATE TABLE meta (generation INTEGER NOT NULL);"
	"INSERT INTO meta VALUES (1);"
	"CREATE TABLE cert (fingerprint TEXT PRIMARY KEY, der BLOB NOT NULL, ca INTEGER NOT NULL,"
	" trusted INTEGER NOT NULL, secret BLOB);"
	"CREATE TABLE pgp (fingerprint TEXT PRIMARY KEY, public BLOB NOT NULL, secret BLOB,"
	" user_ids TEXT NOT NULL, encryption_ids TEXT NOT NULL, algorithm TEXT NOT NULL,"
	" created INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL,"
	" expired INTEGER NOT NULL, can_encrypt INTEGER NOT NULL, can_sign INTEGER NOT NULL);"
	"CREATE TABLE address (address TEXT NOT NULL, fingerprint TEXT NOT NULL,"
	" bound INTEGER NOT NULL, PRIMARY KEY (address, fingerprint)) WITHOUT ROWID;"
	"CREATE INDEX address_of ON address (fingerprint);",
	"CREATE TABLE crl (scope TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, der BLOB NOT NULL,"
	" issued INTEGER NOT NULL);",
	/* From mail (learned.h): each key once for each address that signed with it. */
	"CREATE TABLE learned (address TEXT NOT NULL, fingerprint TEXT NOT NULL,"
	" domain TEXT NOT NULL, type INTEGER NOT NULL, state INTEGER NOT NULL,"
	" origin TEXT NOT NULL, first INTEGER NOT NULL, seen INTEGER NOT NULL,"
	" bytes BLOB NOT NULL, chain TEXT, digest TEXT, user_ids TEXT, encryption_ids TEXT,"
	" algorithm TEXT, created INTEGER, expires INTEGER, revoked INTEGER, expired INTEGER,"
	" can_encrypt INTEGER, can_sign INTEGER, PRIMARY KEY (address, fingerprint));"
	"CREATE INDEX learned_first ON learned (first);"
	"CREATE INDEX learned_domain ON learned (domain, first);"
	"CREATE INDEX learned_of ON learned (fingerprint);"
	"CREATE TABLE capability (fingerprint TEXT PRIMARY KEY, flags INTEGER NOT NULL,"
	" signed INTEGER NOT NULL) WITHOUT ROWID;",
	NULL,
};

#define CERT_COLUMNS "c.fingerprint, c.der, c.trusted, c.secret IS NOT NULL"
#define PGP_COLUMNS                                                                                \
	"p.fingerprint, p.public, p.secret IS NOT NULL, p.user_ids, p.encryption_ids,"             \
	" p.algorithm, p.created, p.expires, p.revoked, p.expired, p.can_encrypt, p.can_sign"

gboolean store_create(const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);

	if (g_mkdir_with_parents(folder, 0700) < 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "%s: cannot make this folder",
			    folder);
		return FALSE;
	}
	g_autoptr(Db) db = db_open(path, migrations, FALSE, error);
	return db != NULL;
}

/* A folder that we may not enter is not one without a store. */
static gboolean is_there(const char *path, GError **error)
{
	GStatBuf status;

	if (g_stat(path, &status) == 0)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "%s: %s", path,
		    errno == ENOENT
			    ? "there is no key store; is the path right? (sealpost init makes "
			      "a new installation)"
			    : g_strerror(errno));
	return FALSE;
}

Store *store_open(const char *path, const char *master_key_path, GError **error)
{
	g_autoptr(Store) store = g_new0(Store, 1);

	g_mutex_init(&store->lock);
	store->certs =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)cert_unref);
	store->crls =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)crl_unref);
	/* A wrong path must not become an empty store: nobody would have a key then. */
	if (!is_there(path, error))
		return NULL;
	store->master = master_key_read(master_key_path, error);
	if (!store->master)
		return NULL;
	store->db = db_open(path, migrations, FALSE, error);
	return store->db ? g_steal_pointer(&store) : NULL;
}

void store_close(Store *store)
{
	if (!store)
		return;
	db_close(store->db);
	secret_free(store->master);
	g_hash_table_unref(store->certs);
	g_hash_table_unref(store->crls);
	g_mutex_clear(&store->lock);
	g_free(store);
}

/* db_row() for callers that need a row or a failure, nothing between. */
static gboolean one_row(DbQuery *query, GError **error)
{
	gboolean there;

	if (!db_row(query, &there, error))
		return FALSE;
	if (!there)
		g_set_error_literal(error, SEALPOST_ERROR, ERROR_STORE,
				    "the key store lacks a row that should be there");
	return there;
}

gboolean store_generation(Store *store, gint64 *generation, GError **error)
{
	g_autoptr(DbQuery) query = db_query(store->db, error, "SELECT generation FROM meta", "");

	if (!query || !one_row(query, error))
		return FALSE;
	*generation = db_int(query, 0);
	return TRUE;
}

/* A fingerprint stands for the same bytes always, so what was read once stays right. */
static Cert *known_cert(Store *store, const char *fingerprint)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&store->lock);
	Cert *cert = g_hash_table_lookup(store->certs, fingerprint);

	return cert ? cert_ref(cert) : NULL;
}

static void keep_cert(Store *store, Cert *cert)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&store->lock);

	if (g_hash_table_size(store->certs) >= STORE_CERTS_MAX)
		g_hash_table_remove_all(store->certs);
	g_hash_table_replace(store->certs, g_strdup(cert_fingerprint(cert)), cert_ref(cert));
}

static Cert *read_cert(Store *store, DbQuery *query, GError **error)
{
	Cert *cert = known_cert(store, db_text(query, 0));
	g_autoptr(GError) cause = NULL;

	if (cert)
		return cert;
	g_autoptr(GBytes) der = db_bytes(query, 1);
	cert = der ? cert_new(der, &cause) : NULL;
	if (!cert || strcmp(cert_fingerprint(cert), db_text(query, 0)) != 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "a damaged certificate: %s",
			    cause ? cause->message : "not what it was");
		cert_unref(cert);
		return NULL;
	}
	keep_cert(store, cert);
	return cert;
}

static Candidate *cert_from_row(Store *store, DbQuery *query, GError **error)
{
	g_autoptr(Cert) cert = read_cert(store, query, error);

	if (!cert)
		return NULL;
	Candidate *candidate = candidate_new_cert(cert);
	candidate->trusted = db_int(query, 2) != 0;
	candidate->secret = db_int(query, 3) != 0;
	return candidate;
}

/* The non-empty lines of a text column. */
static char **lines(const char *text)
{
	return text && *text ? g_strsplit(text, "\n", -1) : g_new0(char *, 1);
}

static char **addresses_of(Store *store, const char *id, int bound, GError **error)
{
	g_autoptr(DbQuery) query = db_query(
		store->db, error,
		"SELECT address FROM address WHERE fingerprint = ? AND bound = ? ORDER BY address",
		"si", id, (gint64)bound);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GError) cause = NULL;

	if (!query)
		return NULL;
	while (db_next(query, &cause))
		g_strv_builder_add(builder, db_text(query, 0));
	if (cause) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return NULL;
	}
	return g_strv_builder_end(builder);
}

char **store_bindings(Store *store, const char *id, GError **error)
{
	return addresses_of(store, id, 1, error);
}

PgpKey *store_read_pgp(DbQuery *query)
{
	PgpKey *key = g_new0(PgpKey, 1);

	key->fingerprint = g_strdup(db_text(query, 0));
	key->bytes = db_bytes(query, 1);
	key->user_ids = lines(db_text(query, 3));
	key->encryption_ids = lines(db_text(query, 4));
	key->algorithm = g_strdup(db_text(query, 5));
	key->created = db_int(query, 6);
	key->expires = db_int(query, 7);
	key->revoked = db_int(query, 8) != 0;
	key->expired = db_int(query, 9) != 0;
	key->can_encrypt = db_int(query, 10) != 0;
	key->can_sign = db_int(query, 11) != 0;
	return key;
}

static Candidate *pgp_from_row(Store *store, DbQuery *query, GError **error)
{
	g_autoptr(PgpKey) key = store_read_pgp(query);
	gboolean secret = db_int(query, 2) != 0;

	key->addresses = addresses_of(store, key->fingerprint, 0, error);
	if (!key->addresses)
		return NULL;
	Candidate *candidate = candidate_new_pgp(g_steal_pointer(&key));
	candidate->secret = secret;
	return candidate;
}

/* Reads all rows of a query over one of the two tables into the array. With an address the last
 * column tells whether the key is bound to it. */
static gboolean read_rows(Store *store, DbQuery *query, KeyType type, GPtrArray *into,
			  GError **error)
{
	int bound_column = type == KEY_SMIME ? 4 : 12;
	g_autoptr(GError) cause = NULL;

	if (!query)
		return FALSE;
	while (db_next(query, &cause)) {
		Candidate *candidate = type == KEY_SMIME ? cert_from_row(store, query, error)
							 : pgp_from_row(store, query, error);
		if (!candidate)
			return FALSE;
		candidate->bound = db_int(query, bound_column) != 0;
		g_ptr_array_add(into, candidate);
	}
	if (!cause)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

static gboolean find_all(Store *store, GPtrArray *into, GError **error)
{
	g_autoptr(DbQuery) certs =
		db_query(store->db, error,
			 "SELECT " CERT_COLUMNS ", 0 FROM cert c ORDER BY c.fingerprint", "");
	g_autoptr(DbQuery) keys = NULL;

	if (!read_rows(store, certs, KEY_SMIME, into, error))
		return FALSE;
	keys = db_query(store->db, error,
			"SELECT " PGP_COLUMNS ", 0 FROM pgp p ORDER BY p.fingerprint", "");
	return read_rows(store, keys, KEY_PGP, into, error);
}

gboolean store_find(Store *store, const char *address, GPtrArray *into, GError **error)
{
	if (!address)
		return find_all(store, into, error);
	g_autoptr(DbQuery) certs =
		db_query(store->db, error,
			 "SELECT " CERT_COLUMNS ", a.bound FROM cert c JOIN address a"
			 " ON a.fingerprint = c.fingerprint WHERE a.address = ?",
			 "s", address);
	g_autoptr(DbQuery) keys = NULL;

	if (!read_rows(store, certs, KEY_SMIME, into, error))
		return FALSE;
	keys = db_query(store->db, error,
			"SELECT " PGP_COLUMNS ", a.bound FROM pgp p JOIN address a"
			" ON a.fingerprint = p.fingerprint WHERE a.address = ?",
			"s", address);
	return read_rows(store, keys, KEY_PGP, into, error);
}

char *store_pgp_owner(Store *store, const char *id, GError **error)
{
	g_autofree char *upper = g_ascii_strup(id, -1);
	g_autoptr(DbQuery) query = db_query(
		store->db, error,
		"SELECT address FROM address WHERE fingerprint = (SELECT fingerprint FROM pgp"
		" WHERE fingerprint = ? OR substr(fingerprint, -16) = ? LIMIT 1)"
		" AND address NOT LIKE '@%' ORDER BY bound DESC, address LIMIT 1",
		"ss", upper, upper);

	return query && db_next(query, error) ? g_strdup(db_text(query, 0)) : NULL;
}

static gboolean is_prefix(const char *text)
{
	gsize length = strlen(text);

	return length >= STORE_PREFIX_MIN && length <= 64 &&
	       strspn(text, "0123456789abcdefABCDEF") == length;
}

Candidate *store_get(Store *store, const char *prefix, GError **error)
{
	g_autoptr(GPtrArray) found = candidate_array_new();
	g_autoptr(DbQuery) query = NULL;

	if (!is_prefix(prefix)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_USAGE,
			    "\"%s\" is no fingerprint (hex digits, at least %d)", prefix,
			    STORE_PREFIX_MIN);
		return NULL;
	}
	g_autofree char *lower = g_ascii_strdown(prefix, -1);
	g_autofree char *upper = g_ascii_strup(prefix, -1);
	query = db_query(store->db, error,
			 "SELECT " CERT_COLUMNS ", 0 FROM cert c"
			 " WHERE substr(c.fingerprint, 1, length(?)) = ?",
			 "ss", lower, lower);
	if (!read_rows(store, query, KEY_SMIME, found, error))
		return NULL;
	g_clear_pointer(&query, db_query_free);
	query = db_query(store->db, error,
			 "SELECT " PGP_COLUMNS ", 0 FROM pgp p"
			 " WHERE substr(p.fingerprint, 1, length(?)) = ?",
			 "ss", upper, upper);
	if (!read_rows(store, query, KEY_PGP, found, error))
		return NULL;
	if (found->len == 1)
		return candidate_ref(found->pdata[0]);
	g_set_error(error, SEALPOST_ERROR, ERROR_USAGE,
		    found->len ? "%s: several keys begin like this" : "%s: there is no such key",
		    prefix);
	return NULL;
}

gboolean store_authorities(Store *store, GPtrArray *authorities, GPtrArray *trusted, GError **error)
{
	g_autoptr(GPtrArray) found = candidate_array_new();
	g_autoptr(DbQuery) query =
		db_query(store->db, error,
			 "SELECT " CERT_COLUMNS ", 0 FROM cert c WHERE c.ca OR c.trusted", "");

	if (!read_rows(store, query, KEY_SMIME, found, error))
		return FALSE;
	for (guint i = 0; i < found->len; i++) {
		const Candidate *candidate = found->pdata[i];
		if (candidate->trusted)
			g_ptr_array_add(trusted, cert_ref(candidate->cert));
		if (cert_is_ca(candidate->cert))
			g_ptr_array_add(authorities, cert_ref(candidate->cert));
	}
	return TRUE;
}

static Crl *crl_from_row(Store *store, DbQuery *query, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&store->lock);
	Crl *crl = g_hash_table_lookup(store->crls, db_text(query, 0));

	if (crl)
		return crl_ref(crl);
	g_autoptr(GBytes) der = db_bytes(query, 1);
	crl = der ? crl_new(der, NULL) : NULL;
	if (!crl || strcmp(crl_fingerprint(crl), db_text(query, 0)) != 0) {
		g_set_error_literal(error, SEALPOST_ERROR, ERROR_STORE, "a damaged CRL");
		crl_unref(crl);
		return NULL;
	}
	if (g_hash_table_size(store->crls) >= STORE_CRLS_MAX)
		g_hash_table_remove_all(store->crls);
	g_hash_table_replace(store->crls, g_strdup(crl_fingerprint(crl)), crl_ref(crl));
	return crl;
}

gboolean store_crls(Store *store, GPtrArray *crls, GError **error)
{
	g_autoptr(DbQuery) query = db_query(
		store->db, error, "SELECT fingerprint, der FROM crl ORDER BY fingerprint", "");
	g_autoptr(GError) cause = NULL;

	if (!query)
		return FALSE;
	while (db_next(query, &cause)) {
		Crl *crl = crl_from_row(store, query, error);
		if (!crl)
			return FALSE;
		g_ptr_array_add(crls, crl);
	}
	if (!cause)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

Secret *store_secret(Store *store, const Candidate *candidate, GError **error)
{
	const char *sql = candidate->type == KEY_SMIME
				  ? "SELECT secret FROM cert WHERE fingerprint = ?"
				  : "SELECT secret FROM pgp WHERE fingerprint = ?";
	g_autoptr(DbQuery) query = db_query(store->db, error, sql, "s", candidate->id);

	if (!query || !one_row(query, error))
		return NULL;
	g_autoptr(GBytes) wrapped = db_bytes(query, 0);
	if (!wrapped) {
		g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "%s: no private key in the store",
			    candidate->id);
		return NULL;
	}
	return secret_unwrap(store->master, wrapped, candidate->id, error);
}

gboolean store_has_pgp_secret(Store *store, const char *fingerprint, gboolean *has, GError **error)
{
	g_autoptr(DbQuery) query = db_query(
		store->db, error, "SELECT 1 FROM pgp WHERE fingerprint = ? AND secret IS NOT NULL",
		"s", fingerprint);

	return db_row(query, has, error);
}
