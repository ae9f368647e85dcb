/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of an OpenPGP message, from packets written by hand here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgppacket.h"

#define PKESK_NEW "\xc1\x0d\x03\x01\x23\x45\x67\x89\xab\xcd\xef\x12\x00\x08\xff"
#define PKESK_OLD "\x84\x0d\x03\xFE\xDC\xBA\x98\x76\x54\x32\x10\x01\x00\x08\xff"
#define PKESK_OLD2 "\x85\x00\x0d\x03\xFE\xDC\xBA\x98\x76\x54\x32\x10\x01\x00\x08\xff"
#define PKESK_V6 "\xc1\x03\x06\x00\x12"
#define SKESK "\xc3\x04\x04\x09\x00\x08"
#define MARKER "\xca\x03PGP"
#define MDC "\xd2\x04\x01zzz"
#define MDC_PARTIAL "\xd2\xe1\x01z\xe0z\x01z"
#define MDC_HUGE "\xd2\xff\xff\xff\xff\xff\x01zzz"
#define MDC_OLD_OPEN "\xcb\x00"
#define NO_MDC "\xc9\x04zzzz"
#define NO_MDC_OLD "\xa7zzzz"
#define AEAD "\xd4\x05\x01\x09\x02zz"
#define SIGNATURE "\xc2\x03\x04\x00\x16"
#define ONE_PASS "\xc4\x03\x03\x00\x08"
#define LITERAL "\xcb\x06\x62\x00\x00\x00\x00\x00"
#define COMPRESSED "\xa3\x02zz"
#define PUBLIC_KEY "\xc6\x03\x04zz"

typedef struct {
	const char *bytes;
	gsize size;
	const char *ids; /* with blanks between them; NULL: no message */
	gboolean encrypted, integrity, signature;
} Case;

#define BYTES(text) text, sizeof(text) - 1

static const Case cases[] = {
	{BYTES(PKESK_NEW MDC), "0123456789ABCDEF", TRUE, TRUE, FALSE},
	{BYTES(PKESK_OLD MDC), "FEDCBA9876543210", TRUE, TRUE, FALSE},
	{BYTES(PKESK_OLD2 PKESK_NEW MDC), "FEDCBA9876543210 0123456789ABCDEF", TRUE, TRUE, FALSE},
	{BYTES(MARKER PKESK_NEW SKESK MDC_PARTIAL), "0123456789ABCDEF", TRUE, TRUE, FALSE},
	{BYTES(PKESK_NEW MDC_HUGE), "0123456789ABCDEF", TRUE, TRUE, FALSE},
	{BYTES(PKESK_V6 PKESK_NEW MDC), "0000000000000000 0123456789ABCDEF", TRUE, TRUE, FALSE},
	{BYTES(PKESK_NEW AEAD), "0123456789ABCDEF", TRUE, TRUE, FALSE},
	{BYTES(PKESK_NEW NO_MDC), "0123456789ABCDEF", TRUE, FALSE, FALSE},
	{BYTES(PKESK_NEW NO_MDC_OLD), "0123456789ABCDEF", TRUE, FALSE, FALSE},
	{BYTES(SKESK MDC), "", TRUE, TRUE, FALSE},
	{BYTES(SIGNATURE LITERAL), "", FALSE, FALSE, TRUE},
	{BYTES(ONE_PASS LITERAL SIGNATURE), "", FALSE, FALSE, TRUE},
	{BYTES(LITERAL), "", FALSE, FALSE, FALSE},
	{BYTES(COMPRESSED), "", FALSE, FALSE, FALSE},
	{BYTES(""), NULL},
	{BYTES("\x80"), NULL},
	{BYTES("\xc1"), NULL},
	{BYTES("\xc1\xff\xff"), NULL},
	{BYTES(PKESK_NEW), NULL}, /* and then nothing */
	{BYTES(PKESK_NEW LITERAL), NULL}, /* a session key for no encrypted data */
	{BYTES("\xc1\x05\x03zzzz" MDC), NULL}, /* a session key packet that is too short */
	{BYTES("\xc1\x00" MDC), NULL},
	{BYTES(PUBLIC_KEY), NULL},
	{BYTES("\xc0\x01z" MDC), NULL}, /* reserved tag */
	{BYTES("Content-Type: text/plain\r\n\r\nHello"), NULL},
	{BYTES("-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----\n"), NULL},
	{BYTES("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgMEenoK\n"), NULL},
};

