/* SPDX-License-Identifier: Apache-2.0
 *
 * From a received message to a plan: who is signed for, who shares a variant, what copies do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/decide.h"
#include "gateway/signing.h"
#include "lib/base/error.h"
#include "tests/unit/gatewaymaker.h"

#define RULES                                                                                      \
	"outgoing to \"sign.example\" plain sign\n"                                                \
	"outgoing to \"tag.example\" subject has \"[x]\" require smime remove tag\n"               \
	"outgoing to \"as.example\" require smime sign as from\n"                                  \
	"outgoing to \"no.example\" reject \"no mail there\"\n"                                    \
	"outgoing require smime, pgp, portal\n"                                                    \
	"copy outgoing to \"archive@firma.example\"\n"
#define NO_COPY "outgoing require smime, pgp, portal\n"

/* Keys by address: local parts that begin with "s" have a certificate, with "p" a PGP key. */
static KeyAnswer *fake_keys(void *context, const Recipient *recipient)
{
	KeyAnswer *answer = g_new0(KeyAnswer, 1);
	char letter = recipient->folded[0];

	(void)context;
	answer->address = g_strdup(recipient->folded);
	answer->keys = g_ptr_array_new_with_free_func((GDestroyNotify)key_free);
	if (letter == 's' || letter == 'p') {
		Key *key = g_new0(Key, 1);

		key->type = letter == 's' ? KEY_SMIME : KEY_PGP;
		key->usable = TRUE;
		key->id = g_strdup(recipient->folded);
		g_ptr_array_add(answer->keys, key);
	}
	if (letter == 'l')
		answer->failure = g_error_new(SEALPOST_ERROR, ERROR_LOOKUP, "down");
	return answer;
}

static TlsAbility fake_tls(void *context, const char *nexthop)
{
	(void)context;
	(void)nexthop;
	return TLS_ABILITY_NONE;
}

static SmimeSigner *no_smime(void *context, const char *address, const char **reason,
			     GError **error)
{
	const gboolean *broken = context;

	(void)address;
	*reason = "expired";
	if (*broken)
		g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "store down");
	return NULL;
}

static char *fake_pgp(void *context, const char *address, const char **reason, GError **error)
{
	(void)context;
	(void)reason;
	(void)error;
	return g_strdup_printf("KEY-OF-%s", address);
}

static char *no_pgp(void *context, const char *address, const char **reason, GError **error)
{
	(void)context;
	(void)address;
	(void)error;
	*reason = "none";
	return NULL;
}

static Plan *plan_for_parsed(Job *job, const Parsed *parsed, gboolean can_sign, gboolean broken)
{
	Advisers advisers = {fake_keys, fake_tls, no_smime, can_sign ? fake_pgp : no_pgp, &broken};

	return decide(job, parsed, &advisers);
}

static Plan *plan_for(Job *job, gboolean can_sign, gboolean broken)
{
	static const Parsed parsed;

	return plan_for_parsed(job, &parsed, can_sign, broken);
}

/* "way:address,address;…" of the variants, or the error's name. */
static char *told(const Plan *plan)
{
	GString *text = g_string_new(NULL);

	if (plan->error)
		g_string_append(text, error_info(plan->error)->name);
	for (guint i = 0; i < plan->variants->len; i++) {
		const PlanVariant *variant = plan->variants->pdata[i];
		g_auto(GStrv) addresses = plan_variant_addresses(variant);
		g_autofree char *list = g_strjoinv(",", addresses);

		g_string_append_printf(text, "%s%s%s:%s", i ? ";" : "",
				       plan_way_name(variant->way, variant->unchanged),
				       variant->sign != SIGN_NONE ? "+signed" : "", list);
	}
	return g_string_free(text, FALSE);
}

#define ALICE "alice@firma.example"
#define TO(list) "From: " ALICE "\nTo: " list "\nSubject: [x] s\n\ntext\n"

