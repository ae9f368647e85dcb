/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in and out.
 */
#include "portal/login.h"
#include "portal/page.h"

static Response *show_form(Visit *visit, guint status, const char *problem)
{
	g_autoptr(Values) values = page_values(visit);

	values_set(values, "address", visit_field(visit, "address"));
	page_set_alert(values, problem);
	values_take(values, "address-field", template_render("address-field.html", values));
	values_take(values, "intro", template_text(values, "login.intro"));
	return page_render(visit, status, "login.html", values, "login.title");
}

Response *page_login(Visit *visit, GError **error)
{
	(void)error;
	if (visit->session != NULL)
		return response_new_redirect("/");
	return show_form(visit, HTTP_OK, NULL);
}

Response *page_login_check(Visit *visit, GError **error)
{
	LoginResult result;
	Response *response;

	if (!login_check(visit, visit_field(visit, "address"), NULL, &result, error))
		return NULL;
	if (result == LOGIN_GOOD)
		return response_new_redirect("/");
	if (result == LOGIN_TOO_MANY) {
		response = show_form(visit, HTTP_TOO_MANY, "login.too-many");
		response_set_note(response, "too many wrong passwords");
		return response;
	}
	response = show_form(visit, HTTP_FORBIDDEN, "login.wrong");
	response_set_note(response, "wrong password");
	return response;
}

Response *page_logout(Visit *visit, GError **error)
{
	(void)error;
	visit_log_out(visit);
	return response_new_redirect("/logout");
}

Response *page_logged_out(Visit *visit, GError **error)
{
	(void)error;
	if (visit->session != NULL)
		return response_new_redirect("/");
	return page_error(visit, HTTP_OK, "logged-out");
}
