/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policies.h"

#include <string.h>

#include "lib/mail/address.h"
#include "policies/match.h"

#define OUT DIRECTION_OUTGOING
#define IN DIRECTION_INCOMING

/* Header fields for the facts: name, text, name, text, …, NULL. */
static GPtrArray *find_headers(void *context, const char *name)
{
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

	for (const char *const *field = context; field && *field; field += 2)
		if (g_ascii_strcasecmp(field[0], name) == 0)
			g_ptr_array_add(texts, g_strdup(field[1]));
	return texts;
}

static const char policy_text[] =
	"internal domains \"firma.example\", \"*.firma.example\"\n" /* 1 */
	"list doctors = \"praxis.example\", \"*.klinik.example\", \"Dr@Web.example\"\n"
	"list never = \"x.invalid\"\n"
	"outgoing to doctors, never  # comment\n" /* 4 */
	"   require smime over tls,\n"
	"\tpgp over verified tls , portal\n"
	"outgoing subject has \"[Vertraulich]\", \"[geheim]\" require smime, pgp remove "
	"tag\n" /* 7 */
	"outgoing from \"ticket@firma.example\" require portal sign sign as from\n"
	"outgoing header \"X-Class\" is \"Secret\", \" top secret\" plain sign\n" /* 9 */
	"outgoing header \"X-Note\" has \"straße\" reject \"Keine \\\"Straßen\\\", für\tuns?\"\n"
	"outgoing to \"partner.example\" not from \"boss@firma.example\" require verified "
	"tls\n"
	"outgoing to \"partner.example\" not subject has \"open\" reject\n" /* 12 */
	"outgoing to \"*.example\" prefer tls\n"
	"copy outgoing to \"*.example\" to \"Archive@firma.example\"\n" /* 14 */
	"copy outgoing subject has \"legal\" to \"legal@firma.example\"\n"
	"copy outgoing subject has \"law\", \"legal\" to \"legal@firma.example\"\n" /* 16 */
	"incoming from \"bad.example\" reject\n"
	"internal to \"hr@firma.example\" require smime hide subject keys from learned\n"
	"relayed reject \"no relay\"\n"; /* 19 */

static const char *const secret[] = {"Received", "x", "x-class", " top  SECRET ", NULL};
static const char *const street[] = {"X-Note", "a", "X-Note", "b STRASSE c", NULL};

static const struct {
	Direction direction;
	const char *sender, *recipient, *subject;
	const char *const *fields;
	int line;
	const char *decision; /* verdict, ladder, options, tag, copies */
} decisions[] = {
	{OUT, "a@firma.example", "x@praxis.example", "", NULL, 4,
	 "require smime/tls pgp/verified-tls portal/any copy archive@firma.example"},
	{OUT, "", "x@a.b.klinik.example", "", NULL, 4,
	 "require smime/tls pgp/verified-tls portal/any copy archive@firma.example"},
	{OUT, "", "dr@web.example", "[geheim]", NULL, 4,
	 "require smime/tls pgp/verified-tls portal/any copy archive@firma.example"},
	{OUT, "a@firma.example", "x@klinik.example", "", NULL, 13,
	 "prefer tls/tls copy archive@firma.example"},
	{OUT, "a@firma.example", "x@sub.praxis.example", "", NULL, 13,
	 "prefer tls/tls copy archive@firma.example"},
	{OUT, "a@firma.example", "x@b.test", "Re: [VERTRAULICH] x", NULL, 7,
	 "require smime/any pgp/any remove [Vertraulich]"},
	{OUT, "a@firma.example", "x@b.test", "x [Geheim] legal", NULL, 7,
	 "require smime/any pgp/any remove [geheim] copy legal@firma.example"},
	{OUT, "ticket@firma.example", "x@b.test", "Vertraulich", NULL, 8,
	 "require portal/any sign as-from"},
	{OUT, "a@firma.example", "x@b.test", "", secret, 9, "plain sign"},
	{OUT, "a@firma.example", "x@b.test", "", street, 10,
	 "reject (Keine \"Strassen\", fuer uns?)"},
	{OUT, "a@firma.example", "x@partner.example", "", NULL, 11,
	 "require verified-tls/verified-tls copy archive@firma.example"},
	{OUT, "boss@firma.example", "x@partner.example", "", NULL, 12,
	 "reject copy archive@firma.example"},
	{OUT, "boss@firma.example", "x@partner.example", "re-OPENed", NULL, 13,
	 "prefer tls/tls copy archive@firma.example"},
	{OUT, "a@firma.example", "x@b.test", "", NULL, 0, "reject"},
	{OUT, "a@firma.example", "x@b.test", "law", NULL, 0, "reject copy legal@firma.example"},
	{OUT, "a@firma.example", "postmaster", "", NULL, 0, "reject"},
	{IN, "x@bad.example", "a@firma.example", "", NULL, 17, "reject"},
	{IN, "x@b.test", "hr@firma.example", "", NULL, 0, "plain"},
	{DIRECTION_INTERNAL, "a@firma.example", "hr@firma.example", "", NULL, 18,
	 "require smime/any learned hide"},
	{DIRECTION_INTERNAL, "a@firma.example", "b@firma.example", "[geheim]", NULL, 0, "plain"},
	{DIRECTION_OTHER, "x@b.test", "y@b.test", "", NULL, 19, "reject (no relay)"},
};

