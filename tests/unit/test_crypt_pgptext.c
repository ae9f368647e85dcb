/* SPDX-License-Identifier: Apache-2.0
 *
 * Where in a text the armoured blocks are, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/crypt/pgptext.h"
#include "lib/mail/htmltext.h"

#define MESSAGE "-----BEGIN PGP MESSAGE-----\n\nwQ0D\n-----END PGP MESSAGE-----\n"
#define SIGNED "-----BEGIN PGP SIGNED MESSAGE-----\n"
#define BEGIN "-----BEGIN PGP SIGNATURE-----\n"
#define END "-----END PGP SIGNATURE-----\n"
#define SIGNATURE BEGIN "\niQEz\n" END
#define WORDS "Please pay to another account: "
#define CLEAR SIGNED "Hash: SHA256\n\n- - a\n b \t\n\n" SIGNATURE

typedef struct {
	const char *text;
	const char *pieces; /* o: outside, m: message, s: clear-signed */
} Case;

static const Case cases[] = {
	{"", ""},
	{"words\n", "o"},
	{MESSAGE, "m"},
	{"a\n" MESSAGE "b\n" CLEAR "c", "omoso"},
	{MESSAGE MESSAGE CLEAR, "mms"},
	{"  -----BEGIN PGP MESSAGE----- \r\n\r\nwQ0D\r\n\xc2\xa0-----END PGP MESSAGE-----\xa0",
	 "m"},
	{"> " MESSAGE, "o"},
	{"-----BEGIN PGP MESSAGE-----\n\nwQ0D\n", "o"},
	{"-----BEGIN PGP MESSAGE-----\n" MESSAGE, "om"},
	{"-----BEGIN PGP MESSAGE, PART 1/2-----\n\nwQ0D\n-----END PGP MESSAGE-----\n", "o"},
	{SIGNED "\nno hash\n" SIGNATURE, "s"},
	{SIGNED "Hash: SHA256\nComment: pay eve\n\na\n" SIGNATURE, "o"},
	{SIGNED "NotDashEscaped: x\n\na\n" SIGNATURE, "o"},
	{SIGNED "Hash: SHA256\na\n" SIGNATURE, "o"},
	{SIGNED "\na\n" MESSAGE SIGNATURE, "omo"},
	{" " CLEAR, "o"},
	{SIGNED "\na\n " SIGNATURE, "o"},
	{SIGNED "\na\n" BEGIN "Version: 1\r\nComment: x\nCharset: y\n\niQEz\nAA==\n=AAAA\n" END,
	 "s"},
	{SIGNED "\na\n" BEGIN "Comment: x\nComment: y\n\niQEz\n" END, "o"},
	{SIGNED "\na\n" BEGIN "Comment: " WORDS WORDS WORDS "\n\niQEz\n" END, "o"},
	{SIGNED "\na\n" BEGIN "Hint: pay eve\n\niQEz\n" END, "o"},
	{SIGNED "\na\n" BEGIN "\niQEz\nVersion: pay eve\n" END, "o"},
	{SIGNED "\na\n" BEGIN "\niQEz\npay eve\n" END, "o"},
	{SIGNED "\na\n" BEGIN "\niQEz\n=AAAA\nPay+Eve\n" END MESSAGE, "om"},
	{SIGNED "\na\n" BEGIN "\niQEz\n=AAAAPay+Eve\n" END, "o"},
};

static void test_split(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GArray) pieces = pgp_text_split(cases[i].text, strlen(cases[i].text));
		g_autoptr(GString) found = g_string_new(NULL);

		for (guint n = 0; n < pieces->len; n++)
			g_string_append_c(found,
					  "oms"[g_array_index(pieces, PgpTextPiece, n).kind]);
		if (strcmp(found->str, cases[i].pieces) != 0)
			fail_msg("\"%s\": %s", cases[i].text, found->str);
	}
}

static void test_limit(void **state)
{
	g_autoptr(GString) text = g_string_new(NULL);

	(void)state;
	for (guint i = 0; i < 2 * PGP_TEXT_BLOCKS_MAX; i++)
		g_string_append(text, MESSAGE);
	g_autoptr(GArray) pieces = pgp_text_split(text->str, text->len);

	assert_int_equal(pieces->len, PGP_TEXT_BLOCKS_MAX + 1);
}

#define KEY_BYTES "\x98\x03\x04\x01\x02"
#define USER_BYTES                                                                                 \
	"\xb4\x03"                                                                                 \
	"abc"
#define SIGNATURE_BYTES "\x88\x02\x04\x13"
#define BEGIN_KEY "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
#define END_KEY "-----END PGP PUBLIC KEY BLOCK-----\n"
#define KEY_TEXT "mAMEAQK0A2FiY4gCBBM=\n"

