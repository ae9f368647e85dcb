/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP keys read from files: whole, protected, expired, flooded, broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpkey.h"
#include "tests/unit/pgpmaker.h"

typedef struct {
	PgpMaker *maker;
	char *folder; /* for passing homes: empty before and after each test */
} World;

static int set_up(void **state)
{
	World *world = g_new0(World, 1);

	world->maker = pgp_maker_new();
	world->folder = g_build_filename(world->maker->folder, "passing", NULL);
	assert_int_equal(g_mkdir_with_parents(world->folder, 0700), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;
	g_autoptr(GDir) dir = g_dir_open(world->folder, 0, NULL);

	assert_null(g_dir_read_name(dir));
	pgp_maker_free(world->maker);
	g_free(world->folder);
	g_free(world);
	return 0;
}

static Secret *text_secret(const char *text)
{
	g_autofree char *copy = g_strdup(text);

	return secret_take(copy, strlen(copy));
}

static GBytes *joined(GBytes *first, ...)
{
	GByteArray *all = g_byte_array_new();
	va_list args;

	va_start(args, first);
	for (GBytes *part = first; part; part = va_arg(args, GBytes *))
		g_byte_array_append(all, g_bytes_get_data(part, NULL),
				    (guint)g_bytes_get_size(part));
	va_end(args);
	return g_byte_array_free_to_bytes(all);
}

static GPtrArray *read_keys(World *world, GBytes *file, const char *passphrase)
{
	g_autoptr(Secret) secret = passphrase ? text_secret(passphrase) : NULL;
	g_autoptr(GError) error = NULL;
	GPtrArray *keys = pgpkey_read(file, secret, world->folder, 0, &error);

	if (!keys)
		print_message("# %s\n", error->message);
	assert_non_null(keys);
	return keys;
}

static void assert_refused(World *world, GBytes *file, const char *passphrase, ErrorCode code)
{
	g_autoptr(Secret) secret = passphrase ? text_secret(passphrase) : NULL;
	g_autoptr(GError) error = NULL;

	assert_null(pgpkey_read(file, secret, world->folder, 0, &error));
	if (!g_error_matches(error, SEALPOST_ERROR, (int)code))
		print_message("# %s\n", error->message);
	assert_true(g_error_matches(error, SEALPOST_ERROR, (int)code));
}

static void test_public(void **state)
{
	World *world = *state;
	g_autofree char *fingerprint =
		pgp_maker_key(world->maker, "Sofia@Müller.example", "future-default");
	g_autoptr(GBytes) file = pgp_maker_public(world->maker, fingerprint);
	g_autoptr(GPtrArray) keys = read_keys(world, file, NULL);
	const PgpKey *key = keys->pdata[0];

	assert_int_equal(keys->len, 1);
	assert_string_equal(key->fingerprint, fingerprint);
	assert_string_equal(key->algorithm, "Curve25519");
	assert_string_equal(key->addresses[0], "sofia@xn--mller-kva.example");
	assert_null(key->addresses[1]);
	assert_int_equal(g_strv_length(key->encryption_ids), 1);
	assert_int_equal(strlen(key->encryption_ids[0]), 16);
	assert_true(key->can_encrypt && key->can_sign && !key->revoked && !key->expired);
	assert_null(key->secret);
	assert_true(key->created > 1500000000);

	/* Armoured, with CRLF, text around it and blanks at the line ends: the same. */
	g_autofree char *armor = pgpkey_armor(key->bytes);
	g_auto(GStrv) lines = g_strsplit(armor, "\n", -1);
	g_autofree char *crlf = g_strjoinv(" \t\r\n", lines);
	g_autofree char *around = g_strdup_printf("My key:\r\n\r\n  %s\r\nRegards\r\n", crlf);
	g_autoptr(GBytes) text = g_bytes_new(around, strlen(around));
	g_autoptr(GPtrArray) again = read_keys(world, text, NULL);
	assert_true(g_bytes_equal(((PgpKey *)again->pdata[0])->bytes, key->bytes));

	/* Base64 alone. */
	g_autofree char *base64 =
		g_base64_encode(g_bytes_get_data(file, NULL), g_bytes_get_size(file));
	g_autoptr(GBytes) bare = g_bytes_new(base64, strlen(base64));
	g_autoptr(GPtrArray) from_base64 = read_keys(world, bare, NULL);
	assert_int_equal(from_base64->len, 1);
}

/* What pgpkey_armor() writes is read by sq. */
static void test_armor(void **state)
{
	World *world = *state;
	g_autofree char *fingerprint =
		pgp_maker_key(world->maker, "armor@a.example", "future-default");
	g_autoptr(GBytes) key = pgp_maker_public(world->maker, fingerprint);
	g_autofree char *armor = pgpkey_armor(key);
	g_autoptr(GBytes) text = g_bytes_new(armor, strlen(armor));
	g_autofree char *path = pgp_maker_file(world->maker, "armor.asc", text);
	const char *const dearmor[] = {"sq", "dearmor", path, NULL};
	g_autoptr(GBytes) back = NULL;

	assert_int_equal(pgp_maker_run(dearmor, NULL, &back), 0);
	assert_true(g_bytes_equal(back, key));
}

static void test_several(void **state)
{
	World *world = *state;
	g_autofree char *one = pgp_maker_key(world->maker, "one@a.example", "future-default");
	g_autofree char *two = pgp_maker_key(world->maker, "two@a.example", "rsa2048");
	g_autoptr(GBytes) one_key = pgp_maker_public(world->maker, one);
	g_autoptr(GBytes) two_key = pgp_maker_public(world->maker, two);
	g_autoptr(Secret) two_secret = pgp_maker_secret(world->maker, two);
	g_autoptr(GBytes) secret_bytes_ =
		g_bytes_new(secret_bytes(two_secret), secret_size(two_secret));

	/* Public, public, and the secret form of the second: two keys. */
	g_autoptr(GBytes) file = joined(one_key, two_key, secret_bytes_, NULL);
	g_autoptr(GPtrArray) keys = read_keys(world, file, NULL);
	assert_int_equal(keys->len, 2);
	const PgpKey *first = keys->pdata[0], *second = keys->pdata[1];
	assert_string_equal(first->fingerprint, one);
	assert_null(first->secret);
	assert_string_equal(second->fingerprint, two);
	assert_string_equal(second->algorithm, "RSA 2048");
	assert_non_null(second->secret);

	/* Two armoured blocks. */
	g_autofree char *armor_one = pgpkey_armor(one_key);
	g_autofree char *armor_two = pgpkey_armor(two_key);
	g_autofree char *both = g_strconcat(armor_one, "\nand\n", armor_two, NULL);
	g_autoptr(GBytes) text = g_bytes_new(both, strlen(both));
	g_autoptr(GPtrArray) from_text = read_keys(world, text, NULL);
	assert_int_equal(from_text->len, 2);
}

/* An old form and a new one: one key with what the new one added. */
static void test_merged(void **state)
{
	World *world = *state;
	g_autofree char *fingerprint =
		pgp_maker_key(world->maker, "old@a.example", "future-default");
	g_autoptr(GBytes) old = pgp_maker_public(world->maker, fingerprint);

	assert_int_equal(pgp_maker_gpg(world->maker, NULL, NULL,
				       "--passphrase  --quick-add-uid %s <new@a.example>",
				       fingerprint),
			 0);
	g_autoptr(GBytes) new = pgp_maker_public(world->maker, fingerprint);
	g_autoptr(GBytes) file = joined(new, old, NULL);
	g_autoptr(GPtrArray) keys = read_keys(world, file, NULL);
	assert_int_equal(keys->len, 1);
	const PgpKey *key = keys->pdata[0];
	assert_int_equal(g_strv_length(key->addresses), 2);
	assert_true(g_strv_contains((const char *const *)key->addresses, "new@a.example"));
}

/* gpg exports it under a passphrase; we take that off, and sq can use what we have then. */
static void test_secret(void **state)
{
	World *world = *state;
	static const char *const algorithms[] = {"future-default", "rsa2048", "rsa2048/sign"};

	for (gsize i = 0; i < G_N_ELEMENTS(algorithms); i++) {
		g_autofree char *address = g_strdup_printf("s%d@secret.example", (int)i);
		g_autofree char *fingerprint = pgp_maker_key(world->maker, address, algorithms[i]);
		g_autoptr(Secret) plain = pgp_maker_secret(world->maker, fingerprint);
		g_autoptr(Secret) passphrase = text_secret("Ünder % cover");
		g_autoptr(GError) error = NULL;
		g_autoptr(Secret) out = pgpkey_protect(plain, passphrase, world->folder, &error);
		assert_non_null(out);
		g_autoptr(GBytes) file = g_bytes_new(secret_bytes(out), secret_size(out));
		assert_refused(world, file, NULL, ERROR_PASSPHRASE);
		assert_refused(world, file, "under cover", ERROR_PASSPHRASE);
		g_autoptr(GPtrArray) keys = read_keys(world, file, "Ünder % cover");
		assert_int_equal(keys->len, 1);
		const PgpKey *key = keys->pdata[0];
		assert_string_equal(key->fingerprint, fingerprint);
		assert_non_null(key->secret);
	}
}

static void test_unusable(void **state)
{
	World *world = *state;
	PgpMaker *maker = world->maker;
	g_autofree char *signer = pgp_maker_key(maker, "signer@u.example", "future-default/sign");
	g_autofree char *revoked = NULL;

	g_autoptr(GBytes) sign_only = pgp_maker_public(maker, signer);
	g_autoptr(GPtrArray) keys = read_keys(world, sign_only, NULL);
	const PgpKey *key = keys->pdata[0];
	assert_true(key->can_sign && !key->can_encrypt && !key->expired && !key->revoked);
	assert_null(key->encryption_ids[0]);

	/* Made in 2021 for a year. */
	assert_int_equal(pgp_maker_gpg(maker, NULL, NULL,
				       "--faked-system-time 20210101T000000! --passphrase  "
				       "--quick-gen-key <old@u.example> future-default default 1y"),
			 0);
	g_autoptr(GBytes) old_file = NULL;
	assert_int_equal(pgp_maker_gpg(maker, NULL, &old_file, "--export =<old@u.example>"), 0);
	g_autoptr(GPtrArray) old_keys = read_keys(world, old_file, NULL);
	key = old_keys->pdata[0];
	assert_true(key->expired && !key->can_encrypt && !key->can_sign);
	assert_int_equal(key->expires, 1640995200);

	/* Revoked by the certificate that gpg made along with the key. */
	revoked = pgp_maker_key(maker, "revoked@u.example", "future-default");
	pgp_maker_revoke(maker, revoked);
	g_autoptr(GBytes) revoked_file = pgp_maker_public(maker, revoked);
	g_autoptr(GPtrArray) revoked_keys = read_keys(world, revoked_file, NULL);
	key = revoked_keys->pdata[0];
	assert_true(key->revoked && !key->can_encrypt && !key->can_sign);
}

/* A new encryption subkey: the newest comes first. */
static void test_two_subkeys(void **state)
{
	World *world = *state;
	PgpMaker *maker = world->maker;

	assert_int_equal(
		pgp_maker_gpg(maker, NULL, NULL,
			      "--faked-system-time 20210101T000000! --passphrase  "
			      "--quick-gen-key <subs@u.example> future-default default none"),
		0);
	g_autoptr(GBytes) before = NULL;
	assert_int_equal(pgp_maker_gpg(maker, NULL, &before, "--export =<subs@u.example>"), 0);
	g_autoptr(GPtrArray) first = read_keys(world, before, NULL);
	const PgpKey *old = first->pdata[0];
	assert_int_equal(pgp_maker_gpg(maker, NULL, NULL,
				       "--passphrase  --quick-add-key %s rsa2048 encr",
				       old->fingerprint),
			 0);
	g_autoptr(GBytes) file = pgp_maker_public(maker, old->fingerprint);
	g_autoptr(GPtrArray) keys = read_keys(world, file, NULL);
	const PgpKey *key = keys->pdata[0];
	assert_int_equal(g_strv_length(key->encryption_ids), 2);
	assert_string_equal(key->encryption_ids[1], old->encryption_ids[0]);
	assert_string_equal(key->algorithm, "RSA 2048");
}

/* 30,000 signatures of somebody else after the user ID: stripped before gpg sees them. */
static void test_flooded(void **state)
{
	World *world = *state;
	g_autofree char *fingerprint =
		pgp_maker_key(world->maker, "flooded@u.example", "future-default");
	g_autoptr(GBytes) key = pgp_maker_public(world->maker, fingerprint);
	g_autoptr(GByteArray) flooded = g_byte_array_new();
	gsize size, at = 0;
	const guint8 *data = g_bytes_get_data(key, &size);
	guint8 signature[256] = {0xC2, 98, 4, 0x10, 22, 8, 0, 6, 5, 2, 0x60, 1, 2, 3, 0, 10, 9, 16};

	/* Primary key and user ID have old headers with one byte of length. */
	for (int i = 0; i < 2; i++)
		at += 2 + data[at + 1];
	g_byte_array_append(flooded, data, (guint)at);
	for (guint i = 0; i < 30000; i++) {
		memcpy(signature + 18, &i, sizeof(i));
		g_byte_array_append(flooded, signature, 100);
	}
	g_byte_array_append(flooded, data + at, (guint)(size - at));
	g_autoptr(GBytes) file = g_byte_array_free_to_bytes(g_steal_pointer(&flooded));
	gint64 start = g_get_monotonic_time();
	g_autoptr(GPtrArray) keys = read_keys(world, file, NULL);
	assert_true(g_get_monotonic_time() - start < 5 * G_USEC_PER_SEC);
	assert_int_equal(g_bytes_get_size(((PgpKey *)keys->pdata[0])->bytes), size);
	assert_true(((PgpKey *)keys->pdata[0])->can_encrypt);
}

static void test_not_keys(void **state)
{
	World *world = *state;
	g_autofree char *fingerprint =
		pgp_maker_key(world->maker, "broken@b.example", "future-default");
	g_autoptr(GBytes) key = pgp_maker_public(world->maker, fingerprint);
	gsize size = g_bytes_get_size(key);
	g_autofree char *armor = pgpkey_armor(key);
	struct {
		GBytes *bytes;
		ErrorCode code;
	} cases[] = {
		{g_bytes_new_static("", 0), ERROR_UNSUPPORTED},
		{g_bytes_new_static("hello", 5), ERROR_UNSUPPORTED},
		{g_bytes_new_static("-----BEGIN CERTIFICATE-----\nAAAA\n", 33), ERROR_UNSUPPORTED},
		{g_bytes_new_static("\xc6\xff\xff\xff\xff\xff\x04", 7), ERROR_MALFORMED},
		{g_bytes_new_static("\xc6\x01\x06", 3), ERROR_UNSUPPORTED}, /* version 6 */
		{g_bytes_new_static("\x99\x00\x01\x03", 4), ERROR_UNSUPPORTED}, /* version 3 */
		{g_bytes_new_static("\xc6\x01\x04", 3), ERROR_MALFORMED},
		{g_bytes_new_from_bytes(key, 0, size - 1), ERROR_MALFORMED},
		{g_bytes_new_from_bytes(key, 0, 40), ERROR_MALFORMED},
		{g_bytes_new(armor, strlen(armor) - 40), ERROR_MALFORMED}, /* armour cut off */
		{g_bytes_new_take(g_malloc0(PGPKEY_FILE_MAX + 1), PGPKEY_FILE_MAX + 1),
		 ERROR_TOO_LARGE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		assert_refused(world, cases[i].bytes, NULL, cases[i].code);
		g_bytes_unref(cases[i].bytes);
	}
}

/* Every byte of a key changed, a sample of them: never a crash, and the key of that fingerprint
 * comes out only if it is the same key. */
static void test_damaged(void **state)
{
	World *world = *state;
	g_autofree char *fingerprint =
		pgp_maker_key(world->maker, "damaged@b.example", "future-default");
	g_autoptr(GBytes) key = pgp_maker_public(world->maker, fingerprint);
	gsize size;
	const guint8 *data = g_bytes_get_data(key, &size);

	for (gsize at = 0; at < size; at += 37) {
		guint8 *copy = g_memdup2(data, size);
		copy[at] ^= 0x55;
		g_autoptr(GBytes) file = g_bytes_new_take(copy, size);
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) keys = pgpkey_read(file, NULL, world->folder, 0, &error);
		assert_true(keys || error);
		if (keys)
			assert_int_equal(keys->len, 1);
	}
}

static void test_late(void **state)
{
	World *world = *state;
	g_autofree char *fingerprint =
		pgp_maker_key(world->maker, "late@b.example", "future-default");
	g_autoptr(GBytes) key = pgp_maker_public(world->maker, fingerprint);
	gint64 now = g_get_monotonic_time();
	g_autoptr(GError) error = NULL;

	assert_null(pgpkey_read(key, NULL, world->folder, now, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	g_autoptr(GPtrArray) keys =
		pgpkey_read(key, NULL, world->folder, now + 600 * G_USEC_PER_SEC, NULL);
	assert_int_equal(keys->len, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public),	    cmocka_unit_test(test_armor),
		cmocka_unit_test(test_several),	    cmocka_unit_test(test_merged),
		cmocka_unit_test(test_secret),	    cmocka_unit_test(test_unusable),
		cmocka_unit_test(test_two_subkeys), cmocka_unit_test(test_flooded),
		cmocka_unit_test(test_not_keys),    cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests_name("crypt/pgpkey", tests, set_up, tear_down);
}
