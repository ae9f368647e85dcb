/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose Authentication-Results is it? See authserv.h.
 */
#include <string.h>

#include "lib/mail/address.h"
#include "lib/mail/headers.h"

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

static gboolean is_ours(const char *id, const char *authserv_id)
{
	g_autofree char *folded = domain_fold(id);
	g_autofree char *ours = domain_fold(authserv_id);

	return g_ascii_strcasecmp(id, authserv_id) == 0 ||
	       (folded && ours && g_str_equal(folded, ours));
}

/* Who reads with a pattern takes the first thing that looks like a name, whatever stands around it: a
 * no-break space, a comma, "/1". Before the first result our name is nobody else's to write. */
static gboolean is_named(const char *value, const char *authserv_id)
{
	g_autofree char *front = g_strndup(value, strcspn(value, ";"));

	for (char *p = front; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("-._", *p))
			*p = ' ';
	g_auto(GStrv) words = g_strsplit(front, " ", -1);

	for (char **word = words; *word; word++)
		if (**word && is_ours(*word, authserv_id))
			return TRUE;
	return FALSE;
}

static gboolean claims(const char *value, const char *authserv_id)
{
	g_autofree char *id = read_id(value);

	return is_ours(id, authserv_id) || is_named(value, authserv_id);
}

/* Encoded words have no place in it (RFC 2047, section 5), but programs that decode first see them. */
gboolean authserv_claims(const char *value, const char *authserv_id)
{
	g_autofree char *decoded = strstr(value, "=?") ? header_text_decode(value) : NULL;

	return authserv_id &&
	       (claims(value, authserv_id) || (decoded && claims(decoded, authserv_id)));
}
