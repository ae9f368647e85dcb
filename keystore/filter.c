/* SPDX-License-Identifier: Apache-2.0
 *
 * Building LDAP filters: see filter.h.
 */
#include "keystore/filter.h"

#include <string.h>

#include "lib/base/error.h"

char *filter_escape(const char *bytes, gsize length)
{
	GString *out = g_string_sized_new(length + 16);

	for (gsize i = 0; i < length; i++) {
		guchar byte = (guchar)bytes[i];
		if (byte && (g_ascii_isalnum(byte) || strchr("@.-_+=", byte)))
			g_string_append_c(out, (char)byte);
		else
			g_string_append_printf(out, "\\%02x", byte);
	}
	return g_string_free(out, FALSE);
}

char *filter_fill(const char *template, const char *value)
{
	g_autofree char *escaped = filter_escape(value, strlen(value));
	g_auto(GStrv) pieces = g_strsplit(template, "%m", -1);

	return g_strjoinv(escaped, pieces);
}

gboolean filter_check(const char *template, GError **error)
{
	int depth = 0, groups = 0;

	for (const char *p = template; *p && depth >= 0; p++) {
		if (*p == '(') {
			depth++;
			groups++;
		} else if (*p == ')') {
			depth--;
		}
	}
	if (depth == 0 && groups > 0 && strstr(template, "%m"))
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
		    "\"%s\" is no filter in brackets with %%m for the address", template);
	return FALSE;
}
