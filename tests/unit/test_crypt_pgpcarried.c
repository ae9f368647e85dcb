/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgppacket.h"
#include "tests/unit/pgpmaker.h"

#define A "a@x.example"
#define B "b@x.example"

static int make_place(void **state)
{
	*state = pgp_maker_new();
	return 0;
}

static int remove_place(void **state)
{
	pgp_maker_free(*state);
	return 0;
}

/* What gpg sees in it: the first letters of each line and, of user IDs, their text. */
static char *seen(PgpMaker *maker, GBytes *bytes)
{
	g_autofree char *file = pgp_maker_file(maker, "carried", bytes);
	const char *const argv[] = {
		"gpg",	       "--homedir",	  maker->home, "--batch", "--with-colons",
		"--show-keys", "--with-sig-list", file,	       NULL};
	g_autoptr(GBytes) output = NULL;
	GString *text = g_string_new(NULL);

	assert_int_equal(pgp_maker_run(argv, NULL, &output), 0);
	g_autofree char *all = g_strndup(g_bytes_get_data(output, NULL), g_bytes_get_size(output));
	g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, ":", -1);

		if (fields[0] && fields[1] && strcmp(fields[0], "fpr") != 0)
			g_string_append_printf(text, "%s%s%s", text->len ? " " : "", fields[0],
					       strcmp(fields[0], "uid") == 0 ? fields[9] : "");
	}
	return g_string_free(text, FALSE);
}

static void test_narrow(void **state)
{
	PgpMaker *maker = *state;
	g_autofree char *id = pgp_maker_key(maker, A, "future-default");
	g_autofree char *other = pgp_maker_key(maker, "other@x.example", "future-default");

	assert_int_equal(pgp_maker_gpg(maker, NULL, NULL, "--quick-add-uid %s <" B ">", id), 0);
	assert_int_equal(pgp_maker_gpg(maker, NULL, NULL, "-u %s --quick-sign-key %s", other, id),
			 0);
	g_autoptr(GBytes) public = pgp_maker_public(maker, id);
	g_autofree char *whole = seen(maker, public);
	assert_non_null(strstr(whole, B));

	for (guint i = 0; i < 3; i++) {
		const char *address = i == 0 ? A : i == 1 ? B : "c@x.example";
		g_autoptr(GPtrArray) keys = pgpkey_carried(public, address);
		assert_int_equal(keys->len, 1);
		const PgpCarried *carried = keys->pdata[0];
		g_autofree char *text = seen(maker, carried->bytes);

		assert_string_equal(carried->fingerprint, id);
		assert_int_equal(carried->named, i < 2);
		/* One user ID with its own signature, the subkey with its own. */
		assert_non_null(strstr(text, "pub uid"));
		assert_true((strstr(text, A) != NULL) != (strstr(text, B) != NULL));
		assert_int_equal(i < 2 && !strstr(text, address), FALSE);
		assert_true(g_bytes_get_size(carried->bytes) < g_bytes_get_size(public));
	}
}

static void test_secret(void **state)
{
	PgpMaker *maker = *state;
	g_autofree char *id = pgp_maker_key(maker, A, "future-default");
	g_autoptr(Secret) secret = pgp_maker_secret(maker, id);
	g_autoptr(GBytes) file = g_bytes_new(secret_bytes(secret), secret_size(secret));
	g_autoptr(GPtrArray) keys = pgpkey_carried(file, A);

	assert_int_equal(keys->len, 0);
}

