/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "keystore/trust.h"
#include "tests/unit/x509maker.h"

typedef struct {
	Made *root, *middle, *foreign;
	GPtrArray *authorities, *trusted;
} World;

static int make_world(void **state)
{
	World *world = g_new0(World, 1);

	world->root = x509_maker_make(&(MakerOrder){.name = "Root", .ca = TRUE});
	world->middle =
		x509_maker_make(&(MakerOrder){.name = "Middle", .ca = TRUE, .issuer = world->root});
	world->foreign = x509_maker_make(&(MakerOrder){.name = "Foreign", .ca = TRUE});
	world->authorities = g_ptr_array_new();
	world->trusted = g_ptr_array_new();
	g_ptr_array_add(world->authorities, world->root->cert);
	g_ptr_array_add(world->authorities, world->middle->cert);
	g_ptr_array_add(world->trusted, world->root->cert);
	*state = world;
	return 0;
}

static int end_world(void **state)
{
	World *world = *state;

	made_free(world->root);
	made_free(world->middle);
	made_free(world->foreign);
	g_ptr_array_unref(world->authorities);
	g_ptr_array_unref(world->trusted);
	g_free(world);
	return 0;
}

static const char *judge_now(Trust *trust, const Candidate *candidate, CertUse use)
{
	return trust_judge(trust, candidate, "sofia@x.example", use,
			   g_get_real_time() / G_USEC_PER_SEC);
}

static void assert_reason(const char *reason, const char *expected)
{
	if (!expected)
		assert_null(reason);
	else
		assert_string_equal(reason ? reason : "usable", expected);
}

static void test_certs(void **state)
{
	World *world = *state;
	g_autoptr(Trust) trust = trust_new(NULL, world->authorities, world->trusted, NULL, NULL);
	const struct {
		MakerOrder order;
		const char *encrypt, *sign;
	} rows[] = {
		{{.name = "a", .email = "sofia@x.example", .issuer = world->middle}, NULL, NULL},
		{{.name = "b", .email = "Sofia@X.example", .issuer = world->middle}, NULL, NULL},
		{{.name = "c", .email = "peter@x.example", .issuer = world->middle},
		 "address-mismatch",
		 "address-mismatch"},
		{{.name = "d", .issuer = world->middle}, "address-mismatch", "address-mismatch"},
		{{.name = "e", .email = "sofia@x.example", .issuer = world->foreign},
		 "untrusted",
		 "untrusted"},
		{{.name = "f", .email = "sofia@x.example"}, "untrusted", "untrusted"},
		{{.name = "g",
		  .email = "sofia@x.example",
		  .issuer = world->middle,
		  .from = -20,
		  .to = -10},
		 "expired",
		 "expired"},
		{{.name = "h",
		  .email = "sofia@x.example",
		  .issuer = world->middle,
		  .from = 10,
		  .to = 20},
		 "not-yet-valid",
		 "not-yet-valid"},
		{{.name = "i",
		  .email = "sofia@x.example",
		  .issuer = world->middle,
		  .signing_only = TRUE},
		 "wrong-usage",
		 NULL},
	};

	assert_non_null(trust);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(Made) made = x509_maker_make(&rows[i].order);
		g_autoptr(Candidate) candidate = candidate_new_cert(made->cert);
		assert_reason(judge_now(trust, candidate, CERT_FOR_ENCRYPTION), rows[i].encrypt);
		assert_reason(judge_now(trust, candidate, CERT_FOR_SIGNING), rows[i].sign);
	}
}

/* An intermediate that came with the certificate is as good as one of the store. */
static void test_extra(void **state)
{
	World *world = *state;
	g_autoptr(Trust) trust = trust_new(NULL, NULL, world->trusted, NULL, NULL);
	g_autoptr(Made) made = x509_maker_make(
		&(MakerOrder){.name = "a", .email = "sofia@x.example", .issuer = world->middle});
	g_autoptr(Candidate) candidate = candidate_new_cert(made->cert);

	assert_reason(judge_now(trust, candidate, CERT_FOR_ENCRYPTION), "untrusted");
	candidate->extra = g_ptr_array_new();
	g_ptr_array_add(candidate->extra, world->middle->cert);
	assert_reason(judge_now(trust, candidate, CERT_FOR_ENCRYPTION), NULL);
}

static void test_by_itself(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) trusted = g_ptr_array_new();
	const MakerOrder order = {
		.name = "a", .email = "sofia@x.example", .issuer = world->foreign};
	g_autoptr(Made) chosen = x509_maker_make(&order);
	g_autoptr(Made) other = x509_maker_make(&order);
	g_autoptr(Candidate) yes = candidate_new_cert(chosen->cert);
	g_autoptr(Candidate) no = candidate_new_cert(other->cert);

	g_ptr_array_add(trusted, chosen->cert);
	g_autoptr(Trust) trust = trust_new(NULL, NULL, trusted, NULL, NULL);
	assert_reason(judge_now(trust, yes, CERT_FOR_ENCRYPTION), NULL);
	assert_reason(judge_now(trust, no, CERT_FOR_ENCRYPTION), "untrusted");
}

