/* SPDX-License-Identifier: Apache-2.0
 *
 * Defanging HTML (see letterhtml.h). No parser is needed: an element begins with '<' and its name
 * in plain letters (WHATWG HTML, 13.2.5.6), whatever stands around it; where that is found in a
 * comment or a value, a few letters change that nobody sees.
 */
#include "portal/letterhtml.h"

#include <glib.h>
#include <string.h>

static gboolean is_fang(const char *name)
{
	/* beginnings: "frame" is "frameset" too; not scripts: their text would show */
	static const char *const names[] = {"iframe", "frame", "object", "embed", "applet",
					    "portal", "link",  "meta",	 "base"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_ascii_strncasecmp(name, names[i], strlen(names[i])) == 0)
			return TRUE;
	return FALSE;
}

/* Of two attributes of one name the first counts; without quotes, in case it stands inside some. */
#define LINK_TARGET " target=_blank rel=noopener "

/* The length of a link's name that stands there with attributes; 0: another element. */
static gsize link_name(const char *name)
{
	static const char *const names[] = {"area", "a"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		gsize length = strlen(names[i]);

		if (g_ascii_strncasecmp(name, names[i], length) == 0 && name[length] != '\0' &&
		    strchr(" \t\n\f\r/", name[length]) != NULL)
			return length;
	}
	return 0;
}

char *letterhtml_defang(const char *html)
{
	GString *out = g_string_sized_new(strlen(html) + 256);
	const char *open;

	while ((open = strchr(html, '<')) != NULL) {
		const char *name = open[1] == '/' ? open + 2 : open + 1;

		gsize link = name == open + 1 ? link_name(name) : 0;

		g_string_append_len(out, html, name + link - html);
		if (is_fang(name))
			g_string_append(out, "x-");
		html = name + link;
		if (link > 0 && !g_str_has_prefix(html, LINK_TARGET))
			g_string_append(out, LINK_TARGET);
	}
	g_string_append(out, html);
	return g_string_free(out, FALSE);
}