/* A key packet of that algorithm with two numbers of that many bits; then user IDs. */
static GBytes *craft(guint8 algorithm, guint first, guint second, guint users)
{
	g_autoptr(GByteArray) body = g_byte_array_new();
	GByteArray *out = g_byte_array_new();
	const guint8 head[] = {4, 0, 0, 0, 1, algorithm};
	const guint numbers[] = {first, second};

	g_byte_array_append(body, head, sizeof head);
	for (guint i = 0; i < 2; i++) {
		const guint8 bits[] = {(guint8)(numbers[i] >> 8), (guint8)numbers[i]};

		g_byte_array_append(body, bits, 2);
		for (guint n = 0; n < (numbers[i] + 7) / 8; n++)
			g_byte_array_append(body, (const guint8 *)"\xff", 1);
	}
	const guint8 key[] = {0x99, (guint8)(body->len >> 8), (guint8)body->len};
	g_byte_array_append(out, key, 3);
	g_byte_array_append(out, body->data, body->len);
	for (guint i = 0; i < users; i++) {
		g_autofree char *text = g_strdup_printf("%0200u <" A ">", i);
		const guint8 user[] = {0xb4, (guint8)strlen(text)};

		g_byte_array_append(out, user, 2);
		g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
	}
	return g_byte_array_free_to_bytes(out);
}

static void test_bounds(void **state)
{
	static const struct {
		guint8 algorithm;
		guint first, second, users, taken;
	} cases[] = {
		{1, 4096, 17, 1, 1},
		{1, 8192, 64, 1, 1},
		{1, 8193, 17, 1, 0},
		/* an exponent as long as the modulus: minutes for each signature */
		{1, 4096, 4096, 1, 0},
		{3, 4096, 65, 1, 0},
		{17, 3072, 256, 1, 1},
		{17, 16384, 256, 1, 0},
		{22, 9, 9, 1, 1},
		/* too many user IDs, all of the address */
		{1, 4096, 17, 140, 1},
		{1, 4096, 17, 170, 0},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) file =
			craft(cases[i].algorithm, cases[i].first, cases[i].second, cases[i].users);
		g_autoptr(GPtrArray) keys = pgpkey_carried(file, A);
		if (keys->len != cases[i].taken)
			fail_msg("case %u", (guint)i);
	}
}

static void test_many(void **state)
{
	g_autoptr(GByteArray) all = g_byte_array_new();

	(void)state;
	for (guint i = 0; i < 20; i++) {
		g_autoptr(GBytes) one = craft(1, 1024 + i, 17, 1);
		gsize size;
		const guint8 *data = g_bytes_get_data(one, &size);

		g_byte_array_append(all, data, (guint)size);
	}
	g_autoptr(GBytes) file = g_bytes_new(all->data, all->len);
	g_autoptr(GPtrArray) keys = pgpkey_carried(file, A);
	assert_int_equal(keys->len, PGPKEY_CARRIED_KEYS_MAX);
	for (guint i = 1; i < keys->len; i++)
		assert_string_not_equal(((PgpCarried *)keys->pdata[0])->fingerprint,
					((PgpCarried *)keys->pdata[i])->fingerprint);
}

static guint walk(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;
	guint found = 0;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *text = NULL;
		gsize size;

		if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
			found += walk(path);
		} else if (g_file_get_contents(path, &text, &size, NULL)) {
			g_autoptr(GBytes) file = g_bytes_new(text, size);
			g_autoptr(GPtrArray) keys = pgpkey_carried(file, A);

			found += keys->len;
		}
	}
	return found;
}

/* Other programs' mails and keys, where they are at hand: nothing in them is too much. */
static void test_corpus(void **state)
{
	static const char *const families[] = {"autocrypt-examples", "proton-openpgp",
					       "chatmail-openpgp", "rnp-openpgp"};
	const char *given = g_getenv("SEALPOST_CORPUS");
	g_autofree char *corpus =
		given ? g_strdup(given)
		      : g_build_filename(g_getenv("srcdir"), "..", "shared", "corpus", NULL);
	guint found = 0;

	(void)state;
	if (!g_file_test(corpus, G_FILE_TEST_IS_DIR)) {
		print_message("# no corpus here\n");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(families); i++) {
		g_autofree char *folder = g_build_filename(corpus, families[i], NULL);

		found += walk(folder);
	}
	print_message("# %u keys\n", found);
	assert_true(found > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_narrow), cmocka_unit_test(test_secret),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_many),
		cmocka_unit_test(test_corpus),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place);
}