static void test_revoked(void **state)
{
	World *world = *state;
	const MakerOrder order = {.name = "a", .email = "sofia@x.example", .issuer = world->middle};
	g_autoptr(Made) gone = x509_maker_make(&order);
	g_autoptr(Made) valid = x509_maker_make(&order);
	g_autoptr(Candidate) no = candidate_new_cert(gone->cert);
	g_autoptr(Candidate) yes = candidate_new_cert(valid->cert);
	g_autoptr(GPtrArray) crls = g_ptr_array_new_with_free_func((GDestroyNotify)crl_unref);

	/* Overdue for a week. */
	g_ptr_array_add(crls, x509_maker_crl_of(world->middle, gone, -9));
	g_autoptr(Trust) trust = trust_new(NULL, world->authorities, world->trusted, crls, NULL);
	assert_reason(judge_now(trust, no, CERT_FOR_ENCRYPTION), "revoked");
	assert_reason(judge_now(trust, no, CERT_FOR_SIGNING), "revoked");
	assert_reason(judge_now(trust, yes, CERT_FOR_ENCRYPTION), NULL);
}

static void test_bound(void **state)
{
	World *world = *state;
	g_autoptr(Trust) trust = trust_new(NULL, world->authorities, world->trusted, NULL, NULL);
	g_autoptr(Made) made = x509_maker_make(&(MakerOrder){.name = "a", .issuer = world->middle});
	g_autoptr(Candidate) candidate = candidate_new_cert(made->cert);

	assert_reason(judge_now(trust, candidate, CERT_FOR_ENCRYPTION), "address-mismatch");
	candidate->bound = TRUE;
	assert_reason(judge_now(trust, candidate, CERT_FOR_ENCRYPTION), NULL);
}

static void test_malformed(void **state)
{
	g_autoptr(GBytes) garbage = g_bytes_new_static("garbage", 7);
	g_autoptr(Candidate) candidate = candidate_new_malformed(KEY_SMIME, garbage);

	(void)state;
	assert_reason(judge_now(NULL, candidate, CERT_FOR_ENCRYPTION), "malformed");
	assert_int_equal(strlen(candidate->id), 64);
}

static void test_pgp(void **state)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	const struct {
		const char *address;
		PgpKey key;
		const char *encrypt, *sign;
	} rows[] = {
		{"sofia@x.example", {.can_encrypt = TRUE, .can_sign = TRUE}, NULL, NULL},
		{"sofia@x.example",
		 {.can_encrypt = TRUE, .expires = now + 60},
		 NULL,
		 "wrong-usage"},
		{"sofia@x.example",
		 {.can_encrypt = TRUE, .expires = now - 60, .can_sign = TRUE},
		 "expired",
		 NULL},
		{"sofia@x.example", {.can_encrypt = TRUE, .expired = TRUE}, "expired", "expired"},
		{"sofia@x.example", {.can_encrypt = TRUE, .revoked = TRUE}, "revoked", "revoked"},
		{"sofia@x.example", {.can_sign = TRUE}, "wrong-usage", NULL},
		{"peter@x.example",
		 {.can_encrypt = TRUE, .can_sign = TRUE},
		 "address-mismatch",
		 "address-mismatch"},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		PgpKey *key = g_new0(PgpKey, 1);
		*key = rows[i].key;
		key->fingerprint = g_strdup("ABCD");
		key->addresses = g_strsplit(rows[i].address, " ", -1);
		g_autoptr(Candidate) candidate = candidate_new_pgp(key);
		assert_reason(judge_now(NULL, candidate, CERT_FOR_ENCRYPTION), rows[i].encrypt);
		assert_reason(judge_now(NULL, candidate, CERT_FOR_SIGNING), rows[i].sign);
	}
}

static void test_chain(void **state)
{
	World *world = *state;
	g_autoptr(Trust) trust = trust_new(NULL, world->authorities, world->trusted, NULL, NULL);
	g_autoptr(Trust) stranger = trust_new(NULL, world->authorities, NULL, NULL, NULL);
	g_autoptr(Made) made = x509_maker_make(
		&(MakerOrder){.name = "a", .email = "sofia@x.example", .issuer = world->middle});
	Trust *both[] = {trust, stranger};

	for (gsize i = 0; i < G_N_ELEMENTS(both); i++) {
		g_autoptr(GPtrArray) chain = trust_chain(both[i], made->cert);
		assert_int_equal(chain->len, 1);
		assert_string_equal(cert_fingerprint(chain->pdata[0]),
				    cert_fingerprint(world->middle->cert));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certs),	  cmocka_unit_test(test_extra),
		cmocka_unit_test(test_by_itself), cmocka_unit_test(test_bound),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_pgp),
		cmocka_unit_test(test_chain),	  cmocka_unit_test(test_revoked),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
