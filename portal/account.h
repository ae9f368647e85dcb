/* SPDX-License-Identifier: Apache-2.0
 *
 * A recipient's account: an X25519 key pair whose private half only the password opens. There is
 * no way to reset a password: who has only a link, or only the database, gets nothing of what the
 * account holds. An administrator can remove an account with all that is sealed to it; the next
 * message then comes with a link that starts anew.
 */
#ifndef SEALPOST_PORTAL_ACCOUNT_H
#define SEALPOST_PORTAL_ACCOUNT_H

#include "lib/base/db.h"
#include "lib/base/secret.h"

#define PASSWORD_MIN 10 /* characters */
#define PASSWORD_MAX 1024 /* bytes */

typedef struct {
	char *address; /* folded */
	GBytes *public_key;
	GBytes *wrapped_private;
	gint64 created;
	gint64 last_login;
	gint64 messages; /* how many are sealed to it; account_list() only */
} Account;

void account_free(Account *account);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Account, account_free)

/* *account is NULL if there is none: a result, not an error. */
gboolean account_find(Db *db, const char *address, Account **account, GError **error);
/* All, by address: an array of Account *. NULL on error. */
GPtrArray *account_list(Db *db, GError **error);

typedef enum {
	PASSWORD_GOOD,
	PASSWORD_SHORT,
	PASSWORD_LONG,
	PASSWORD_SIMPLE, /* few different characters, or a series of them */
	PASSWORD_ADDRESS, /* made of the address */
	PASSWORD_DIFFERS, /* the second one is not the same */
} PasswordFault;
PasswordFault password_check(const char *password, const char *repeated, const char *address);

/* Makes keys for a password. Slow and hungry on purpose (argon2id): callers limit how many run at
 * once. The account is not stored yet. */
gboolean account_new(const char *address, const Secret *password, Account **account,
		     Secret **private_key, GError **error);
/* The same account with its private key under another password; as slow, not stored yet either. */
gboolean account_rewrap(const Account *account, const Secret *private_key, const Secret *password,
			Account **rewrapped, GError **error);
/* Stores what account_rewrap() made. *replaced is FALSE if the account is not any more as it was. */
gboolean account_replace(Db *db, const Account *account, const Account *rewrapped,
			 gboolean *replaced, GError **error);
/* Stores a new account, in a transaction or on its own. *added is FALSE if somebody was faster. */
gboolean account_add(Db *db, const Account *account, gboolean *added, GError **error);
gboolean account_logged_in(Db *db, const char *address, GError **error);
/* Deletes the accounts that have no message, sealed to them or waiting, and that nobody has logged in
 * to since before. */
gboolean account_expire(Db *db, gint64 before, int *count, GError **error);
/* Deletes the account and the messages that are sealed to it. *removed: was there one? */
gboolean account_remove(Db *db, const char *address, gboolean *removed, GError **error);

#endif
