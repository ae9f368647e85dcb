/* SPDX-License-Identifier: Apache-2.0
 *
 * The commented sealpost.conf that `sealpost init` writes, made from the table of settings.
 */
#include "lib/base/conf.h"

#include <string.h>

#define COLUMNS 92

/* The help as comment lines, broken at blanks. */
static void append_comment(GString *text, const char *help)
{
	g_auto(GStrv) words = g_strsplit(help, " ", -1);
	gsize column = 0;

	for (char **word = words; *word; word++) {
		if (column > 0 && column + 1 + strlen(*word) > COLUMNS) {
			g_string_append_c(text, '\n');
			column = 0;
		}
		column += 1 + strlen(*word);
		g_string_append_printf(text, column == 1 + strlen(*word) ? "# %s" : " %s", *word);
	}
	g_string_append_c(text, '\n');
}

static void append_section(GString *text, const Setting *setting)
{
	if (text->len > 0)
		g_string_append_c(text, '\n');
	if (strcmp(setting->section, "ldap") == 0)
		append_comment(text,
			       "One section for each directory, asked in this order. Take the "
			       "# off, and name it.");
	g_string_append_printf(text,
			       strcmp(setting->section, "ldap") == 0 ? "#[%s main]\n" : "[%s]\n",
			       setting->section);
}

char *conf_template(GHashTable *values)
{
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < conf_settings_count; i++) {
		const Setting *setting = &conf_settings[i];
		g_autofree char *name = g_strconcat(setting->section, "\n", setting->key, NULL);
		const char *value = values ? g_hash_table_lookup(values, name) : NULL;

		if (i == 0 || strcmp(setting->section, conf_settings[i - 1].section) != 0)
			append_section(text, setting);
		append_comment(text, setting->help);
		g_string_append_printf(text, value ? "%s = %s\n" : "#%s = %s\n", setting->key,
				       value		   ? value
				       : setting->fallback ? setting->fallback
							   : "");
	}
	return g_string_free(text, FALSE);
}
