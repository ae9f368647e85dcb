/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that are opened without gpg (lib/crypt/pgpread.h): gpg and sq make them, of every kind that
 * there is, and the outcome is gpg's in every respect; also for what is broken, cut or odd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/pgppacket.h"
#include "tests/unit/pgpcompare.h"

#define TEXT "Content-Type: text/plain\r\n\r\nHello\r\nWorld\n"
#define KINDS 7

typedef struct {
	const char *algorithm;
	PgpWay way;
	gboolean sq;
	char *fingerprint;
	char *certificate; /* a file for sq */
} Kind;

typedef struct {
	PgpCompare *compare;
	PgpMaker *maker; /* the same one's */
	Kind kinds[KINDS];
	GBytes *text;
} World;

static const Kind all_kinds[KINDS] = {
	{.algorithm = "future-default", .way = BY_US, .sq = TRUE},
	{.algorithm = "rsa2048", .way = BY_US, .sq = TRUE},
	{.algorithm = "rsa4096", .way = BY_US, .sq = TRUE},
	{.algorithm = "nistp256", .way = BY_US, .sq = TRUE},
	{.algorithm = "nistp384", .way = BY_US, .sq = TRUE},
	{.algorithm = "nistp521", .way = BY_US, .sq = TRUE},
	{.algorithm = "brainpoolP256r1", .way = BY_GPG},
};

static int set_up(void **state)
{
	World *world = g_new0(World, 1);

	world->compare = pgp_compare_new();
	world->maker = world->compare->maker;
	world->text = g_bytes_new_static(TEXT, strlen(TEXT));
	memcpy(world->kinds, all_kinds, sizeof(all_kinds));
	for (gsize i = 0; i < KINDS; i++) {
		Kind *kind = &world->kinds[i];
		g_autofree char *address = g_strconcat(kind->algorithm, "@firma.example", NULL);

		kind->fingerprint = pgp_maker_key(world->maker, address, kind->algorithm);
		pgp_compare_bring(world->compare, kind->fingerprint);
		g_autoptr(GBytes) key = pgp_maker_public(world->maker, kind->fingerprint);
		kind->certificate = pgp_maker_file(world->maker, kind->algorithm, key);
	}
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	pgp_compare_free(world->compare);
	g_bytes_unref(world->text);
	for (gsize i = 0; i < KINDS; i++) {
		g_free(world->kinds[i].fingerprint);
		g_free(world->kinds[i].certificate);
	}
	g_free(world);
	return 0;
}

/* Only the owner of that key may have it opened. */
static void open_for(World *world, const Kind *kind)
{
	pgp_compare_clear(world->compare);
	g_ptr_array_add(world->compare->secrets, g_strdup(kind->fingerprint));
}

static GBytes *encrypt(World *world, GBytes *text, const Kind *kind, const char *options)
{
	GBytes *message = NULL;

	assert_int_equal(pgp_maker_gpg(world->maker, text, &message, "-r %s --encrypt%s",
				       kind->fingerprint, options),
			 0);
	return message;
}

