/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "keystore/learn.h"
#include "keystore/learned.h"
#include "keystore/scratch.h"
#include "lib/base/error.h"
#include "lib/crypt/cms.h"
#include "tests/unit/keystoremaker.h"

#define LEA "lea@x.example"
#define NOW (g_get_real_time() / G_USEC_PER_SEC)

static void no_report(const Lesson *lesson, const GError *error)
{
	(void)lesson;
	g_assert_no_error(error);
}

/* Learns it and waits until that is done. What came of it; NULL: there was nothing to learn. */
static const char *learn(Place *place, Lesson *lesson)
{
	const char *result = lesson ? learn_result_name(lesson_result(lesson)) : NULL;

	if (!lesson)
		return NULL;
	keystore_learn(place->keystore, lesson, no_report);
	learner_close(place->keystore);
	g_assert(learner_open(place->keystore, NULL));
	return result;
}

static const char *learn_smime(Place *place, const char *address, SmimeEvidence evidence)
{
	g_autoptr(KeyAnswer) sender = place_look_up(place, address);

	g_autoptr(GPtrArray) none = g_ptr_array_new();

	if (!evidence.certs)
		evidence.certs = none;
	return learn(place, keystore_lesson_smime(place->keystore, sender, &evidence, NULL));
}

static Lesson *lesson_from_pgp(Place *place, const char *address, GBytes *file,
			       PgpEvidence evidence, GError **error)
{
	g_autoptr(KeyAnswer) sender = place_look_up(place, address);
	g_autoptr(GPtrArray) carried = pgpkey_carried(file, address);

	g_assert_cmpuint(carried->len, ==, 1);
	evidence.carried = carried->pdata[0];
	return keystore_lesson_pgp(place->keystore, sender, &evidence, error);
}

static const char *learn_pgp(Place *place, const char *address, GBytes *file, const char *origin)
{
	PgpEvidence evidence = {.origin = origin, .deadline = G_MAXINT64};

	return learn(place, lesson_from_pgp(place, address, file, evidence, NULL));
}

/* "ID source reason" of each key of the address, the ids as numbers in the order of ids. */
static void expect_keys(Place *place, const char *address, const char *expected,
			const char *const *ids)
{
	g_autoptr(KeyAnswer) answer = place_look_up(place, address);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];
		guint n = 0;

		while (ids[n] && strcmp(ids[n], key->id) != 0)
			n++;
		g_string_append_printf(text, "%s%u %s %s", i ? ", " : "", n, key->source,
				       key->usable ? "ok" : key->reason);
	}
	assert_string_equal(text->str, expected);
}

static void set_state(Place *place, const char *id, LearnedState state)
{
	Store *store = place->keystore->store;
	g_autoptr(GPtrArray) rows = state == LEARNED_APPROVED
					    ? learned_approve(store, id, NULL, NULL)
					    : learned_reject(store, id, NULL);

	assert_non_null(rows);
}

static void test_smime(void **state)
{
	Place *place = *state;
	g_autoptr(Made) one = place_issue(place, (MakerOrder){.name = "1", .email = LEA});
	g_autoptr(Made) two = place_issue(place, (MakerOrder){.name = "2", .email = LEA});
	const char *ids[] = {cert_fingerprint(one->cert), cert_fingerprint(two->cert), NULL};

	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = one->cert}), "new");
	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = one->cert}), "known");
	expect_keys(place, LEA, "0 learned ok", ids);
	expect_keys(place, "lea+tag@x.example", "0 learned ok", ids);
	/* Another one is kept aside, and stays there when it comes again. */
	for (int i = 0; i < 2; i++)
		assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = two->cert}),
				    "changed");
	expect_keys(place, LEA, "0 learned ok, 1 learned changed", ids);
	/* The administrator takes it: then it stands before the one that he did not approve. */
	set_state(place, ids[1], LEARNED_APPROVED);
	expect_keys(place, LEA, "1 learned ok, 0 learned other-key", ids);
	/* Rejected ones are not used, and not learned again. */
	set_state(place, ids[0], LEARNED_REJECTED);
	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = one->cert}),
			    "rejected");
	expect_keys(place, LEA, "1 learned ok", ids);
	/* Forgotten is as if it had never come. */
	assert_true(learned_forget(place->keystore->store, ids[0], NULL));
	assert_true(learned_forget(place->keystore->store, ids[1], NULL));
	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = one->cert}), "new");
}

