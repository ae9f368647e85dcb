/* SPDX-License-Identifier: Apache-2.0
 *
 * Where wrong passwords are counted: by client, by large network, by account, by link.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "portal/login.h"
#include "portal/portaldb.h"
#include "portal/token.h"

#define ATTEMPTS 2
#define MANY 4

typedef struct {
	char *folder;
	Portal portal;
} Fixture;

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	Portal *portal = &fixture->portal;
	g_autofree char *path = NULL;
	g_autoptr(Conf) conf = NULL;
	g_autoptr(Secret) password = secret_random(8);
	g_autoptr(Secret) private_key = NULL;

	fixture->folder = g_dir_make_tmp("sealpost-login-XXXXXX", NULL);
	assert_non_null(fixture->folder);
	path = g_build_filename(fixture->folder, "sealpost.conf", NULL);
	assert_true(g_file_set_contents(path, "[portal]\ndatabase = portal.db\n", -1, NULL));
	conf = conf_load(path, NULL);
	assert_non_null(conf);
	portal->db = portaldb_open(conf, NULL);
	assert_non_null(portal->db);
	portal->clients = limiter_new(ATTEMPTS, 3600);
	portal->accounts = limiter_new(MANY, 3600);
	portal->hashing = gate_new(1);
	assert_true(account_new("", password, &portal->nobody, &private_key, NULL));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;
	static const char *const files[] = {"sealpost.conf", "portal.db", "portal.db-wal",
					    "portal.db-shm"};

	db_close(fixture->portal.db);
	limiter_free(fixture->portal.clients);
	limiter_free(fixture->portal.accounts);
	gate_free(fixture->portal.hashing);
	account_free(fixture->portal.nobody);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(fixture->folder, files[i], NULL);

		g_remove(path);
	}
	g_rmdir(fixture->folder);
	g_free(fixture->folder);
	g_free(fixture);
	return 0;
}

/* A wrong password from that client. */
static LoginResult attempt(Fixture *fixture, const char *client, const char *account,
			   const char *link)
{
	static const char body[] = "password=wrong+and+wrong";
	const Request request = {.client = client};
	Visit visit = {.portal = &fixture->portal, .request = &request};
	LoginResult result = LOGIN_GOOD;

	visit.form = form_parse(body, strlen(body), NULL);
	assert_true(login_check(&visit, account, link, &result, NULL));
	form_free(visit.form);
	return result;
}

static void counted_by_client(void **state)
{
	for (int i = 0; i < ATTEMPTS; i++)
		assert_int_equal(attempt(*state, "192.0.2.1", "a@x.example", NULL), LOGIN_WRONG);
	assert_int_equal(attempt(*state, "192.0.2.1", "b@x.example", NULL), LOGIN_TOO_MANY);
	assert_int_equal(attempt(*state, "192.0.2.2", "b@x.example", NULL), LOGIN_WRONG);
}

/* Somebody with a /48 has 65536 networks that count as clients. */
static void counted_by_large_network(void **state)
{
	for (int i = 0; i < MANY; i++) {
		g_autofree char *client = g_strdup_printf("2001:db8:1:%d::", i);
		g_autofree char *account = g_strdup_printf("%d@x.example", i);

		assert_int_equal(attempt(*state, client, account, NULL), LOGIN_WRONG);
	}
	assert_int_equal(attempt(*state, "2001:db8:1:ff::", "a@x.example", NULL), LOGIN_TOO_MANY);
	assert_int_equal(attempt(*state, "2001:db8:2:ff::", "a@x.example", NULL), LOGIN_WRONG);
}

static void counted_by_account_and_link(void **state)
{
	for (int i = 0; i < MANY; i++) {
		g_autofree char *client = g_strdup_printf("192.0.2.%d", i);

		assert_int_equal(attempt(*state, client, "a@x.example", NULL), LOGIN_WRONG);
	}
	assert_int_equal(attempt(*state, "192.0.2.10", " A@X.example ", NULL), LOGIN_TOO_MANY);
	assert_int_equal(attempt(*state, "192.0.2.10", "a@x.example", "link"), LOGIN_WRONG);
	/* what was refused was not counted at the client either */
	assert_int_equal(attempt(*state, "192.0.2.10", "a@x.example", "link"), LOGIN_WRONG);
	assert_int_equal(attempt(*state, "192.0.2.10", "a@x.example", "link"), LOGIN_TOO_MANY);
}

