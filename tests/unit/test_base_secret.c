/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/masterkey.h"

static int make_folder(void **state)
{
	*state = g_dir_make_tmp("sealpost-secret-XXXXXX", NULL);
	return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
	g_autofree char *path = g_build_filename(*state, "key", NULL);

	g_unlink(path);
	g_rmdir(*state);
	g_free(*state);
	return 0;
}

static void test_take_wipes(void **state)
{
	char text[] = "hunter2";
	const char zeros[sizeof(text)] = {0};
	g_autoptr(Secret) secret = secret_take(text, sizeof(text));

	(void)state;
	assert_memory_equal(text, zeros, sizeof(text));
	assert_memory_equal(secret_bytes(secret), "hunter2", 8);
}

static void test_master_key_file(void **state)
{
	g_autofree char *path = g_build_filename(*state, "key", NULL);
	g_autoptr(GError) error = NULL;
	struct stat st;

	assert_true(master_key_create(path, NULL));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	g_autoptr(Secret) key = master_key_read(path, NULL);
	assert_non_null(key);
	assert_int_equal(secret_size(key), MASTER_KEY_SIZE);

	/* never overwritten */
	assert_false(master_key_create(path, &error));
	g_clear_error(&error);
	g_autoptr(Secret) again = master_key_read(path, NULL);
	assert_true(secret_equal(key, again));

	/* readable by others: refused, and the mode is named */
	assert_int_equal(chmod(path, 0644), 0);
	assert_null(master_key_read(path, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG));
	assert_non_null(strstr(error->message, "0644"));
}

static void test_bad_master_keys(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"abcd\n",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1\n",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g\n",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00\n",
	};
	g_autofree char *path = g_build_filename(*state, "key", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		assert_true(g_file_set_contents(path, texts[i], -1, NULL));
		assert_int_equal(chmod(path, 0600), 0);
		assert_null(master_key_read(path, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG));
	}
}

static void test_wrap(void **state)
{
	g_autoptr(Secret) master = secret_random(MASTER_KEY_SIZE);
	g_autoptr(Secret) other = secret_random(MASTER_KEY_SIZE);
	g_autoptr(Secret) secret = secret_random(100);
	g_autoptr(GBytes) wrapped = secret_wrap(master, secret, "key a");
	g_autoptr(GError) error = NULL;

	(void)state;
	g_autoptr(Secret) back = secret_unwrap(master, wrapped, "key a", &error);
	assert_true(secret_equal(secret, back));
	assert_null(secret_unwrap(master, wrapped, "key b", &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	g_clear_error(&error);
	assert_null(secret_unwrap(other, wrapped, "key a", &error));
	assert_null(secret_unwrap(master, NULL, "key a", NULL));
	g_clear_error(&error);

	/* any changed or missing byte */
	gsize size;
	const guint8 *bytes = g_bytes_get_data(wrapped, &size);
	for (gsize i = 0; i < size; i++) {
		g_autofree guint8 *copy = g_memdup2(bytes, size);
		copy[i] ^= 1;
		g_autoptr(GBytes) changed = g_bytes_new(copy, size);
		g_autoptr(GBytes) cut = g_bytes_new(bytes, i);
		assert_null(secret_unwrap(master, changed, "key a", NULL));
		assert_null(secret_unwrap(master, cut, "key a", NULL));
	}
}

static void test_passphrase_line(void **state)
{
	g_autofree char *path = g_build_filename(*state, "key", NULL);

	assert_true(g_file_set_contents(path, "s\xc3\xa4sam öffne\r\nsecond\n", -1, NULL));
	assert_int_equal(chmod(path, 0600), 0);
	g_autoptr(Secret) line = secret_read_passphrase(path, NULL);
	assert_int_equal(secret_size(line), strlen("s\xc3\xa4sam öffne"));
}

/* Who may own it, and what systemd makes of a credential. As root only. */
static void test_owners(void **state)
{
	static const struct {
		uid_t owner;
		mode_t mode;
		gboolean credential, good;
	} table[] = {
		{65534, 0600, FALSE, TRUE}, {65534, 0640, FALSE, FALSE}, {0, 0440, FALSE, FALSE},
		{0, 0440, TRUE, TRUE},	    {0, 0444, TRUE, FALSE},	 {0, 0460, TRUE, FALSE},
		{65534, 0440, TRUE, FALSE},
	};
	g_autofree char *folder =
		g_strdup_printf(SECRET_CREDENTIALS "sealpost-test-%d", (int)getpid());

	if (geteuid() != 0 || g_mkdir_with_parents(folder, 0700) != 0)
		skip();
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		const char *where = table[i].credential ? folder : *state;
		g_autofree char *path = g_build_filename(where, "key", NULL);

		assert_true(g_file_set_contents(path, "x", -1, NULL));
		assert_int_equal(chown(path, table[i].owner, 0), 0);
		assert_int_equal(chmod(path, table[i].mode), 0);
		g_autoptr(Secret) secret = secret_read_file(path, TRUE, NULL);

		g_unlink(path);
		assert_int_equal(secret != NULL, table[i].good);
	}
	g_rmdir(folder);
	g_rmdir(SECRET_CREDENTIALS); /* if it was made for this */
}

/* The service's user reads no other's. */
static void test_strangers(void **state)
{
	g_autofree char *path = g_build_filename(*state, "key", NULL);
	g_autoptr(GError) error = NULL;

	if (geteuid() != 0)
		skip();
	assert_true(g_file_set_contents(path, "x", -1, NULL));
	assert_int_equal(chmod(*state, 0755), 0);
	assert_int_equal(chown(path, 65533, 65533), 0);
	assert_int_equal(chmod(path, 0604), 0);
	assert_int_equal(seteuid(65534), 0);
	g_autoptr(Secret) secret = secret_read_file(path, TRUE, &error);

	assert_int_equal(seteuid(0), 0);
	assert_null(secret);
	assert_non_null(strstr(error->message, "belongs to user 65533"));
}

static void test_too_large(void **state)
{
	g_autofree char *path = g_build_filename(*state, "key", NULL);
	g_autofree char *big = g_strnfill(SECRET_MAX + 1, 'x');
	g_autoptr(GError) error = NULL;

	assert_true(g_file_set_contents(path, big, -1, NULL));
	assert_int_equal(chmod(path, 0600), 0);
	assert_null(secret_read_file(path, TRUE, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take_wipes),
		cmocka_unit_test_setup_teardown(test_master_key_file, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_bad_master_keys, make_folder, remove_folder),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test_setup_teardown(test_passphrase_line, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_owners, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_strangers, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_too_large, make_folder, remove_folder),
	};

	return cmocka_run_group_tests_name("base_secret", tests, NULL, NULL);
}
