/* SPDX-License-Identifier: Apache-2.0
 *
 * What the pages share (see page.h).
 */
#include "portal/page.h"

#include "lib/base/error.h"
#include "lib/crypt/seal.h"
#include "portal/portaldb.h"

#define HTML_TYPE "text/html; charset=utf-8"

Values *page_values(const Visit *visit)
{
	Values *values = values_new(visit->portal->texts, visit->language);

	values_set(values, "organisation", visit->portal->organisation);
	values_take(values, "csrf", visit_form_token(visit));
	values_set(values, "action", visit->request->path);
	values_take(values, "minimum", g_strdup_printf("%d", PASSWORD_MIN));
	values_set(values, "user", visit->session != NULL ? session_address(visit->session) : "");
	return values;
}

/* The links that the law wants, to pages of the company's; "" if none is set. */
static char *render_legal(const Visit *visit, const Values *page)
{
	static const char *const keys[] = {"imprint", "privacy"};
	g_autoptr(GString) links = g_string_new(NULL);
	g_autoptr(Values) values = values_new_like(page);

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		const char *link = conf_string(visit->portal->conf, "portal", keys[i]);
		g_autofree char *key = g_strconcat("layout.", keys[i], NULL);
		g_autofree char *html = NULL;

		if (link == NULL)
			continue;
		values_set(values, "link", link);
		values_take(values, "text", template_text(values, key));
		html = template_render("legal-link.html", values);
		g_string_append(links, html);
	}
	if (links->len == 0)
		return g_strdup("");
	values_set(values, "links", links->str);
	return template_render("legal.html", values);
}

Response *page_render(const Visit *visit, guint status, const char *template, Values *values,
		      const char *title)
{
	Response *response;

	/* the visit may have logged in or out since */
	values_take(values, "csrf", visit_form_token(visit));
	values_take(values, "content", template_render(template, values));
	values_take(values, "title", template_text(values, title));
	values_take(values, "navigation",
		    visit->session != NULL ? template_render("navigation.html", values)
					   : g_strdup(""));
	values_take(values, "legal", render_legal(visit, values));
	response = response_new_text(status, HTML_TYPE, template_render("layout.html", values));
	response_set(response, "Content-Language", language_code(visit->language));
	response_set(response, "Vary", "Accept-Language, Cookie");
	return response;
}

Response *page_error(const Visit *visit, guint status, const char *key)
{
	g_autoptr(Values) values = page_values(visit);
	g_autofree char *title = g_strconcat(key, ".title", NULL);
	g_autofree char *text = g_strconcat(key, ".text", NULL);
	g_autofree char *again = g_strconcat(key, ".again", NULL);
	g_autofree char *link = template_text(values, again);

	values_take(values, "problem-title", template_text(values, title));
	values_take(values, "problem-text", template_text(values, text));
	values_set(values, "link", link);
	if (*link != '\0')
		values_take(values, "again", template_render("error-again.html", values));
	values_take(values, "start",
		    template_text(values, visit->session != NULL ? "error.list" : "error.login"));
	return page_render(visit, status, "error.html", values, title);
}

const char *page_password_problem(const Visit *visit, const char *field, const char *address)
{
	switch (password_check(visit_field(visit, field), visit_field(visit, "repeated"),
			       address)) {
	case PASSWORD_GOOD: return NULL;
	case PASSWORD_SHORT: return "password.short";
	case PASSWORD_LONG: return "password.long";
	case PASSWORD_SIMPLE: return "password.simple";
	case PASSWORD_ADDRESS: return "password.address";
	case PASSWORD_DIFFERS: return "password.differs";
	}
	return "password.short";
}

void page_set_new_password(Values *values, const char *field)
{
	values_set(values, "field", field);
	values_take(values, "new-password", template_render("new-password.html", values));
}

void page_set_alert(Values *values, const char *problem)
{
	if (problem == NULL)
		return;
	values_take(values, "problem", template_text(values, problem));
	values_take(values, "alert", template_render("alert.html", values));
}

/* An opened message's place in Portal.letters. */
typedef struct {
	Crowd *crowd;
	char *address;
} Place;

static void leave(gpointer data)
{
	Place *place = data;

	crowd_leave(place->crowd, place->address);
	g_free(place->address);
	g_free(place);
}

static Letter *unseal(Visit *visit, const VaultMessage *message, GError **error)
{
	g_autoptr(Secret) key =
		seal_open_with_account(message->key_for_account, session_public_key(visit->session),
				       session_private_key(visit->session), error);
	Crowd *crowd = visit->portal->letters;
	const char *address = session_address(visit->session);
	Place *place;
	Letter *letter;

	if (key == NULL)
		return NULL;
	if (!crowd_enter(crowd, address)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_BUSY,
			    "one account has too many messages open");
		return NULL;
	}
	place = g_new(Place, 1);
	*place = (Place){crowd, g_strdup(address)};
	letter = letter_open(visit->portal->db, message, key, visit->portal->spool_folder, error);
	if (letter != NULL)
		letter_at_end(letter, leave, place);
	else
		leave(place);
	return letter;
}

/* The first time that it is shown goes to the audit trail. */
static Letter *open_letter(Visit *visit, const VaultMessage *message, GError **error)
{
	g_autoptr(Letter) letter = unseal(visit, message, error);

	if (letter == NULL)
		return NULL;
	if (message->state != VAULT_READ &&
	    !vault_event(visit->portal->db, message->number, "revealed", error))
		return NULL;
	session_keep_letter(visit->session, letter);
	return g_steal_pointer(&letter);
}

Letter *page_letter(Visit *visit, const char *id, GError **error)
{
	g_autoptr(VaultMessage) message = NULL;
	Letter *letter;

	if (!vault_find_id(visit->portal->db, id, &message, error) || message == NULL ||
	    !visit_is(visit, message->recipient) || message->key_for_account == NULL ||
	    message->expires <= portaldb_now())
		return NULL;
	letter = session_letter(visit->session, message->number);
	return letter != NULL ? letter : open_letter(visit, message, error);
}
