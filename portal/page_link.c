/* SPDX-License-Identifier: Apache-2.0
 *
 * What a notice's link leads to. Mail scanners open links, and some fill in and submit what they
 * find: GET changes nothing and shows nothing of the message (but the audit trail has the first
 * one), and a POST does nothing without a password. The first link to an address makes its account,
 * with the code that stands in the notice beside the link: a person copies it, a scanner that makes
 * up a password would take the account away from its owner. A later link can only add its own
 * message to that account, after its password: it never opens an older one.
 */
#include "portal/page.h"

#include "lib/base/error.h"
#include "lib/crypt/seal.h"
#include "portal/format.h"
#include "portal/login.h"
#include "portal/portaldb.h"
#include "portal/token.h"

/* What a link stands for. */
typedef struct {
	VaultMessage *message; /* NULL: the link is not (or no longer) good */
	Secret *secret; /* NULL for a link that carries none */
	Account *account; /* the recipient's; NULL if there is none yet */
} Link;

static void link_clear(Link *link)
{
	vault_message_free(link->message);
	secret_free(link->secret);
	account_free(link->account);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Link, link_clear)

static gboolean find_message(Visit *visit, Link *link, GError **error)
{
	const char *text = visit->arguments[0];
	g_autofree char *hash = NULL;

	if (token_is_valid(text, TOKEN_ID_LENGTH))
		return vault_find_id(visit->portal->db, text, &link->message, error);
	link->secret = token_is_valid(text, TOKEN_LENGTH) ? seal_link_parse(text) : NULL;
	if (link->secret == NULL)
		return TRUE;
	hash = seal_link_hash(link->secret);
	return vault_find_link(visit->portal->db, hash, &link->message, error);
}

static gboolean find_link(Visit *visit, Link *link, GError **error)
{
	if (!find_message(visit, link, error))
		return FALSE;
	if (link->message == NULL)
		return TRUE;
	if (link->message->expires <= portaldb_now() ||
	    (link->message->key_for_account == NULL &&
	     (link->secret == NULL || link->message->key_for_link == NULL))) {
		g_clear_pointer(&link->message, vault_message_free);
		return TRUE;
	}
	return account_find(visit->portal->db, link->message->recipient, &link->account, error);
}

static Response *show_form(Visit *visit, const Link *link, guint status, const char *problem)
{
	g_autoptr(Values) values = page_values(visit);
	const char *template = "login.html";
	const char *title = "login.title";

	values_set(values, "recipient", link->message->recipient);
	values_take(values, "expires", format_date(values, link->message->expires));
	page_set_new_password(values, "password");
	page_set_alert(values, problem);
	if (link->message->code_hash != NULL) {
		values_set(values, "code", visit_field(visit, "code"));
		values_take(values, "code-field", template_render("code-field.html", values));
	}
	values_take(values, "address-field", template_render("address-fixed.html", values));
	values_take(values, "intro", template_text(values, "link.login"));
	if (visit_is(visit, link->message->recipient)) {
		template = "link-open.html";
		title = "link.title";
	} else if (link->account == NULL) {
		template = "link-new.html";
		title = "link.title";
	}
	return page_render(visit, status, template, values, title);
}

static Response *to_message(const Link *link)
{
	g_autofree char *path = g_strdup_printf("/message/%s", link->message->id);

	return response_new_redirect(path);
}

Response *page_link(Visit *visit, GError **error)
{
	g_auto(Link) link = {0};
	Response *response;

	if (!find_link(visit, &link, error))
		return NULL;
	if (link.message == NULL)
		return page_error(visit, HTTP_NOT_FOUND, "link-unknown");
	if (link.message->key_for_account != NULL && visit_is(visit, link.message->recipient))
		return to_message(&link);
	/* what cannot be written now is in the log; this page shows nothing that is worth an error */
	vault_first_event(visit->portal->db, link.message->number, "opened", NULL);
	response = show_form(visit, &link, HTTP_OK, NULL);
	response_set_note(response, "message %" G_GINT64_FORMAT ": link opened",
			  link.message->number);
	return response;
}

/* Is the account still there, with the key that was found before? Somebody may have removed it. */
static gboolean account_is(Db *db, const Account *account, gboolean *same, GError **error)
{
	g_autoptr(Account) found = NULL;

	if (!account_find(db, account->address, &found, error))
		return FALSE;
	*same = found != NULL && g_bytes_equal(found->public_key, account->public_key);
	return TRUE;
}

