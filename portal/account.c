/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts (see account.h).
 */
#include "portal/account.h"

#include <string.h>

#include "lib/crypt/seal.h"
#include "portal/portaldb.h"

#define DIFFERENT_MIN 5 /* different characters in a password */

#define ACCOUNT_COLUMNS "address, public_key, wrapped_private, created, last_login"

void account_free(Account *account)
{
	if (account == NULL)
		return;
	g_free(account->address);
	g_clear_pointer(&account->public_key, g_bytes_unref);
	g_clear_pointer(&account->wrapped_private, g_bytes_unref);
	g_free(account);
}

static Account *read_row(DbQuery *query)
{
	Account *account = g_new0(Account, 1);

	account->address = g_strdup(db_text(query, 0));
	account->public_key = db_bytes(query, 1);
	account->wrapped_private = db_bytes(query, 2);
	account->created = db_int(query, 3);
	account->last_login = db_int(query, 4);
	return account;
}

gboolean account_find(Db *db, const char *address, Account **account, GError **error)
{
	g_autoptr(DbQuery) query =
		db_query(db, error, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE address = ?",
			 "s", address);
	gboolean there;

	if (!db_row(query, &there, error))
		return FALSE;
	*account = there ? read_row(query) : NULL;
	return TRUE;
}

GPtrArray *account_list(Db *db, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)account_free);
	g_autoptr(GError) failure = NULL;
	g_autoptr(DbQuery) query =
		db_query(db, error,
			 "SELECT " ACCOUNT_COLUMNS ", (SELECT count(*) FROM message"
			 "  WHERE recipient = address AND key_for_account IS NOT NULL)"
			 " FROM account ORDER BY address",
			 "");

	if (query == NULL)
		return NULL;
	while (db_next(query, &failure)) {
		Account *account = read_row(query);

		account->messages = db_int(query, 5);
		g_ptr_array_add(list, account);
	}
	if (failure != NULL) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	return g_steal_pointer(&list);
}

/* "aaaaaaaaaa", "abababababab" and "1234567890" are long, but no passwords. */
static gboolean is_simple(const char *password)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	gboolean series = TRUE;
	gunichar last = 0;

	for (const char *c = password; *c != '\0'; c = g_utf8_next_char(c)) {
		gunichar letter = g_utf8_get_char(c);

		g_hash_table_add(seen, GUINT_TO_POINTER(letter));
		if (c != password && letter != last + 1 && letter + 1 != last &&
		    !(last == '9' && letter == '0'))
			series = FALSE;
		last = letter;
	}
	return series || g_hash_table_size(seen) < DIFFERENT_MIN;
}

static gboolean is_address(const char *password, const char *address)
{
	g_autofree char *folded = g_utf8_casefold(password, -1);
	g_autofree char *own = g_utf8_casefold(address, -1);

	return strstr(own, folded) != NULL || g_str_has_prefix(folded, own);
}

PasswordFault password_check(const char *password, const char *repeated, const char *address)
{
	if (strlen(password) > PASSWORD_MAX)
		return PASSWORD_LONG;
	if (g_utf8_strlen(password, -1) < PASSWORD_MIN)
		return PASSWORD_SHORT;
	if (is_address(password, address))
		return PASSWORD_ADDRESS;
	if (is_simple(password))
		return PASSWORD_SIMPLE;
	return g_str_equal(password, repeated) ? PASSWORD_GOOD : PASSWORD_DIFFERS;
}

gboolean account_new(const char *address, const Secret *password, Account **account,
		     Secret **private_key, GError **error)
{
	SealAccount keys = {0};

	if (!seal_account_new(password, &keys, private_key, error))
		return FALSE;
	*account = g_new0(Account, 1);
	(*account)->address = g_strdup(address);
	(*account)->public_key = keys.public_key;
	(*account)->wrapped_private = keys.wrapped_private;
	(*account)->created = (*account)->last_login = portaldb_now();
	return TRUE;
}

gboolean account_rewrap(const Account *account, const Secret *private_key, const Secret *password,
			Account **rewrapped, GError **error)
{
	GBytes *wrapped = seal_account_wrap(private_key, password, error);

	if (wrapped == NULL)
		return FALSE;
	*rewrapped = g_new0(Account, 1);
	**rewrapped = *account;
	(*rewrapped)->address = g_strdup(account->address);
	(*rewrapped)->public_key = g_bytes_ref(account->public_key);
	(*rewrapped)->wrapped_private = wrapped;
	return TRUE;
}

gboolean account_replace(Db *db, const Account *account, const Account *rewrapped,
			 gboolean *replaced, GError **error)
{
	int changed = 0;

	if (!db_run(db, &changed, error,
		    "UPDATE account SET wrapped_private = ?"
		    " WHERE address = ? AND wrapped_private = ?",
		    "bsb", rewrapped->wrapped_private, account->address, account->wrapped_private))
		return FALSE;
	*replaced = changed == 1;
	return TRUE;
}

gboolean account_add(Db *db, const Account *account, gboolean *added, GError **error)
{
	int changed = 0;

	if (!db_run(db, &changed, error,
		    "INSERT INTO account (" ACCOUNT_COLUMNS ") VALUES (?,?,?,?,?)"
		    " ON CONFLICT (address) DO NOTHING",
		    "sbbii", account->address, account->public_key, account->wrapped_private,
		    account->created, account->last_login))
		return FALSE;
	*added = changed == 1;
	return TRUE;
}

gboolean account_logged_in(Db *db, const char *address, GError **error)
{
	return db_run(db, NULL, error, "UPDATE account SET last_login = ? WHERE address = ?", "is",
		      portaldb_now(), address);
}

gboolean account_expire(Db *db, gint64 before, int *count, GError **error)
{
	return db_run(db, count, error,
		      "DELETE FROM account WHERE last_login < ?"
		      " AND NOT EXISTS (SELECT 1 FROM message WHERE recipient = address)",
		      "i", before);
}

gboolean account_remove(Db *db, const char *address, gboolean *removed, GError **error)
{
	int changed = 0;

	if (!db_begin(db, error))
		return FALSE;
	if (!db_run(db, &changed, error, "DELETE FROM account WHERE address = ?", "s", address) ||
	    !db_run(db, NULL, error,
		    "DELETE FROM message WHERE recipient = ? AND key_for_account IS NOT NULL", "s",
		    address)) {
		db_rollback(db);
		return FALSE;
	}
	if (!db_commit(db, error))
		return FALSE;
	*removed = changed > 0;
	return TRUE;
}