static void test_smime_choice(void **state)
{
	Place *place = *state;
	g_autoptr(Made) signing =
		place_issue(place, (MakerOrder){.name = "s", .email = LEA, .signing_only = TRUE});
	g_autoptr(Made) middle = place_issue(
		place, (MakerOrder){.name = "Middle", .ca = TRUE, .algorithm = "rsa2048"});
	g_autoptr(Made) old =
		place_issue(place, (MakerOrder){.name = "o", .email = LEA, .from = -9});
	g_autoptr(Made) fresh =
		place_issue(place, (MakerOrder){.name = "f", .email = LEA, .issuer = middle});
	g_autoptr(Made) foreign =
		place_issue(place, (MakerOrder){.name = "x", .email = "x@x.example"});
	g_autoptr(Made) unknown_ca = x509_maker_make(&(MakerOrder){.name = "?", .ca = TRUE});
	g_autoptr(Made) untrusted =
		place_issue(place, (MakerOrder){.name = "u", .email = LEA, .issuer = unknown_ca});
	g_autoptr(GPtrArray) bag = g_ptr_array_new();
	SmimeEvidence evidence = {.signer = signing->cert, .certs = bag};
	const char *ids[] = {cert_fingerprint(fresh->cert), cert_fingerprint(old->cert), NULL};

	/* Nothing that encrypts: the signer's does not, the others are not his or nobody's. */
	assert_null(learn_smime(place, LEA, evidence));
	g_ptr_array_add(bag, foreign->cert);
	g_ptr_array_add(bag, untrusted->cert);
	evidence.preferred = untrusted->cert;
	assert_null(learn_smime(place, LEA, evidence));
	/* The newest that fits; its intermediate came along and is kept with it. */
	g_ptr_array_add(bag, old->cert);
	g_ptr_array_add(bag, fresh->cert);
	g_ptr_array_add(bag, middle->cert);
	assert_string_equal(learn_smime(place, LEA, evidence), "new");
	expect_keys(place, LEA, "0 learned ok", ids);
	place_reopen(place, "");
	expect_keys(place, LEA, "0 learned ok", ids);
	/* The one that he wants. */
	evidence.preferred = old->cert;
	assert_string_equal(learn_smime(place, LEA, evidence), "changed");
	expect_keys(place, LEA, "0 learned ok, 1 learned changed", ids);
}

#define HUNDREDS 300

/* A signature with hundreds of certificates costs no more than one with a few: of those that name
 * the sender the newest eight are looked at. */
static void test_smime_many(void **state)
{
	Place *place = *state;
	g_autoptr(Made) signing =
		place_issue(place, (MakerOrder){.name = "s", .email = LEA, .signing_only = TRUE});
	g_autoptr(Made) good =
		place_issue(place, (MakerOrder){.name = "g", .email = LEA, .from = -9});
	g_autoptr(Made) unknown_ca = x509_maker_make(&(MakerOrder){.name = "?", .ca = TRUE});
	g_autoptr(GPtrArray) foreign = g_ptr_array_new_with_free_func((GDestroyNotify)made_free);
	g_autoptr(GPtrArray) bag = g_ptr_array_new();
	SmimeEvidence evidence = {.signer = signing->cert, .certs = bag};
	const char *ids[] = {cert_fingerprint(good->cert), NULL};

	/* The good one comes last. */
	for (guint i = 0; i < HUNDREDS; i++) {
		const char *email = i < 7 ? LEA : "x@x.example";
		Made *made = x509_maker_make(
			&(MakerOrder){.name = "f", .email = email, .issuer = unknown_ca});
		g_ptr_array_add(foreign, made);
		g_ptr_array_add(bag, made->cert);
	}
	g_ptr_array_add(bag, good->cert);
	assert_string_equal(learn_smime(place, LEA, evidence), "new");
	expect_keys(place, LEA, "0 learned ok", ids);
	assert_true(learned_forget(place->keystore->store, ids[0], NULL));
	g_autoptr(Made) eighth =
		x509_maker_make(&(MakerOrder){.name = "f", .email = LEA, .issuer = unknown_ca});
	g_ptr_array_add(bag, eighth->cert);
	place_reopen(place, "");
	assert_null(learn_smime(place, LEA, evidence));
}

