/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose Authentication-Results is it? See authserv.h.
 */
#include "lib/mail/address.h"

#include "gateway/authserv.h"

/* Skips blanks and comments (RFC 5322, CFWS), nested ones too. */
static const char *skip_comments(const char *text)
{
	int depth = 0;

	for (; *text; text++) {
		if (*text == '\\' && depth > 0 && text[1])
			text++;
		else if (*text == '(')
			depth++;
		else if (*text == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !g_ascii_isspace(*text))
			break;
	}
	return text;
}

/* A token or a quoted string (RFC 8601, section 2.2; RFC 2045, section 5.1). New string. */
static char *read_id(const char *value)
{
	const char *p = skip_comments(value);
	GString *id = g_string_new(NULL);

	if (*p != '"') {
		for (; *p && !g_ascii_isspace(*p) && *p != ';' && *p != '('; p++)
			g_string_append_c(id, *p);
		return g_string_free(id, FALSE);
	}
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		if (!g_ascii_isspace(*p)) /* a fold within */
			g_string_append_c(id, *p);
	}
	return g_string_free(id, FALSE);
}

gboolean authserv_claims(const char *value, const char *authserv_id)
{
	g_autofree char *id = read_id(value);
	g_autofree char *folded = domain_fold(id);
	g_autofree char *ours = authserv_id ? domain_fold(authserv_id) : NULL;

	if (!authserv_id)
		return FALSE;
	return g_ascii_strcasecmp(id, authserv_id) == 0 ||
	       (folded && ours && g_str_equal(folded, ours));
}
