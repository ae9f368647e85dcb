/* SPDX-License-Identifier: Apache-2.0
 *
 * What is accepted as a password; another one; tokens; sessions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/crypt/seal.h"
#include "portal/account.h"
#include "portal/session.h"
#include "portal/token.h"

static void passwords(void **state)
{
	static const struct {
		const char *password;
		const char *repeated; /* NULL: the same */
		PasswordFault expected;
	} cases[] = {
		{"Pferd Klammer", NULL, PASSWORD_GOOD},
		{"äöüßéèêçñå", NULL, PASSWORD_GOOD},
		{"Pferd Klammer", "Pferd Klammer ", PASSWORD_DIFFERS},
		{"Pferd Klammer", "", PASSWORD_DIFFERS},
		{"", NULL, PASSWORD_SHORT},
		{"123456789", NULL, PASSWORD_SHORT},
		{"äöüßéèêçñ", NULL, PASSWORD_SHORT},
		{"aaaaaaaaaaaa", NULL, PASSWORD_SIMPLE},
		{"abababababab", NULL, PASSWORD_SIMPLE},
		{"1234567890", NULL, PASSWORD_SIMPLE},
		{"abcdefghijkl", NULL, PASSWORD_SIMPLE},
		{"zyxwvutsrqpo", NULL, PASSWORD_SIMPLE},
		{"otto@web.example", NULL, PASSWORD_ADDRESS},
		{"OTTO@Web.Example", NULL, PASSWORD_ADDRESS},
		{"web.example", NULL, PASSWORD_ADDRESS},
		{"otto@web.example1", NULL, PASSWORD_ADDRESS},
	};
	g_autofree char *longest = g_strnfill(PASSWORD_MAX + 1, 'x');

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *again = cases[i].repeated ? cases[i].repeated : cases[i].password;

		if (password_check(cases[i].password, again, "otto@web.example") !=
		    cases[i].expected)
			fail_msg("%s", cases[i].password);
	}
	assert_int_equal(password_check(longest, longest, "otto@web.example"), PASSWORD_LONG);
}

static void tokens(void **state)
{
	g_autofree char *one = token_new();
	g_autofree char *other = token_new();
	g_autofree char *id = token_new_id();
	g_autoptr(Secret) key = secret_random(TOKEN_BYTES);
	g_autofree char *ab_c = token_mac(key, "p", "ab", "c");
	g_autofree char *a_bc = token_mac(key, "p", "a", "bc");
	g_autofree char *again = token_mac(key, "p", "ab", "c");
	g_autofree char *purpose = token_mac(key, "q", "ab", "c");

	(void)state;
	assert_true(token_is_valid(one, TOKEN_LENGTH));
	assert_true(token_is_valid(id, TOKEN_ID_LENGTH));
	assert_false(token_is_valid(id, TOKEN_LENGTH));
	assert_false(token_is_valid(one, TOKEN_ID_LENGTH));
	assert_false(token_is_valid("", TOKEN_LENGTH));
	assert_false(token_is_valid("a=", 2));
	assert_string_not_equal(one, other);
	assert_true(token_equal(ab_c, again));
	assert_false(token_equal(ab_c, a_bc));
	assert_false(token_equal(ab_c, purpose));
	assert_false(token_equal(ab_c, NULL));
	assert_false(token_equal(NULL, NULL));
	assert_false(token_equal(ab_c, "ab"));
}

static Session *start(Sessions *sessions, const char *address, char **token)
{
	const guint8 bytes[SEAL_PUBLIC_SIZE] = {0};
	g_autoptr(GBytes) key = g_bytes_new(bytes, sizeof(bytes));
	Account account = {.address = (char *)address, .public_key = key, .wrapped_private = key};
	Secret *private_key = secret_random(SEAL_KEY_SIZE);
	Session *session = sessions_start(sessions, &account, &private_key, token, NULL);

	assert_non_null(session);
	assert_null(private_key);
	return session;
}

