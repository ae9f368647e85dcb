/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of learned keys. See learned.h.
 */
#include "keystore/learned.h"

#include <string.h>

#include "keystore/store_db.h"
#include "lib/base/error.h"
#include "lib/mail/address.h"

#define COLUMNS                                                                                    \
	"fingerprint, bytes, 0, user_ids, encryption_ids, algorithm, created, expires, revoked,"   \
	" expired, can_encrypt, can_sign, address, type, state, origin, first, seen, digest,"      \
	" chain"

static const char *const states[] = {"", "learned", "changed", "approved", "rejected"};

const char *learned_state_name(LearnedState state)
{
	return states[state];
}

void learned_free(Learned *learned)
{
	if (!learned)
		return;
	g_free(learned->address);
	g_free(learned->origin);
	g_free(learned->digest);
	candidate_unref(learned->candidate);
	g_free(learned);
}

static Candidate *read_cert(DbQuery *query, GError **error)
{
	g_autoptr(GBytes) der = db_bytes(query, 1);
	g_autoptr(Cert) cert = der ? cert_new(der, error) : NULL;
	const char *chain = db_text(query, 19);

	if (!cert)
		return NULL;
	Candidate *candidate = candidate_new_cert(cert);

	if (chain && *chain) {
		g_autoptr(GBytes) pem = g_bytes_new(chain, strlen(chain));
		g_autoptr(X509Bundle) bundle = x509_read(pem, NULL, NULL);

		candidate->extra = bundle ? g_ptr_array_ref(bundle->certs) : NULL;
	}
	return candidate;
}

static Candidate *read_pgp(DbQuery *query)
{
	PgpKey *key = store_read_pgp(query);
	g_autoptr(GStrvBuilder) addresses = g_strv_builder_new();

	g_strv_builder_add(addresses, db_text(query, 12));
	key->addresses = g_strv_builder_end(addresses);
	return candidate_new_pgp(key);
}

static Learned *read_row(DbQuery *query, GError **error)
{
	Candidate *candidate =
		db_int(query, 13) == KEY_SMIME ? read_cert(query, error) : read_pgp(query);
	gint64 state = db_int(query, 14);

	if (!candidate)
		return NULL;
	candidate->bound = TRUE;
	candidate->learned = (LearnedState)CLAMP(state, LEARNED_USED, LEARNED_REJECTED);
	Learned *learned = g_new0(Learned, 1);
	learned->candidate = candidate;
	learned->state = candidate->learned;
	learned->address = g_strdup(db_text(query, 12));
	learned->origin = g_strdup(db_text(query, 15));
	learned->first = db_int(query, 16);
	learned->seen = db_int(query, 17);
	learned->digest = g_strdup(db_text(query, 18));
	return learned;
}

static GPtrArray *read_rows(DbQuery *query, GError **error)
{
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)learned_free);
	g_autoptr(GError) cause = NULL;

	if (!query)
		return NULL;
	while (db_next(query, &cause)) {
		Learned *learned = read_row(query, error);
		if (!learned)
			return NULL;
		g_ptr_array_add(rows, learned);
	}
	if (!cause)
		return g_steal_pointer(&rows);
	g_propagate_error(error, g_steal_pointer(&cause));
	return NULL;
}

GPtrArray *learned_list(Store *store, const char *address, GError **error)
{
	g_autoptr(DbQuery) query =
		address ? db_query(store->db, error,
				   "SELECT " COLUMNS " FROM learned WHERE address = ?"
				   " ORDER BY first, state, fingerprint",
				   "s", address)
			: db_query(store->db, error,
				   "SELECT " COLUMNS " FROM learned"
				   " ORDER BY first, address, state, fingerprint",
				   "");

	return read_rows(query, error);
}

