/* SPDX-License-Identifier: Apache-2.0
 *
 * Folding of texts, and the way back to where a folded text stands: see fold.h.
 */
#include "policies/fold.h"

#include <string.h>

#include "policies/policy.h"

/* The folded form of composed text. `origins`, if given, gets for each folded byte where the
 * character that it came from begins in `composed`, and one more element for the end. */
static GString *fold(const char *composed, GArray *origins)
{
	GString *folded = g_string_sized_new(strlen(composed));
	gboolean blank = FALSE;

	for (const char *p = composed; *p; p = g_utf8_next_char(p)) {
		gsize origin = (gsize)(p - composed);
		gboolean space = g_unichar_isspace(g_utf8_get_char(p));

		if (space && blank)
			continue;
		blank = space;
		if (space) {
			g_string_append_c(folded, ' ');
		} else {
			g_autofree char *letters = g_utf8_casefold(p, g_utf8_next_char(p) - p);

			g_string_append(folded, letters);
		}
		while (origins && origins->len < folded->len)
			g_array_append_val(origins, origin);
	}
	if (origins) {
		gsize end = strlen(composed);

		g_array_append_val(origins, end);
	}
	return folded;
}

static char *compose(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	return g_utf8_normalize(valid, -1, G_NORMALIZE_NFC);
}

char *text_fold(const char *text)
{
	g_autofree char *composed = compose(text);

	return g_string_free(fold(composed, NULL), FALSE);
}

/* Takes text[start, end) out, and the blanks that would then stand side by side or at an end. */
static void cut(GString *text, gsize start, gsize end)
{
	end = MIN(end, text->len); /* blanks may be gone with a tag behind this one */
	while (end < text->len && text->str[end] == ' ')
		end++;
	while (start > 0 && text->str[start - 1] == ' ')
		start--;
	g_string_erase(text, (gssize)start, (gssize)(end - start));
	if (start > 0 && start < text->len)
		g_string_insert_c(text, (gssize)start, ' ');
}

char *policy_remove_tag(const char *subject, const char *tag)
{
	g_autofree char *composed = compose(subject);
	g_autofree char *wanted = text_fold(tag);
	g_autoptr(GArray) origins = g_array_new(FALSE, FALSE, sizeof(gsize));
	GString *folded = fold(composed, origins);
	GString *rest = g_string_new(composed);
	gsize length = strlen(wanted);
	const char *found = length > 0 ? g_strrstr(folded->str, wanted) : NULL;

	/* From the end on, so that the origins before the cut stay true. */
	while (found) {
		gsize at = (gsize)(found - folded->str);
		gsize end = at + length;

		/* a letter that folds to two goes as a whole */
		while (at > 0 &&
		       g_array_index(origins, gsize, at) == g_array_index(origins, gsize, at - 1))
			at--;
		while (end < folded->len &&
		       g_array_index(origins, gsize, end) == g_array_index(origins, gsize, end - 1))
			end++;
		cut(rest, g_array_index(origins, gsize, at), g_array_index(origins, gsize, end));
		found = g_strrstr_len(folded->str, (gssize)at, wanted);
	}
	g_string_free(folded, TRUE);
	return g_string_free(rest, FALSE);
}
