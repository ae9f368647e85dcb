/* SPDX-License-Identifier: Apache-2.0
 *
 * Checking passwords (see login.h).
 */
#include "portal/login.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/seal.h"
#include "lib/mail/address.h"
#include "portal/portaldb.h"

/* How long a visitor waits for a place to have a password hashed. */
#define HASHING_WAIT (8 * G_USEC_PER_SEC)

/* As one device composes a letter, another does not: the same password in either (RFC 8265, section
 * 4.2.2). */
static Secret *form_password(const Visit *visit, const char *field)
{
	g_autofree char *password =
		g_utf8_normalize(visit_field(visit, field), -1, G_NORMALIZE_NFC);

	/* empty: one NUL, which is nobody's password */
	return secret_take(password, MAX(strlen(password), 1));
}

static gboolean enter(Visit *visit, GError **error)
{
	if (gate_enter(visit->portal->hashing, g_get_monotonic_time() + HASHING_WAIT))
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_BUSY, "too many passwords at the same time");
	return FALSE;
}

/* The account's private key; NULL with ERROR_PASSPHRASE if the password is wrong. */
static Secret *open_account(Visit *visit, const Account *account, GError **error)
{
	g_autoptr(Secret) password = form_password(visit, "password");
	Secret *private_key;

	if (!enter(visit, error))
		return NULL;
	private_key = seal_account_open(account->wrapped_private, password, error);
	gate_leave(visit->portal->hashing);
	return private_key;
}

/* Where an attempt is counted. */
typedef struct {
	Limiter *limiter;
	const char *key;
} Count;

typedef struct {
	char large[CROWD_NETWORK_SIZE];
	Count counts[3];
	gsize taken;
} Attempt;

static void give_back(Attempt *attempt)
{
	while (attempt->taken > 0) {
		const Count *count = &attempt->counts[--attempt->taken];

		limiter_give_back(count->limiter, count->key);
	}
}

/* Everywhere, or nowhere. */
static gboolean take(Attempt *attempt)
{
	gint64 now = g_get_monotonic_time() / G_USEC_PER_SEC;
	gsize all = *attempt->large != '\0' ? 3 : 2;

	for (; attempt->taken < all; attempt->taken++) {
		const Count *count = &attempt->counts[attempt->taken];

		if (limiter_take(count->limiter, count->key, now))
			continue;
		give_back(attempt);
		return FALSE;
	}
	return TRUE;
}

typedef struct Try Try;

/* One that is counted. */
struct Try {
	const char *door; /* where it is counted beside the client */
	gboolean (*check)(Visit *visit, const Try *what, LoginResult *result, GError **error);
	const char *address; /* folded; of passwords */
	const VaultMessage *message; /* of codes */
	const Secret *link;
};

static gboolean run(Visit *visit, const Try *what, LoginResult *result, GError **error)
{
	const Portal *portal = visit->portal;
	Attempt attempt = {.counts = {{portal->clients, visit->request->client},
				      {portal->accounts, what->door},
				      {portal->accounts, attempt.large}}};
	gboolean checked;

	crowd_large_network(visit->request->client, attempt.large);
	if (!take(&attempt)) {
		*result = LOGIN_TOO_MANY;
		return TRUE;
	}
	checked = what->check(visit, what, result, error);
	if (!checked || *result == LOGIN_GOOD)
		give_back(&attempt);
	return checked;
}