static gboolean is_one_key(const GPtrArray *rows)
{
	const Learned *first = rows->len ? rows->pdata[0] : NULL;

	for (guint i = 1; i < rows->len; i++) {
		const Learned *other = rows->pdata[i];
		if (strcmp(first->candidate->id, other->candidate->id) != 0)
			return FALSE;
	}
	return first != NULL;
}

GPtrArray *learned_of(Store *store, const char *prefix, GError **error)
{
	g_autofree char *upper = g_ascii_strup(prefix, -1);

	if (strlen(prefix) < STORE_PREFIX_MIN) {
		g_set_error(error, SEALPOST_ERROR, ERROR_USAGE,
			    "\"%s\" is no fingerprint (hex digits, at least %d)", prefix,
			    STORE_PREFIX_MIN);
		return NULL;
	}
	g_autoptr(DbQuery) query =
		db_query(store->db, error,
			 "SELECT " COLUMNS " FROM learned"
			 " WHERE upper(substr(fingerprint, 1, length(?))) = ? ORDER BY address",
			 "ss", upper, upper);
	g_autoptr(GPtrArray) rows = read_rows(query, error);

	if (!rows || is_one_key(rows))
		return g_steal_pointer(&rows);
	g_set_error(error, SEALPOST_ERROR, ERROR_USAGE,
		    rows->len ? "%s: several keys begin like this" : "%s: no such key was learned",
		    prefix);
	return NULL;
}

static char *chain_text(const GPtrArray *chain)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; chain && i < chain->len; i++) {
		g_autofree char *pem = cert_pem(chain->pdata[i]);
		g_string_append(text, pem);
	}
	return g_string_free(text, FALSE);
}

gboolean learned_put(Store *store, const Learned *learned, GError **error)
{
	static const PgpKey none = {0};
	const Candidate *candidate = learned->candidate;
	const PgpKey *pgp = candidate->pgp ? candidate->pgp : &none;
	g_autofree char *user_ids = store_join_lines(pgp->user_ids);
	g_autofree char *encryption_ids = store_join_lines(pgp->encryption_ids);
	g_autofree char *chain = chain_text(candidate->extra);

	return db_run(store->db, NULL, error,
		      "REPLACE INTO learned VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
		      " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      "sssiisiibsssssiiiiii", learned->address, candidate->id,
		      address_domain(learned->address), (gint64)candidate->type,
		      (gint64)learned->state, learned->origin, learned->first, learned->seen,
		      candidate->cert ? cert_der(candidate->cert) : pgp->bytes, chain,
		      learned->digest, user_ids, encryption_ids,
		      pgp->algorithm ? pgp->algorithm : "", pgp->created, pgp->expires,
		      (gint64)(pgp->revoked != FALSE), (gint64)(pgp->expired != FALSE),
		      (gint64)(pgp->can_encrypt != FALSE), (gint64)(pgp->can_sign != FALSE));
}

static gboolean read_number(DbQuery *query, gint64 *number, GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (!query)
		return FALSE;
	*number = db_next(query, &cause) ? db_int(query, 0) : 0;
	if (!cause)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

gboolean learned_count(Store *store, const char *domain, gint64 since, gint64 *count,
		       GError **error)
{
	g_autoptr(DbQuery) query =
		domain ? db_query(store->db, error,
				  "SELECT count(*) FROM learned WHERE domain = ? AND first >= ?",
				  "si", domain, since)
		       : db_query(store->db, error, "SELECT count(*) FROM learned WHERE first >= ?",
				  "i", since);

	return read_number(query, count, error);
}

/* Leaves the row of this address; without one there must be no choice. */
static gboolean choose_row(GPtrArray *rows, const char *address, GError **error)
{
	const Learned *first = rows->pdata[0];
	g_autofree char *id = g_strdup(first->candidate->id);
	g_autoptr(GString) addresses = g_string_new(NULL);

	if (!address && rows->len == 1)
		return TRUE;
	for (guint i = rows->len; i-- > 0;) {
		const Learned *row = rows->pdata[i];
		g_string_prepend(addresses, row->address);
		g_string_prepend_c(addresses, ' ');
		if (address && strcmp(row->address, address) != 0)
			g_ptr_array_remove_index(rows, i);
	}
	if (address && rows->len == 1)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_USAGE,
		    address ? "%s: not learned for this address, but for:%s"
			    : "%s: say --for which address, it was learned for several:%s",
		    id, addresses->str);
	return FALSE;
}

