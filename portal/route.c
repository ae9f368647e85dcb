/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of routes and the way through it (see route.h).
 */
#include "portal/route.h"

#include <string.h>

#include "lib/base/error.h"
#include "portal/page.h"

#define PAGE_POLICY                                                                                \
	"default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; "                 \
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

typedef enum {
	NEEDS_NOTHING,
	NEEDS_SESSION, /* whoever is not logged in is led to the log-in */
	NEEDS_NO_STORE, /* no account is looked up: it works while the store fails */
	IS_STATIC, /* no cookie */
} RouteNeeds;

typedef struct {
	Method method;
	const char *pattern; /* segments; '*' stands for one */
	const char *name; /* for the log */
	Page page;
	RouteNeeds needs;
} Route;

static const Route routes[] = {
	{METHOD_GET, "/", "list", page_list, NEEDS_SESSION},
	{METHOD_GET, "/older/*", "list", page_list, NEEDS_SESSION},
	{METHOD_GET, "/m/*", "link", page_link, NEEDS_NOTHING},
	{METHOD_POST, "/m/*", "link-open", page_link_open, NEEDS_NOTHING},
	{METHOD_GET, "/login", "login", page_login, NEEDS_NOTHING},
	{METHOD_POST, "/login", "login-check", page_login_check, NEEDS_NOTHING},
	{METHOD_POST, "/logout", "logout", page_logout, NEEDS_NO_STORE},
	{METHOD_GET, "/logout", "logged-out", page_logged_out, NEEDS_NOTHING},
	{METHOD_GET, "/password", "password", page_password, NEEDS_SESSION},
	{METHOD_POST, "/password", "password-change", page_password_change, NEEDS_SESSION},
	{METHOD_GET, "/password/changed", "password-changed", page_password_changed, NEEDS_SESSION},
	{METHOD_GET, "/message/*", "message", page_message, NEEDS_SESSION},
	{METHOD_GET, "/message/*/html/*", "message-html", page_message_html, NEEDS_SESSION},
	{METHOD_GET, "/message/*/part/*", "download", page_download, NEEDS_SESSION},
	{METHOD_GET, "/message/*/mail", "download-whole", page_download_whole, NEEDS_SESSION},
	{METHOD_GET, "/static/style.css", "style", page_style, IS_STATIC},
	{METHOD_GET, "/static/icon.svg", "icon", page_icon, IS_STATIC},
	{METHOD_GET, "/robots.txt", "robots", page_robots, IS_STATIC},
};

/* Does path meet the pattern? What stands for the '*'s goes to arguments (new strings). */
static gboolean matches(const char *pattern, const char *path, char **arguments)
{
	g_auto(GStrv) wanted = g_strsplit(pattern, "/", -1);
	g_auto(GStrv) found = g_strsplit(path, "/", -1);
	guint count = 0;

	if (g_strv_length(wanted) != g_strv_length(found))
		return FALSE;
	for (guint i = 0; wanted[i] != NULL; i++)
		if (!g_str_equal(wanted[i], found[i]) &&
		    (!g_str_equal(wanted[i], "*") || *found[i] == '\0'))
			return FALSE;
	for (guint i = 0; wanted[i] != NULL && count < VISIT_ARGUMENTS; i++)
		if (g_str_equal(wanted[i], "*"))
			arguments[count++] = g_strdup(found[i]);
	return TRUE;
}

/* NULL: no such path, or (*other_method set) not by this method. */
static const Route *find_route(const Request *request, char **arguments, gboolean *other_method)
{
	for (gsize i = 0; i < G_N_ELEMENTS(routes); i++) {
		char *found[VISIT_ARGUMENTS] = {NULL};

		if (!matches(routes[i].pattern, request->path, found))
			continue;
		if (routes[i].method == request->method) {
			memcpy(arguments, found, sizeof(found));
			return &routes[i];
		}
		*other_method = TRUE;
		for (gsize j = 0; j < VISIT_ARGUMENTS; j++)
			g_free(found[j]);
	}
	return NULL;
}

