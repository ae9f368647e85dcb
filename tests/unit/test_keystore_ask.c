/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/base/error.h"
#include "tests/unit/keystoremaker.h"

/* A certificate in the store, from our root unless the order says otherwise. */
static Made *put(Place *place, MakerOrder order, gboolean with_key)
{
	StoreChange change;

	Made *made = place_issue(place, order);

	assert_true(store_put_cert(place->keystore->store, made->cert, FALSE, &change, NULL));
	if (with_key)
		assert_true(store_put_private(place->keystore->store, cert_fingerprint(made->cert),
					      made->key, &change, NULL));
	return made;
}

static void test_ranking(void **state)
{
	Place *place = *state;
	g_autoptr(Made) old =
		put(place, (MakerOrder){.name = "1", .email = "s@x.example", .from = -300}, FALSE);
	g_autoptr(Made) new =
		put(place, (MakerOrder){.name = "2", .email = "s@x.example", .from = -10}, FALSE);
	g_autoptr(Made) over =
		put(place, (MakerOrder){.name = "3", .email = "s@x.example", .from = -9, .to = -1},
		    FALSE);
	g_autoptr(KeyAnswer) answer = place_look_up(place, "S@x.Example");
	const char *const order[] = {cert_fingerprint(new->cert), cert_fingerprint(old->cert),
				     cert_fingerprint(over->cert)};

	assert_string_equal(answer->address, "s@x.example");
	assert_null(answer->failure);
	assert_int_equal(answer->keys->len, 3);
	for (guint i = 0; i < 3; i++) {
		const Key *key = answer->keys->pdata[i];
		assert_string_equal(key->id, order[i]);
		assert_string_equal(key->source, "store");
		assert_int_equal(key->usable, i < 2);
	}
	assert_string_equal(((Key *)answer->keys->pdata[2])->reason, "expired");
	assert_ptr_equal(key_answer_best(answer, KEY_SMIME), answer->keys->pdata[0]);
	assert_null(key_answer_best(answer, KEY_PGP));
}

/* Two people whose addresses differ in nothing but case: each gets their own, and who is named in a third
 * spelling the newer one. */
static void test_case(void **state)
{
	Place *place = *state;
	g_autoptr(Made) old = put(
		place, (MakerOrder){.name = "1", .email = "Anna@x.example", .from = -300}, FALSE);
	g_autoptr(Made) new = put(
		place, (MakerOrder){.name = "2", .email = "anna@X.example", .from = -10}, FALSE);
	const struct {
		const char *address;
		const Made *first;
	} cases[] = {{"Anna@X.example", old}, {"anna@x.example", new}, {"ANNA@x.example", new}};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(KeyAnswer) answer = place_look_up(place, cases[i].address);
		assert_string_equal(answer->address, "anna@x.example");
		assert_int_equal(answer->keys->len, 2);
		assert_string_equal(((Key *)answer->keys->pdata[0])->id,
				    cert_fingerprint(cases[i].first->cert));
	}
}

/* An OpenPGP key's user IDs are read for their addresses. */
static void test_user_id_case(void **state)
{
	(void)state;
	PgpKey *key = g_new0(PgpKey, 1);
	key->user_ids = g_strsplit("Anna <b> <Anna@x.example>|otto@x.example|<open|", "|", -1);
	g_autoptr(Candidate) candidate = candidate_new_pgp(key);

	assert_true(candidate_spells(candidate, "Anna@X.example"));
	assert_true(candidate_spells(candidate, "otto@x.example"));
	assert_false(candidate_spells(candidate, "anna@x.example"));
	assert_false(candidate_spells(candidate, "Otto@x.example"));
	assert_false(candidate_spells(candidate, "<open"));
}

static gboolean tell(void *self, const char *address, GPtrArray *into, GError **error)
{
	(void)address;
	(void)error;
	g_ptr_array_add(into, candidate_ref(self));
	return TRUE;
}

/* A directory that knows one key, in front of the store or behind it. */
static void add_directory(Place *place, gboolean in_front, Candidate *candidate)
{
	KeySource *source = g_new0(KeySource, 1);

	source->name = g_strdup("directory");
	source->self = candidate;
	source->ask = tell;
	source->free = (void (*)(void *))candidate_unref;
	g_ptr_array_insert(place->keystore->sources, in_front ? 0 : -1, source);
}