static void test_renewed(void **state)
{
	Place *place = *state;
	g_autoptr(Made) old = place_issue(place, (MakerOrder){.name = "1", .email = LEA});
	g_autoptr(Made) over =
		place_issue(place, (MakerOrder){.name = "0", .email = LEA, .from = -20, .to = -1});
	g_autoptr(Made) next = place_issue(place, (MakerOrder){.name = "2", .email = LEA});
	Learned row = {.address = (char *)LEA,
		       .origin = (char *)"signature",
		       .first = NOW - 900,
		       .seen = NOW - 900};
	const char *ids[] = {cert_fingerprint(over->cert), cert_fingerprint(next->cert), NULL};

	/* One whose time is over makes room for the next. */
	row.candidate = candidate_new_cert(over->cert);
	row.state = LEARNED_USED;
	assert_true(learned_put(place->keystore->store, &row, NULL));
	candidate_unref(row.candidate);
	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = next->cert}), "new");
	expect_keys(place, LEA, "1 learned ok, 0 learned expired", ids);
	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = old->cert}),
			    "changed");
	/* And so does one that is rejected, for one that had to wait. */
	set_state(place, ids[1], LEARNED_REJECTED);
	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = old->cert}), "new");
	const char *later[] = {cert_fingerprint(old->cert), ids[0], NULL};
	expect_keys(place, LEA, "0 learned ok, 1 learned expired", later);
}

static void test_vouched(void **state)
{
	Place *place = *state;
	g_autoptr(Made) set = place_issue(place, (MakerOrder){.name = "1", .email = LEA});
	g_autoptr(Made) over = place_issue(
		place, (MakerOrder){.name = "0", .email = "o@x.example", .from = -20, .to = -1});
	g_autoptr(Made) other = place_issue(place, (MakerOrder){.name = "2", .email = LEA});
	g_autoptr(Made) next =
		place_issue(place, (MakerOrder){.name = "3", .email = "o@x.example"});
	const char *ids[] = {cert_fingerprint(set->cert), cert_fingerprint(other->cert),
			     cert_fingerprint(over->cert), cert_fingerprint(next->cert), NULL};
	Store *store = place->keystore->store;
	StoreChange change;

	/* First learned, then set by the administrator: his is the one that counts. */
	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = other->cert}), "new");
	assert_true(store_put_cert(store, set->cert, FALSE, &change, NULL));
	expect_keys(place, LEA, "0 store ok, 1 learned other-key", ids);
	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = other->cert}),
			    "vouched");
	/* Of his very key we learn what the program opens. */
	assert_string_equal(learn_smime(place, LEA,
					(SmimeEvidence){.signer = set->cert,
							.capabilities = CMS_OPENS_GCM,
							.signed_at = NOW}),
			    "vouched");
	g_autoptr(KeyAnswer) answer = place_look_up(place, LEA);
	assert_int_equal(key_answer_best(answer, KEY_SMIME)->capabilities, CMS_OPENS_GCM);
	/* One of his that cannot be used is not replaced either: it is for him to decide. */
	assert_true(store_put_cert(store, over->cert, FALSE, &change, NULL));
	assert_string_equal(
		learn_smime(place, "o@x.example", (SmimeEvidence){.signer = next->cert}),
		"changed");
	expect_keys(place, "o@x.example", "2 store expired, 3 learned changed", ids);
}

#define TAGGED "lea+tag@x.example"

/* The address with a tag is Lea's, too: nobody comes before her own key there. */
static void test_tagged(void **state)
{
	Place *place = *state;
	g_autoptr(Made) own =
		place_issue(place, (MakerOrder){.name = "1", .email = LEA, .from = -20});
	g_autoptr(Made) eve =
		place_issue(place, (MakerOrder){.name = "2", .email = TAGGED, .from = -1});
	g_autoptr(Made) next =
		place_issue(place, (MakerOrder){.name = "3", .email = TAGGED, .from = -1});
	SmimeEvidence first = {.signer = eve->cert}, second = {.signer = next->cert};
	const char *ids[] = {cert_fingerprint(own->cert), cert_fingerprint(eve->cert),
			     cert_fingerprint(next->cert), NULL};
	Store *store = place->keystore->store;
	StoreChange change;

	/* Learned for the tagged address first, and then the administrator has one of hers. */
	assert_string_equal(learn_smime(place, TAGGED, first), "new");
	expect_keys(place, TAGGED, "1 learned ok", ids);
	assert_true(store_put_cert(store, own->cert, FALSE, &change, NULL));
	assert_true(store_bind(store, ids[0], LEA, NULL));
	expect_keys(place, TAGGED, "0 store ok, 1 learned other-key", ids);
	assert_string_equal(learn_smime(place, TAGGED, second), "vouched");
	/* What he approved for the tagged address stands by itself. */
	set_state(place, ids[1], LEARNED_APPROVED);
	expect_keys(place, TAGGED, "1 learned ok", ids);
}