/* Both are NULL if the password is wrong: a result, not an error. */
static gboolean open_by_password(Visit *visit, const char *address, Account **account,
				 Secret **private_key, GError **error)
{
	g_autoptr(Account) found = NULL;
	g_autoptr(Secret) opened = NULL;
	g_autoptr(GError) failure = NULL;

	if (!account_find(visit->portal->db, address, &found, error))
		return FALSE;
	opened = open_account(visit, found != NULL ? found : visit->portal->nobody, &failure);
	if (opened == NULL && !g_error_matches(failure, SEALPOST_ERROR, ERROR_PASSPHRASE)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (opened == NULL || found == NULL)
		return TRUE;
	*account = g_steal_pointer(&found);
	*private_key = g_steal_pointer(&opened);
	return TRUE;
}

static gboolean log_in(Visit *visit, const Try *what, LoginResult *result, GError **error)
{
	g_autoptr(Account) account = NULL;
	g_autoptr(Secret) private_key = NULL;

	if (!open_by_password(visit, what->address, &account, &private_key, error))
		return FALSE;
	*result = account != NULL ? LOGIN_GOOD : LOGIN_WRONG;
	return account == NULL || (account_logged_in(visit->portal->db, what->address, error) &&
				   visit_log_in(visit, account, &private_key, error));
}

gboolean login_check(Visit *visit, const char *address, const char *link, LoginResult *result,
		     GError **error)
{
	g_autofree char *typed = g_strstrip(g_strdup(address)); /* telephones add a blank */
	g_autofree char *folded = address_fold(typed);
	const char *known = folded != NULL ? folded : "";
	/* no address has the form of an id */
	const Try try = {.door = link != NULL ? link : known, .check = log_in, .address = known};

	return run(visit, &try, result, error);
}

/* The account's key under the form's new password, as it is stored now. NULL on error. */
static Account *rewrap(Visit *visit, const Account *account, const Secret *private_key,
		       GError **error)
{
	g_autoptr(Secret) password = form_password(visit, "new");
	g_autoptr(Account) rewrapped = NULL;
	gboolean replaced = FALSE;

	if (!enter(visit, error))
		return NULL;
	account_rewrap(account, private_key, password, &rewrapped, error);
	gate_leave(visit->portal->hashing);
	if (rewrapped == NULL ||
	    !account_replace(visit->portal->db, account, rewrapped, &replaced, error))
		return NULL;
	if (replaced)
		return g_steal_pointer(&rewrapped);
	g_set_error(error, SEALPOST_ERROR, ERROR_BUSY, "the password was changed meanwhile");
	return NULL;
}

static gboolean change(Visit *visit, const Try *what, LoginResult *result, GError **error)
{
	g_autoptr(Account) account = NULL;
	g_autoptr(Account) rewrapped = NULL;
	g_autoptr(Secret) private_key = NULL;

	if (!open_by_password(visit, what->address, &account, &private_key, error))
		return FALSE;
	*result = account != NULL ? LOGIN_GOOD : LOGIN_WRONG;
	if (account == NULL)
		return TRUE;
	rewrapped = rewrap(visit, account, private_key, error);
	return rewrapped != NULL && visit_log_in(visit, rewrapped, &private_key, error);
}

gboolean login_change_password(Visit *visit, LoginResult *result, GError **error)
{
	g_autofree char *address = g_strdup(session_address(visit->session));
	/* its own count: wrong log-ins of strangers do not keep its owner from it */
	g_autofree char *door = g_strconcat("change ", address, NULL);
	const Try try = {.door = door, .check = change, .address = address};

	return run(visit, &try, result, error);
}

static gboolean check_code(Visit *visit, const Try *what, LoginResult *result, GError **error)
{
	(void)error;
	*result = vault_code_is(what->message, what->link, visit_field(visit, "code"))
			  ? LOGIN_GOOD
			  : LOGIN_WRONG;
	return TRUE;
}

gboolean login_check_code(Visit *visit, const VaultMessage *message, const Secret *link,
			  LoginResult *result, GError **error)
{
	const Try try = {
		.door = message->id, .check = check_code, .message = message, .link = link};

	return run(visit, &try, result, error);
}

gboolean login_new_account(Visit *visit, const char *address, Account **account,
			   Secret **private_key, GError **error)
{
	g_autoptr(Secret) password = form_password(visit, "password");
	gboolean made;

	if (!enter(visit, error))
		return FALSE;
	made = account_new(address, password, account, private_key, error);
	gate_leave(visit->portal->hashing);
	return made;
}