static void test_variants(void **state)
{
	static const struct {
		const char *to[6], *text, *expected;
	} table[] = {
		{{"s1@x", "s2@x"}, TO("s1@x, s2@x"), "smime:s1@x,s2@x"},
		{{"s1@x", "p@x", "o@x", "o2@y"},
		 TO("s1@x, p@x, o@x, o2@y"),
		 "smime:s1@x;pgp+signed:p@x;portal:o@x,o2@y"},
		/* hidden recipients */
		{{"s1@x", "s2@x", "s3@x"}, TO("S1@X"), "smime:s1@x;smime:s2@x;smime:s3@x"},
		{{"s1@x", "s2@x"}, TO("Team: s1@x, <s2@x>;"), "smime:s1@x,s2@x"},
		{{"s1@x", "s2@x"}, TO("undisclosed-recipients:;"), "smime:s1@x;smime:s2@x"},
		{{"o1@x", "o2@x"}, TO("o1@x"), "portal:o1@x,o2@x"},
		{{"s1@x", "s2@x"}, TO("s1@x (s2@x)"), "smime:s1@x;smime:s2@x"},
		/* internal ones pass as they are */
		{{"s1@x", "bob@firma.example"},
		 TO("s1@x, bob@firma.example"),
		 "smime:s1@x;unchanged:bob@firma.example"},
		/* one who cannot go holds all */
		{{"s1@x", "l@x"}, TO("s1@x, l@x"), "lookup"},
	};
	Snapshot *snapshot = make_snapshot(NO_COPY, NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(Job) job = make_job(snapshot, NULL, ALICE, table[i].to, table[i].text);
		g_autoptr(Plan) plan = plan_for(job, TRUE, FALSE);
		g_autofree char *got = told(plan);

		assert_string_equal(got, table[i].expected);
	}
	remove_snapshot(snapshot);
}

/* Which of two Subject fields a reader sees is unknown: rules look at both. */
static void test_subjects(void **state)
{
	static const char *const to[] = {"o@x", NULL};
	static const struct {
		const char *subjects, *expected;
	} table[] = {
		{"Subject: s\n", "portal:o@x"},
		{"Subject: [x] s\n", "rejected"},
		{"Subject: s\nsubject: [X]\n", "rejected"},
		{"", "portal:o@x"},
	};
	Snapshot *snapshot = make_snapshot("outgoing subject has \"[x]\" reject \"no\"\n"
					   "outgoing require portal\n",
					   NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autofree char *text =
			g_strconcat("From: " ALICE "\n", table[i].subjects, "\ntext\n", NULL);
		g_autoptr(Job) job = make_job(snapshot, NULL, ALICE, to, text);
		g_autoptr(Plan) plan = plan_for(job, FALSE, FALSE);
		g_autofree char *got = told(plan);

		assert_string_equal(got, table[i].expected);
	}
	remove_snapshot(snapshot);
}

/* A report is never buried under a signature; whatever else a rule asks for stays. "-": not signed for that
 * reason. */
