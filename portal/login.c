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

static Secret *form_password(const Visit *visit)
{
	const char *password = visit_field(visit, "password");
	gsize size = strlen(password);
	Secret *secret = secret_new(MAX(size, 1)); /* empty: one NUL, which is nobody's password */

	memcpy(secret_data(secret), password, size);
	return secret;
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
	g_autoptr(Secret) password = form_password(visit);
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

/* door: the account, or the link by which it is entered. */
static void attempt_init(Attempt *attempt, const Visit *visit, const char *door)
{
	const Portal *portal = visit->portal;

	crowd_large_network(visit->request->client, attempt->large);
	attempt->counts[0] = (Count){portal->clients, visit->request->client};
	attempt->counts[1] = (Count){portal->accounts, door};
	attempt->counts[2] = (Count){portal->accounts, attempt->large};
	attempt->taken = 0;
}

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

static gboolean check(Visit *visit, const char *address, LoginResult *result, GError **error)
{
	g_autoptr(Account) account = NULL;
	g_autoptr(Secret) private_key = NULL;
	g_autoptr(GError) failure = NULL;
	const Account *tried;

	if (!account_find(visit->portal->db, address, &account, error))
		return FALSE;
	tried = account != NULL ? account : visit->portal->nobody;
	private_key = open_account(visit, tried, &failure);
	if (private_key == NULL || account == NULL) {
		*result = LOGIN_WRONG;
		if (private_key != NULL ||
		    g_error_matches(failure, SEALPOST_ERROR, ERROR_PASSPHRASE))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	*result = LOGIN_GOOD;
	return account_logged_in(visit->portal->db, address, error) &&
	       visit_log_in(visit, account, &private_key, error);
}

gboolean login_check(Visit *visit, const char *address, const char *link, LoginResult *result,
		     GError **error)
{
	g_autofree char *typed = g_strstrip(g_strdup(address)); /* telephones add a blank */
	g_autofree char *folded = address_fold(typed);
	const char *known = folded != NULL ? folded : "";
	const char *door = link != NULL ? link : known; /* no address has the form of an id */
	Attempt attempt;
	gboolean checked;

	attempt_init(&attempt, visit, door);
	if (!take(&attempt)) {
		*result = LOGIN_TOO_MANY;
		return TRUE;
	}
	checked = check(visit, known, result, error);
	if (!checked || *result == LOGIN_GOOD)
		give_back(&attempt);
	return checked;
}

gboolean login_new_account(Visit *visit, const char *address, Account **account,
			   Secret **private_key, GError **error)
{
	g_autoptr(Secret) password = form_password(visit);
	gboolean made;

	if (!enter(visit, error))
		return FALSE;
	made = account_new(address, password, account, private_key, error);
	gate_leave(visit->portal->hashing);
	return made;
}