static gboolean set_states(Store *store, const GPtrArray *rows, LearnedState state, GError **error)
{
	for (guint i = 0; i < rows->len; i++) {
		const Learned *row = rows->pdata[i];
		if (!db_run(store->db, NULL, error,
			    "UPDATE learned SET state = ? WHERE fingerprint = ? AND address = ?",
			    "iss", (gint64)state, row->candidate->id, row->address))
			return FALSE;
	}
	return TRUE;
}

/* In one transaction: nothing is decided about that was not looked at. */
static GPtrArray *decide(Store *store, const char *prefix, const char *address, LearnedState state,
			 GError **error)
{
	if (!db_begin(store->db, error))
		return NULL;
	g_autoptr(GPtrArray) rows = learned_of(store, prefix, error);
	gboolean ok = rows && (state == LEARNED_REJECTED || choose_row(rows, address, error)) &&
		      set_states(store, rows, state, error);

	return store_finish(store, ok, FALSE, error) ? g_steal_pointer(&rows) : NULL;
}

GPtrArray *learned_approve(Store *store, const char *prefix, const char *address, GError **error)
{
	return decide(store, prefix, address, LEARNED_APPROVED, error);
}

GPtrArray *learned_reject(Store *store, const char *prefix, GError **error)
{
	return decide(store, prefix, NULL, LEARNED_REJECTED, error);
}

gboolean learned_is_rejected(Store *store, const char *id, gboolean *rejected, GError **error)
{
	g_autoptr(DbQuery) query =
		db_query(store->db, error,
			 "SELECT count(*) FROM learned WHERE fingerprint = ? AND state = ?", "si",
			 id, (gint64)LEARNED_REJECTED);
	gint64 count = 0;
	gboolean ok = read_number(query, &count, error);

	*rejected = count > 0;
	return ok;
}

gboolean learned_forget(Store *store, const char *id, GError **error)
{
	return db_run(store->db, NULL, error, "DELETE FROM learned WHERE fingerprint = ?", "s",
		      id) &&
	       db_run(store->db, NULL, error, "DELETE FROM capability WHERE fingerprint = ?", "s",
		      id);
}

gboolean learned_expire(Store *store, gint64 seen, GError **error)
{
	return db_run(store->db, NULL, error,
		      "DELETE FROM learned WHERE seen < ? AND state IN (?, ?)", "iii", seen,
		      (gint64)LEARNED_USED, (gint64)LEARNED_CHANGED) &&
	       db_run(store->db, NULL, error, "DELETE FROM capability WHERE signed < ?", "i", seen);
}

gboolean learned_capabilities(Store *store, const char *id, guint *flags, gint64 *signed_at,
			      GError **error)
{
	g_autoptr(DbQuery) query =
		db_query(store->db, error,
			 "SELECT flags, signed FROM capability WHERE fingerprint = ?", "s", id);
	g_autoptr(GError) cause = NULL;

	if (!query)
		return FALSE;
	gboolean there = db_next(query, &cause);

	*flags = there ? (guint)db_int(query, 0) : 0;
	*signed_at = there ? db_int(query, 1) : 0;
	if (!cause)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

gboolean learned_put_capabilities(Store *store, const char *id, guint flags, gint64 signed_at,
				  GError **error)
{
	return db_run(store->db, NULL, error, "REPLACE INTO capability VALUES (?, ?, ?)", "sii", id,
		      (gint64)flags, signed_at);
}