static void test_tagged_learned(void **state)
{
	Place *place = *state;
	g_autofree char *own = pgp_maker_key(place->maker, LEA, "future-default");
	g_autofree char *other = pgp_maker_key(place->maker, TAGGED, "future-default");
	g_autoptr(GBytes) hers = pgp_maker_public(place->maker, own);
	g_autoptr(GBytes) eves = pgp_maker_public(place->maker, other);
	const char *ids[] = {own, other, NULL};

	assert_string_equal(learn_pgp(place, LEA, hers, "autocrypt"), "new");
	assert_string_equal(learn_pgp(place, TAGGED, eves, "autocrypt"), "changed");
	expect_keys(place, TAGGED, "0 learned ok, 1 learned changed", ids);
	/* Hers is behind it for that address, but not for the one without the tag. */
	assert_string_equal(learn_pgp(place, TAGGED, hers, "autocrypt"), "changed");
	expect_keys(place, TAGGED, "0 learned ok, 1 learned changed", ids);
}

/* A key that names two addresses: what is decided for one is not for the other. */
static void test_two_addresses(void **state)
{
	Place *place = *state;
	Store *store = place->keystore->store;
	g_autofree char *id = pgp_maker_key(place->maker, "eve@y.example", "future-default");
	g_autofree char *own = pgp_maker_key(place->maker, LEA, "future-default");
	g_autoptr(GBytes) eve = pgp_maker_public(place->maker, id);
	const char *ids[] = {id, own, NULL};
	g_autoptr(GError) error = NULL;

	assert_string_equal(learn_pgp(place, "eve@y.example", eve, "autocrypt"), "new");
	assert_string_equal(learn_pgp(place, LEA, eve, "autocrypt"), "new");
	assert_null(learned_approve(store, id, NULL, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_USAGE));
	assert_non_null(strstr(error->message, "eve@y.example " LEA));
	g_autoptr(GError) other = NULL;
	assert_null(learned_approve(store, id, "no@x.example", &other));
	assert_true(g_error_matches(other, SEALPOST_ERROR, ERROR_USAGE));
	g_autoptr(GPtrArray) rows = learned_approve(store, id, "eve@y.example", NULL);
	assert_int_equal(rows->len, 1);
	place_reopen(place, "keys = approved\n");
	expect_keys(place, "eve@y.example", "0 learned ok", ids);
	expect_keys(place, LEA, "0 learned not-approved", ids);
	/* Rejected: everywhere, and for addresses that it was not learned for, too. */
	set_state(place, id, LEARNED_REJECTED);
	expect_keys(place, "eve@y.example", "", ids);
	assert_string_equal(learn_pgp(place, "z@x.example", eve, "autocrypt"), "rejected");
	expect_keys(place, "z@x.example", "", ids);
}

/* The administrator's own stands before a younger one that he approved. */
static void test_approved_rank(void **state)
{
	Place *place = *state;
	g_autoptr(Made) set =
		place_issue(place, (MakerOrder){.name = "1", .email = LEA, .from = -20});
	g_autoptr(Made) younger =
		place_issue(place, (MakerOrder){.name = "2", .email = LEA, .from = -1});
	const char *ids[] = {cert_fingerprint(set->cert), cert_fingerprint(younger->cert), NULL};
	StoreChange change;

	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = younger->cert}),
			    "new");
	set_state(place, ids[1], LEARNED_APPROVED);
	assert_true(store_put_cert(place->keystore->store, set->cert, FALSE, &change, NULL));
	expect_keys(place, LEA, "0 store ok, 1 learned ok", ids);
}

