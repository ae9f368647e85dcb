/* SPDX-License-Identifier: Apache-2.0
 *
 * See visible.h.
 */
#include "lib/base/visible.h"

static gboolean is_visible(gunichar c)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_FORMAT:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR: return FALSE;
	default: return TRUE;
	}
}

char *visible_text(const char *text, char substitute)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *clean = g_string_new(NULL);

	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (is_visible(c))
			g_string_append_unichar(clean, c);
		else
			g_string_append_c(clean, substitute);
	}
	return g_string_free(clean, FALSE);
}