static void test_reports(void **state)
{
	static const struct {
		const char *rule, *sender, *from, *to;
		gboolean can_sign;
		const char *expected;
	} table[] = {
		{"plain sign", ALICE, ALICE, "o@x", TRUE, "plain:o@x-"},
		{"require portal sign", ALICE, ALICE, "o@x", TRUE, "portal:o@x-"},
		{"require tls sign", ALICE, ALICE, "o@x", TRUE, "tls:o@x-"},
		{"prefer smime, pgp sign", ALICE, ALICE, "o@x", TRUE, "plain:o@x-"},
		/* RFC 8098: of a null sender; nobody's key is asked for */
		{"plain sign", "", ALICE, "o@x", TRUE, "plain:o@x-"},
		{"plain sign", "", ALICE, "o@x", FALSE, "plain:o@x-"},
		{"plain sign as from", "", ALICE, "o@x", TRUE, "plain:o@x"},
		{"plain", ALICE, ALICE, "o@x", TRUE, "plain:o@x"},
		/* encrypted: signed, or not sent */
		{"require smime, pgp sign", ALICE, ALICE, "p@x", TRUE, "pgp+signed:p@x"},
		{"require smime, pgp sign", ALICE, ALICE, "p@x", FALSE, "not-signable"},
		{"require smime, pgp sign", "", ALICE, "p@x", TRUE, "not-signable"},
		{"require smime, pgp sign sign as from", "", ALICE, "p@x", TRUE, "pgp+signed:p@x"},
		/* what is required is not there */
		{"require smime, pgp sign", ALICE, ALICE, "o@x", TRUE, "no-way"},
		{"require smime, pgp hide subject", ALICE, ALICE, "o@x", TRUE, "no-way"},
		{"require smime, pgp sign", ALICE, ALICE, "l@x", TRUE, "lookup"},
		/* nobody of ours: as before */
		{"plain sign", ALICE, "x@elsewhere.example", "o@x", TRUE, "not-signable"},
		{"plain sign", "", "a@firma.example, b@firma.example", "o@x", TRUE, "not-signable"},
	};
	static const Parsed report = {.report = TRUE};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		const char *const to[] = {table[i].to, NULL};
		g_autofree char *rules = g_strdup_printf("outgoing %s\n", table[i].rule);
		g_autofree char *text =
			g_strdup_printf("From: %s\nTo: %s\n\nx\n", table[i].from, table[i].to);
		Snapshot *snapshot = make_snapshot(rules, NULL);
		g_autoptr(Job) job = make_job(snapshot, NULL, table[i].sender, to, text);
		g_autoptr(Plan) plan = plan_for_parsed(job, &report, table[i].can_sign, FALSE);
		const PlanRecipient *outcome = plan->recipients->pdata[0];
		g_autofree char *way = told(plan);
		g_autofree char *got = g_strconcat(way, outcome->bare_report ? "-" : "", NULL);

		if (g_strcmp0(got, table[i].expected) != 0)
			fail_msg("%s, from <%s>: %s", table[i].rule, table[i].sender, got);
		g_clear_pointer(&job, job_free);
		remove_snapshot(snapshot);
	}
}

static void test_rules(void **state)
{
	static const struct {
		const char *to[3];
		gboolean can_sign, broken;
		const char *expected;
	} table[] = {
		{{"s@x"}, TRUE, FALSE, "smime:s@x;unchanged:archive@firma.example"},
		{{"s@x", "archive@firma.example"},
		 TRUE,
		 FALSE,
		 "smime:s@x;unchanged:archive@firma.example"},
		{{"q@sign.example"},
		 TRUE,
		 FALSE,
		 "plain+signed:q@sign.example;unchanged:archive@firma.example"},
		{{"q@sign.example"}, FALSE, FALSE, "not-signable"},
		{{"q@sign.example"}, FALSE, TRUE, "store"},
		{{"q@no.example"}, TRUE, FALSE, "rejected"},
		/* a refusal counts more than a deferral */
		{{"l@x", "q@no.example"}, TRUE, FALSE, "rejected"},
		/* "could not look" for the signer is no "no key" */
		{{"s@x"}, TRUE, TRUE, "store"},
		{{"s@tag.example", "s@x"},
		 TRUE,
		 FALSE,
		 "smime:s@tag.example;smime:s@x;unchanged:archive@firma.example"},
	};
	Snapshot *snapshot = make_snapshot(RULES, NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(Job) job =
			make_job(snapshot, NULL, ALICE, table[i].to, TO("s@x, s@tag.example"));
		g_autoptr(Plan) plan = plan_for(job, table[i].can_sign, table[i].broken);
		g_autofree char *got = told(plan);

		assert_string_equal(got, table[i].expected);
	}
	remove_snapshot(snapshot);
}

