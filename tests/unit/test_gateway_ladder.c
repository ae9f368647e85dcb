/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk along the ladder, as a table: rule x keys x TLS x what the client did -> way or refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/ladder.h"
#include "lib/base/error.h"

/* keys: "s" a usable certificate, "S" an unusable one, "p" and "P" for PGP; "!" a source that could
 * not be asked, "#" the own store failed. tls: of the server; asked: whether the probe may be. */
typedef struct {
	const char *ladder; /* "require smime, pgp/tls, portal" */
	const char *keys;
	TlsAbility tls;
	Layer encrypted;
	const char *expected; /* "smime any", "tls tls", "unchanged any", "no-way", "lookup" */
	int probes;
} Case;

#define UNKNOWN TLS_ABILITY_UNKNOWN
#define NONE TLS_ABILITY_NONE
#define OFFERED TLS_ABILITY_OFFERED
#define VERIFIED TLS_ABILITY_VERIFIED

static const Case cases[] = {
	/* the first possible rung wins */
	{"require smime, pgp, portal", "sp", NONE, LAYER_NONE, "smime any", 0},
	{"require pgp, smime, portal", "sp", NONE, LAYER_NONE, "pgp any", 0},
	{"require smime, pgp, portal", "p", NONE, LAYER_NONE, "pgp any", 0},
	{"require smime, pgp, portal", "", NONE, LAYER_NONE, "portal any", 0},
	{"require smime, pgp, portal", "SP", NONE, LAYER_NONE, "portal any", 0},
	{"require smime, pgp", "", NONE, LAYER_NONE, "no-way", 0},
	{"require smime, pgp", "SP", NONE, LAYER_NONE, "no-way", 0},
	{"prefer smime, pgp", "", NONE, LAYER_NONE, "plain any", 0},
	{"prefer smime", "s", NONE, LAYER_NONE, "smime any", 0},
	/* could not look is not "no key" */
	{"require smime, pgp, portal", "!", VERIFIED, LAYER_NONE, "lookup", 0},
	{"require smime, portal", "S!", VERIFIED, LAYER_NONE, "lookup", 0},
	{"require smime, tls", "!", VERIFIED, LAYER_NONE, "lookup", 0},
	{"require smime", "!", VERIFIED, LAYER_NONE, "lookup", 0},
	{"prefer smime, pgp", "!", VERIFIED, LAYER_NONE, "lookup", 0},
	{"prefer smime, plain", "!", VERIFIED, LAYER_NONE, "lookup", 0},
	{"require smime, pgp, portal", "p!", NONE, LAYER_NONE, "pgp any", 0},
	{"require smime, pgp, portal", "s!", NONE, LAYER_NONE, "smime any", 0},
	{"require portal, smime", "!", NONE, LAYER_NONE, "portal any", 0},
	{"require smime, portal", "#", NONE, LAYER_NONE, "store", 0},
	/* TLS */
	{"require tls", "", NONE, LAYER_NONE, "tls tls", 0},
	{"require verified tls", "", NONE, LAYER_NONE, "verified-tls verified-tls", 0},
	{"require tls, portal", "", NONE, LAYER_NONE, "portal any", 1},
	{"require tls, portal", "", OFFERED, LAYER_NONE, "tls tls", 1},
	{"require tls, portal", "", UNKNOWN, LAYER_NONE, "tls tls", 1},
	{"require verified tls, portal", "", OFFERED, LAYER_NONE, "portal any", 1},
	{"require verified tls, portal", "", VERIFIED, LAYER_NONE, "verified-tls verified-tls", 1},
	{"require verified tls, tls", "", OFFERED, LAYER_NONE, "tls tls", 1},
	{"prefer tls", "", NONE, LAYER_NONE, "plain any", 1},
	{"prefer tls", "", OFFERED, LAYER_NONE, "tls tls", 1},
	{"prefer smime, tls", "s", OFFERED, LAYER_NONE, "smime any", 0},
	/* over tls */
	{"require smime/tls, pgp, portal", "sp", NONE, LAYER_NONE, "pgp any", 1},
	{"require smime/tls, portal", "s", NONE, LAYER_NONE, "portal any", 1},
	{"require smime/tls, portal", "s", OFFERED, LAYER_NONE, "smime tls", 1},
	{"require smime/tls", "s", NONE, LAYER_NONE, "smime tls", 0},
	{"require smime/verified, portal", "s", OFFERED, LAYER_NONE, "portal any", 1},
	{"require portal/tls", "", NONE, LAYER_NONE, "portal tls", 0},
	/* the client has encrypted it */
	{"require smime, pgp", "", NONE, LAYER_PGP, "unchanged any", 0},
	{"require smime", "!", NONE, LAYER_SMIME, "unchanged any", 0},
	{"require portal", "", NONE, LAYER_SMIME, "unchanged any", 0},
	{"require smime/tls", "", NONE, LAYER_SMIME, "unchanged tls", 0},
	{"require verified tls", "", NONE, LAYER_SMIME, "verified-tls verified-tls", 0},
	{"require tls, portal", "", NONE, LAYER_PGP, "unchanged any", 1},
	{"prefer smime", "s", NONE, LAYER_PGP, "unchanged any", 0},
	{"plain", "", NONE, LAYER_PGP, "unchanged any", 0},
	/* others */
	{"plain", "!", NONE, LAYER_NONE, "plain any", 0},
	{"reject", "sp", VERIFIED, LAYER_SMIME, "rejected", 0},
	{"require plain", "", NONE, LAYER_NONE, "plain any", 0},
};