/* What claim() writes, in its transaction. */
static gboolean write_claim(Db *db, const Link *link, const Account *account, gboolean new_account,
			    GError **error)
{
	g_autoptr(Secret) key =
		seal_open_with_link(link->message->key_for_link, link->secret, error);
	g_autoptr(GBytes) sealed = NULL;
	gboolean good = FALSE;

	if (key == NULL ||
	    !(new_account ? account_add(db, account, &good, error)
			  : account_is(db, account, &good, error)) ||
	    !good)
		return FALSE;
	sealed = seal_to_account(key, account->public_key, error);
	return sealed != NULL && vault_claim(db, link->message->number, sealed, error) &&
	       vault_event(db, link->message->number, "claimed", error);
}

/* Puts the account's key in the place of the link's; a new account is stored along with it. FALSE
 * without error: the account came or went meanwhile. */
static gboolean claim(Visit *visit, const Link *link, const Account *account, gboolean new_account,
		      GError **error)
{
	Db *db = visit->portal->db;

	if (!db_begin(db, error))
		return FALSE;
	if (write_claim(db, link, account, new_account, error))
		return db_commit(db, error);
	db_rollback(db);
	return FALSE;
}

/* *response is set if a code is asked for, and the form's is not the one. */
static gboolean check_code(Visit *visit, const Link *link, Response **response, GError **error)
{
	LoginResult result = LOGIN_GOOD;

	if (link->message->code_hash == NULL)
		return TRUE;
	if (!login_check_code(visit, link->message, link->secret, &result, error))
		return FALSE;
	if (result == LOGIN_WRONG) {
		*response = show_form(visit, link, HTTP_FORBIDDEN, "link.code-wrong");
		response_set_note(*response, "wrong code");
	} else if (result == LOGIN_TOO_MANY) {
		*response = show_form(visit, link, HTTP_TOO_MANY, "link.too-many");
		response_set_note(*response, "too many wrong codes or passwords");
	}
	return TRUE;
}

static Response *first_visit(Visit *visit, const Link *link, GError **error)
{
	const char *problem = page_password_problem(visit, "password", link->message->recipient);
	g_autoptr(Account) account = NULL;
	g_autoptr(Secret) private_key = NULL;
	Response *response = NULL;

	if (problem != NULL)
		return show_form(visit, link, HTTP_OK, problem);
	if (!check_code(visit, link, &response, error) || response != NULL)
		return response;
	if (!login_new_account(visit, link->message->recipient, &account, &private_key, error) ||
	    !claim(visit, link, account, TRUE, error) ||
	    !visit_log_in(visit, account, &private_key, error))
		return NULL;
	response = to_message(link);
	response_set_note(response, "message %" G_GINT64_FORMAT ": account made, claimed",
			  link->message->number);
	return response;
}

/* *response is set if the visitor is not let in. */
static gboolean let_in(Visit *visit, const Link *link, Response **response, GError **error)
{
	LoginResult result = LOGIN_GOOD;

	if (visit_is(visit, link->message->recipient))
		return TRUE;
	if (!login_check(visit, link->message->recipient, link->message->id, &result, error))
		return FALSE;
	if (result == LOGIN_WRONG) {
		*response = show_form(visit, link, HTTP_FORBIDDEN, "link.wrong");
		response_set_note(*response, "wrong password");
	} else if (result == LOGIN_TOO_MANY) {
		*response = show_form(visit, link, HTTP_TOO_MANY, "link.too-many");
		response_set_note(*response, "too many wrong passwords");
	}
	return TRUE;
}

/* NULL without error: the account came or went meanwhile. */
static Response *open_link(Visit *visit, GError **error)
{
	g_auto(Link) link = {0};
	Response *response = NULL;

	if (!find_link(visit, &link, error))
		return NULL;
	if (link.message == NULL)
		return page_error(visit, HTTP_NOT_FOUND, "link-unknown");
	if (link.message->key_for_account == NULL && link.account == NULL)
		return first_visit(visit, &link, error);
	if (!let_in(visit, &link, &response, error))
		return NULL;
	if (response != NULL)
		return response;
	if (link.message->key_for_account == NULL &&
	    !claim(visit, &link, link.account, FALSE, error))
		return NULL;
	response = to_message(&link);
	response_set_note(response, "message %" G_GINT64_FORMAT ": claimed", link.message->number);
	return response;
}

/* Who clicks twice sends the form twice: the second one finds the account that the first one made,
 * and its password is right. */
Response *page_link_open(Visit *visit, GError **error)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		g_autoptr(GError) failure = NULL;
		Response *response = open_link(visit, &failure);

		if (response != NULL)
			return response;
		if (failure != NULL) {
			g_propagate_error(error, g_steal_pointer(&failure));
			return NULL;
		}
	}
	g_set_error(error, SEALPOST_ERROR, ERROR_BUSY, "the account came and went meanwhile");
	return NULL;
}