/* What the administrator bound to the address stands before newer ones, as long as it may be used. */
static void test_pinned(void **state)
{
	Place *place = *state;
	g_autoptr(Made) pinned =
		put(place, (MakerOrder){.name = "1", .email = "p@x.example", .from = -300}, FALSE);
	g_autoptr(Made) over =
		put(place, (MakerOrder){.name = "2", .email = "p@x.example", .from = -9, .to = -1},
		    FALSE);
	g_autoptr(Made) newer =
		put(place, (MakerOrder){.name = "3", .email = "p@x.example", .from = -5}, FALSE);
	g_autoptr(Made) newest =
		place_issue(place, (MakerOrder){.name = "4", .email = "p@x.example", .from = -2});
	const char *const order[] = {cert_fingerprint(pinned->cert), cert_fingerprint(newest->cert),
				     cert_fingerprint(newer->cert)};

	assert_true(store_bind(place->keystore->store, order[0], "p@x.example", NULL));
	assert_true(store_bind(place->keystore->store, cert_fingerprint(over->cert), "p@x.example",
			       NULL));
	add_directory(place, TRUE, candidate_new_cert(newest->cert));
	g_autoptr(KeyAnswer) answer = place_look_up(place, "p@x.example");
	assert_int_equal(answer->keys->len, 4);
	for (guint i = 0; i < 3; i++)
		assert_string_equal(((Key *)answer->keys->pdata[i])->id, order[i]);
	assert_ptr_equal(key_answer_best(answer, KEY_SMIME), answer->keys->pdata[0]);
}

static void test_tag(void **state)
{
	Place *place = *state;
	g_autoptr(Made) base = put(place, (MakerOrder){.name = "1", .email = "s@x.example"}, FALSE);
	g_autoptr(KeyAnswer) with_tag = place_look_up(place, "s+news@x.example");
	const Key *best = key_answer_best(with_tag, KEY_SMIME);

	assert_non_null(best);
	assert_string_equal(best->id, cert_fingerprint(base->cert));
	assert_string_equal(with_tag->address, "s+news@x.example");
	g_autoptr(Made) own =
		put(place, (MakerOrder){.name = "2", .email = "s+news@x.example"}, FALSE);
	g_autoptr(KeyAnswer) exact = place_look_up(place, "s+news@x.example");
	assert_int_equal(exact->keys->len, 1);
	assert_string_equal(((Key *)exact->keys->pdata[0])->id, cert_fingerprint(own->cert));
}

static void test_nobody(void **state)
{
	Place *place = *state;
	static const char *const addresses[] = {"nobody@x.example", "", "no address", "a@", "@b"};

	for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
		g_autoptr(KeyAnswer) answer = place_look_up(place, addresses[i]);
		assert_int_equal(answer->keys->len, 0);
		assert_null(answer->failure);
	}
}