/* Text of that many bytes that does not fold well, without line ends for gpg to change. */
static GBytes *text_of(gsize size)
{
	g_autoptr(GByteArray) bytes = g_byte_array_sized_new((guint)size + 1);
	guint32 state = 1;

	for (gsize i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		guint8 byte = (guint8)(state >> (i % 3 ? 28 : 24));
		g_byte_array_append(bytes, &byte, 1);
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

/* --- what is common --- */

static void test_kinds(void **state)
{
	World *world = *state;

	for (gsize i = 0; i < KINDS; i++) {
		const Kind *kind = &world->kinds[i];
		g_autoptr(GBytes) message = encrypt(world, world->text, kind, ""), plain = NULL;

		open_for(world, kind);
		g_autoptr(PgpOpened) opened = pgp_compare_open(world->compare, kind->algorithm,
							       message, kind->way, &plain);
		assert_true(opened->opened);
		assert_true(g_bytes_equal(plain, world->text));
		assert_string_equal(opened->key, kind->fingerprint);
	}
}

static void test_options(void **state)
{
	static const struct {
		const char *options;
		PgpWay way;
	} cases[] = {
		{" --cipher-algo AES", BY_US},
		{" --cipher-algo AES192", BY_US},
		{" --cipher-algo AES256", BY_US},
		{" --cipher-algo 3DES", BY_GPG},
		{" --cipher-algo CAMELLIA256", BY_GPG},
		{" --cipher-algo TWOFISH", BY_GPG},
		{" --compress-algo none", BY_US},
		{" --compress-algo zip", BY_US},
		{" --compress-algo zlib", BY_US},
		{" --compress-algo bzip2", BY_GPG},
		{" --armor", BY_US},
		{" --armor --comment words --emit-version", BY_US},
		{" --textmode", BY_US},
		{" --set-filename some.txt", BY_US},
		{" --set-filename some.txt --for-your-eyes-only", BY_US},
		{" --passphrase x --symmetric", BY_GPG},
		{" --throw-keyids", BY_US},
		{" --rfc2440 --cipher-algo AES --allow-weak-digest-algos", BY_ANY},
	};
	World *world = *state;

	for (gsize i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
		const Kind *kind = &world->kinds[i % 2];
		const char *options = cases[i / 2].options;
		g_autoptr(GBytes) message = encrypt(world, world->text, kind, options);

		open_for(world, kind);
		g_autoptr(PgpOpened) opened =
			pgp_compare_open(world->compare, options, message, cases[i / 2].way, NULL);
	}
}

static void test_sq(void **state)
{
	static const char *const modes[] = {"none", "pad", "zip", "zlib", "bzip2"};
	World *world = *state;
	g_autofree char *file = pgp_maker_file(world->maker, "text", world->text);

	for (gsize i = 0; i < KINDS; i++) {
		const Kind *kind = &world->kinds[i];

		for (gsize n = 0; kind->sq && n < G_N_ELEMENTS(modes); n++) {
			const char *const argv[] = {"sq",
						    "encrypt",
						    "--compression",
						    modes[n],
						    "--recipient-cert",
						    kind->certificate,
						    file,
						    NULL};
			g_autoptr(GBytes) message = NULL;

			assert_int_equal(pgp_maker_run(argv, NULL, &message), 0);
			open_for(world, kind);
			g_autoptr(PgpOpened) opened = pgp_compare_open(
				world->compare, modes[n], message, n < 4 ? BY_US : BY_GPG, NULL);
			assert_true(opened->opened);
		}
	}
}

/* Sequoia's padding grows with the message: gpg itself does not open the largest. */
static void test_padding(void **state)
{
	World *world = *state;
	const Kind *kind = &world->kinds[0];

	open_for(world, kind);
	for (gsize size = 100; size < 1500000; size = size * 13 / 7 + 17) {
		g_autoptr(GBytes) text = text_of(size), message = NULL;
		g_autofree char *file = pgp_maker_file(world->maker, "text", text);
		const char *const argv[] = {"sq", "encrypt", "--recipient-cert", kind->certificate,
					    file, NULL};

		assert_int_equal(pgp_maker_run(argv, NULL, &message), 0);
		g_autoptr(PgpOpened) opened = pgp_compare_open(world->compare, "padding", message,
							       size < 10000 ? BY_US : BY_ANY, NULL);
	}
}

/* Around the sizes at which lengths change their form, and with parts of all sizes. */
static void test_sizes(void **state)
{
	static const gsize sizes[] = {0,    1,	  150,	191,   192,   8000,
				      8383, 8384, 9000, 65536, 70000, 3000000};
	static const char *const options[] = {" --compress-algo none", "",
					      " --compress-algo zlib --armor"};
	World *world = *state;
	const Kind *kind = &world->kinds[0];

	open_for(world, kind);
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		for (gsize n = 0; n < G_N_ELEMENTS(options); n++) {
			g_autoptr(GBytes) text = text_of(sizes[i]), plain = NULL;
			g_autoptr(GBytes) message = encrypt(world, text, kind, options[n]);
			g_autoptr(PgpOpened) opened = pgp_compare_open(world->compare, options[n],
								       message, BY_US, &plain);

			assert_true(opened->opened);
			assert_true(g_bytes_equal(plain, text));
		}
	}
}

/* --- who may have it opened --- */

/* Which of two that may open it does: the key is told. */
static void name_owners(World *world, guint owners, gboolean turned)
{
	pgp_compare_clear(world->compare);
	for (guint i = 0; i < 2; i++) {
		guint which = turned ? 1 - i : i;

		if (owners & (1u << which))
			g_ptr_array_add(world->compare->secrets,
					g_strdup(world->kinds[which].fingerprint));
	}
}

static void open_as_each(World *world, const char *form, GBytes *message)
{
	for (guint owners = 0; owners < 8; owners++) {
		g_autofree char *name = g_strdup_printf("%s, %u", form, owners);

		name_owners(world, owners & 3, (owners & 4) != 0);
		g_autoptr(PgpOpened) opened =
			pgp_compare_open(world->compare, name, message, BY_ANY, NULL);
	}
}

/* Encrypted to both, each by name (-r) or without (-R); other: NULL: to the first alone. */
static void encrypt_to(World *world, const char *one, const char *other, guint first)
{
	g_autofree char *form = g_strdup_printf(
		"--encrypt %s %s %s", one, world->kinds[first].fingerprint, other ? other : "-q");
	g_autofree char *both = g_strdup_printf("%s %s", form, world->kinds[1 - first].fingerprint);
	g_autoptr(GBytes) message = NULL;

	assert_int_equal(
		pgp_maker_gpg(world->maker, world->text, &message, "%s", other ? both : form), 0);
	open_as_each(world, form, message);
}

static void test_owners(void **state)
{
	for (guint first = 0; first < 2; first++) {
		encrypt_to(*state, "-r", NULL, first);
		encrypt_to(*state, "-r", "-r", first);
		encrypt_to(*state, "-r", "-R", first);
		encrypt_to(*state, "-R", "-r", first);
		encrypt_to(*state, "-R", "-R", first);
	}
}

/* --- what is broken --- */

static GBytes *flipped(GBytes *message, gsize at, guint8 bits)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(message, &size);
	guint8 *copy = g_memdup2(data, size);

	copy[at] ^= bits;
	return g_bytes_new_take(copy, size);
}