static char *decision_text(const PolicyDecision *decision)
{
	static const char *const verdicts[] = {"require", "prefer", "plain", "reject"};
	GString *text = g_string_new(verdicts[decision->verdict]);

	for (guint i = 0; i < decision->ladder->len; i++) {
		const Rung *rung = &g_array_index(decision->ladder, Rung, i);

		g_string_append_printf(text, " %s/%s", way_name(rung->way),
				       transport_name(rung->transport));
	}
	if (decision->reject_text)
		g_string_append_printf(text, " (%s)", decision->reject_text);
	if (decision->sign_required)
		g_string_append(text, " sign");
	if (decision->sign_as_from)
		g_string_append(text, " as-from");
	if (decision->keys_from_learned)
		g_string_append(text, " learned");
	if (decision->remove_tag)
		g_string_append_printf(text, " remove %s", decision->tag);
	if (decision->hide_subject)
		g_string_append(text, " hide");
	for (guint i = 0; i < decision->copies->len; i++)
		g_string_append_printf(text, " copy %s",
				       (char *)g_ptr_array_index(decision->copies, i));
	return g_string_free(text, FALSE);
}

static void test_decisions(void **state)
{
	g_autoptr(Policy) policy = policy_from(policy_text);

	(void)state;
	assert_int_equal(policy_rule_count(policy), 14);
	for (gsize i = 0; i < G_N_ELEMENTS(decisions); i++) {
		PolicyFacts facts = {decisions[i].direction, decisions[i].sender,
				     decisions[i].recipient, decisions[i].subject,
				     find_headers,	     (void *)decisions[i].fields};
		g_autoptr(PolicyDecision) decision = policy_decide(policy, &facts);
		g_autofree char *text = decision_text(decision);

		if (decision->rule.line != decisions[i].line ||
		    strcmp(text, decisions[i].decision) != 0)
			fail_msg("%s to %s \"%s\": line %d: %s, not line %d: %s", facts.sender,
				 facts.recipient, facts.subject, decision->rule.line, text,
				 decisions[i].line, decisions[i].decision);
	}
}

/* Incoming mail: what is demanded, and what of it is known before the header is. */
static void test_demands(void **state)
{
	static const char rules[] =
		"internal domains \"firma.example\"\n"
		"incoming to \"open@firma.example\" plain\n"
		"incoming from \"bank.example\" require tls 1.3 require signature\n"
		"incoming subject has \"x\" require tls 1.2\n"
		"incoming to \"hr@firma.example\" require tls require smime or pgp\n"
		"incoming from \"late.example\" reject\n"
		"incoming require tls 1.2\n";
	static const struct {
		const char *sender, *claimed, *recipient;
		guint foreseen; /* TLS, by the envelope alone */
		int line;
		Demands demands;
	} table[] = {
		{"a@bank.example",
		 NULL,
		 "a@firma.example",
		 TLS_1_3,
		 3,
		 {FALSE, FALSE, TRUE, TLS_1_3}},
		{"a@bank.example", NULL, "open@firma.example", 0, 2, {FALSE, FALSE, FALSE, 0}},
		{"a@b", "x@bank.example", "a@firma.example", 0, 3, {FALSE, FALSE, TRUE, TLS_1_3}},
		{"a@b", NULL, "hr@firma.example", TLS_ANY, 5, {TRUE, TRUE, FALSE, TLS_ANY}},
		{"a@late.example", NULL, "a@firma.example", 0, 6, {FALSE, FALSE, FALSE, 0}},
		/* may turn out to be of late.example: then it is refused anyway, but not for TLS */
		{"a@b", NULL, "a@firma.example", 0, 7, {FALSE, FALSE, FALSE, TLS_1_2}},
	};
	g_autoptr(Policy) policy = policy_from(rules);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		const char *const claimed[] = {table[i].claimed, NULL};
		PolicyFacts facts = {.direction = IN,
				     .sender = table[i].sender,
				     .recipient = table[i].recipient,
				     .subject = ""};

		assert_int_equal(policy_tls_foreseen(policy, &facts), table[i].foreseen);
		facts.claimed = claimed;
		g_autoptr(PolicyDecision) decision = policy_decide(policy, &facts);

		assert_int_equal(decision->rule.line, table[i].line);
		assert_int_equal(decision->ladder->len, 0);
		assert_memory_equal(&decision->demands, &table[i].demands, sizeof(Demands));
	}
}

