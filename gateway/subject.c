/* SPDX-License-Identifier: Apache-2.0
 *
 * The Subject as it is delivered. See subject.h.
 */
#include <string.h>

#include "lib/mail/headers.h"
#include "policies/policy.h"

#include "gateway/lookalike.h"
#include "gateway/subject.h"

/* Of a subject that has to be written anew. */
#define SUBJECT_TEXT_MAX 8000

/* Takes `next` in place of *text. Has it changed? */
static gboolean replace_text(char **text, char *next)
{
	gboolean changed = !g_str_equal(*text, next);

	g_free(*text);
	*text = next;
	return changed;
}

/* Our tags, then the bytes that came, on a line of their own. Between two encoded words a blank does
 * not show (RFC 2047, section 6.2): then it goes into ours. */
static char *put_in_front(const char *tags, const char *raw)
{
	const char *rest = raw + strspn(raw, " \t\r\n");
	g_autofree char *alone = header_encode_text("Subject", tags);
	g_autofree char *with_blank = g_strconcat(tags, " ", NULL);
	gboolean joined = g_str_has_suffix(alone, "?=") && g_str_has_prefix(rest, "=?");

	if (*rest == '\0')
		return g_steal_pointer(&alone);
	if (joined) {
		g_free(alone);
		alone = header_encode_text("Subject", with_blank);
	}
	return g_strconcat(alone, "\n ", rest, NULL);
}

/* No MTA takes the encoded form of 60,000 bytes, and nobody reads them. */
static char *cut(const char *text)
{
	const char *end = text;

	if (strlen(text) <= SUBJECT_TEXT_MAX)
		return g_strdup(text);
	while (g_utf8_next_char(end) - text <= SUBJECT_TEXT_MAX)
		end = g_utf8_next_char(end);
	g_autofree char *start = g_strndup(text, (gsize)(end - text));

	return g_strconcat(start, "…", NULL);
}

static char *encode(const char *tags, const char *text)
{
	g_autofree char *some = cut(text);
	g_autofree char *whole =
		g_strconcat(tags ? tags : "", tags && *tags && *some ? " " : "", some, NULL);

	return header_encode_text("Subject", whole);
}

/* Another reader may decode it to more than we have seen: what still looks encoded, and UTF-16 that
 * does not say its byte order. */
static gboolean has_two_readings(const char *raw, const char *text)
{
	static const char *const charsets[] = {"=?utf-16", "=?utf-32", "=?ucs-2", "=?iso-10646"};
	g_autofree char *folded = g_ascii_strdown(raw ? raw : "", -1);

	for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++)
		if (strstr(folded, charsets[i]))
			return TRUE;
	return strstr(text, "=?") != NULL;
}

char *subject_value(const char *raw, const SubjectWish *wish)
{
	g_autofree char *text = wish->restored ? g_strdup(wish->restored)
				: raw	       ? header_text_decode(raw)
					       : g_strdup("");
	gboolean changed = wish->restored != NULL;

	if (wish->rule_tag && replace_text(&text, policy_remove_tag(text, wish->rule_tag)))
		changed = TRUE;
	if (wish->tags &&
	    (replace_text(&text, lookalike_remove(text)) || has_two_readings(raw, text)))
		changed = TRUE;
	if (changed)
		return encode(wish->tags, g_strstrip(text));
	if (!wish->tags || *wish->tags == '\0')
		return NULL;
	return raw ? put_in_front(wish->tags, raw) : header_encode_text("Subject", wish->tags);
}
