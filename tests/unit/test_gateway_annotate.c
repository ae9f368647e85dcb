/* SPDX-License-Identifier: Apache-2.0
 *
 * What header fields tell of a message that came in, and when a name in From is a lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/annotate.h"
#include "gateway/fromname.h"

static OpenSignature *add(Opened *opened, const char *kind, const char *result, const char *signer)
{
	OpenSignature *signature = opened_add_signature(opened, kind, result);

	signature->signer = g_strdup(signer);
	return signature;
}

static void set_part(char **part, gboolean *partial, const char *number)
{
	g_free(*part);
	*part = g_strdup(number);
	*partial = TRUE;
}

static void test_results(void **state)
{
	g_autoptr(Opened) opened = opened_new();
	g_autofree char *none = annotate_results(opened, "gw.firma.example");
	OpenSignature *part;

	(void)state;
	assert_string_equal(none, " gw.firma.example; none");
	add(opened, "smime", "good", "bob@x.example")->matches_from = TRUE;
	add(opened, "smime", "good", "eve@x.example");
	add(opened, "pgp", "bad", NULL);
	add(opened, "pgp", "untrusted", "bob@x.example")->matches_from = TRUE;
	add(opened, "smime", "expired", "b;c (\r\n@x")->matches_from = TRUE;
	part = add(opened, "smime", "good", "bob@x.example");
	part->matches_from = TRUE;
	set_part(&part->part, &part->partial, "1.2");
	g_autofree char *all = annotate_results(opened, "gw.firma.example");

	assert_string_equal(all, " gw.firma.example;\n\tsmime=pass (good)"
				 "\n\t body.smime-identifier=bob@x.example;"
				 "\n\tsmime=policy (good, not the From address)"
				 "\n\t body.smime-identifier=eve@x.example;"
				 "\n\tpgp=fail (bad, not the From address);"
				 "\n\tpgp=neutral (untrusted)"
				 "\n\t body.pgp-identifier=bob@x.example;"
				 "\n\tsmime=policy (expired)"
				 "\n\t body.smime-identifier=b?c????@x;"
				 "\n\tsmime=policy (good, covers part 1.2 only)"
				 "\n\t body.smime-identifier=bob@x.example");
}

static void test_details(void **state)
{
	g_autoptr(Opened) opened = opened_new();
	OpenLayer *layer = opened_add_layer(opened, "smime-encrypted");
	OpenSignature *part;

	(void)state;
	layer->opened = TRUE;
	layer->algorithm = g_strdup("aes-256-cbc");
	opened->changeable = TRUE;
	layer = opened_add_layer(opened, "pgp-encrypted");
	layer->reason = "no-key";
	layer = opened_add_layer(opened, "smime-signed");
	layer->opened = TRUE;
	set_part(&layer->part, &layer->partial, "1.2");
	part = add(opened, "smime", "good", "eve@x.example");
	set_part(&part->part, &part->partial, "1.2");
	opened_conclude(opened);
	opened_conclude(opened);
	g_autofree char *details = annotate_details(opened);

	assert_string_equal(details,
			    " smime-encrypted opened aes-256-cbc;\n\tpgp-encrypted shut (no-key);"
			    "\n\tsmime-signed opened part=1.2;"
			    "\n\tsignature smime good signer=eve@x.example not-from part=1.2;"
			    "\n\twarning not-protected-against-change;"
			    "\n\twarning partial-signature");
}

static void test_names(void **state)
{
	static const struct {
		const char *from;
		gboolean lies;
	} cases[] = {
		{" bob@x.example", FALSE},
		{" Bob <bob@x.example>", FALSE},
		{" \"bob@x.example\" <bob@x.example>", FALSE},
		{" Bob@X.EXAMPLE <bob@x.example>", FALSE},
		{" bob@x.example, eve@y.example", FALSE},
		{" \"Bob @bobby\" <bob@x.example>", FALSE},
		{" ", FALSE},
		{" boss@firma.example <eve@x.example>", TRUE},
		{" \"boss@firma.example\" <eve@x.example>", TRUE},
		{" boss@firma.example     . <eve@x.example>", TRUE},
		{" eve@x.example (boss@firma.example)", TRUE},
		{" =?utf-8?q?boss=40firma=2Eexample?= <eve@x.example>", TRUE},
		{" =?utf-8?b?Ym9zc0BmaXJtYS5leGFtcGxl?= <eve@x.example>", TRUE},
		/* UTF-16, big-endian, little-endian, and what is no address in either */
		{" =?utf-16?b?AGIAbwBzAHMAQABmAGkAcgBtAGEALgBlAHgAYQBtAHAAbABl?="
		 " <eve@x.example>",
		 TRUE},
		{" =?utf-16?b?YgBvAHMAcwBAAGYAaQByAG0AYQAuAGUAeABhAG0AcABsAGUA?="
		 " <eve@x.example>",
		 TRUE},
		{" =?utf-16?b?AEIAbwDfACAAQABmAGkAcgBtAGE=?="
		 " <eve@x.example>",
		 FALSE},
		{" =?utf-16?b?AGIAbwBiAEAAeAAuAGUAeABhAG0AcABsAGU=?="
		 " <bob@x.example>",
		 FALSE},
		{" =?UCS-2?b?AGIAbwBzAHMAQABmAGkAcgBtAGEALgBlAHgAYQBtAHAAbABl?="
		 " <eve@x.example>",
		 TRUE},
		{" =?utf-16?b?AGEAYgBj?="
		 " <bob@x.example>",
		 FALSE},
		{" boss＠firma.example <eve@x.example>", TRUE},
		{" \"Boss (boss@firma.example), <\" <eve@x.example>", TRUE},
		{" a@x.example, \"boss@firma.example\" <eve@x.example>", TRUE},
		{" \"Boss \\\"boss@firma.example\\\"\"\n <eve@x.example>", TRUE},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Headers) headers = headers_new();

		headers_append(headers, "Sender", " boss@firma.example <eve@x.example>", NULL);
		headers_append(headers, "from", cases[i].from, NULL);
		if (fromname_lies(headers) != cases[i].lies)
			fail_msg("%s", cases[i].from);
	}
}

/* More than the MTA takes in one field: said so, and nothing that is left out looks better for it. */
static void test_many(void **state)
{
	g_autoptr(Opened) opened = opened_new();
	g_autofree char *address = g_strdup_printf("%0250d@x.example", 0);

	(void)state;
	for (guint i = 0; i < 300; i++) {
		opened_add_layer(opened, "smime-signed")->opened = TRUE;
		add(opened, "smime", i < 299 ? "good" : "bad", address)->matches_from = TRUE;
	}
	opened_warn(opened, "partial-signature");
	g_autofree char *results = annotate_results(opened, "gw.firma.example");
	g_autofree char *details = annotate_details(opened);

	assert_string_equal(results, " gw.firma.example;\n\tsmime=permerror (too many signatures);"
				     "\n\tpgp=permerror (too many signatures)");
	assert_true(strlen(details) < 40000);
	assert_true(g_str_has_suffix(details, ";\n\tand more;\n\twarning partial-signature"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
