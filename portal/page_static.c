/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that are the same for everybody, compiled in.
 */
#include "portal/page.h"

#include <gio/gio.h>

#include "portal/resources.h"

static Response *resource(const char *path, const char *type)
{
	g_autoptr(GBytes) bytes =
		g_resource_lookup_data(portal_resources_get_resource(), path, 0, NULL);
	Response *response;

	g_assert(bytes != NULL);
	response = response_new_bytes(HTTP_OK, type, bytes);
	response->quiet = TRUE;
	response_set(response, "Cache-Control", "public, max-age=3600");
	return response;
}

Response *page_style(Visit *visit, GError **error)
{
	(void)visit;
	(void)error;
	return resource("/static/style.css", "text/css; charset=utf-8");
}

Response *page_icon(Visit *visit, GError **error)
{
	(void)visit;
	(void)error;
	return resource("/static/icon.svg", "image/svg+xml");
}

Response *page_robots(Visit *visit, GError **error)
{
	(void)visit;
	(void)error;
	return resource("/static/robots.txt", "text/plain; charset=utf-8");
}