/* Every byte of the packets' heads, and many others. */
static void test_flips(void **state)
{
	World *world = *state;

	for (gsize k = 0; k < 2; k++) {
		const Kind *kind = &world->kinds[k];
		g_autoptr(GBytes) message =
			encrypt(world, world->text, kind, k ? "" : " --compress-algo none");
		gsize size = g_bytes_get_size(message);

		open_for(world, kind);
		for (gsize i = 0; i < size; i += i < 20 ? 1 : 9) {
			g_autofree char *name = g_strdup_printf("byte %zu of %zu", i, size);
			g_autoptr(GBytes) changed = flipped(message, i, (guint8)(1 << i % 8));
			g_autoptr(PgpOpened) opened =
				pgp_compare_open(world->compare, name, changed, BY_ANY, NULL);
		}
	}
}

static void test_cut(void **state)
{
	static const char *const options[] = {"", " --armor"};
	World *world = *state;
	const Kind *kind = &world->kinds[0];

	open_for(world, kind);
	for (gsize n = 0; n < G_N_ELEMENTS(options); n++) {
		g_autoptr(GBytes) message = encrypt(world, world->text, kind, options[n]);
		gsize size = g_bytes_get_size(message);

		for (gsize cut = 1; cut < size; cut += cut < 8 ? 1 : 23) {
			g_autofree char *name = g_strdup_printf("%zu bytes less", cut);
			g_autoptr(GBytes) less = g_bytes_new_from_bytes(message, 0, size - cut);
			g_autoptr(PgpOpened) opened =
				pgp_compare_open(world->compare, name, less, BY_ANY, NULL);
		}
	}
}

/* --- armour --- */

static GBytes *replaced(GBytes *message, const char *what, const char *with)
{
	g_autofree char *text =
		g_strndup(g_bytes_get_data(message, NULL), g_bytes_get_size(message));
	g_auto(GStrv) parts = g_strsplit(text, what, -1);
	char *joined = g_strjoinv(with, parts);

	return g_bytes_new_take(joined, strlen(joined));
}