static void sessions_found_and_ended(void **state)
{
	Sessions *sessions = sessions_new(60);
	g_autofree char *token = NULL;
	g_autofree char *stranger = token_new();
	g_autoptr(Session) session = start(sessions, "otto@web.example", &token);
	g_autoptr(Session) found = sessions_find(sessions, token);

	(void)state;
	assert_ptr_equal(found, session);
	assert_string_equal(session_address(found), "otto@web.example");
	assert_null(sessions_find(sessions, stranger));
	assert_null(session_letter(session, 1));
	sessions_end(sessions, stranger);
	sessions_end(sessions, token);
	assert_null(sessions_find(sessions, token));
	sessions_free(sessions);
}

static void sessions_end_by_time(void **state)
{
	Sessions *sessions = sessions_new(0);
	g_autofree char *token = NULL;
	g_autoptr(Session) session = start(sessions, "otto@web.example", &token);

	(void)state;
	assert_null(sessions_find(sessions, token));
	sessions_free(sessions);
}

/* One person's sessions end their own oldest, nobody else's. */
static void sessions_per_account(void **state)
{
	Sessions *sessions = sessions_new(60);
	char *tokens[SESSIONS_PER_ACCOUNT + 1];
	g_autofree char *other = NULL;
	g_autoptr(Session) vera = start(sessions, "vera@web.example", &other);
	guint alive = 0;

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++)
		session_unref(start(sessions, "otto@web.example", &tokens[i]));
	for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++) {
		g_autoptr(Session) found = sessions_find(sessions, tokens[i]);

		alive += found != NULL;
		g_free(tokens[i]);
	}
	assert_int_equal(alive, SESSIONS_PER_ACCOUNT);
	g_autoptr(Session) found = sessions_find(sessions, other);
	assert_non_null(found);
	sessions_free(sessions);
}

/* The same key under another password: what is sealed to it opens as before. */
static void another_password(void **state)
{
	static const char address[] = "otto@web.example";
	g_autoptr(Secret) old = secret_random(12);
	g_autoptr(Secret) new = secret_random(12);
	g_autoptr(Secret) message = secret_random(SEAL_KEY_SIZE);
	g_autoptr(Account) account = NULL;
	g_autoptr(Account) rewrapped = NULL;
	g_autoptr(Secret) private_key = NULL;
	g_autoptr(GBytes) sealed = NULL;
	g_autoptr(Secret) opened = NULL;
	g_autoptr(Secret) key = NULL;
	g_autofree char *token = NULL;
	Sessions *sessions = sessions_new(60);

	(void)state;
	assert_true(account_new(address, old, &account, &private_key, NULL));
	sealed = seal_to_account(message, account->public_key, NULL);
	assert_true(account_rewrap(account, private_key, new, &rewrapped, NULL));
	assert_string_equal(rewrapped->address, address);
	assert_true(g_bytes_equal(rewrapped->public_key, account->public_key));
	assert_null(seal_account_open(rewrapped->wrapped_private, old, NULL));
	opened = seal_account_open(rewrapped->wrapped_private, new, NULL);
	assert_non_null(opened);
	key = seal_open_with_account(sealed, rewrapped->public_key, opened, NULL);
	assert_non_null(key);
	assert_true(secret_equal(key, message));

	g_autoptr(Session) session = sessions_start(sessions, account, &private_key, &token, NULL);
	assert_true(session_is_of(session, account));
	assert_false(session_is_of(session, rewrapped));
	sessions_free(sessions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords),
		cmocka_unit_test(tokens),
		cmocka_unit_test(sessions_found_and_ended),
		cmocka_unit_test(sessions_end_by_time),
		cmocka_unit_test(sessions_per_account),
		cmocka_unit_test(another_password),
	};

	return cmocka_run_group_tests_name("portal_account", tests, NULL, NULL);
}
