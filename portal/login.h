/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords, from a visit's form to a session: the one place that limits attempts and hashing.
 * An unknown account takes as long and looks the same as a wrong password.
 */
#ifndef SEALPOST_PORTAL_LOGIN_H
#define SEALPOST_PORTAL_LOGIN_H

#include "portal/vault.h"
#include "portal/visit.h"

typedef enum { LOGIN_GOOD, LOGIN_WRONG, LOGIN_TOO_MANY } LoginResult;

/* Logs the visit in if the form's "password" is the account's. address is in any form. link is
 * the message's id if the visitor came by its link, else NULL: wrong passwords of those who have
 * a link are counted by it, so that who only knows the address cannot lock its owner out for
 * ever. ERROR_BUSY when too many passwords are being checked. */
gboolean login_check(Visit *visit, const char *address, const char *link, LoginResult *result,
		     GError **error);

/* Is the form's "code" the one that came with the message's link? Counted as passwords are. */
gboolean login_check_code(Visit *visit, const VaultMessage *message, const Secret *link,
			  LoginResult *result, GError **error);

/* Who is logged in, with the form's "password", gets "new" for it. All sessions of the account end
 * but this one, which is filed anew. ERROR_BUSY also if the password was changed meanwhile. */
gboolean login_change_password(Visit *visit, LoginResult *result, GError **error);

/* Makes the keys of a new account from the form's "password"; not stored yet. */
gboolean login_new_account(Visit *visit, const char *address, Account **account,
			   Secret **private_key, GError **error);

#endif