static guint known_capabilities(Place *place)
{
	g_autoptr(KeyAnswer) answer = place_look_up(place, LEA);

	return key_answer_best(answer, KEY_SMIME)->capabilities;
}

static void test_capabilities(void **state)
{
	Place *place = *state;
	g_autoptr(Made) made = place_issue(place, (MakerOrder){.name = "1", .email = LEA});
	const gint64 minute = 60, day = 86400, undated = G_MAXINT64;
	const struct {
		guint names;
		gint64 ago;
		guint known;
	} steps[] = {
		{0, 9 * day, 0},
		{CMS_OPENS_GCM, 8 * day, CMS_OPENS_GCM},
		/* An older message that is late, or sent again, tells nothing. */
		{CMS_OPENS_OAEP, 8 * day + 1, CMS_OPENS_GCM},
		{CMS_OPENS_OAEP, 8 * day, CMS_OPENS_GCM},
		{CMS_OPENS_GCM | CMS_OPENS_OAEP, 7 * day, CMS_OPENS_GCM | CMS_OPENS_OAEP},
		/* Nor one that is older than the last one that said the same. */
		{CMS_OPENS_GCM | CMS_OPENS_OAEP, 2 * day, CMS_OPENS_GCM | CMS_OPENS_OAEP},
		{0, 3 * day, CMS_OPENS_GCM | CMS_OPENS_OAEP},
		/* Nor one without a date, or from the future, whenever it comes. */
		{0, undated, CMS_OPENS_GCM | CMS_OPENS_OAEP},
		{0, -20 * minute, CMS_OPENS_GCM | CMS_OPENS_OAEP},
		{0, -20 * minute, CMS_OPENS_GCM | CMS_OPENS_OAEP},
		/* A clock that is a little fast. */
		{CMS_OPENS_OAEP, -10 * minute, CMS_OPENS_OAEP},
		{0, -9 * minute, CMS_OPENS_OAEP},
	};
	const gint64 now = NOW;

	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		gint64 signed_at = steps[i].ago == undated ? 0 : now - steps[i].ago;
		learn_smime(place, LEA,
			    (SmimeEvidence){.signer = made->cert,
					    .capabilities = steps[i].names,
					    .signed_at = signed_at});
		assert_int_equal(known_capabilities(place), steps[i].known);
	}
}

static Lesson *capable(Place *place, Made *made, guint names, gint64 signed_at)
{
	g_autoptr(KeyAnswer) sender = place_look_up(place, LEA);
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	SmimeEvidence evidence = {
		.signer = made->cert, .certs = none, .capabilities = names, .signed_at = signed_at};

	return keystore_lesson_smime(place->keystore, sender, &evidence, NULL);
}

/* Two messages at once: the newer one counts, whichever is written last. */
static void test_capabilities_at_once(void **state)
{
	Place *place = *state;
	g_autoptr(Made) made = place_issue(place, (MakerOrder){.name = "1", .email = LEA});

	for (int turn = 0; turn < 2; turn++) {
		guint newer = turn ? 0 : CMS_OPENS_GCM;
		Lesson *first = capable(place, made, newer, NOW - 100 + turn * 10);
		Lesson *second = capable(place, made, CMS_OPENS_OAEP, NOW - 105 + turn * 10);

		keystore_learn(place->keystore, first, no_report);
		learn(place, second);
		assert_int_equal(known_capabilities(place), newer);
	}
}

static void test_pgp(void **state)
{
	Place *place = *state;
	g_autofree char *id = pgp_maker_key(place->maker, LEA, "future-default");
	g_autofree char *other = pgp_maker_key(place->maker, "o@x.example", "future-default");
	g_autoptr(GBytes) public = pgp_maker_public(place->maker, id);
	g_autoptr(GBytes) foreign = pgp_maker_public(place->maker, other);
	const char *ids[] = {id, other, NULL};

	/* In an Autocrypt field the address is the field's, else the key must name it. */
	assert_null(learn_pgp(place, LEA, foreign, "attached"));
	assert_null(learn_pgp(place, LEA, foreign, "text"));
	assert_string_equal(learn_pgp(place, LEA, public, "attached"), "new");
	assert_string_equal(learn_pgp(place, LEA, public, "attached"), "known");
	assert_string_equal(learn_pgp(place, LEA, foreign, "autocrypt"), "changed");
	expect_keys(place, LEA, "0 learned ok, 1 learned changed", ids);
	g_autoptr(KeyAnswer) answer = place_look_up(place, LEA);
	assert_true(((Key *)answer->keys->pdata[0])->first_contact);
}