static void test_signing(void **state)
{
	static const struct {
		const char *client, *sender, *from;
		SigningRight right;
		const char *reason;
	} table[] = {
		{"", ALICE, "From: " ALICE "\n", SIGNING_ALLOWED, NULL},
		{"", "Alice@FIRMA.example", "From: \"Boss, the\" <ALICE@firma.example>\n",
		 SIGNING_ALLOWED, NULL},
		{"198.51.100.1", ALICE, "From: " ALICE "\n", SIGNING_NEVER, "stranger"},
		{"", ALICE, "From: boss@firma.example\n", SIGNING_BY_RULE, "from-not-sender"},
		{"", "x@else.example", "From: " ALICE "\n", SIGNING_NEVER, "from-not-sender"},
		{"", "", "From: " ALICE "\n", SIGNING_BY_RULE, "from-not-sender"},
		{"", ALICE, "From: " ALICE "\nFrom: " ALICE "\n", SIGNING_NEVER, "several-from"},
		{"", ALICE, "From: " ALICE ", boss@firma.example\n", SIGNING_NEVER, "several-from"},
		{"", ALICE, "From: Team: " ALICE ";\n", SIGNING_NEVER, "group-from"},
		{"", ALICE, "From: \"a: b\" <" ALICE ">\n", SIGNING_ALLOWED, NULL},
		{"", ALICE, "From: (a: b) " ALICE "\n", SIGNING_ALLOWED, NULL},
		{"", ALICE, "From: x@else.example\n", SIGNING_NEVER, "from-not-internal"},
		{"", ALICE, "From: x@firma.example.evil\n", SIGNING_NEVER, "from-not-internal"},
		{"", ALICE, "Subject: no from\n", SIGNING_NEVER, "no-from"},
		{"", ALICE, "From: nobody\n", SIGNING_NEVER, "no-from"},
		{"", ALICE, "Sender: " ALICE "\nFrom: x@else.example\n", SIGNING_NEVER,
		 "from-not-internal"},
	};
	static const char *const to[] = {"s@x", NULL};
	Snapshot *snapshot = make_snapshot(NO_COPY, NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autofree char *text = g_strconcat(table[i].from, "\nx\n", NULL);
		g_autofree char *address = NULL;
		const char *reason = NULL;
		g_autoptr(Job) job = make_job(snapshot, table[i].client, table[i].sender, to, text);

		assert_int_equal(signing_right(job, &address, &reason), table[i].right);
		assert_true(g_strcmp0(reason, table[i].reason) == 0);
		assert_int_equal(address != NULL, table[i].right != SIGNING_NEVER);
	}
	remove_snapshot(snapshot);
}

/* More keys than fit into one message make a further variant. */
static void test_many(void **state)
{
	Snapshot *snapshot = make_snapshot(NO_COPY, NULL);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GString) text = g_string_new("From: " ALICE "\nTo: s0@x");

	(void)state;
	for (int i = 0; i < 2 * PLAN_KEYS_MAX + 1; i++) {
		g_autofree char *address = g_strdup_printf("s%d@x", i);

		g_strv_builder_add(builder, address);
		g_string_append_printf(text, ",\n\t%s", address);
	}
	g_string_append(text, "\n\nx\n");
	g_auto(GStrv) to = g_strv_builder_end(builder);
	g_autoptr(Job) job = make_job(snapshot, NULL, ALICE, (const char *const *)to, text->str);
	g_autoptr(Plan) plan = plan_for(job, FALSE, FALSE);

	assert_null(plan->error);
	assert_int_equal(plan->variants->len, 3);
	remove_snapshot(snapshot);
}

/* Equal fields are read once, not once for each of them. */
static void test_equal_fields(void **state)
{
	Snapshot *snapshot = make_snapshot(
		"outgoing header \"X-Label\" is \"1899\" reject \"found\"\n" NO_COPY, NULL);
	const char *const to[] = {"a@x", NULL};
	g_autoptr(GString) text = g_string_new("From: " ALICE "\nTo: a@x\n");

	(void)state;
	for (int i = 0; i < 1900; i++)
		g_string_append_printf(text, "X-Label: %d\n", i);
	g_string_append(text, "\nx\n");
	g_autoptr(Job) job = make_job(snapshot, NULL, ALICE, to, text->str);
	clock_t start = clock();
	g_autoptr(Plan) plan = plan_for(job, FALSE, FALSE);

	assert_true(g_error_matches(plan->error, SEALPOST_ERROR, ERROR_REJECTED));
	assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
	remove_snapshot(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variants),     cmocka_unit_test(test_rules),
		cmocka_unit_test(test_subjects),     cmocka_unit_test(test_reports),
		cmocka_unit_test(test_signing),	     cmocka_unit_test(test_many),
		cmocka_unit_test(test_equal_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
