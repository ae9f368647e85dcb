/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>

#include "keystore/import.h"
#include "keystore/scratch.h"
#include "lib/base/error.h"
#include "lib/base/masterkey.h"
#include "tests/unit/pgpmaker.h"
#include "tests/unit/x509maker.h"

typedef struct {
	PgpMaker *maker;
	char *path;
	Store *store;
} Place;

static int make_place(void **state)
{
	Place *place = g_new0(Place, 1);

	place->maker = pgp_maker_new();
	place->path = g_build_filename(place->maker->folder, "k.db", NULL);
	g_autofree char *master = g_build_filename(place->maker->folder, "master.key", NULL);
	g_assert(master_key_create(master, NULL) && store_create(place->path, NULL));
	place->store = store_open(place->path, master, NULL);
	g_assert(place->store);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	Place *place = *state;

	store_close(place->store);
	pgp_maker_free(place->maker);
	g_free(place->path);
	g_free(place);
	return 0;
}

static Import *begin(Place *place, gboolean trusted, const char *address)
{
	return import_new(place->store, &(ImportOptions){.trusted = trusted, .address = address});
}

static GBytes *pem_of(const Cert *cert)
{
	char *pem = cert_pem(cert);

	return g_bytes_new_take(pem, strlen(pem));
}

static void add_cert(Import *import, const Made *made)
{
	g_autoptr(GBytes) pem = pem_of(made->cert);

	assert_true(import_add(import, "cert.pem", pem, NULL, NULL));
}

static void add_key(Import *import, const Made *made)
{
	g_autoptr(GBytes) pem = made_key_pem(made);

	assert_true(import_add(import, "key.pem", pem, NULL, NULL));
}

static void finish(Import *import, guint refused)
{
	g_autoptr(GPtrArray) reasons = import_finish(import, NULL);

	assert_non_null(reasons);
	assert_int_equal(reasons->len, refused);
}

static Candidate *stored(Place *place, const Made *made)
{
	Candidate *candidate = store_get(place->store, cert_fingerprint(made->cert), NULL);

	assert_non_null(candidate);
	return candidate;
}

/* A private key finds its certificate in either order, also in the store, and a renewed one too. */
static void test_private_keys(void **state)
{
	Place *place = *state;
	g_autoptr(Made) first = x509_maker_make(&(MakerOrder){.name = "A", .email = "a@x.example"});
	g_autoptr(Made) second =
		x509_maker_make(&(MakerOrder){.name = "B", .email = "b@x.example"});
	g_autoptr(Made) renewed = x509_maker_make(
		&(MakerOrder){.name = "B", .email = "b@x.example", .same_key = second});

	g_autoptr(Import) alone = begin(place, FALSE, NULL);
	add_key(alone, first);
	finish(alone, 1);
	assert_int_equal(import_list(alone)->len, 0);

	g_autoptr(Import) both = begin(place, FALSE, NULL);
	add_key(both, first);
	add_cert(both, second);
	add_cert(both, first);
	finish(both, 0);
	assert_int_equal(import_list(both)->len, 2);
	g_autoptr(Candidate) with = stored(place, first);
	g_autoptr(Candidate) without = stored(place, second);
	assert_true(with->secret);
	assert_false(without->secret);

	g_autoptr(Import) later = begin(place, FALSE, NULL);
	add_cert(later, renewed);
	add_key(later, second);
	finish(later, 0);
	g_autoptr(Candidate) old = stored(place, second);
	g_autoptr(Candidate) new = stored(place, renewed);
	assert_true(old->secret && new->secret);
}

/* A certificate that renews one for the same key and address has its private key; one for another key,
 * or for that key and another address, has not. */
