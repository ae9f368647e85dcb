/* SPDX-License-Identifier: Apache-2.0
 *
 * Importing keys and certificates: see import.h. The format is found by content, never by name.
 */
#include "keystore/import.h"

#include <string.h>

#include "keystore/scratch.h"
#include "lib/base/error.h"

typedef struct {
	char *file;
	PrivateKey *key; /* or */
	Crl *crl;
} Waiting;

struct Import {
	Store *store;
	gboolean trusted;
	char *address;
	GPtrArray *imported; /* of Imported * */
	GPtrArray *waiting; /* of Waiting * */
};

static void imported_free(gpointer data)
{
	Imported *imported = data;

	g_free(imported->file);
	candidate_unref(imported->candidate);
	crl_unref(imported->crl);
	g_free(imported);
}

static void waiting_free(gpointer data)
{
	Waiting *waiting = data;

	g_free(waiting->file);
	private_key_unref(waiting->key);
	crl_unref(waiting->crl);
	g_free(waiting);
}

Import *import_new(Store *store, const ImportOptions *options)
{
	Import *import = g_new0(Import, 1);

	import->store = store;
	import->trusted = options->trusted;
	import->address = g_strdup(options->address);
	import->imported = g_ptr_array_new_with_free_func(imported_free);
	import->waiting = g_ptr_array_new_with_free_func(waiting_free);
	return import;
}

void import_free(Import *import)
{
	if (!import)
		return;
	g_free(import->address);
	g_ptr_array_unref(import->imported);
	g_ptr_array_unref(import->waiting);
	g_free(import);
}

GPtrArray *import_list(const Import *import)
{
	return import->imported;
}

static gboolean contains(GBytes *file, const char *text)
{
	gsize size;
	const char *data = g_bytes_get_data(file, &size);

	return size && g_strstr_len(data, (gssize)size, text);
}

/* Armour, or a binary packet: the top bit is set (RFC 4880, section 4.2), which no PEM and no DER
 * of ours has at its head. */
static gboolean looks_like_pgp(GBytes *file)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(file, &size);

	return contains(file, "-----BEGIN PGP ") || (size && (data[0] & 0x80));
}

#define BLOCK "-----BEGIN "

/* Armour beside PEM: who reads the one knows nothing of the other. */
static gboolean is_mixed(GBytes *file)
{
	gsize size;
	const char *data = g_bytes_get_data(file, &size);
	const char *end = data + size;
	gboolean pgp = FALSE, pem = FALSE;

	while ((data = g_strstr_len(data, end - data, BLOCK)) != NULL) {
		data += strlen(BLOCK);
		gboolean armour = end - data >= 4 && strncmp(data, "PGP ", 4) == 0;
		pgp = pgp || armour;
		pem = pem || !armour;
	}
	return pgp && pem;
}

static Imported *add_line(Import *import, const char *name, StoreChange change)
{
	Imported *imported = g_new0(Imported, 1);

	imported->file = g_strdup(name);
	imported->change = change;
	g_ptr_array_add(import->imported, imported);
	return imported;
}

/* Notes what was taken; the same certificate twice in a call is one line. */
static Imported *note(Import *import, const char *name, Candidate *candidate, StoreChange change)
{
	for (guint i = 0; i < import->imported->len; i++) {
		Imported *other = import->imported->pdata[i];
		if (other->candidate && strcmp(other->candidate->id, candidate->id) == 0) {
			candidate_unref(candidate);
			return other;
		}
	}
	Imported *imported = add_line(import, name, change);
	imported->candidate = candidate;
	return imported;
}

static gboolean take_cert(Import *import, const char *name, Cert *cert, gboolean bind,
			  GError **error)
{
	StoreChange change;

	if (!store_put_cert(import->store, cert, import->trusted, &change, error))
		return FALSE;
	if (bind && import->address &&
	    !store_bind(import->store, cert_fingerprint(cert), import->address, error))
		return FALSE;
	Candidate *candidate = candidate_new_cert(cert);
	candidate->trusted = import->trusted;
	note(import, name, candidate, change);
	return TRUE;
}

static gboolean take_certs(Import *import, const char *name, GPtrArray *certs, GError **error)
{
	for (guint i = 0; i < certs->len; i++) {
		Cert *cert = certs->pdata[i];
		/* A self-signed certificate of one person is often marked as a CA. */
		gboolean bind = certs->len == 1 || !cert_is_ca(cert);
		if (!take_cert(import, name, cert, bind, error))
			return FALSE;
	}
	return TRUE;
}

static Waiting *add_waiting(Import *import, const char *name)
{
	Waiting *waiting = g_new0(Waiting, 1);

	waiting->file = g_strdup(name);
	g_ptr_array_add(import->waiting, waiting);
	return waiting;
}