/* A code from that client, for a message whose code is 123456. */
static LoginResult try_code(Fixture *fixture, const char *client, const char *id, const char *code)
{
	g_autoptr(Secret) link = secret_random(32);
	g_autofree char *body = g_strdup_printf("code=%s", code);
	g_autofree char *hash = token_mac(link, "portal code", "123456", "");
	const VaultMessage message = {.id = (char *)id, .code_hash = hash};
	const Request request = {.client = client};
	Visit visit = {.portal = &fixture->portal, .request = &request};
	LoginResult result = LOGIN_GOOD;

	visit.form = form_parse(body, strlen(body), NULL);
	assert_true(login_check_code(&visit, &message, link, &result, NULL));
	form_free(visit.form);
	return result;
}

/* With wrong passwords by the same link; good ones do not count. */
static void codes_are_counted_by_link(void **state)
{
	for (int i = 0; i < MANY; i++) {
		g_autofree char *client = g_strdup_printf("192.0.2.%d", i);

		assert_int_equal(try_code(*state, client, "link", "123+456"), LOGIN_GOOD);
		if (i % 2 == 0)
			assert_int_equal(try_code(*state, client, "link", "123457"), LOGIN_WRONG);
		else
			assert_int_equal(attempt(*state, client, "a@x.example", "link"),
					 LOGIN_WRONG);
	}
	assert_int_equal(try_code(*state, "192.0.2.10", "link", "123456"), LOGIN_TOO_MANY);
	assert_int_equal(try_code(*state, "192.0.2.10", "other", "123456"), LOGIN_GOOD);
}

/* Who finds no place to have a password checked is told, and it counts nowhere. */
static void no_place_to_hash(void **state)
{
	Fixture *fixture = *state;
	static const char body[] = "password=wrong+and+wrong";
	const Request request = {.client = "192.0.2.1"};
	Visit visit = {.portal = &fixture->portal, .request = &request};
	g_autoptr(GError) error = NULL;
	LoginResult result = LOGIN_GOOD;

	visit.form = form_parse(body, strlen(body), NULL);
	assert_true(gate_enter(fixture->portal.hashing, 0));
	assert_false(login_check(&visit, "a@x.example", NULL, &result, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_BUSY));
	gate_leave(fixture->portal.hashing);
	form_free(visit.form);
	for (int i = 0; i < ATTEMPTS; i++)
		assert_int_equal(attempt(fixture, "192.0.2.1", "a@x.example", NULL), LOGIN_WRONG);
	assert_int_equal(attempt(fixture, "192.0.2.1", "a@x.example", NULL), LOGIN_TOO_MANY);
}

/* Of two changes that began with the same password only one is stored. */
static void changed_meanwhile(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(Secret) old = secret_random(12);
	g_autoptr(Secret) new = secret_random(12);
	g_autoptr(Secret) private_key = NULL;
	g_autoptr(Account) account = NULL;
	g_autoptr(Account) first = NULL;
	g_autoptr(Account) second = NULL;
	g_autoptr(Account) stored = NULL;
	gboolean done = FALSE;

	assert_true(account_new("a@x.example", old, &account, &private_key, NULL));
	assert_true(account_add(fixture->portal.db, account, &done, NULL) && done);
	assert_true(account_rewrap(account, private_key, new, &first, NULL));
	assert_true(account_rewrap(account, private_key, new, &second, NULL));
	assert_true(account_replace(fixture->portal.db, account, first, &done, NULL) && done);
	assert_true(account_replace(fixture->portal.db, account, second, &done, NULL) && !done);
	assert_true(account_find(fixture->portal.db, "a@x.example", &stored, NULL));
	assert_true(g_bytes_equal(stored->wrapped_private, first->wrapped_private));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counted_by_client, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counted_by_large_network, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counted_by_account_and_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(codes_are_counted_by_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_place_to_hash, set_up, tear_down),
		cmocka_unit_test_setup_teardown(changed_meanwhile, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("portal_login", tests, NULL, NULL);
}