/* A source that gives one byte at a time. */
typedef struct {
	const guint8 *bytes;
	gsize left;
} Drip;

static gssize drip_read(void *self, void *buffer, gsize size, GError **error)
{
	Drip *drip = self;

	(void)error;
	if (!drip->left || !size)
		return 0;
	*(guint8 *)buffer = *drip->bytes++;
	drip->left--;
	return 1;
}

static const SourceClass drip_class = {.read = drip_read};

static void check(const Case *expected, Source *source)
{
	g_autoptr(Source) owned = source;
	g_autoptr(GError) error = NULL;
	g_autoptr(PgpHead) head = pgp_head_read(owned, &error);

	if (!expected->ids) {
		assert_null(head);
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_MALFORMED));
		return;
	}
	assert_non_null(head);
	g_ptr_array_add(head->key_ids, NULL);
	g_autofree char *ids = g_strjoinv(" ", (char **)head->key_ids->pdata);
	assert_string_equal(ids, expected->ids);
	assert_int_equal(head->encrypted, expected->encrypted);
	assert_int_equal(head->integrity, expected->integrity);
	assert_int_equal(head->signature, expected->signature);
}

static void test_binary(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new_static(cases[i].bytes, cases[i].size);
		Drip drip = {(const guint8 *)cases[i].bytes, cases[i].size};
		check(&cases[i], source_new_bytes(bytes));
		check(&cases[i], source_new(&drip_class, &drip));
	}
}

/* The same in armour, as mail programs and relays leave it. */
static void test_armored(void **state)
{
	static const struct {
		const char *before, *line_end, *after;
	} forms[] = {
		{"", "\n", ""},
		{"", "\r\n", ""},
		{"Hello,\r\n-- \r\n", "\r\n", "Bye\r\n"},
		{"\r\n\r\n", "  \t\r\n", ""},
		{"", "\r\n  ", ""},
		{"\xef\xbb\xbf\n", "\n", ""},
	};

	(void)state;
	for (gsize i = 0; i < 14; i++) {
		g_autofree char *armor = g_malloc(PGP_ARMOR_SIZE(cases[i].size));
		pgp_armor("PGP MESSAGE", (const guint8 *)cases[i].bytes, cases[i].size, armor);
		g_auto(GStrv) lines = g_strsplit(armor, "\n", -1);
		for (gsize n = 0; n < G_N_ELEMENTS(forms); n++) {
			g_autofree char *block = g_strjoinv(forms[n].line_end, lines);
			g_autofree char *text =
				g_strconcat(forms[n].before, block, forms[n].after, NULL);
			g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
			check(&cases[i], source_new_bytes(bytes));
		}
	}
}

static void test_armor_headers(void **state)
{
	static const char *const texts[] = {
		"-----BEGIN PGP MESSAGE-----\nVersion: X 1.0\nComment: a: b\n\n%s",
		"-----BEGIN PGP MESSAGE-----\n%s", /* the blank line is missing */
		"-----BEGIN PGP MESSAGE-----\nVersion: X\n%s",
		"-----BEGIN PGP MESSAGE-----\n \t\n%s",
		"-----BEGIN PGP MESSAGE, PART 01/02-----\n\n%s",
		"-----BEGIN PGP MESSAGE-----\n\n%s\n=zzzz\n-----END PGP MESSAGE-----\n",
		"-----BEGIN PGP MESSAGE-----\n\n\n%s",
	};
	g_autofree char *base64 = g_base64_encode((const guchar *)cases[0].bytes, cases[0].size);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_auto(GStrv) parts = g_strsplit(texts[i], "%s", 2);
		g_autofree char *text = g_strconcat(parts[0], base64, parts[1], NULL);
		g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
		check(&cases[0], source_new_bytes(bytes));
	}
}