static void wait_for_certs(Import *import, const char *name, const X509Bundle *bundle)
{
	for (guint i = 0; i < bundle->keys->len; i++)
		add_waiting(import, name)->key = private_key_ref(bundle->keys->pdata[i]);
	for (guint i = 0; i < bundle->crls->len; i++)
		add_waiting(import, name)->crl = crl_ref(bundle->crls->pdata[i]);
}

static gboolean add_x509(Import *import, const char *name, GBytes *file, const Secret *passphrase,
			 GError **error)
{
	g_autoptr(X509Bundle) bundle = x509_read(file, passphrase, error);

	if (!bundle || !take_certs(import, name, bundle->certs, error))
		return FALSE;
	wait_for_certs(import, name, bundle);
	return TRUE;
}

/* *both: the stored form and the new one together; NULL if there is nothing to merge with. FALSE:
 * it does not work out, and one of them would be lost. */
static gboolean merge(Import *import, const PgpKey *key, PgpKey **both, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(Candidate) stored = store_get(import->store, key->fingerprint, &cause);

	if (!stored && !g_error_matches(cause, SEALPOST_ERROR, ERROR_USAGE)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	}
	if (!stored || !stored->pgp || g_bytes_equal(stored->pgp->bytes, key->bytes))
		return TRUE;
	*both = scratch_merge_pgp(stored->pgp->bytes, key->bytes);
	if (*both)
		return TRUE;
	g_set_error(
		error, SEALPOST_ERROR, ERROR_UNSUPPORTED,
		"%s: GnuPG does not merge this form of the key with the stored one, which stays",
		key->fingerprint);
	return FALSE;
}

/* Takes the key over. */
static gboolean take_pgp(Import *import, const char *name, PgpKey *key, GError **error)
{
	g_autoptr(PgpKey) owned = key;
	g_autoptr(PgpKey) both = NULL;
	gboolean secret = key->secret != NULL;
	StoreChange change;

	if (!merge(import, key, &both, error))
		return FALSE;
	if (both) {
		both->secret = g_steal_pointer(&owned->secret);
		pgpkey_free(owned);
		owned = g_steal_pointer(&both);
	}
	if (!store_put_pgp(import->store, owned, &change, error))
		return FALSE;
	if (import->address &&
	    !store_bind(import->store, owned->fingerprint, import->address, error))
		return FALSE;
	Candidate *candidate = candidate_new_pgp(g_steal_pointer(&owned));
	note(import, name, candidate, change)->with_private |= secret;
	return TRUE;
}

/* A key without a user ID brings a stored one up to date, or nothing. */
static gboolean take_nameless(Import *import, const char *name, const PgpCarried *carried,
			      GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(Candidate) stored = store_get(import->store, carried->fingerprint, &cause);

	if (!stored && g_error_matches(cause, SEALPOST_ERROR, ERROR_USAGE)) {
		g_set_error(
			error, SEALPOST_ERROR, ERROR_UNSUPPORTED,
			"OpenPGP key %s without a user ID: it could only bring a stored key up to "
			"date, and the store does not have it",
			carried->fingerprint);
		return FALSE;
	}
	if (!stored) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	}
	PgpKey *key = g_new0(PgpKey, 1);

	key->fingerprint = g_strdup(carried->fingerprint);
	key->bytes = g_bytes_ref(carried->bytes);
	return take_pgp(import, name, key, error);
}

static gboolean add_pgp(Import *import, const char *name, GBytes *file, const Secret *passphrase,
			GError **error)
{
	gboolean others;
	g_autoptr(GPtrArray) nameless = pgpkey_nameless(file, &others);

	for (guint i = 0; i < nameless->len; i++)
		if (!take_nameless(import, name, nameless->pdata[i], error))
			return FALSE;
	if (!others)
		return TRUE;
	g_autoptr(GPtrArray) keys = scratch_read_pgp(file, passphrase, 0, error);

	if (!keys)
		return FALSE;
	while (keys->len)
		if (!take_pgp(import, name, g_ptr_array_steal_index(keys, 0), error))
			return FALSE;
	return TRUE;
}

gboolean import_add(Import *import, const char *name, GBytes *file, const Secret *passphrase,
		    GError **error)
{
	if (g_bytes_get_size(file) == 0) {
		g_set_error_literal(error, SEALPOST_ERROR, ERROR_UNSUPPORTED, "the file is empty");
		return FALSE;
	}
	if (g_bytes_get_size(file) > IMPORT_FILE_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "larger than %d bytes",
			    IMPORT_FILE_MAX);
		return FALSE;
	}
	if (is_mixed(file)) {
		g_set_error_literal(error, SEALPOST_ERROR, ERROR_UNSUPPORTED,
				    "both PEM and OpenPGP blocks in one file: give each its own");
		return FALSE;
	}
	if (looks_like_pgp(file))
		return add_pgp(import, name, file, passphrase, error);
	return add_x509(import, name, file, passphrase, error);
}

