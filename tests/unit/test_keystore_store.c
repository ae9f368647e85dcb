/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>

#include "keystore/store.h"
#include "lib/base/error.h"
#include "lib/base/masterkey.h"
#include "tests/unit/x509maker.h"

typedef struct {
	char *folder, *path, *master, *other_master;
	Store *store;
} Place;

static int make_place(void **state)
{
	Place *place = g_new0(Place, 1);

	place->folder = g_dir_make_tmp("sealpost-store-XXXXXX", NULL);
	place->path = g_build_filename(place->folder, "state", "k.db", NULL);
	place->master = g_build_filename(place->folder, "master.key", NULL);
	place->other_master = g_build_filename(place->folder, "other.key", NULL);
	g_assert(master_key_create(place->master, NULL));
	g_assert(master_key_create(place->other_master, NULL));
	g_assert(store_create(place->path, NULL));
	place->store = store_open(place->path, place->master, NULL);
	g_assert(place->store);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	Place *place = *state;
	static const char *const files[] = {"state/k.db",
					    "state/k.db-wal",
					    "state/k.db-shm",
					    "state",
					    "master.key",
					    "other.key",
					    ""};

	store_close(place->store);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(place->folder, files[i], NULL);
		g_remove(path);
	}
	g_free(place->folder);
	g_free(place->path);
	g_free(place->master);
	g_free(place->other_master);
	g_free(place);
	return 0;
}

static guint count(Store *store, const char *address)
{
	g_autoptr(GPtrArray) found = candidate_array_new();

	assert_true(store_find(store, address, found, NULL));
	return found->len;
}

static gint64 generation(Store *store)
{
	gint64 number = 0;

	assert_true(store_generation(store, &number, NULL));
	return number;
}

static void test_cert(void **state)
{
	Place *place = *state;
	g_autoptr(Made) made =
		x509_maker_make(&(MakerOrder){.name = "Sofia", .email = "Sofia@X.example"});
	StoreChange change;
	gint64 before = generation(place->store);

	assert_true(store_put_cert(place->store, made->cert, FALSE, &change, NULL));
	assert_int_equal(change, STORE_ADDED);
	assert_true(generation(place->store) > before);
	before = generation(place->store);
	assert_true(store_put_cert(place->store, made->cert, FALSE, &change, NULL));
	assert_int_equal(change, STORE_UNCHANGED);
	assert_int_equal(generation(place->store), before);
	assert_true(store_put_cert(place->store, made->cert, TRUE, &change, NULL));
	assert_int_equal(change, STORE_UPDATED);
	assert_true(store_put_cert(place->store, made->cert, FALSE, &change, NULL));
	assert_int_equal(change, STORE_UNCHANGED);

	g_autoptr(GPtrArray) found = candidate_array_new();
	assert_true(store_find(place->store, "sofia@x.example", found, NULL));
	assert_int_equal(found->len, 1);
	const Candidate *candidate = found->pdata[0];
	assert_true(candidate->trusted);
	assert_false(candidate->bound);
	assert_false(candidate->secret);
	assert_true(g_bytes_equal(cert_der(candidate->cert), cert_der(made->cert)));
}