typedef struct {
	const Case *now;
	int probes;
} World;

static Key *make_key(char letter)
{
	Key *key = g_new0(Key, 1);

	key->type = g_ascii_tolower(letter) == 's' ? KEY_SMIME : KEY_PGP;
	key->usable = g_ascii_islower(letter);
	key->reason = key->usable ? NULL : "expired";
	key->id = g_strdup("id");
	key->source = g_strdup("store");
	return key;
}

static KeyAnswer *fake_keys(void *context, const Recipient *recipient)
{
	World *world = context;
	KeyAnswer *answer = g_new0(KeyAnswer, 1);

	answer->address = g_strdup(recipient->folded);
	answer->keys = g_ptr_array_new_with_free_func((GDestroyNotify)key_free);
	for (const char *c = world->now->keys; *c; c++) {
		if (*c == '!' || *c == '#')
			answer->failure =
				g_error_new(SEALPOST_ERROR, *c == '!' ? ERROR_TIMEOUT : ERROR_STORE,
					    "could not look");
		else
			g_ptr_array_add(answer->keys, make_key(*c));
	}
	return answer;
}

static TlsAbility fake_tls(void *context, const char *nexthop)
{
	World *world = context;

	assert_string_equal(nexthop, "x.example");
	world->probes++;
	return world->now->tls;
}

static Rung parse_rung(const char *word)
{
	static const struct {
		const char *name;
		Way way;
	} ways[] = {{"smime", WAY_SMIME},   {"pgp", WAY_PGP},
		    {"portal", WAY_PORTAL}, {"verified tls", WAY_VERIFIED_TLS},
		    {"tls", WAY_TLS},	    {"plain", WAY_PLAIN}};
	const char *slash = strchr(word, '/');
	gsize length = slash ? (gsize)(slash - word) : strlen(word);
	Rung rung = {WAY_COUNT, TRANSPORT_ANY};

	for (gsize i = 0; i < G_N_ELEMENTS(ways); i++)
		if (strlen(ways[i].name) == length && strncmp(word, ways[i].name, length) == 0)
			rung.way = ways[i].way;
	assert_int_not_equal(rung.way, WAY_COUNT);
	if (slash)
		rung.transport =
			g_str_equal(slash, "/tls") ? TRANSPORT_TLS : TRANSPORT_VERIFIED_TLS;
	return rung;
}