static void test_renewed(void **state)
{
	Place *place = *state;
	g_autoptr(Made) old = x509_maker_make(&(MakerOrder){.name = "A", .email = "a@x.example"});
	g_autoptr(Made) renewed = x509_maker_make(
		&(MakerOrder){.name = "A", .email = "a@x.example", .same_key = old});
	g_autoptr(Made) elsewhere = x509_maker_make(
		&(MakerOrder){.name = "A", .email = "b@x.example", .same_key = old});
	g_autoptr(Made) other = x509_maker_make(&(MakerOrder){.name = "A", .email = "a@x.example"});

	g_autoptr(Import) first = begin(place, FALSE, NULL);
	add_cert(first, old);
	add_key(first, old);
	finish(first, 0);
	g_autoptr(Import) later = begin(place, FALSE, NULL);
	add_cert(later, renewed);
	add_cert(later, elsewhere);
	add_cert(later, other);
	finish(later, 0);
	g_autoptr(Candidate) with = stored(place, renewed);
	g_autoptr(Candidate) without = stored(place, elsewhere);
	g_autoptr(Candidate) another = stored(place, other);
	assert_true(with->secret);
	assert_false(without->secret || another->secret);
	assert_true(((Imported *)import_list(later)->pdata[0])->with_private);
	assert_false(((Imported *)import_list(later)->pdata[2])->with_private);
	g_autoptr(Secret) pkcs8 = store_secret(place->store, with, NULL);
	g_autoptr(PrivateKey) key = private_key_import(pkcs8, NULL);
	assert_true(private_key_matches(key, renewed->cert));
	g_autoptr(Import) bound = begin(place, FALSE, "a@x.example");
	add_cert(bound, elsewhere);
	finish(bound, 0);
	g_autoptr(Candidate) by_hand = stored(place, elsewhere);
	assert_true(by_hand->secret);
}

static void test_twice(void **state)
{
	Place *place = *state;
	g_autoptr(Made) made = x509_maker_make(&(MakerOrder){.name = "A", .email = "a@x.example"});

	for (int i = 0; i < 2; i++) {
		g_autoptr(Import) import = begin(place, FALSE, NULL);
		add_cert(import, made);
		add_cert(import, made);
		finish(import, 0);
		assert_int_equal(import_list(import)->len, 1);
		const Imported *imported = import_list(import)->pdata[0];
		assert_int_equal(imported->change, i ? STORE_UNCHANGED : STORE_ADDED);
	}
}

/* What is no CA is bound to the address; CAs never are, unless alone. */
static void test_binding(void **state)
{
	Place *place = *state;
	g_autoptr(Made) root = x509_maker_make(&(MakerOrder){.name = "R", .ca = TRUE});
	g_autoptr(Made) leaf = x509_maker_make(&(MakerOrder){.name = "L", .issuer = root});
	g_autofree char *first = cert_pem(root->cert), *second = cert_pem(leaf->cert);
	char *text = g_strconcat("text before\n", first, "between\n", second, NULL);
	g_autoptr(GBytes) file = g_bytes_new_take(text, strlen(text));
	g_autoptr(Import) import = begin(place, TRUE, "office@x.example");

	assert_true(import_add(import, "chain.pem", file, NULL, NULL));
	finish(import, 0);
	g_autoptr(GPtrArray) found = candidate_array_new();
	assert_true(store_find(place->store, "office@x.example", found, NULL));
	assert_int_equal(found->len, 1);
	const Candidate *candidate = found->pdata[0];
	assert_string_equal(candidate->id, cert_fingerprint(leaf->cert));
	assert_true(candidate->bound && candidate->trusted);
}

static void test_pkcs12(void **state)
{
	Place *place = *state;
	g_autoptr(Made) made = x509_maker_make(&(MakerOrder){.name = "A", .email = "a@x.example"});
	char words[2][6] = {"right", "wrong"};
	g_autoptr(Secret) right = secret_take(words[0], 5);
	g_autoptr(Secret) wrong = secret_take(words[1], 5);
	g_autoptr(GBytes) file = pkcs12_write(made->key, made->cert, NULL, right, NULL);
	g_autoptr(Import) import = begin(place, FALSE, NULL);
	GError *error = NULL;

	assert_non_null(file);
	assert_false(import_add(import, "a.p12", file, wrong, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_PASSPHRASE));
	g_clear_error(&error);
	assert_false(import_add(import, "a.p12", file, NULL, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_PASSPHRASE));
	g_clear_error(&error);
	assert_true(import_add(import, "a.p12", file, right, NULL));
	finish(import, 0);
	g_autoptr(Candidate) candidate = stored(place, made);
	assert_true(candidate->secret);
}

