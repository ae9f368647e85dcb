/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lib/base/conf.h"
#include "lib/base/error.h"

static char *write_conf(const char *folder, const char *text, gssize size)
{
	char *path = g_build_filename(folder, "sealpost.conf", NULL);

	assert_true(g_file_set_contents(path, text, size, NULL));
	return path;
}

static int make_folder(void **state)
{
	*state = g_dir_make_tmp("sealpost-conf-XXXXXX", NULL);
	return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
	g_autofree char *path = g_build_filename(*state, "sealpost.conf", NULL);

	g_unlink(path);
	g_rmdir(*state);
	g_free(*state);
	return 0;
}

static void test_defaults(void **state)
{
	g_autofree char *path = write_conf(*state, "", 0);
	g_autoptr(Conf) conf = conf_load(path, NULL);
	g_autofree char *policy = g_build_filename(*state, "sealpost.policy", NULL);
	g_autofree char *listen = g_strconcat("unix:", *state, "/run/milter.sock", NULL);

	assert_non_null(conf);
	assert_string_equal(conf_path(conf, "sealpost", "policy"), policy);
	assert_string_equal(conf_address(conf, "gateway", "listen"), listen);
	assert_string_equal(conf_list(conf, "sealpost", "trusted_networks")[1], "::1/128");
	assert_null(conf_list(conf, "sealpost", "trusted_networks")[2]);
	assert_null(conf_string(conf, "mta", "nexthop"));
	assert_false(conf_boolean(conf, "sealpost", "hash_addresses"));
	assert_int_equal(conf_size(conf, "gateway", "message_limit"), 100 * 1024 * 1024);
	assert_int_equal(conf_duration(conf, "keystore", "cache_negative"), 300);
	assert_null(conf_instances(conf, "ldap")[0]);
}

static void test_values(void **state)
{
	g_autofree char *path = write_conf(*state,
					   "[ldap main]\nuri = ldap://a ldap://b\n"
					   "filter = (&(mail=%m)(x=1))\n"
					   "[ldap second]\nstarttls = false\n"
					   "[gateway]\nlisten=inet:[::1]:8025\nmessage_limit=7K\n",
					   -1);
	g_autoptr(GError) error = NULL;
	g_autoptr(Conf) conf = conf_load(path, &error);

	assert_null(error);
	assert_string_equal(conf_instances(conf, "ldap")[0], "ldap main");
	assert_string_equal(conf_instances(conf, "ldap")[1], "ldap second");
	assert_string_equal(conf_string(conf, "ldap main", "filter"), "(&(mail=%m)(x=1))");
	assert_true(conf_boolean(conf, "ldap main", "starttls"));
	assert_false(conf_boolean(conf, "ldap second", "starttls"));
	assert_string_equal(conf_address(conf, "gateway", "listen"), "inet:[::1]:8025");
	assert_int_equal(conf_size(conf, "gateway", "message_limit"), 7 * 1024);
}

static void test_errors(void **state)
{
	static const struct {
		const char *text;
		gssize size;
		const char *says;
	} cases[] = {
		{"[nonsense]\n", -1, "[nonsense]: unknown section"},
		{"[gateway]\nlisten_on = x\n", -1, "[gateway] listen_on: unknown setting"},
		{"[gateway]\nlisten = 127.0.0.1:25\n", -1, "unix:PATH or inet:HOST:PORT"},
		{"[gateway]\nlisten = inet:127.0.0.1:99999\n", -1, "unix:PATH or inet:HOST:PORT"},
		{"[gateway]\nmessage_limit = 10X\n", -1, "bytes, as 1000, 64K"},
		{"[gateway]\nmessage_limit = 99999999999999999999G\n", -1, "bytes, as 1000, 64K"},
		{"[gateway]\nmessage_limit = -1\n", -1, "bytes, as 1000, 64K"},
		{"[sealpost]\nhash_addresses = yes\n", -1, "true or false"},
		{"[ldap]\nuri = x\n", -1, "needs a name"},
		{"[portal x]\nurl = x\n", -1, "takes no name"},
		{"listen = x\n", -1, "Key file"},
		{"[gateway]\nlisten\n", -1, "Key file"},
		{"[gateway]\nuser = a\0b\n", 20, "holds NUL bytes"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = write_conf(*state, cases[i].text, cases[i].size);
		g_autoptr(GError) error = NULL;
		g_autoptr(Conf) conf = conf_load(path, &error);
		assert_null(conf);
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG));
		if (!strstr(error->message, cases[i].says))
			fail_msg("case %d says: %s", (int)i, error->message);
		if (!g_str_has_prefix(error->message, path))
			fail_msg("case %d does not name the file: %s", (int)i, error->message);
	}
}

static void test_missing_file(void **state)
{
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_null(conf_load("/nonexistent/sealpost.conf", &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG));
}

/* What init writes must load, say the same as the defaults, and mention every setting. */
static void test_template(void **state)
{
	g_autoptr(GHashTable) values = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_insert(values, (char *)"portal\nurl", (char *)"https://post.firma.example");
	g_autofree char *text = conf_template(values);
	g_autofree char *path = write_conf(*state, text, -1);
	g_autoptr(GError) error = NULL;
	g_autoptr(Conf) conf = conf_load(path, &error);

	assert_null(error);
	assert_string_equal(conf_string(conf, "portal", "url"), "https://post.firma.example");
	for (gsize i = 0; i < conf_settings_count; i++)
		assert_non_null(strstr(text, conf_settings[i].key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_values, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_errors, make_folder, remove_folder),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test_setup_teardown(test_template, make_folder, remove_folder),
	};

	return cmocka_run_group_tests_name("base_conf", tests, NULL, NULL);
}