static PolicyDecision *parse_decision(const char *text)
{
	PolicyDecision *decision = g_new0(PolicyDecision, 1);
	const char *space = strchr(text, ' ');

	decision->rule = (RuleSource){"test", 1, text};
	decision->ladder = g_array_new(FALSE, TRUE, sizeof(Rung));
	decision->copies = g_ptr_array_new_with_free_func(g_free);
	decision->verdict = g_str_has_prefix(text, "require")  ? VERDICT_REQUIRE
			    : g_str_has_prefix(text, "prefer") ? VERDICT_PREFER
			    : g_str_has_prefix(text, "plain")  ? VERDICT_PLAIN
							       : VERDICT_REJECT;
	g_auto(GStrv) words = g_strsplit(space ? space + 1 : "", ", ", -1);

	for (char **word = words; *word; word++) {
		Rung rung = parse_rung(*word);

		g_array_append_val(decision->ladder, rung);
	}
	return decision;
}

static char *told(const PlanRecipient *outcome)
{
	if (outcome->error)
		return g_strdup(error_info(outcome->error)->name);
	return g_strdup_printf("%s %s", plan_way_name(outcome->way, outcome->unchanged),
			       transport_name(outcome->transport));
}

static void test_table(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		World world = {&cases[i], 0};
		Advisers advisers = {fake_keys, fake_tls, NULL, NULL, &world};
		Recipient *recipient = recipient_new("a@x.example");
		g_autoptr(Plan) plan = plan_new();
		PlanRecipient *outcome = plan_add_recipient(plan, recipient);

		outcome->decision = parse_decision(cases[i].ladder);
		outcome->nexthop = "x.example";
		ladder_walk(outcome, cases[i].encrypted, &advisers);
		g_autofree char *got = told(outcome);

		if (!g_str_equal(got, cases[i].expected) || world.probes != cases[i].probes)
			fail_msg("%s with \"%s\": %s, %d probes; expected %s, %d", cases[i].ladder,
				 cases[i].keys, got, world.probes, cases[i].expected,
				 cases[i].probes);
		assert_int_equal(outcome->rungs->len, outcome->decision->ladder->len);
		recipient_free(recipient);
	}
}

/* Where there is nothing to enforce it for, TLS is not possible: not even as the last resort. */
static void test_no_next_hop(void **state)
{
	static const Case table[] = {
		{"require tls, portal", "", VERIFIED, LAYER_NONE, "portal any", 0},
		{"require verified tls", "", VERIFIED, LAYER_NONE, "no-way", 0},
		{"require smime/tls", "s", VERIFIED, LAYER_NONE, "no-way", 0},
		{"require tls", "", VERIFIED, LAYER_SMIME, "no-way", 0},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		World world = {&table[i], 0};
		Advisers advisers = {fake_keys, fake_tls, NULL, NULL, &world};
		Recipient *recipient = recipient_new("postmaster");
		g_autoptr(Plan) plan = plan_new();
		PlanRecipient *outcome = plan_add_recipient(plan, recipient);

		outcome->decision = parse_decision(table[i].ladder);
		ladder_walk(outcome, table[i].encrypted, &advisers);
		g_autofree char *got = told(outcome);

		assert_string_equal(got, table[i].expected);
		assert_int_equal(world.probes, 0);
		recipient_free(recipient);
	}
}

static void test_texts(void **state)
{
	static const Case no_way = {
		"require smime, verified tls, pgp", "S", OFFERED, LAYER_NONE, NULL, 0};
	World world = {&no_way, 0};
	Advisers advisers = {fake_keys, fake_tls, NULL, NULL, &world};
	Recipient *recipient = recipient_new("Sofia@x.example");
	g_autoptr(Plan) plan = plan_new();
	PlanRecipient *outcome = plan_add_recipient(plan, recipient);

	(void)state;
	outcome->decision = parse_decision(no_way.ladder);
	outcome->nexthop = "x.example";
	ladder_walk(outcome, LAYER_NONE, &advisers);
	assert_string_equal(outcome->error->message,
			    "Not sent: protection is required for <Sofia@x.example>, and none is "
			    "possible: no usable S/MIME certificate (expired), the recipient's "
			    "mail server has no valid certificate, no PGP key");
	recipient_free(recipient);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_no_next_hop),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
