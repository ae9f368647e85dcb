/* SPDX-License-Identifier: Apache-2.0
 *
 * One request's context (see visit.h).
 */
#include "portal/visit.h"

#include <string.h>

#include "lib/base/error.h"
#include "portal/hygiene.h"
#include "portal/token.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

/* The one value of our cookie in a Cookie header (RFC 6265, section 5.4); NULL if there is none
 * that is a token, or several. */
static char *cookie_token(const char *header)
{
	g_auto(GStrv) pairs = g_strsplit(header != NULL ? header : "", ";", -1);
	char *found = NULL;

	for (gsize i = 0; pairs[i] != NULL; i++) {
		const char *pair = g_strstrip(pairs[i]);

		if (!g_str_has_prefix(pair, VISIT_COOKIE "="))
			continue;
		if (found != NULL) {
			g_free(found);
			return NULL;
		}
		found = g_strdup(pair + strlen(VISIT_COOKIE "="));
	}
	if (found != NULL && !token_is_valid(found, TOKEN_LENGTH))
		g_clear_pointer(&found, g_free);
	return found;
}

static Language default_language(const Portal *portal)
{
	const char *const *tags = conf_list(portal->conf, "portal", "languages");
	Language language = LANGUAGE_EN;

	if (tags != NULL && tags[0] != NULL)
		language_find(tags[0], &language);
	return language;
}

Visit *visit_new(Portal *portal, const Request *request)
{
	Visit *visit = g_new0(Visit, 1);

	visit->portal = portal;
	visit->request = request;
	visit->language = language_accepted(request->accept_language, default_language(portal));
	visit->token = cookie_token(request->cookie);
	if (visit->token != NULL) {
		visit->session = sessions_find(portal->sessions, visit->token);
	} else {
		visit->token = token_new();
		visit->new_token = TRUE;
	}
	return visit;
}

void visit_free(Visit *visit)
{
	if (visit == NULL)
		return;
	for (gsize i = 0; i < VISIT_ARGUMENTS; i++)
		g_free(visit->arguments[i]);
	g_free(visit->token);
	session_unref(visit->session);
	form_free(visit->form);
	g_free(visit);
}

gboolean visit_check_account(Visit *visit, GError **error)
{
	g_autoptr(Account) account = NULL;

	if (visit->session == NULL)
		return TRUE;
	if (!account_find(visit->portal->db, session_address(visit->session), &account, error))
		return FALSE;
	if (account == NULL || !session_is_of(visit->session, account))
		visit_log_out(visit);
	return TRUE;
}

char *visit_form_token(const Visit *visit)
{
	return token_mac(visit->portal->form_key, "form", visit->token, "");
}

/* A browser says where a form comes from. "null" is what ours say under our Referrer-Policy; the
 * token decides then. */
static gboolean is_from_elsewhere(const Visit *visit)
{
	const Request *request = visit->request;

	if (request->origin != NULL && !g_str_equal(request->origin, "null") &&
	    g_ascii_strcasecmp(request->origin, visit->portal->origin) != 0)
		return TRUE;
	return request->fetch_site != NULL && !g_str_equal(request->fetch_site, "same-origin") &&
	       !g_str_equal(request->fetch_site, "none");
}

gboolean visit_check_form(Visit *visit, GError **error)
{
	const Request *request = visit->request;
	g_autofree char *expected = visit_form_token(visit);

	if (request->content_type == NULL ||
	    g_ascii_strncasecmp(request->content_type, FORM_TYPE, strlen(FORM_TYPE)) != 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED, "not a form");
		return FALSE;
	}
	visit->form = form_parse(request->body, request->body_size, error);
	if (visit->form == NULL)
		return FALSE;
	return !visit->new_token && !is_from_elsewhere(visit) &&
	       token_equal(form_get(visit->form, "csrf"), expected);
}

const char *visit_field(const Visit *visit, const char *name)
{
	const char *value = visit->form != NULL ? form_get(visit->form, name) : NULL;

	return value != NULL ? value : "";
}

gboolean visit_log_in(Visit *visit, const Account *account, Secret **private_key, GError **error)
{
	char *token = NULL;
	Session *session =
		sessions_start(visit->portal->sessions, account, private_key, &token, error);

	if (session == NULL)
		return FALSE;
	visit_log_out(visit);
	g_free(visit->token);
	visit->token = token;
	visit->new_token = TRUE;
	visit->session = session;
	return TRUE;
}

void visit_log_out(Visit *visit)
{
	sessions_end(visit->portal->sessions, visit->token);
	g_clear_pointer(&visit->session, session_unref);
	g_free(visit->token);
	visit->token = token_new();
	visit->new_token = TRUE;
}

gboolean visit_is(const Visit *visit, const char *address)
{
	return visit->session != NULL && g_str_equal(session_address(visit->session), address);
}