/* The condition on a reply: known from outside, and only asked for where a rule has it. */
static void test_reply(void **state)
{
	g_autoptr(Policy) policy = policy_from("internal domains \"firma.example\"\n"
					       "outgoing reply to encrypted require smime\n"
					       "outgoing plain\n");
	g_autoptr(Policy) other = policy_from(policy_text);
	PolicyFacts facts = {OUT, "a@firma.example", "x@b", "", NULL, NULL, NULL, FALSE, NULL};
	g_autoptr(PolicyDecision) plain = policy_decide(policy, &facts);

	(void)state;
	facts.reply_to_encrypted = TRUE;
	g_autoptr(PolicyDecision) required = policy_decide(policy, &facts);

	assert_int_equal(plain->verdict, VERDICT_PLAIN);
	assert_int_equal(required->verdict, VERDICT_REQUIRE);
	assert_true(policy_asks_replies(policy));
	assert_false(policy_asks_replies(other));
	assert_true(policy_asks_claimed(other));
	assert_false(policy_asks_claimed(policy));
}

/* The same for an invitation; and an expectation can say that it is one. */
static void test_invitation(void **state)
{
	g_autoptr(Policy) policy = policy_from("internal domains \"firma.example\"\n"
					       "outgoing invitation require verified tls\n"
					       "outgoing require smime\n"
					       "internal not invitation require smime\n"
					       "copy outgoing invitation to \"c@firma.example\"\n");
	PolicyFacts facts = {OUT, "a@firma.example", "x@b", ""};
	g_autoptr(PolicyDecision) mail = policy_decide(policy, &facts);

	(void)state;
	facts.invitation = TRUE;
	g_autoptr(PolicyDecision) invitation = policy_decide(policy, &facts);

	assert_int_equal(mail->rule.line, 3);
	assert_int_equal(mail->copies->len, 0);
	assert_int_equal(invitation->rule.line, 2);
	assert_int_equal(invitation->copies->len, 1);
	facts.direction = DIRECTION_INTERNAL;
	g_autoptr(PolicyDecision) inside = policy_decide(policy, &facts);

	assert_int_equal(inside->rule.line, 0);
}

static GPtrArray *counted_headers(void *context, const char *name)
{
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

	(*(int *)context)++;
	if (g_ascii_strcasecmp(name, "X-Class") == 0)
		g_ptr_array_add(texts, g_strdup(" Secret "));
	return texts;
}

/* The texts of one message are made once, however many recipients are asked for. */
static void test_texts(void **state)
{
	g_autoptr(Policy) policy =
		policy_from("internal domains \"firma.example\"\n"
			    "outgoing subject has \"gr\303\234n\" header \"X-Class\" is \"secret\" "
			    "header \"X-Other\" has \"x\" reject\n"
			    "outgoing header \"X-Class\" is \"secret\" require smime\n");
	g_autoptr(PolicyTexts) texts = policy_texts_new();
	int asked = 0;
	PolicyFacts facts = {
		OUT,  "a@firma.example", "x@b", "GR\303\234N", counted_headers, &asked, NULL, FALSE,
		texts};

	(void)state;
	for (int i = 0; i < 100; i++) {
		g_autoptr(PolicyDecision) decision = policy_decide(policy, &facts);

		assert_int_equal(decision->verdict, VERDICT_REQUIRE);
		facts.subject = "another"; /* not looked at again */
	}
	assert_int_equal(asked, 2);
	facts.texts = NULL;
	facts.subject = "gr\303\274n";
	policy_decision_free(policy_decide(policy, &facts));
	policy_decision_free(policy_decide(policy, &facts));
	assert_int_equal(asked, 6);
}

