/* SPDX-License-Identifier: Apache-2.0
 *
 * The text catalogue and the choice of a language (see texts.h).
 */
#include "portal/texts.h"

#include <gio/gio.h>

#include "portal/resources.h"

/* Languages that we look at in one Accept-Language header. */
#define ACCEPT_MAX 20

struct Texts {
	GHashTable *texts[LANGUAGE_COUNT];
};

static const char *const codes[LANGUAGE_COUNT] = {
	[LANGUAGE_DE] = "de",
	[LANGUAGE_EN] = "en",
};

const char *language_code(Language language)
{
	return codes[language];
}

gboolean language_find(const char *tag, Language *language)
{
	gsize length = 0;

	while (g_ascii_isalpha(tag[length]))
		length++;
	for (int i = 0; i < LANGUAGE_COUNT; i++) {
		if (length == 2 && g_ascii_strncasecmp(tag, codes[i], 2) == 0) {
			*language = i;
			return TRUE;
		}
	}
	return FALSE;
}

/* The weight of "de;q=0.8": 1 if none is given. */
static double weight(const char *range)
{
	const char *quality = strstr(range, ";q=");

	return quality != NULL ? g_ascii_strtod(quality + 3, NULL) : 1.0;
}

Language language_accepted(const char *header, Language fallback)
{
	g_auto(GStrv) ranges = NULL;
	double best = 0;
	Language chosen = fallback;

	if (header == NULL)
		return fallback;
	ranges = g_strsplit(header, ",", ACCEPT_MAX);
	for (gsize i = 0; ranges[i] != NULL; i++) {
		const char *range = g_strstrip(ranges[i]);
		Language language;

		if (language_find(range, &language) && weight(range) > best) {
			best = weight(range);
			chosen = language;
		}
	}
	return chosen;
}

/* The catalogue is part of the program: if it cannot be read, the build is broken. */
Texts *texts_new(void)
{
	Texts *texts = g_new0(Texts, 1);
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GBytes) bytes = g_resource_lookup_data(portal_resources_get_resource(),
							 "/templates/texts.ini", 0, NULL);
	gboolean loaded;

	g_assert(bytes != NULL);
	loaded = g_key_file_load_from_bytes(file, bytes, G_KEY_FILE_NONE, NULL);
	g_assert(loaded);
	for (int i = 0; i < LANGUAGE_COUNT; i++) {
		g_auto(GStrv) keys = g_key_file_get_keys(file, codes[i], NULL, NULL);

		g_assert(keys != NULL);
		texts->texts[i] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		for (gsize j = 0; keys[j] != NULL; j++)
			g_hash_table_insert(texts->texts[i], g_strdup(keys[j]),
					    g_key_file_get_string(file, codes[i], keys[j], NULL));
	}
	return texts;
}

void texts_free(Texts *texts)
{
	if (texts == NULL)
		return;
	for (int i = 0; i < LANGUAGE_COUNT; i++)
		g_hash_table_unref(texts->texts[i]);
	g_free(texts);
}

const char *texts_find(const Texts *texts, Language language, const char *key)
{
	return g_hash_table_lookup(texts->texts[language], key);
}

char **texts_keys(const Texts *texts, Language language)
{
	GHashTableIter iter;
	gpointer key;
	g_autoptr(GPtrArray) keys = g_ptr_array_new();

	g_hash_table_iter_init(&iter, texts->texts[language]);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(keys, g_strdup(key));
	g_ptr_array_add(keys, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&keys), FALSE);
}
