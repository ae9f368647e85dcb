/* SPDX-License-Identifier: Apache-2.0
 *
 * The templates (see template.h). Values are never looked at for placeholders again: what a
 * stranger wrote cannot pull in another value.
 */
#include "portal/template.h"

#include <gio/gio.h>
#include <string.h>

#include "portal/resources.h"

struct Values {
	const Texts *texts;
	Language language;
	GHashTable *values;
};

Values *values_new(const Texts *texts, Language language)
{
	Values *values = g_new0(Values, 1);

	values->texts = texts;
	values->language = language;
	values->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	values_set(values, "language", language_code(language));
	return values;
}

Values *values_new_like(const Values *values)
{
	return values_new(values->texts, values->language);
}

void values_free(Values *values)
{
	if (values == NULL)
		return;
	g_hash_table_unref(values->values);
	g_free(values);
}

void values_set(Values *values, const char *name, const char *text)
{
	values_take(values, name, g_strdup(text != NULL ? text : ""));
}

void values_take(Values *values, const char *name, char *text)
{
	g_hash_table_insert(values->values, g_strdup(name), text);
}

char *html_escape(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	return g_markup_escape_text(valid, -1);
}

static void append_value(GString *out, const char *value, gboolean escape)
{
	g_autofree char *escaped = NULL;

	if (value == NULL)
		return;
	if (escape)
		value = escaped = html_escape(value);
	g_string_append(out, value);
}

/* Fills source into out; texts of the catalogue are filled in turn, but only one level deep. */
static void fill(GString *out, const char *source, const Values *values, gboolean escape,
		 gboolean inside_text)
{
	const char *open;

	while ((open = strstr(source, "{{")) != NULL) {
		gboolean raw = g_str_has_prefix(open, "{{{");
		const char *name = open + (raw ? 3 : 2);
		const char *close = strstr(name, raw ? "}}}" : "}}");
		g_autofree char *key = NULL;

		if (close == NULL)
			break;
		g_string_append_len(out, source, open - source);
		key = g_strndup(name, close - name);
		source = close + (raw ? 3 : 2);
		if (*key == '!')
			continue; /* a comment */
		if (!g_str_has_prefix(key, "t:")) {
			append_value(out, g_hash_table_lookup(values->values, key), escape && !raw);
		} else if (!inside_text) {
			g_autofree char *text = template_text(values, key + 2);

			append_value(out, text, escape);
		}
	}
	g_string_append(out, source);
}

char *template_text(const Values *values, const char *key)
{
	GString *out = g_string_new(NULL);
	const char *text = texts_find(values->texts, values->language, key);

	if (text != NULL)
		fill(out, text, values, FALSE, TRUE);
	return g_string_free(out, FALSE);
}

/* A template that is missing is a bug of ours: the names are all in the program. */
char *template_render(const char *name, const Values *values)
{
	g_autofree char *path = g_strdup_printf("/templates/%s", name);
	g_autoptr(GBytes) bytes =
		g_resource_lookup_data(portal_resources_get_resource(), path, 0, NULL);
	GString *out = g_string_new(NULL);
	g_autofree char *source = NULL;

	g_assert(bytes != NULL);
	source = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	fill(out, source, values, !g_str_has_suffix(name, ".txt"), FALSE);
	return g_string_free(out, FALSE);
}