/* Every cut of every case: an answer or an error, never more bytes than there are (sanitizers). */
static void test_cut(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (gsize size = 0; size < cases[i].size; size++) {
			g_autoptr(GBytes) bytes = g_bytes_new(cases[i].bytes, size);
			g_autoptr(Source) source = source_new_bytes(bytes);
			g_autoptr(PgpHead) head = pgp_head_read(source, NULL);
			if (head)
				assert_true(head->key_ids->len <= 2);
		}
	}
}

/* Far more session keys than the head has room for: an error, no endless work. */
static void test_flood(void **state)
{
	g_autoptr(GByteArray) flood = g_byte_array_new();

	(void)state;
	while (flood->len < 4 * 1024 * 1024)
		g_byte_array_append(flood, (const guint8 *)BYTES(PKESK_NEW));
	g_byte_array_append(flood, (const guint8 *)BYTES(MDC));
	g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(g_steal_pointer(&flood));
	check(&(const Case){.ids = NULL}, source_new_bytes(bytes));
}

static void test_armor_round_trip(void **state)
{
	static const char *const labels[] = {"PGP THING", NULL};
	guint8 data[300];
	gboolean damaged;

	(void)state;
	for (gsize size = 0; size < sizeof(data); size++) {
		g_autofree char *text = g_malloc(PGP_ARMOR_SIZE(size));
		data[size] = (guint8)(size * 41);
		gsize length = pgp_armor("PGP THING", data, size, text);
		assert_int_equal(strlen(text), length);
		assert_true(length < PGP_ARMOR_SIZE(size));
		g_autoptr(GByteArray) back =
			pgp_dearmor((const guint8 *)text, length, labels, &damaged);
		assert_non_null(back);
		assert_false(damaged);
		assert_int_equal(back->len, size);
		if (size)
			assert_memory_equal(back->data, data, size);
		/* A letter changed: the checksum tells. */
		char *letter = strstr(text, "\n\n") + 2;
		*letter = *letter == 'A' ? 'B' : 'A';
		g_autoptr(GByteArray) other =
			pgp_dearmor((const guint8 *)text, length, labels, &damaged);
		assert_true(damaged || size == 0);
	}
}

/* What a sender can write in 2 MB, with many checksums behind much data: the last one counts, and none
 * costs more than its line. */
static void test_armor_sums(void **state)
{
	static const char *const labels[] = {"PGP THING", NULL};
	gsize size = 1024 * 1024;
	g_autofree guint8 *data = g_malloc0(size);
	g_autofree char *text = g_malloc(PGP_ARMOR_SIZE(size));
	gsize length = pgp_armor("PGP THING", data, size, text);
	char *sum = strrchr(text, '=');

	(void)state;
	for (int last = 0; last < 2; last++) {
		g_autoptr(GString) flood = g_string_new_len(text, sum - text);
		clock_t start = clock();
		gboolean damaged;

		g_string_append_len(flood, sum, last ? 0 : 6);
		for (int i = 0; i < 100000; i++)
			g_string_append(flood, "=AAAA\n");
		g_string_append(flood, last ? sum : sum + 6);
		g_autoptr(GByteArray) back =
			pgp_dearmor((const guint8 *)flood->str, flood->len, labels, &damaged);

		assert_int_equal(back->len, size);
		assert_int_equal(damaged, !last);
		assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
	}
	assert_int_equal(strlen(text), length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binary),	      cmocka_unit_test(test_armored),
		cmocka_unit_test(test_armor_headers), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_flood),	      cmocka_unit_test(test_armor_round_trip),
		cmocka_unit_test(test_armor_sums),
	};

	return cmocka_run_group_tests_name("crypt/pgphead", tests, NULL, NULL);
}