/* The host by which links reach us, and no other: what a page says of itself must be true. */
static gboolean is_our_host(const Portal *portal, const char *host)
{
	g_autofree char *with_port = NULL;

	if (host == NULL)
		return FALSE;
	if (g_ascii_strcasecmp(host, portal->host) == 0)
		return TRUE;
	with_port = g_strconcat(host, ":443", NULL);
	return g_ascii_strcasecmp(with_port, portal->host) == 0;
}

static Response *serve_page(Visit *visit, const Route *route, GError **error)
{
	g_autoptr(GError) failure = NULL;

	if (route->needs < NEEDS_NO_STORE && !visit_check_account(visit, error))
		return NULL;
	if (route->method == METHOD_POST && !visit_check_form(visit, &failure)) {
		if (failure != NULL)
			return page_error(visit, HTTP_BAD_REQUEST, "bad-request");
		return page_error(visit, HTTP_FORBIDDEN, "form-stale");
	}
	if (route->needs == NEEDS_SESSION && visit->session == NULL)
		return response_new_redirect("/login");
	return route->page(visit, error);
}

static Response *serve(Visit *visit, const Route *route, GError **failure)
{
	g_autoptr(GError) error = NULL;
	Response *response = serve_page(visit, route, &error);

	if (response != NULL)
		return response;
	/* what the gateway stores may hold the store for longer than we wait */
	if (g_error_matches(error, SEALPOST_ERROR, ERROR_BUSY) ||
	    g_error_matches(error, SEALPOST_ERROR, ERROR_STORE))
		response = page_error(visit, HTTP_UNAVAILABLE, "busy");
	else if (g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO))
		response = page_error(visit, HTTP_INTERNAL, "damaged");
	else
		response = page_error(visit, HTTP_INTERNAL, "failure");
	g_propagate_error(failure, g_steal_pointer(&error));
	return response;
}

static void set_default(Response *response, const char *name, const char *value)
{
	if (response_get(response, name) == NULL)
		response_set(response, name, value);
}

static void set_common(Response *response)
{
	set_default(response, "Content-Security-Policy", PAGE_POLICY);
	set_default(response, "X-Frame-Options", "DENY");
	set_default(response, "Cache-Control", "no-store");
	response_set(response, "Strict-Transport-Security", "max-age=31536000");
	response_set(response, "X-Content-Type-Options", "nosniff");
	response_set(response, "Referrer-Policy", "no-referrer");
	response_set(response, "Cross-Origin-Opener-Policy", "same-origin");
	response_set(response, "Cross-Origin-Resource-Policy", "same-origin");
	response_set(response, "Permissions-Policy",
		     "camera=(), microphone=(), geolocation=(), payment=(), usb=()");
	response_set(response, "X-Robots-Tag", "noindex, nofollow");
}

static void set_cookie(Response *response, const Visit *visit)
{
	g_autofree char *cookie = g_strdup_printf(
		VISIT_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Lax", visit->token);

	response_set(response, "Set-Cookie", cookie);
}

Response *route_refuse(guint status)
{
	Response *response = response_new_text(status, "text/plain; charset=utf-8",
					       g_strdup_printf("%u\n", status));

	set_common(response);
	return response;
}

/* Who typed another name of ours, or a number, learns the right one. */
static Response *misdirected(const Portal *portal)
{
	Response *response = response_new_text(HTTP_MISDIRECTED, "text/plain; charset=utf-8",
					       g_strdup_printf("%s\n", portal->origin));

	set_common(response);
	return response;
}

Response *route_serve(Portal *portal, const Request *request, GError **failure)
{
	g_autoptr(Visit) visit = NULL;
	const Route *route;
	gboolean other_method = FALSE;
	Response *response;

	if (!is_our_host(portal, request->host))
		return misdirected(portal);
	visit = visit_new(portal, request);
	route = find_route(request, visit->arguments, &other_method);
	if (route != NULL)
		response = serve(visit, route, failure);
	else if (other_method)
		response = page_error(visit, HTTP_METHOD_NOT_ALLOWED, "bad-request");
	else
		response = page_error(visit, HTTP_NOT_FOUND, "unknown-page");
	response->route = route != NULL ? route->name : NULL;
	set_common(response);
	if (visit->new_token && (route == NULL || route->needs != IS_STATIC))
		set_cookie(response, visit);
	return response;
}