static gboolean is_from_any(const Crl *crl, GPtrArray *all)
{
	for (guint i = 0; i < all->len; i++) {
		const Candidate *candidate = all->pdata[i];
		if (candidate->cert && crl_is_from(crl, candidate->cert))
			return TRUE;
	}
	return FALSE;
}

static gboolean match_crl(Import *import, const Waiting *waiting, GPtrArray *all, gboolean *found,
			  GError **error)
{
	StoreChange change;

	*found = is_from_any(waiting->crl, all);
	if (!*found)
		return TRUE;
	if (!store_put_crl(import->store, waiting->crl, &change, error))
		return FALSE;
	add_line(import, waiting->file, change)->crl = crl_ref(waiting->crl);
	return TRUE;
}

/* Gives the key to every certificate that it belongs to: a renewed one has the same key. */
static gboolean match_key(Import *import, const Waiting *waiting, GPtrArray *all, gboolean *found,
			  GError **error)
{
	for (guint i = 0; i < all->len; i++) {
		Candidate *candidate = all->pdata[i];
		StoreChange change;
		if (!candidate->cert || !private_key_matches(waiting->key, candidate->cert))
			continue;
		if (!store_put_private(import->store, candidate->id, waiting->key, &change, error))
			return FALSE;
		Imported *imported =
			note(import, waiting->file, candidate_ref(candidate), STORE_UNCHANGED);
		imported->with_private = TRUE;
		if (change == STORE_UPDATED && imported->change == STORE_UNCHANGED)
			imported->change = STORE_UPDATED;
		*found = TRUE;
	}
	return TRUE;
}

/* Has the store the private key of a certificate already, with an older one that it renews? */
static const Candidate *find_renewed(const GPtrArray *stored, const Candidate *taken)
{
	const Candidate *renewed = NULL;

	for (guint i = 0; i < stored->len; i++) {
		const Candidate *one = stored->pdata[i];
		if (!one->cert || !one->secret)
			continue;
		if (strcmp(one->id, taken->id) == 0)
			return NULL;
		if (cert_shares_key(one->cert, taken->cert))
			renewed = one;
	}
	return renewed;
}

static gboolean renew(Import *import, Imported *imported, GError **error)
{
	const Candidate *taken = imported->candidate;
	g_autoptr(GPtrArray) stored = candidate_array_new();

	for (const char *const *address = cert_addresses(taken->cert); *address; address++)
		if (!store_find(import->store, *address, stored, error))
			return FALSE;
	if (import->address && !store_find(import->store, import->address, stored, error))
		return FALSE;
	const Candidate *renewed = find_renewed(stored, taken);

	if (!renewed)
		return TRUE;
	g_autoptr(Secret) pkcs8 = store_secret(import->store, renewed, error);
	g_autoptr(PrivateKey) key = pkcs8 ? private_key_import(pkcs8, error) : NULL;
	StoreChange change;

	imported->with_private =
		key && store_put_private(import->store, taken->id, key, &change, error);
	return imported->with_private;
}

static gboolean renew_all(Import *import, GError **error)
{
	for (guint i = 0; i < import->imported->len; i++) {
		Imported *imported = import->imported->pdata[i];
		if (imported->candidate && imported->candidate->cert && !imported->with_private &&
		    !renew(import, imported, error))
			return FALSE;
	}
	return TRUE;
}

/* For people. New string. */
static char *refusal(const Waiting *waiting)
{
	if (waiting->key)
		return g_strdup_printf("%s: a private key without its certificate", waiting->file);
	return g_strdup_printf(
		"%s: a CRL of \"%s\", but no CA certificate in the store verifies it",
		waiting->file, crl_issuer(waiting->crl));
}

GPtrArray *import_finish(Import *import, GError **error)
{
	g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) all = candidate_array_new();

	if (import->waiting->len && !store_find(import->store, NULL, all, error))
		return NULL;
	for (guint i = 0; i < import->waiting->len; i++) {
		Waiting *waiting = import->waiting->pdata[i];
		gboolean found = FALSE;
		if (!(waiting->key ? match_key : match_crl)(import, waiting, all, &found, error))
			return NULL;
		if (!found)
			g_ptr_array_add(refused, refusal(waiting));
	}
	g_ptr_array_set_size(import->waiting, 0);
	return renew_all(import, error) ? g_steal_pointer(&refused) : NULL;
}