/* gpg gets no more time than the message has; what it did not look at is looked at the next time. */
static void test_pgp_late(void **state)
{
	Place *place = *state;
	g_autofree char *id = pgp_maker_key(place->maker, LEA, "future-default");
	g_autoptr(GBytes) public = pgp_maker_public(place->maker, id);
	g_autoptr(GError) error = NULL;
	PgpEvidence late = {.origin = "autocrypt", .deadline = g_get_monotonic_time()};

	assert_null(lesson_from_pgp(place, LEA, public, late, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	assert_string_equal(learn_pgp(place, LEA, public, "autocrypt"), "new");
}

/* A stranger's OpenPGP key does not stand before a certificate that the administrator set. */
static void test_pgp_beside_cert(void **state)
{
	Place *place = *state;
	g_autofree char *id = pgp_maker_key(place->maker, LEA, "future-default");
	g_autoptr(GBytes) public = pgp_maker_public(place->maker, id);
	g_autoptr(Made) set = place_issue(place, (MakerOrder){.name = "1", .email = LEA});
	const char *ids[] = {id, cert_fingerprint(set->cert), NULL};
	StoreChange change;

	assert_string_equal(learn_pgp(place, LEA, public, "attached"), "new");
	expect_keys(place, LEA, "0 learned ok", ids);
	assert_true(store_put_cert(place->keystore->store, set->cert, FALSE, &change, NULL));
	expect_keys(place, LEA, "1 store ok, 0 learned other-key", ids);
}

static void test_pgp_updates(void **state)
{
	Place *place = *state;
	g_autofree char *id = pgp_maker_key(place->maker, LEA, "future-default");
	g_autoptr(GBytes) first = pgp_maker_public(place->maker, id);
	const char *ids[] = {id, NULL};

	assert_string_equal(learn_pgp(place, LEA, first, "autocrypt"), "new");
	assert_int_equal(pgp_maker_gpg(place->maker, NULL, NULL, "--quick-set-expire %s 3y", id),
			 0);
	g_autoptr(GBytes) longer = pgp_maker_public(place->maker, id);
	assert_string_equal(learn_pgp(place, LEA, longer, "attached"), "updated");
	expect_keys(place, LEA, "0 learned ok", ids);
	pgp_maker_revoke(place->maker, id);
	g_autoptr(GBytes) revoked = pgp_maker_public(place->maker, id);
	assert_string_equal(learn_pgp(place, LEA, revoked, "autocrypt"), "updated");
	expect_keys(place, LEA, "0 learned revoked", ids);
	/* An older form that comes later does not take that back. */
	assert_string_equal(learn_pgp(place, LEA, first, "autocrypt"), "updated");
	expect_keys(place, LEA, "0 learned revoked", ids);
	g_autoptr(GPtrArray) rows = learned_list(place->keystore->store, LEA, NULL);
	assert_int_equal(rows->len, 1);
	assert_string_equal(((Learned *)rows->pdata[0])->origin, "autocrypt");
}

/* A stored form that GnuPG does not merge with what comes: bytes of two keys. */
static void test_pgp_not_merged(void **state)
{
	Place *place = *state;
	g_autofree char *id = pgp_maker_key(place->maker, LEA, "future-default");
	g_autofree char *other = pgp_maker_key(place->maker, "o@x.example", "future-default");
	g_autoptr(GBytes) public = pgp_maker_public(place->maker, id);
	g_autoptr(GBytes) foreign = pgp_maker_public(place->maker, other);
	g_autoptr(GPtrArray) keys = scratch_read_pgp(foreign, NULL, 0, NULL);
	PgpKey *stored = g_ptr_array_steal_index(keys, 0);

	g_free(stored->fingerprint);
	stored->fingerprint = g_strdup(id);
	g_autoptr(Candidate) candidate = candidate_new_pgp(stored);
	Learned row = {(char *)LEA,    (char *)"autocrypt", 1,	      NOW - 864000,
		       (char *)"past", LEARNED_USED,	    candidate};
	assert_true(learned_put(place->keystore->store, &row, NULL));
	assert_string_equal(learn_pgp(place, LEA, public, "autocrypt"), "updated");
	/* Seen, and no more: when it comes again, it is tried again. */
	g_autoptr(GPtrArray) all = learned_list(place->keystore->store, LEA, NULL);
	const Learned *now = all->pdata[0];
	assert_int_equal(all->len, 1);
	assert_string_equal(now->digest, "past");
	assert_true(g_bytes_equal(now->candidate->pgp->bytes, stored->bytes));
	assert_true(now->seen > NOW - 60);
	assert_string_equal(learn_pgp(place, LEA, public, "autocrypt"), "updated");
}

static void test_modes(void **state)
{
	Place *place = *state;
	g_autoptr(Made) one = place_issue(place, (MakerOrder){.name = "1", .email = LEA});
	const char *ids[] = {cert_fingerprint(one->cert), NULL};

	assert_string_equal(learn_smime(place, LEA, (SmimeEvidence){.signer = one->cert}), "new");
	place_reopen(place, "keys = approved\n");
	expect_keys(place, LEA, "0 learned not-approved", ids);
	g_autoptr(KeyAnswer) answer = place_look_up(place, LEA);
	assert_null(key_answer_best(answer, KEY_SMIME));
	key_answer_take_learned(answer);
	assert_non_null(key_answer_best(answer, KEY_SMIME));
	place_reopen(place, "keys = off\n");
	assert_false(keystore_learns(place->keystore));
	expect_keys(place, LEA, "", ids);
	set_state(place, ids[0], LEARNED_APPROVED);
	expect_keys(place, LEA, "0 learned ok", ids);
	place_reopen(place, "keys = approved\n");
	expect_keys(place, LEA, "0 learned ok", ids);
}

static void test_take_learned_only(void **state)
{
	Place *place = *state;
	g_autoptr(Made) one = place_issue(place, (MakerOrder){.name = "1", .email = LEA});
	g_autoptr(Made) two = place_issue(place, (MakerOrder){.name = "2", .email = LEA});

	place_reopen(place, "keys = approved\n");
	learn_smime(place, LEA, (SmimeEvidence){.signer = one->cert});
	learn_smime(place, LEA, (SmimeEvidence){.signer = two->cert});
	g_autoptr(KeyAnswer) answer = place_look_up(place, LEA);
	key_answer_take_learned(answer);
	/* Not what was kept aside. */
	assert_string_equal(key_answer_best(answer, KEY_SMIME)->id, cert_fingerprint(one->cert));
	for (guint i = 0; i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];
		assert_int_equal(key->usable, strcmp(key->id, cert_fingerprint(one->cert)) == 0);
	}
}

static guint rows(Place *place, const char *address)
{
	g_autoptr(GPtrArray) all = learned_list(place->keystore->store, address, NULL);

	return all->len;
}

static const char *learn_new(Place *place, const char *address)
{
	g_autoptr(Made) made = place_issue(place, (MakerOrder){.name = "n", .email = address});

	return learn_smime(place, address, (SmimeEvidence){.signer = made->cert});
}

static void test_limits(void **state)
{
	Place *place = *state;

	for (guint i = 0; i < LEARN_PER_ADDRESS; i++)
		assert_string_not_equal(learn_new(place, LEA), "over-limit");
	assert_string_equal(learn_new(place, LEA), "over-limit");
	assert_int_equal(rows(place, LEA), LEARN_PER_ADDRESS);
	/* The other kind has a count of its own. */
	g_autofree char *id = pgp_maker_key(place->maker, LEA, "future-default");
	g_autoptr(GBytes) public = pgp_maker_public(place->maker, id);
	assert_string_equal(learn_pgp(place, LEA, public, "autocrypt"), "new");
	place_reopen(place, "per_domain = 7\n");
	assert_string_equal(learn_new(place, "a@x.example"), "new");
	assert_string_equal(learn_new(place, "b@x.example"), "over-limit");
	assert_string_equal(learn_new(place, "b@y.example"), "new");
	place_reopen(place, "per_day = 9\n");
	assert_string_equal(learn_new(place, "c@z.example"), "new");
	assert_string_equal(learn_new(place, "d@z.example"), "over-limit");
	place_reopen(place, "total = 9\n");
	assert_string_equal(learn_new(place, "d@z.example"), "over-limit");
	place_reopen(place, "");
	assert_string_equal(learn_new(place, "d@z.example"), "new");
}

static void test_keep(void **state)
{
	Place *place = *state;
	static const LearnedState states[] = {LEARNED_USED, LEARNED_CHANGED, LEARNED_APPROVED,
					      LEARNED_REJECTED};

	for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
		g_autofree char *address = g_strdup_printf("%u@x.example", (guint)i);
		g_autoptr(Made) made =
			place_issue(place, (MakerOrder){.name = "n", .email = address});
		g_autoptr(Candidate) candidate = candidate_new_cert(made->cert);
		Learned row = {address, (char *)"signature", 1,	       NOW - 864000,
			       NULL,	states[i],	     candidate};

		assert_true(learned_put(place->keystore->store, &row, NULL));
	}
	assert_string_equal(learn_new(place, LEA), "new");
	assert_int_equal(rows(place, NULL), 5);
	place_reopen(place, "keep = 9d\n");
	assert_string_equal(learn_new(place, "last@x.example"), "new");
	assert_int_equal(rows(place, NULL), 4);
	assert_int_equal(rows(place, "0@x.example") + rows(place, "1@x.example"), 0);
}

