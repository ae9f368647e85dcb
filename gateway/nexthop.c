/* SPDX-License-Identifier: Apache-2.0
 *
 * Postfix's next hop as the milter sees it. See nexthop.h.
 */
#include <string.h>

#include "gateway/nexthop.h"

static gboolean parse_port(const char *text, guint16 *port)
{
	guint64 number;

	if (*text == '\0') {
		*port = 25;
		return TRUE;
	}
	if (strcmp(text, ":smtp") == 0) {
		*port = 25;
		return TRUE;
	}
	if (*text != ':' || !g_ascii_string_to_unsigned(text + 1, 10, 1, 65535, &number, NULL))
		return FALSE;
	*port = (guint16)number;
	return TRUE;
}

static gboolean is_host(const char *host)
{
	if (*host == '\0' || strlen(host) > 255)
		return FALSE;
	for (; *host; host++)
		if (!g_ascii_isalnum(*host) && !strchr(".-_:", *host))
			return FALSE;
	return TRUE;
}

gboolean nexthop_parse(const char *text, NextHop *hop)
{
	gboolean bracketed = *text == '[';
	const char *start = text + (bracketed ? 1 : 0);
	const char *end = strchr(start, bracketed ? ']' : ':');
	const char *rest;
	guint16 port;

	if (bracketed && !end)
		return FALSE;
	if (!end)
		end = start + strlen(start);
	rest = bracketed ? end + 1 : end;
	g_autofree char *host = g_ascii_strdown(start, end - start);
	const char *plain = g_str_has_prefix(host, "ipv6:") ? host + 5 : host;

	if (!parse_port(rest, &port) || !is_host(plain))
		return FALSE;
	hop->host = g_strdup(plain);
	hop->port = port;
	hop->use_mx = !bracketed;
	return TRUE;
}

void nexthop_clear(NextHop *hop)
{
	g_clear_pointer(&hop->host, g_free);
}

gboolean nexthop_matches(const char *certificate_name, const char *host)
{
	g_autofree char *name = g_ascii_strdown(certificate_name, -1);
	gsize name_length = strlen(name), host_length = strlen(host);
	const char *dot = strchr(host, '.');

	if (g_str_equal(name, host))
		return TRUE;
	if (g_str_has_prefix(name, "*.") && dot && g_str_equal(name + 1, dot))
		return TRUE;
	/* dot-nexthop: a name below the domain. */
	return name_length > host_length + 1 && g_str_has_suffix(name, host) &&
	       name[name_length - host_length - 1] == '.';
}