static void test_garbage(void **state)
{
	Place *place = *state;
	static const char *const files[] = {
		"",
		"hello",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY "
		"BLOCK-----\n",
		"\x99\x01\x0d\x04",
		"\x30\x82\x01",
		"\xff\xfe"};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(Import) import = begin(place, FALSE, NULL);
		g_autoptr(GBytes) file = g_bytes_new_static(files[i], strlen(files[i]));
		g_autoptr(GError) error = NULL;
		assert_false(import_add(import, "x", file, NULL, &error));
		assert_int_equal(error_info(error)->class, ERROR_PERMANENT);
		finish(import, 0);
	}
	g_autoptr(GPtrArray) all = candidate_array_new();
	assert_true(store_find(place->store, NULL, all, NULL));
	assert_int_equal(all->len, 0);
}

/* An update brings what is new and takes nothing away: neither the secret part nor, with an older
 * form of the key, a newer user ID. */
static void test_pgp(void **state)
{
	Place *place = *state;
	g_autofree char *id = pgp_maker_key(place->maker, "peter@x.example", "future-default");
	g_autoptr(Secret) secret = pgp_maker_secret(place->maker, id);
	g_autoptr(GBytes) whole = g_bytes_new(secret_bytes(secret), secret_size(secret));
	g_autoptr(GBytes) old = pgp_maker_public(place->maker, id);
	const struct {
		GBytes *file;
		gboolean with_private;
		StoreChange change;
	} first[] = {{old, FALSE, STORE_ADDED},
		     {whole, TRUE, STORE_UPDATED},
		     {old, FALSE, STORE_UNCHANGED}};

	for (gsize i = 0; i < G_N_ELEMENTS(first); i++) {
		g_autoptr(Import) import = begin(place, FALSE, NULL);
		assert_true(import_add(import, "k", first[i].file, NULL, NULL));
		const Imported *imported = import_list(import)->pdata[0];
		assert_string_equal(imported->candidate->id, id);
		assert_int_equal(imported->with_private, first[i].with_private);
		assert_int_equal(imported->change, first[i].change);
	}
	assert_int_equal(
		pgp_maker_gpg(place->maker, NULL, NULL, "--quick-add-uid %s p@x.example", id), 0);
	g_autoptr(GBytes) new = pgp_maker_public(place->maker, id);
	GBytes *const files[] = {new, old};
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(Import) import = begin(place, FALSE, NULL);
		assert_true(import_add(import, "k", files[i], NULL, NULL));
		g_autoptr(Candidate) now = store_get(place->store, id, NULL);
		assert_true(now->secret);
		assert_true(candidate_names(now, "p@x.example"));
		assert_true(candidate_names(now, "peter@x.example"));
	}
}

/* A stored form that GnuPG does not merge with what comes (bytes of two keys) stays as it is. */
static void test_pgp_not_merged(void **state)
{
	Place *place = *state;
	g_autofree char *id = pgp_maker_key(place->maker, "peter@x.example", "future-default");
	g_autofree char *other = pgp_maker_key(place->maker, "o@x.example", "future-default");
	g_autoptr(GBytes) file = pgp_maker_public(place->maker, id);
	g_autoptr(GBytes) foreign = pgp_maker_public(place->maker, other);
	g_autoptr(GPtrArray) keys = scratch_read_pgp(foreign, NULL, 0, NULL);
	PgpKey *odd = keys->pdata[0];
	g_autoptr(GError) error = NULL;
	StoreChange change;

	g_free(odd->fingerprint);
	odd->fingerprint = g_strdup(id);
	assert_true(store_put_pgp(place->store, odd, &change, NULL));
	g_autoptr(Import) import = begin(place, FALSE, NULL);
	assert_false(import_add(import, "k", file, NULL, &error));
	assert_non_null(strstr(error->message, id));
	assert_int_equal(import_list(import)->len, 0);
	g_autoptr(Candidate) now = store_get(place->store, id, NULL);
	assert_true(g_bytes_equal(now->pgp->bytes, odd->bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_private_keys, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_renewed, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_twice, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_binding, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_pkcs12, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_garbage, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_pgp, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_pgp_not_merged, make_place, remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