static void test_private(void **state)
{
	Place *place = *state;
	g_autoptr(Made) made =
		x509_maker_make(&(MakerOrder){.name = "Own", .email = "own@x.example"});
	const char *id = cert_fingerprint(made->cert);
	StoreChange change;

	assert_true(store_put_cert(place->store, made->cert, FALSE, &change, NULL));
	g_autoptr(Candidate) bare = store_get(place->store, id, NULL);
	GError *error = NULL;
	assert_null(store_secret(place->store, bare, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	g_clear_error(&error);
	assert_true(store_put_private(place->store, id, made->key, &change, NULL));
	assert_int_equal(change, STORE_UPDATED);
	assert_true(store_put_private(place->store, id, made->key, &change, NULL));
	assert_int_equal(change, STORE_UNCHANGED);

	g_autoptr(Candidate) own = store_get(place->store, id, NULL);
	assert_true(own->secret);
	g_autoptr(Secret) pkcs8 = store_secret(place->store, own, NULL);
	g_autoptr(PrivateKey) key = private_key_import(pkcs8, NULL);
	assert_true(private_key_matches(key, made->cert));

	/* At rest it is not to be seen, and another master key does not open it. */
	g_autofree char *data = NULL;
	gsize size;
	g_autofree char *wal = g_strconcat(place->path, "-wal", NULL);
	assert_true(g_file_get_contents(wal, &data, &size, NULL));
	assert_null(memmem(data, size, secret_bytes(pkcs8), secret_size(pkcs8)));
	g_autoptr(Store) other = store_open(place->path, place->other_master, NULL);
	assert_non_null(other);
	assert_null(store_secret(other, own, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	g_clear_error(&error);
}

static PgpKey *make_pgp(const char *fingerprint, const char *address, const char *bytes)
{
	PgpKey *key = g_new0(PgpKey, 1);

	key->fingerprint = g_strdup(fingerprint);
	key->bytes = g_bytes_new(bytes, strlen(bytes));
	key->addresses = g_strsplit(address, " ", -1);
	key->user_ids = g_strsplit("Peter <peter@x.example>", "\n", -1);
	key->algorithm = g_strdup("Curve25519");
	key->encryption_ids = g_strsplit("0123456789ABCDEF FEDCBA9876543210", " ", -1);
	key->created = 1000;
	key->expires = 2000;
	key->can_encrypt = TRUE;
	return key;
}

static void test_pgp(void **state)
{
	Place *place = *state;
	const char *id = "0123456789ABCDEF0123456789ABCDEF01234567";
	g_autoptr(PgpKey) key = make_pgp(id, "peter@x.example p@x.example", "one");
	g_autoptr(PgpKey) newer = make_pgp(id, "peter@x.example", "two");
	StoreChange change;

	key->secret = secret_random(100);
	g_autoptr(Secret) copy = secret_new(100);
	memcpy(secret_data(copy), secret_bytes(key->secret), 100);
	assert_true(store_put_pgp(place->store, key, &change, NULL));
	assert_int_equal(change, STORE_ADDED);
	assert_true(store_put_pgp(place->store, key, &change, NULL));
	assert_int_equal(change, STORE_UNCHANGED);
	assert_true(store_bind(place->store, id, "office@x.example", NULL));
	assert_true(store_put_pgp(place->store, newer, &change, NULL));
	assert_int_equal(change, STORE_UPDATED);

	/* The address that it no longer names is gone, the binding and the secret part are not. */
	assert_int_equal(count(place->store, "p@x.example"), 0);
	assert_int_equal(count(place->store, "peter@x.example"), 1);
	g_autoptr(GPtrArray) found = candidate_array_new();
	assert_true(store_find(place->store, "office@x.example", found, NULL));
	assert_int_equal(found->len, 1);
	const Candidate *candidate = found->pdata[0];
	assert_true(candidate->bound);
	assert_true(candidate->secret);
	assert_true(candidate->pgp->can_encrypt);
	assert_false(candidate->pgp->revoked);
	assert_int_equal(candidate->pgp->created, 1000);
	assert_int_equal(candidate->pgp->expires, 2000);
	assert_string_equal(candidate->pgp->encryption_ids[1], "FEDCBA9876543210");
	assert_true(g_strv_contains(candidate_addresses(candidate), "peter@x.example"));
	g_autoptr(Secret) secret = store_secret(place->store, candidate, NULL);
	assert_true(secret_equal(secret, copy));
	g_auto(GStrv) bindings = store_bindings(place->store, id, NULL);
	assert_string_equal(bindings[0], "office@x.example");
	assert_null(bindings[1]);
}

static void test_get(void **state)
{
	Place *place = *state;
	g_autoptr(PgpKey) first = make_pgp("ABCDEF00AA", "a@x.example", "1");
	g_autoptr(PgpKey) second = make_pgp("ABCDEF00BB", "b@x.example", "2");
	static const char *const bad[] = {"ABCDEF00",  "ABCDEF", "ABCDEF00CC",
					  "ABCDEF00%", "",	 "xyzxyzxyz"};
	StoreChange change;

	assert_true(store_put_pgp(place->store, first, &change, NULL));
	assert_true(store_put_pgp(place->store, second, &change, NULL));
	g_autoptr(Candidate) found = store_get(place->store, "abcdef00b", NULL);
	assert_string_equal(found->id, "ABCDEF00BB");
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(store_get(place->store, bad[i], &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_USAGE));
	}
}

static void test_delete(void **state)
{
	Place *place = *state;
	g_autoptr(Made) made = x509_maker_make(&(MakerOrder){.name = "A", .email = "a@x.example"});
	StoreChange change;

	assert_true(store_put_cert(place->store, made->cert, FALSE, &change, NULL));
	assert_true(store_bind(place->store, cert_fingerprint(made->cert), "b@x.example", NULL));
	assert_int_equal(count(place->store, "b@x.example"), 1);
	gint64 before = generation(place->store);
	assert_true(store_delete(place->store, cert_fingerprint(made->cert), NULL));
	assert_int_equal(count(place->store, "a@x.example"), 0);
	assert_int_equal(count(place->store, "b@x.example"), 0);
	assert_int_equal(count(place->store, NULL), 0);
	assert_true(generation(place->store) > before);
}

static void test_authorities(void **state)
{
	Place *place = *state;
	g_autoptr(Made) root = x509_maker_make(&(MakerOrder){.name = "Root", .ca = TRUE});
	g_autoptr(Made) middle =
		x509_maker_make(&(MakerOrder){.name = "Middle", .ca = TRUE, .issuer = root});
	g_autoptr(Made) leaf = x509_maker_make(&(MakerOrder){.name = "Leaf", .issuer = middle});
	g_autoptr(GPtrArray) authorities =
		g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);
	g_autoptr(GPtrArray) trusted = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);
	StoreChange change;

	assert_true(store_put_cert(place->store, root->cert, TRUE, &change, NULL));
	assert_true(store_put_cert(place->store, middle->cert, FALSE, &change, NULL));
	assert_true(store_put_cert(place->store, leaf->cert, FALSE, &change, NULL));
	assert_true(store_authorities(place->store, authorities, trusted, NULL));
	assert_int_equal(authorities->len, 2);
	assert_int_equal(trusted->len, 1);
	assert_string_equal(cert_fingerprint(trusted->pdata[0]), cert_fingerprint(root->cert));
}

static const char *only_crl(Store *store)
{
	g_autoptr(GPtrArray) crls = g_ptr_array_new_with_free_func((GDestroyNotify)crl_unref);

	assert_true(store_crls(store, crls, NULL));
	assert_int_equal(crls->len, 1);
	/* The store keeps what it has read. */
	return crl_fingerprint(crls->pdata[0]);
}

/* Of each CA the newest, whatever comes last. */
static void test_crls(void **state)
{
	Place *place = *state;
	g_autoptr(Made) root = x509_maker_make(&(MakerOrder){.name = "Root", .ca = TRUE});
	g_autoptr(Crl) old = x509_maker_crl_of(root, NULL, -9);
	g_autoptr(Crl) new = x509_maker_crl_of(root, NULL, -1);
	StoreChange change;

	assert_true(store_put_crl(place->store, old, &change, NULL));
	assert_int_equal(change, STORE_ADDED);
	gint64 before = generation(place->store);
	assert_true(store_put_crl(place->store, new, &change, NULL));
	assert_int_equal(change, STORE_UPDATED);
	assert_true(generation(place->store) > before);
	assert_true(store_put_crl(place->store, old, &change, NULL));
	assert_int_equal(change, STORE_UNCHANGED);
	assert_string_equal(only_crl(place->store), crl_fingerprint(new));
	assert_true(store_delete(place->store, crl_fingerprint(new), NULL));
	assert_true(store_put_crl(place->store, old, &change, NULL));
	assert_int_equal(change, STORE_ADDED);
	assert_string_equal(only_crl(place->store), crl_fingerprint(old));
}

/* A row that is not what it was is a failure, never another certificate and never "no key". */
static void test_damaged(void **state)
{
	Place *place = *state;
	g_autoptr(Made) made = x509_maker_make(&(MakerOrder){.name = "A", .email = "a@x.example"});
	g_autoptr(Made) other = x509_maker_make(&(MakerOrder){.name = "B", .email = "b@x.example"});
	g_autoptr(GBytes) garbage = g_bytes_new_static("garbage", 7);
	GBytes *const values[] = {garbage, cert_der(other->cert)};
	g_autoptr(Db) db =
		db_open(place->path, (const char *const[]){"", "", "", NULL}, FALSE, NULL);
	StoreChange change;

	assert_true(store_put_cert(place->store, made->cert, FALSE, &change, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		g_autoptr(GPtrArray) found = candidate_array_new();
		g_autoptr(GError) error = NULL;
		assert_true(db_run(db, NULL, NULL, "UPDATE cert SET der = ?", "b", values[i]));
		assert_false(store_find(place->store, "a@x.example", found, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	}
	assert_true(db_run(db, NULL, NULL, "UPDATE cert SET der = ?", "b", cert_der(made->cert)));
	assert_int_equal(count(place->store, "a@x.example"), 1);
}

static void test_not_there(void **state)
{
	Place *place = *state;
	g_autofree char *missing = g_build_filename(place->folder, "missing.db", NULL);
	GError *error = NULL;

	assert_null(store_open(missing, place->master, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	assert_non_null(strstr(error->message, "sealpost init"));
	assert_false(g_file_test(missing, G_FILE_TEST_EXISTS));
	g_clear_error(&error);
	/* cannot be looked at, as where a folder is somebody else's: no reason for a new one */
	g_autofree char *unseen = g_build_filename(place->path, "keystore.db", NULL);
	assert_null(store_open(unseen, place->master, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	assert_null(strstr(error->message, "sealpost init"));
	g_clear_error(&error);
	assert_null(store_open(place->path, missing, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG));
	g_clear_error(&error);
	assert_int_equal(g_chmod(place->master, 0644), 0);
	assert_null(store_open(place->path, place->master, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG));
	g_clear_error(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cert, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_private, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_pgp, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_get, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_delete, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_authorities, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_crls, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_damaged, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_not_there, make_place, remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