/* What is a key or a signature and no more. */
static void test_keys(void **state)
{
	static const struct {
		const char *text;
		gboolean keys;
	} texts[] = {
		{KEY_BYTES USER_BYTES SIGNATURE_BYTES, TRUE},
		{SIGNATURE_BYTES, TRUE},
		{USER_BYTES, FALSE},
		{KEY_BYTES "\xac\x03"
			   "abc",
		 FALSE}, /* a literal packet */
		{KEY_BYTES USER_BYTES "more", FALSE},
		{KEY_BYTES "\xb4\x09"
			   "abc",
		 FALSE},
		{BEGIN_KEY "\n" KEY_TEXT END_KEY, TRUE},
		{"\n" BEGIN_KEY "Comment: a\nComment: b\n\n" KEY_TEXT END_KEY "\r\n\n", TRUE},
		{BEGIN_KEY "\n" KEY_TEXT END_KEY BEGIN "\niAIEEw==\n" END, TRUE},
		{BEGIN_KEY "\n" KEY_TEXT "=AAAA\n" END_KEY, FALSE},
		{BEGIN_KEY "\ntANhYmM=\n" END_KEY, FALSE},
		{"pay eve\n" BEGIN_KEY "\n" KEY_TEXT END_KEY, FALSE},
		{BEGIN_KEY "\n" KEY_TEXT END_KEY "pay eve\n", FALSE},
		{BEGIN_KEY "Comment: " WORDS WORDS WORDS "\n\n" KEY_TEXT END_KEY, FALSE},
		{BEGIN_KEY "\n" KEY_TEXT, FALSE},
		{MESSAGE, FALSE},
		{"MZ, a program", FALSE},
		{"", FALSE},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		if (pgp_text_is_keys(texts[i].text, strlen(texts[i].text)) != texts[i].keys)
			fail_msg("%zu: \"%s\"", i, texts[i].text);
}

static gboolean shows(const char *shown)
{
	g_autoptr(GArray) pieces = pgp_text_split(CLEAR, strlen(CLEAR));

	return pgp_text_shows(CLEAR, &g_array_index(pieces, PgpTextPiece, 0), shown, strlen(shown));
}

/* What gpg gives back, and what is another text. */
static void test_shown(void **state)
{
	(void)state;
	assert_true(shows("- a\n b\n\n"));
	assert_true(shows("- a\r\n b  \r\n"));
	assert_false(shows("- a\nb\n"));
	assert_false(shows("a\n b\n"));
	assert_false(shows("- a\n"));
	assert_false(shows("- a\n b\n\nmore\n"));
	assert_false(shows(""));
}

static void test_block(void **state)
{
	static const char text[] = "-----BEGIN PGP MESSAGE-----\nVersion: 1\nCharset: x-y \n\n"
				   "wQ0D\n-----END PGP MESSAGE-----\n";
	g_autoptr(GArray) pieces = pgp_text_split(text, strlen(text));
	const PgpTextPiece *piece = &g_array_index(pieces, PgpTextPiece, 0);
	g_autofree char *charset = pgp_text_charset(text, piece);
	g_autoptr(GBytes) packets = pgp_text_packets(text, piece);

	(void)state;
	assert_string_equal(charset, "x-y");
	assert_int_equal(g_bytes_get_size(packets), 3);
}

/* Only a signature's armour changes, and only if it has no checksum; the text stays as it is. */
static void test_checksum(void **state)
{
	static const char *const pairs[][2] = {
		{SIGNED "\na \r\n- " BEGIN "\n" BEGIN "\niQEz\n" END,
		 SIGNED "\na \r\n- " BEGIN "\n" BEGIN "\niQEz\n=lcPb\n" END},
		{SIGNED "\na\n" BEGIN "Version: 1\n\niQE=\n" END,
		 SIGNED "\na\n" BEGIN "\niQE=\n=oG9T\n" END},
		{SIGNED "\na\n" BEGIN "\niQEz\n=AAAA\n" END, NULL},
		{SIGNED "\n=a\n" BEGIN "\r\niQEz\r\n=lcPb\r\n" END, NULL},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		const char *text = pairs[i][0], *expected = pairs[i][1] ? pairs[i][1] : text;
		g_autoptr(GArray) pieces = pgp_text_split(text, strlen(text));

		assert_int_equal(pieces->len, 1);
		g_autoptr(GBytes) block =
			pgp_text_clear_signed(text, &g_array_index(pieces, PgpTextPiece, 0));
		g_autofree char *made =
			g_strndup(g_bytes_get_data(block, NULL), g_bytes_get_size(block));

		assert_string_equal(made, expected);
	}
}

static void test_html(void **state)
{
	static const char *const pairs[][2] = {
		{"a<br>b<BR/>c", "a\nb\nc"},
		{"<style>x</style>a<!-- b -- > c -->d", "ad"},
		{"<script>a</script><b>b</b><div class=x>c", "b\nc"},
		{"&nbsp;&#43;&#x3D;&amp;&#160;&eacute;&#0;&#9999;&", " +=& &eacute;&#0;&#9999;&"},
		{"a<b", "a"},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *text = html_text(pairs[i][0]);

		assert_string_equal(text, pairs[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),	 cmocka_unit_test(test_limit),
		cmocka_unit_test(test_shown),	 cmocka_unit_test(test_block),
		cmocka_unit_test(test_checksum), cmocka_unit_test(test_html),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