static void test_armour(void **state)
{
	static const struct {
		const char *what, *with;
		PgpWay way;
	} cases[] = {
		{"\n", "\r\n", BY_US},
		{"\n", " \t\n", BY_US},
		{"-----BEGIN", "\n\n-----BEGIN", BY_US},
		{"-----BEGIN", "words\n-----BEGIN", BY_GPG},
		{"MESSAGE-----\n\n", "MESSAGE-----\nVersion: x\nComment: y\n\n", BY_US},
		{"MESSAGE-----\n\n", "MESSAGE-----\nOdd: x\n\n", BY_GPG},
		{"MESSAGE-----\n\n", "MESSAGE-----\n", BY_GPG},
		{"END PGP MESSAGE-----\n", "END PGP MESSAGE-----", BY_US},
		{"END PGP MESSAGE-----\n", "END PGP MESSAGE-----\n\n \n", BY_US},
		{"END PGP MESSAGE-----\n", "END PGP MESSAGE-----\nwords\n", BY_GPG},
		{"-----END PGP MESSAGE-----\n", "", BY_GPG},
		{"\n=", "\n=A", BY_GPG},
		{"\n=", "\n\n=", BY_GPG},
		{"BEGIN PGP MESSAGE", "BEGIN PGP SIGNATURE", BY_GPG},
		{"PGP MESSAGE", "PGP ARMORED FILE", BY_ANY},
	};
	World *world = *state;
	const Kind *kind = &world->kinds[0];
	g_autoptr(GBytes) message = encrypt(world, world->text, kind, " --armor");

	open_for(world, kind);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) changed = replaced(message, cases[i].what, cases[i].with);

		assert_false(g_bytes_equal(message, changed));
		g_autoptr(PgpOpened) opened = pgp_compare_open(world->compare, cases[i].with,
							       changed, cases[i].way, NULL);
	}
}

static GBytes *open_by_us(World *world, GBytes *message)
{
	GByteArray *out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, G_MAXINT);
	g_autoptr(Source) source = source_new_bytes(message);
	PgpOpenJob job = {world->compare->secrets, world->compare->signers, 0};
	guint before = pgp_compare_runs(world->compare);
	g_autoptr(PgpOpened) opened = pgp_open(world->compare->home, &job, source, sink, NULL);

	assert_non_null(opened);
	assert_true(opened->opened);
	assert_int_equal(pgp_compare_runs(world->compare), before);
	return g_byte_array_free_to_bytes(out);
}

/* Newer programs write none (RFC 9580, section 6.1); gpg takes that only where base64 ends with "=". */
static void test_no_checksum(void **state)
{
	World *world = *state;
	const Kind *kind = &world->kinds[0];

	open_for(world, kind);
	for (gsize cut = 0; cut < 3; cut++) {
		g_autoptr(GBytes) text = g_bytes_new_from_bytes(
			world->text, cut, g_bytes_get_size(world->text) - cut);
		g_autoptr(GBytes) message =
			encrypt(world, text, kind, " --compress-algo none --armor");
		g_autofree char *armour =
			g_strndup(g_bytes_get_data(message, NULL), g_bytes_get_size(message));
		char *sum = strstr(armour, "\n=");

		assert_non_null(sum);
		memmove(sum, sum + strlen("\n=abcd"), strlen(sum + strlen("\n=abcd")) + 1);
		g_autoptr(GBytes) without = g_bytes_new(armour, strlen(armour));
		g_autoptr(GBytes) plain = open_by_us(world, without);

		assert_true(g_bytes_equal(plain, text));
	}
}

/* --- packets that do not belong there --- */

static GBytes *joined(GBytes *first, const void *second, gsize size)
{
	GByteArray *bytes = g_byte_array_new();

	g_byte_array_append(bytes, g_bytes_get_data(first, NULL), (guint)g_bytes_get_size(first));
	g_byte_array_append(bytes, second, (guint)size);
	return g_byte_array_free_to_bytes(bytes);
}