/* A store that cannot be read is a failure, whatever was known before. */
static void test_store_fails(void **state)
{
	Place *place = *state;
	g_autoptr(Made) made = put(place, (MakerOrder){.name = "1", .email = "s@x.example"}, FALSE);
	const char *path = conf_path(place->conf, "keystore", "database");
	static const char *const no_tables[] = {"DROP TABLE cert", "DROP TABLE crl", "", NULL};
	g_autoptr(Db) db = db_open(path, no_tables, FALSE, NULL);

	/* The file is of the newest version already, so nothing was dropped yet. */
	assert_non_null(db);
	assert_true(db_run(db, NULL, NULL, "ALTER TABLE cert RENAME TO away", ""));
	g_autoptr(KeyAnswer) answer = place_look_up(place, "s@x.example");
	assert_int_equal(answer->keys->len, 0);
	assert_true(g_error_matches(answer->failure, SEALPOST_ERROR, ERROR_STORE));
	const char *reason = NULL;
	GError *error = NULL;
	assert_null(keystore_smime_signer(place->keystore, "s@x.example", &reason, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	g_clear_error(&error);
	assert_true(db_run(db, NULL, NULL, "ALTER TABLE away RENAME TO cert", ""));
	g_autoptr(KeyAnswer) again = place_look_up(place, "s@x.example");
	assert_int_equal(again->keys->len, 1);
	assert_null(again->failure);
}

static void test_deadline(void **state)
{
	Place *place = *state;
	g_autoptr(Db) db = db_open(conf_path(place->conf, "keystore", "database"),
				   (const char *const[]){"", "", "", NULL}, FALSE, NULL);
	g_autoptr(KeyLookup) lookup = keystore_lookup(place->keystore, "s@x.example");
	gint64 start = g_get_monotonic_time();

	g_autoptr(KeyAnswer) late = key_lookup_wait(lookup, start);
	/* Whoever was faster: it is an answer, or it is a failure; it never waits. */
	assert_true(g_get_monotonic_time() - start < 20 * G_USEC_PER_SEC);
	if (late->failure)
		assert_true(g_error_matches(late->failure, SEALPOST_ERROR, ERROR_TIMEOUT));
	g_autoptr(KeyAnswer) answer = key_lookup_wait(lookup, start + 60 * G_USEC_PER_SEC);
	g_autoptr(KeyAnswer) copy = key_lookup_wait(lookup, start);
	assert_null(answer->failure);
	assert_null(copy->failure);
	assert_ptr_not_equal(answer, copy);
}

/* Many questions at once, some dropped, and the keystore closed while they run. */
static void test_crowd(void **state)
{
	Place *place = *state;
	g_autoptr(GPtrArray) lookups =
		g_ptr_array_new_with_free_func((GDestroyNotify)key_lookup_free);

	for (int i = 0; i < 300; i++) {
		g_autofree char *address = g_strdup_printf("p%d@x.example", i % 50);
		g_ptr_array_add(lookups, keystore_lookup(place->keystore, address));
	}
	g_ptr_array_set_size(lookups, 200);
	keystore_close(place->keystore);
	for (guint i = 0; i < lookups->len; i++) {
		g_autoptr(KeyAnswer) answer =
			key_lookup_wait(lookups->pdata[i], g_get_monotonic_time());
		assert_true(!answer->failure ||
			    g_error_matches(answer->failure, SEALPOST_ERROR, ERROR_LOOKUP));
	}
	place->keystore = keystore_open(place->conf, NULL);
	assert_non_null(place->keystore);
}

static void test_smime_signer(void **state)
{
	Place *place = *state;
	g_autoptr(Made) stranger = x509_maker_make(&(MakerOrder){.name = "Other CA", .ca = TRUE});
	g_autoptr(Made) middle = put(place, (MakerOrder){.name = "Middle", .ca = TRUE}, FALSE);
	const char *reason = "unset";

	assert_null(keystore_smime_signer(place->keystore, "a@x.example", &reason, NULL));
	assert_null(reason);
	g_autoptr(Made) no_key =
		put(place, (MakerOrder){.name = "1", .email = "a@x.example"}, FALSE);
	assert_null(keystore_smime_signer(place->keystore, "a@x.example", &reason, NULL));
	assert_null(reason);
	g_autoptr(Made) over =
		put(place, (MakerOrder){.name = "2", .email = "a@x.example", .from = -9, .to = -1},
		    TRUE);
	assert_null(keystore_smime_signer(place->keystore, "a@x.example", &reason, NULL));
	assert_string_equal(reason, "expired");
	g_autoptr(Made) foreign = put(
		place,
		(MakerOrder){.name = "3", .email = "a@x.example", .issuer = stranger, .from = -30},
		TRUE);
	g_autoptr(SmimeSigner) first =
		keystore_smime_signer(place->keystore, "a@x.example", &reason, NULL);
	assert_non_null(first);
	assert_string_equal(cert_fingerprint(first->cert), cert_fingerprint(foreign->cert));
	g_autoptr(Made) newest = put(
		place, (MakerOrder){.name = "4", .email = "A@x.example", .issuer = middle}, TRUE);
	g_autoptr(SmimeSigner) best =
		keystore_smime_signer(place->keystore, "a@X.example", &reason, NULL);
	assert_string_equal(cert_fingerprint(best->cert), cert_fingerprint(newest->cert));
	assert_true(private_key_matches(best->key, newest->cert));
	assert_null(reason);
	assert_int_equal(best->chain->len, 1);
	assert_string_equal(cert_fingerprint(best->chain->pdata[0]),
			    cert_fingerprint(middle->cert));
}

/* One certificate to sign with, one to be encrypted to, as some authorities issue them: each in its
 * place, whichever is newer. */
static void test_apart(void **state)
{
	Place *place = *state;
	const char *reason = "unset";

	for (int newer = 0; newer < 2; newer++) {
		g_autofree char *address = g_strdup_printf("a%d@x.example", newer);
		g_autoptr(Made) sign = put(place,
					   (MakerOrder){.name = "1",
							.email = address,
							.signing_only = TRUE,
							.from = newer ? -30 : -2},
					   TRUE);
		g_autoptr(Made) open = put(place,
					   (MakerOrder){.name = "2",
							.email = address,
							.usage = "critical,keyAgreement",
							.from = newer ? -2 : -30},
					   TRUE);
		g_autoptr(SmimeSigner) signer =
			keystore_smime_signer(place->keystore, address, &reason, NULL);
		g_autoptr(KeyAnswer) answer = place_look_up(place, address);

		assert_non_null(signer);
		assert_string_equal(cert_fingerprint(signer->cert), cert_fingerprint(sign->cert));
		assert_string_equal(key_answer_best(answer, KEY_SMIME)->id,
				    cert_fingerprint(open->cert));
	}
}

static void put_pgp(Place *place, const char *id)
{
	g_autoptr(Secret) secret = pgp_maker_secret(place->maker, id);
	g_autoptr(GBytes) file = g_bytes_new(secret_bytes(secret), secret_size(secret));
	g_autoptr(GPtrArray) keys = pgpkey_read(file, NULL, place->maker->folder, 0, NULL);
	StoreChange change;

	assert_non_null(keys);
	assert_true(store_put_pgp(place->keystore->store, keys->pdata[0], &change, NULL));
}

static char *pgp_signer(Place *place, const char *address, const PgpDelivery *to, GError **error)
{
	const char *reason = "unset";
	char *id = keystore_pgp_signer(place->keystore, address, to, &reason, error);

	assert_null(reason);
	return id;
}

/* What is late is not known to be none: the next message asks again. */
static void test_pgp_signer(void **state)
{
	Place *place = *state;
	g_autofree char *id = pgp_maker_key(place->maker, "a@x.example", "future-default");
	g_autofree char *folder = g_build_filename(place->maker->folder, "w", NULL);
	g_autoptr(PgpHome) home = pgp_home_open(folder, NULL);
	g_autoptr(GError) error = NULL;
	PgpDelivery to = {home, 0}, late = {home, g_get_monotonic_time()};

	assert_null(pgp_signer(place, "a@x.example", &to, NULL));
	put_pgp(place, id);
	assert_null(pgp_signer(place, "a@x.example", &late, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	for (int i = 0; i < 2; i++) {
		g_autofree char *found = pgp_signer(place, "A@x.example", &to, NULL);

		assert_string_equal(found, id);
	}
	const char *const list[] = {"gpg", "--homedir", folder, "--batch", "-K", id, NULL};
	assert_int_equal(pgp_maker_run(list, NULL, NULL), 0);
	g_autoptr(KeyAnswer) answer = place_look_up(place, "a@x.example");
	const Key *best = key_answer_best(answer, KEY_PGP);
	assert_non_null(best);
	assert_string_equal(best->id, id);
	assert_non_null(best->pgp_encryption_ids[0]);
}

/* The owner's revocation counts, whoever of the sources brings it, and is not undone by an older form
 * that another one still has. */
static void test_revoked_elsewhere(void **state)
{
	Place *place = *state;
	g_autofree char *id = pgp_maker_key(place->maker, "r@x.example", "future-default");

	put_pgp(place, id);
	g_autoptr(KeyAnswer) before = place_look_up(place, "r@x.example");
	assert_non_null(key_answer_best(before, KEY_PGP));
	pgp_maker_revoke(place->maker, id);
	g_autoptr(GBytes) file = pgp_maker_public(place->maker, id);
	for (int in_front = 0; in_front < 2; in_front++) {
		g_autoptr(GPtrArray) keys = pgpkey_read(file, NULL, place->maker->folder, 0, NULL);

		add_directory(place, in_front, candidate_new_pgp(g_ptr_array_steal_index(keys, 0)));
		g_autoptr(KeyAnswer) answer = place_look_up(place, "r@x.example");
		assert_int_equal(answer->keys->len, 1);
		assert_null(key_answer_best(answer, KEY_PGP));
		assert_string_equal(((Key *)answer->keys->pdata[0])->reason, "revoked");
		g_ptr_array_remove_index(place->keystore->sources, in_front ? 0 : 1);
	}
}

/* Mail is opened with all keys of its owner, old ones too, and with nobody else's. */
static void test_openers(void **state)
{
	Place *place = *state;
	g_autoptr(Made) over =
		put(place, (MakerOrder){.name = "1", .email = "a@x.example", .from = -9, .to = -1},
		    TRUE);
	g_autoptr(Made) now = put(place, (MakerOrder){.name = "2", .email = "a@x.example"}, TRUE);
	g_autoptr(Made) other = put(place, (MakerOrder){.name = "3", .email = "b@x.example"}, TRUE);
	g_autoptr(Made) no_key =
		put(place, (MakerOrder){.name = "4", .email = "a@x.example"}, FALSE);
	g_autofree char *id = pgp_maker_key(place->maker, "a@x.example", "future-default");
	g_autofree char *folder = g_build_filename(place->maker->folder, "w", NULL);
	g_autoptr(PgpHome) home = pgp_home_open(folder, NULL);
	static const char *const addresses[] = {"A@x.example", "a+list@x.example"};
	PgpDelivery to = {home, 0}, late = {home, g_get_monotonic_time()};

	put_pgp(place, id);
	assert_null(keystore_pgp_openers(place->keystore, addresses[0], &late, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
		g_autoptr(GPtrArray) smime =
			keystore_smime_openers(place->keystore, addresses[i], NULL);
		g_autoptr(GPtrArray) pgp =
			keystore_pgp_openers(place->keystore, addresses[i], &to, NULL);
		assert_int_equal(smime->len, 2);
		const KeyPair *first = smime->pdata[0], *second = smime->pdata[1];
		assert_string_equal(cert_fingerprint(first->cert), cert_fingerprint(now->cert));
		assert_string_equal(cert_fingerprint(second->cert), cert_fingerprint(over->cert));
		assert_true(private_key_matches(second->key, over->cert));
		assert_int_equal(pgp->len, 1);
		assert_string_equal(pgp->pdata[0], id);
	}
	g_autoptr(GPtrArray) pairs = keystore_smime_openers(place->keystore, "c@x.example", NULL);
	g_autoptr(GPtrArray) ids = keystore_pgp_openers(place->keystore, "c@x.example", &to, NULL);
	assert_int_equal(pairs->len + ids->len, 0);
}

static void test_verifiers(void **state)
{
	Place *place = *state;
	g_autoptr(Made) made = put(place, (MakerOrder){.name = "1", .email = "s@x.example"}, FALSE);
	g_autofree char *id = pgp_maker_key(place->maker, "s@x.example", "future-default");
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	put_pgp(place, id);
	g_autoptr(KeyAnswer) answer = place_look_up(place, "s@x.example");
	g_autoptr(Verifiers) some = keystore_verifiers(place->keystore, answer, NULL);
	g_autoptr(Verifiers) none = keystore_verifiers(place->keystore, NULL, NULL);
	assert_int_equal(some->certs->len, 2); /* his and the root's */
	assert_int_equal(some->pgp->len, 1);
	assert_int_equal(none->certs->len, 1);
	assert_int_equal(none->pgp->len, 0);
	assert_int_equal(cert_verify_chain(made->cert, none->anchors, none->certs, now, NULL),
			 CHAIN_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(test_ranking),
		PLACED(test_tag),
		PLACED(test_nobody),
		PLACED(test_case),
		cmocka_unit_test(test_user_id_case),
		PLACED(test_pinned),
		PLACED(test_store_fails),
		PLACED(test_deadline),
		PLACED(test_crowd),
		PLACED(test_smime_signer),
		PLACED(test_pgp_signer),
		PLACED(test_openers),
		PLACED(test_verifiers),
		PLACED(test_revoked_elsewhere),
		PLACED(test_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