/* It is forgotten with the keys that were not seen for so long. */
static void test_capabilities_kept(void **state)
{
	Place *place = *state;
	Store *store = place->keystore->store;
	gint64 signed_at;
	guint flags;

	assert_true(learned_put_capabilities(store, "old", CMS_OPENS_GCM, NOW - 864000, NULL));
	assert_true(learned_put_capabilities(store, "new", CMS_OPENS_GCM, NOW - 600000, NULL));
	place_reopen(place, "keep = 9d\n");
	store = place->keystore->store;
	assert_string_equal(learn_new(place, LEA), "new");
	assert_true(learned_capabilities(store, "old", &flags, &signed_at, NULL));
	assert_int_equal(signed_at, 0);
	assert_true(learned_capabilities(store, "new", &flags, &signed_at, NULL));
	assert_int_equal(flags, CMS_OPENS_GCM);
}

/* The database is locked: an error for the log, and nothing else. */
static guint failures;

static void count_failures(const Lesson *lesson, const GError *error)
{
	(void)lesson;
	failures += error != NULL;
}

static void test_locked(void **state)
{
	Place *place = *state;
	g_autoptr(Made) one = place_issue(place, (MakerOrder){.name = "1", .email = LEA});
	g_autoptr(KeyAnswer) sender = place_look_up(place, LEA);
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	SmimeEvidence evidence = {.signer = one->cert, .certs = none};
	Lesson *lesson = keystore_lesson_smime(place->keystore, sender, &evidence, NULL);
	g_autoptr(Db) db = db_open(conf_path(place->conf, "keystore", "database"),
				   (const char *const[]){"", "", "", NULL}, FALSE, NULL);

	assert_true(db_begin(db, NULL));
	keystore_learn(place->keystore, lesson, count_failures);
	assert_int_equal(failures, 0); /* the caller does not wait for the lock's end */
	learner_close(place->keystore);
	assert_true(learner_open(place->keystore, NULL));
	assert_int_equal(failures, 1);
	db_rollback(db);
	assert_int_equal(rows(place, LEA), 0);
	assert_string_equal(learn_smime(place, LEA, evidence), "new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(test_smime),
		PLACED(test_smime_choice),
		PLACED(test_smime_many),
		PLACED(test_renewed),
		PLACED(test_vouched),
		PLACED(test_pgp),
		PLACED(test_pgp_late),
		PLACED(test_pgp_beside_cert),
		PLACED(test_pgp_updates),
		PLACED(test_modes),
		PLACED(test_take_learned_only),
		PLACED(test_limits),
		PLACED(test_keep),
		PLACED(test_locked),
		PLACED(test_capabilities),
		PLACED(test_capabilities_at_once),
		PLACED(test_capabilities_kept),
		PLACED(test_pgp_not_merged),
		PLACED(test_tagged),
		PLACED(test_tagged_learned),
		PLACED(test_two_addresses),
		PLACED(test_approved_rank),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
