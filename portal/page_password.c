/* SPDX-License-Identifier: Apache-2.0
 *
 * Another password for who is logged in. The account's key stays the same, under the new password:
 * all messages open as before.
 */
#include "portal/login.h"
#include "portal/page.h"

static Response *show_form(Visit *visit, guint status, const char *problem)
{
	g_autoptr(Values) values = page_values(visit);

	values_set(values, "recipient", session_address(visit->session));
	page_set_new_password(values, "new");
	page_set_alert(values, problem);
	values_take(values, "address-field", template_render("address-fixed.html", values));
	return page_render(visit, status, "password.html", values, "change.title");
}

Response *page_password(Visit *visit, GError **error)
{
	(void)error;
	return show_form(visit, HTTP_OK, NULL);
}

Response *page_password_change(Visit *visit, GError **error)
{
	const char *problem = page_password_problem(visit, "new", session_address(visit->session));
	LoginResult result;
	Response *response;

	if (problem != NULL)
		return show_form(visit, HTTP_OK, problem);
	if (!login_change_password(visit, &result, error))
		return NULL;
	if (result == LOGIN_TOO_MANY) {
		response = show_form(visit, HTTP_TOO_MANY, "link.too-many");
		response_set_note(response, "too many wrong passwords");
	} else if (result == LOGIN_WRONG) {
		response = show_form(visit, HTTP_FORBIDDEN, "change.wrong");
		response_set_note(response, "wrong password");
	} else {
		response = response_new_redirect("/password/changed");
		response_set_note(response, "password changed");
	}
	return response;
}

Response *page_password_changed(Visit *visit, GError **error)
{
	(void)error;
	return page_error(visit, HTTP_OK, "changed");
}
