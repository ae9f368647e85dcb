/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "lib/mail/address.h"
#include "lib/mail/autocrypt.h"

#define KEY "AAECAwQF" /* 0, 1, … 5 */

static const struct {
	const char *value;
	gboolean valid;
} fields[] = {
	{" addr=a@x.example; prefer-encrypt=mutual; keydata=" KEY, TRUE},
	{" addr=A@X.example; keydata=" KEY, TRUE},
	{"addr=a@x.example;keydata=" KEY ";", TRUE},
	{" keydata=AA\n EC Aw\tQF ; addr = a@x.example", TRUE},
	{" addr=a@x.example; _later=1; _also=a=b; prefer-encrypt=sometimes; keydata=" KEY, TRUE},
	/* another address, none, two */
	{" addr=b@x.example; keydata=" KEY, FALSE},
	{" keydata=" KEY, FALSE},
	{" addr=a@x.example; addr=a@x.example; keydata=" KEY, FALSE},
	{" addr=a@x.example, b@x.example; keydata=" KEY, FALSE},
	/* another level: what is not known and not marked as "_" is critical */
	{" addr=a@x.example; type=1; keydata=" KEY, FALSE},
	{" to=a@x.example; key=" KEY, FALSE},
	/* no key, two, what is no base64 */
	{" addr=a@x.example", FALSE},
	{" addr=a@x.example; keydata=", FALSE},
	{" addr=a@x.example; keydata=" KEY "; keydata=" KEY, FALSE},
	{" addr=a@x.example; keydata=AAEC_w==", FALSE},
	{" addr=a@x.example; keydata=AAEC=wQF", FALSE},
	{" addr=a@x.example; keydata=AAECA===", FALSE},
	{" addr=a@x.example; keydata=AAECA", FALSE},
	{" addr=a@x.example; ; keydata=" KEY, FALSE},
	{" addr=a@x.example; keydata", FALSE},
	{"", FALSE},
};

static void test_fields(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_autoptr(GBytes) key = autocrypt_parse(fields[i].value, "a@x.example");

		if ((key != NULL) != fields[i].valid)
			fail_msg("%s", fields[i].value);
		if (key)
			assert_memory_equal(g_bytes_get_data(key, NULL), "\0\1\2\3\4\5", 6);
	}
}

static void test_one_field(void **state)
{
	g_autoptr(Headers) headers = headers_new();

	(void)state;
	assert_null(autocrypt_key(headers, "a@x.example"));
	headers_append(headers, "Autocrypt", " addr=b@x.example; keydata=" KEY, NULL);
	headers_append(headers, "autocrypt", " addr=a@x.example; type=1; keydata=" KEY, NULL);
	headers_append(headers, "Autocrypt-Gossip", " addr=a@x.example; keydata=" KEY, NULL);
	assert_null(autocrypt_key(headers, "a@x.example"));
	headers_append(headers, "AUTOCRYPT", " addr=a@x.example; keydata=" KEY, NULL);
	g_autoptr(GBytes) key = autocrypt_key(headers, "a@x.example");
	assert_non_null(key);
	/* A second valid one: which of them is the sender's? */
	headers_append(headers, "Autocrypt", " addr=a@x.example; keydata=" KEY, NULL);
	assert_null(autocrypt_key(headers, "a@x.example"));
}

static void test_size(void **state)
{
	g_autoptr(GString) value = g_string_new(" addr=a@x.example; keydata=");

	(void)state;
	while (value->len + 4 <= AUTOCRYPT_MAX)
		g_string_append(value, "AAAA");
	g_autoptr(GBytes) key = autocrypt_parse(value->str, "a@x.example");
	assert_non_null(key);
	g_string_append(value, "AAAA");
	assert_null(autocrypt_parse(value->str, "a@x.example"));
}

/* Mail of other programs, where the corpus is at hand. */
static const struct {
	const char *file, *address;
	gboolean valid;
} mails[] = {
	{"autocrypt-examples/example-simple-autocrypt.eml", "alice@autocrypt.example", TRUE},
	{"autocrypt-examples/thunderbird-android/rsa2048-unknown-non-critical.eml",
	 "alice@testsuite.autocrypt.org", TRUE},
	{"autocrypt-examples/thunderbird-android/rsa2048-unknown-critical.eml",
	 "alice@testsuite.autocrypt.org", FALSE},
	{"autocrypt-examples/thunderbird-android/no_autocrypt.eml", "alice@testsuite.autocrypt.org",
	 FALSE},
	/* gossip is about others: nobody signed for them */
	{"autocrypt-examples/example-draft-cleartext.eml", "bob@autocrypt.example", FALSE},
	{"chatmail-openpgp/thunderbird_with_autocrypt.eml", "alice@example.org", TRUE},
	/* two that are valid and one that is not */
	{"chatmail-openpgp/thunderbird_with_multiple_autocrypts.eml", "alice@example.org", FALSE},
};

/* All fields of that name at the head of a message. */
static GBytes *key_in(const char *text, const char *address)
{
	g_autoptr(Headers) headers = headers_new();
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line && **line && **line != '\r'; line++) {
		char *colon = strchr(*line, ':');

		if (!colon || g_ascii_isspace(**line))
			continue;
		g_autofree char *name = g_strndup(*line, (gsize)(colon - *line));
		g_autoptr(GString) value = g_string_new(colon + 1);
		for (; line[1] && (*line[1] == ' ' || *line[1] == '\t'); line++)
			g_string_append_printf(value, "\n%s", line[1]);
		headers_append(headers, name, value->str, NULL);
	}
	return autocrypt_key(headers, address);
}

static void test_corpus(void **state)
{
	const char *given = g_getenv("SEALPOST_CORPUS");
	g_autofree char *corpus =
		given ? g_strdup(given)
		      : g_build_filename(g_getenv("srcdir"), "..", "shared", "corpus", NULL);

	(void)state;
	if (!g_file_test(corpus, G_FILE_TEST_IS_DIR)) {
		print_message("# no corpus here\n");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(mails); i++) {
		g_autofree char *path = g_build_filename(corpus, mails[i].file, NULL);
		g_autofree char *text = NULL;

		assert_true(g_file_get_contents(path, &text, NULL, NULL));
		g_autoptr(GBytes) key = key_in(text, mails[i].address);
		if ((key != NULL) != mails[i].valid)
			fail_msg("%s", mails[i].file);
	}
}

/* As many fields as a message may have: each is looked at once. */
static void test_many(void **state)
{
	g_autoptr(Headers) headers = headers_new();

	(void)state;
	for (guint i = 0; i < HEADERS_MAX; i++)
		assert_true(headers_append(headers, "Autocrypt", " addr=b@x.example; keydata=AAAA",
					   NULL));
	clock_t start = clock();
	assert_null(autocrypt_key(headers, "a@x.example"));
	assert_true(clock() - start < CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields), cmocka_unit_test(test_one_field),
		cmocka_unit_test(test_size),   cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_many),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