static void test_rule_source(void **state)
{
	g_autoptr(Policy) policy = policy_from(policy_text);
	PolicyFacts facts = {OUT, "a@firma.example", "x@praxis.example", "", NULL, NULL};
	g_autoptr(PolicyDecision) decision = policy_decide(policy, &facts);

	(void)state;
	assert_true(g_str_has_suffix(decision->rule.file, "/p"));
	assert_string_equal(decision->rule.text, "outgoing to doctors, never require smime over "
						 "tls, pgp over verified tls , portal");
	facts.recipient = "x@b.test";
	g_autoptr(PolicyDecision) none = policy_decide(policy, &facts);
	assert_int_equal(none->rule.line, 0);
	assert_string_equal(none->rule.text, "(no rule matches)");
}

static void test_internal(void **state)
{
	static const struct {
		const char *address;
		gboolean internal;
	} cases[] = {
		{"a@firma.example", TRUE},	 {"A@FIRMA.Example.", TRUE},
		{"a@x.firma.example", TRUE},	 {"a@y.x.firma.example", TRUE},
		{"a@notfirma.example", FALSE},	 {"a@firma.example.com", FALSE},
		{"firma.example", FALSE},	 {"", FALSE},
		{"\"@firma.example\"@x", FALSE}, {"a@b@firma.example", FALSE},
	};
	g_autoptr(Policy) policy = policy_from(policy_text);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		if (policy_is_internal(policy, cases[i].address) != cases[i].internal)
			fail_msg("%s", cases[i].address);
}

/* What a pattern means, one by one and slowly. */
static gboolean is_met(const char *pattern, const char *folded)
{
	const char *domain = address_domain(folded);

	if (strchr(pattern, '@'))
		return strcmp(folded, pattern) == 0;
	if (domain && g_str_has_prefix(pattern, "*."))
		return g_str_has_suffix(domain, pattern + 1) && domain[0] != '.';
	return domain && strcmp(domain, pattern) == 0;
}

/* The look-up of interned patterns is that for all patterns at once. */
static void test_patterns(void **state)
{
	static const char *const patterns[] = {
		"a@b.c.example", "b.c.example",	      "*.c.example",   "*.example",
		"example",	 "c.example",	      "*.b.c.example", "xn--mller-kva.example",
		"[192.0.2.1]",	 "\"x y\"@b.example",
	};
	static const char *const addresses[] = {
		"a@b.c.example", "b@b.c.example",     "x@c.example",
		"x@example",	 "x@a.b.c.example",   "x@M\xc3\xbcller.example",
		"x@[192.0.2.1]", "\"x y\"@B.example", "x@.example",
	};
	g_autoptr(Policy) policy = policy_new("p");

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++)
		policy_intern(policy, patterns[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
		g_autofree char *folded = address_fold(addresses[i]);
		g_autoptr(GPtrArray) hits = folded ? match_patterns(policy, folded) : NULL;

		for (gsize j = 0; folded && j < G_N_ELEMENTS(patterns); j++) {
			const char *pattern = policy_intern(policy, patterns[j]);

			if (g_ptr_array_find(hits, pattern, NULL) != is_met(pattern, folded))
				fail_msg("%s and %s", addresses[i], patterns[j]);
		}
	}
}

static void test_remove_tag(void **state)
{
	static const struct {
		const char *subject, *tag, *rest;
	} cases[] = {
		{"[vertraulich] Bilanz", "[vertraulich]", "Bilanz"},
		{"Re: [VERTRAULICH]  Bilanz", "[vertraulich]", "Re: Bilanz"},
		{"Bilanz [x]", "[x]", "Bilanz"},
		{"[x] a [X] b[x]c [x]", "[x]", "a b c"},
		{"[x]", "[x]", ""},
		{"a", "[x]", "a"},
		{"a", "", "a"},
		{"[stra\xc3\x9f"
		 "e] a",
		 "[STRASSE]", "a"},
		{"STRASSE a",
		 "stra\xc3\x9f"
		 "e",
		 "a"},
		{"[streng  geheim] a", "[Streng geheim]", "a"},
		{"[gru\xcc\x88n] a\xcc\x88", "[Gr\xc3\xbcn]", "\xc3\xa4"},
		{"\xc3\x9f", "s", ""},
		{"a a ", "a ", ""},
		{"\xff[x] a", "[x]", "\xef\xbf\xbd a"},
	};
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *rest = policy_remove_tag(cases[i].subject, cases[i].tag);

		if (strcmp(rest, cases[i].rest) != 0)
			fail_msg("\"%s\" without \"%s\": \"%s\", not \"%s\"", cases[i].subject,
				 cases[i].tag, rest, cases[i].rest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions),  cmocka_unit_test(test_demands),
		cmocka_unit_test(test_reply),	   cmocka_unit_test(test_rule_source),
		cmocka_unit_test(test_internal),   cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_remove_tag), cmocka_unit_test(test_texts),
		cmocka_unit_test(test_invitation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