static void test_more_behind(void **state)
{
	World *world = *state;
	const Kind *kind = &world->kinds[0];
	g_autoptr(GBytes) message = encrypt(world, world->text, kind, "");
	gsize size;
	const guint8 *data = g_bytes_get_data(message, &size);
	g_autoptr(GBytes) twice = joined(message, data, size);
	g_autoptr(GBytes) literal = joined(message,
					   "\xcb\x07"
					   "b\0\0\0\0\0x",
					   9);
	g_autoptr(GBytes) marker = joined(message, "\xca\x03PGP", 5);
	g_autoptr(GBytes) zero = joined(message, "\0", 1);
	g_autoptr(GBytes) head = g_bytes_new_static("\xca\x03PGP", 5);
	g_autoptr(GBytes) before = joined(head, data, size);
	GBytes *all[] = {twice, literal, marker, zero, before};

	open_for(world, kind);
	for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
		g_autoptr(PgpOpened) opened =
			pgp_compare_open(world->compare, "more", all[i], BY_GPG, NULL);
	}
}

/* An encrypted message may hold another one, or a file of keys. */
static void test_within(void **state)
{
	World *world = *state;
	const Kind *kind = &world->kinds[0];
	g_autoptr(GBytes) inner = encrypt(world, world->text, kind, "");
	g_autoptr(GBytes) key = pgp_maker_public(world->maker, kind->fingerprint);
	g_autoptr(GBytes) empty = g_bytes_new_static("", 0);
	g_autoptr(GBytes) nothing = g_bytes_new_static("\xcb\0", 2);
	GBytes *insides[] = {inner, key, empty, nothing};

	open_for(world, kind);
	for (gsize i = 0; i < G_N_ELEMENTS(insides); i++) {
		/* --no-literal: the packets themselves. */
		g_autoptr(GBytes) message = encrypt(world, insides[i], kind, " --no-literal");
		g_autoptr(PgpOpened) opened =
			pgp_compare_open(world->compare, "within", message, BY_GPG, NULL);
	}
}

/* A few kilobytes that unfold to more than there may be. */
static void test_bomb(void **state)
{
	World *world = *state;
	const Kind *kind = &world->kinds[0];
	gsize size = 20 * 1024 * 1024;
	g_autoptr(GBytes) zeros = g_bytes_new_take(g_malloc0(size), size);
	g_autoptr(GBytes) message = encrypt(world, zeros, kind, "");

	open_for(world, kind);
	g_autoptr(PgpOpened) opened =
		pgp_compare_open(world->compare, "bomb", message, BY_US, NULL);
	assert_string_equal(opened->reason, "too-large");
}

/* --- time --- */

/* The deadline ends it, and nothing but it: the next message finds all as it was. */
static void test_deadline(void **state)
{
	World *world = *state;
	const Kind *kind = &world->kinds[0];
	g_autoptr(GBytes) message = encrypt(world, world->text, kind, "");

	open_for(world, kind);
	for (int i = 0; i < 3; i++) {
		g_autoptr(GByteArray) out = g_byte_array_new();
		g_autoptr(Sink) sink = sink_new_bytes(out, 1000);
		g_autoptr(Source) source = source_new_bytes(message);
		g_autoptr(GError) error = NULL;
		const PgpOpenJob job = {world->compare->secrets, NULL, g_get_monotonic_time() - 1};

		assert_null(pgp_open(world->compare->home, &job, source, sink, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
		assert_int_equal(out->len, 0);
		g_autoptr(PgpOpened) opened =
			pgp_compare_open(world->compare, "after", message, BY_US, NULL);
		assert_true(opened->opened);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	    cmocka_unit_test(test_options),
		cmocka_unit_test(test_sq),	    cmocka_unit_test(test_padding),
		cmocka_unit_test(test_sizes),	    cmocka_unit_test(test_owners),
		cmocka_unit_test(test_flips),	    cmocka_unit_test(test_cut),
		cmocka_unit_test(test_armour),	    cmocka_unit_test(test_no_checksum),
		cmocka_unit_test(test_more_behind), cmocka_unit_test(test_within),
		cmocka_unit_test(test_bomb),	    cmocka_unit_test(test_deadline),
	};

	return cmocka_run_group_tests_name("crypt/pgpread", tests, set_up, tear_down);
}
