/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads sealpost.conf against the table of settings.c. Every value is checked and converted once,
 * when the file is loaded; later calls only look up.
 */
#include "lib/base/conf.h"

#include <string.h>

#include "lib/base/error.h"

/* Far over any real configuration. */
#define CONF_FILE_MAX (1024 * 1024)

typedef struct {
	const Setting *setting;
	char *text; /* string, path, address; NULL if not set and without default */
	char **list; /* SETTING_LIST */
	gint64 number; /* boolean, number, size, duration */
} Value;

struct Conf {
	gint refs;
	char *folder;
	GHashTable *values; /* "section\nkey" -> Value */
	GPtrArray *sections; /* full names of instances, in the file's order */
};

static void value_free(gpointer data)
{
	Value *value = data;

	g_free(value->text);
	g_strfreev(value->list);
	g_free(value);
}

/* "ldap main" -> "ldap"; a plain section is its own family. New string. */
static char *family_of(const char *section)
{
	const char *blank = strchr(section, ' ');

	return blank ? g_strndup(section, (gsize)(blank - section)) : g_strdup(section);
}

static gboolean is_family(const char *section)
{
	return strcmp(section, "ldap") == 0;
}

static const Setting *find_setting(const char *family, const char *key)
{
	for (gsize i = 0; i < conf_settings_count; i++)
		if (strcmp(conf_settings[i].section, family) == 0 &&
		    (!key || strcmp(conf_settings[i].key, key) == 0))
			return &conf_settings[i];
	return NULL;
}

static char *absolute(const Conf *conf, const char *path)
{
	return g_canonicalize_filename(path, conf->folder);
}

static char **split_list(const char *text)
{
	g_auto(GStrv) raw = g_strsplit_set(text, ";,", -1);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (char **item = raw; *item; item++)
		if (*g_strstrip(*item))
			g_strv_builder_add(builder, *item);
	return g_strv_builder_end(builder);
}

/* A whole number followed by at most one unit letter. */
static gboolean parse_units(const char *text, const char *letters, const gint64 *factors,
			    gint64 *number)
{
	char *end = NULL;
	gint64 factor = 1;

	if (!g_ascii_isdigit(*text))
		return FALSE;
	gint64 value = g_ascii_strtoll(text, &end, 10);
	if (*end) {
		const char *unit = strchr(letters, *end);
		if (!unit || end[1])
			return FALSE;
		factor = factors[unit - letters];
	}
	if (value > G_MAXINT64 / factor / 1024)
		return FALSE;
	*number = value * factor;
	return TRUE;
}

static gboolean parse_size(const char *text, gint64 *number)
{
	static const gint64 factors[] = {1 << 10, 1 << 20, 1 << 30};

	return parse_units(text, "KMG", factors, number);
}

static gboolean parse_duration(const char *text, gint64 *number)
{
	static const gint64 factors[] = {1, 60, 3600, 86400};

	return parse_units(text, "smhd", factors, number);
}

static gboolean parse_boolean(const char *text, gint64 *number)
{
	*number = strcmp(text, "true") == 0;
	return *number || strcmp(text, "false") == 0;
}

/* Checks the form and makes a Unix socket's path absolute. NULL if it is no address. */
static char *parse_address(const Conf *conf, const char *text)
{
	if (g_str_has_prefix(text, "unix:") && text[5]) {
		g_autofree char *path = absolute(conf, text + 5);
		return g_strconcat("unix:", path, NULL);
	}
	const char *port = strrchr(text, ':');
	gint64 number;
	if (!g_str_has_prefix(text, "inet:") || port <= text + 5 ||
	    !parse_units(port + 1, "", NULL, &number) || number < 1 || number > 65535)
		return NULL;
	return g_strdup(text);
}

static gboolean convert(const Conf *conf, Value *value, const char *text, const char **expected)
{
	switch (value->setting->type) {
	case SETTING_STRING: value->text = g_strdup(text); return TRUE;
	case SETTING_PATH: value->text = absolute(conf, text); return *text != '\0';
	case SETTING_LIST: value->list = split_list(text); return TRUE;
	case SETTING_BOOLEAN:
		*expected = "true or false";
		return parse_boolean(text, &value->number);
	case SETTING_NUMBER:
		*expected = "a whole number";
		return parse_units(text, "", NULL, &value->number);
	case SETTING_SIZE:
		*expected = "bytes, as 1000, 64K, 10M or 1G";
		return parse_size(text, &value->number);
	case SETTING_DURATION:
		*expected = "a time, as 30s, 10m, 2h or 7d";
		return parse_duration(text, &value->number);
	case SETTING_ADDRESS:
		*expected = "unix:PATH or inet:HOST:PORT";
		value->text = parse_address(conf, text);
		return value->text != NULL;
	}
	return FALSE;
}

static gboolean add_value(Conf *conf, const char *section, const Setting *setting, const char *text,
			  GError **error)
{
	Value *value = g_new0(Value, 1);
	const char *expected = "a value";

	value->setting = setting;
	g_hash_table_replace(conf->values, g_strconcat(section, "\n", setting->key, NULL), value);
	if (!text || convert(conf, value, text, &expected))
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "[%s] %s: \"%s\" is not %s", section,
		    setting->key, text, expected);
	return FALSE;
}

static void add_defaults(Conf *conf, const char *section)
{
	g_autofree char *family = family_of(section);

	for (gsize i = 0; i < conf_settings_count; i++) {
		const Setting *setting = &conf_settings[i];
		if (strcmp(setting->section, family) == 0 &&
		    !add_value(conf, section, setting, setting->fallback, NULL))
			g_error("bad default of [%s] %s", section, setting->key);
	}
}

Conf *conf_new_defaults(const char *folder)
{
	Conf *conf = g_new0(Conf, 1);

	conf->refs = 1;
	conf->folder = g_canonicalize_filename(folder, NULL);
	conf->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, value_free);
	conf->sections = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(conf->sections, NULL);
	for (gsize i = 0; i < conf_settings_count; i++)
		if (!is_family(conf_settings[i].section) &&
		    (i == 0 || strcmp(conf_settings[i].section, conf_settings[i - 1].section) != 0))
			add_defaults(conf, conf_settings[i].section);
	return conf;
}

Conf *conf_ref(Conf *conf)
{
	g_atomic_int_inc(&conf->refs);
	return conf;
}

void conf_unref(Conf *conf)
{
	if (!conf || !g_atomic_int_dec_and_test(&conf->refs))
		return;
	g_hash_table_unref(conf->values);
	g_ptr_array_unref(conf->sections);
	g_free(conf->folder);
	g_free(conf);
}

static gboolean check_section(Conf *conf, const char *section, GError **error)
{
	g_autofree char *family = family_of(section);
	gboolean instance = strcmp(family, section) != 0;

	if (!find_setting(family, NULL)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "[%s]: unknown section", section);
		return FALSE;
	}
	if (instance != is_family(family)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    instance ? "[%s]: this section takes no name"
				     : "[%s]: this section needs a name, as in [%s main]",
			    section, section);
		return FALSE;
	}
	if (instance) {
		g_ptr_array_insert(conf->sections, (gint)conf->sections->len - 1,
				   g_strdup(section));
		add_defaults(conf, section);
	}
	return TRUE;
}

static gboolean load_section(Conf *conf, GKeyFile *file, const char *section, GError **error)
{
	g_autofree char *family = family_of(section);
	g_auto(GStrv) keys = NULL;

	if (!check_section(conf, section, error))
		return FALSE;
	keys = g_key_file_get_keys(file, section, NULL, NULL);
	for (char **key = keys; key && *key; key++) {
		const Setting *setting = find_setting(family, *key);
		g_autofree char *text = g_key_file_get_string(file, section, *key, NULL);
		if (!setting || !text) {
			g_set_error(
				error, SEALPOST_ERROR, ERROR_CONFIG, "[%s] %s: %s", section, *key,
				setting ? "not valid UTF-8 or a bad escape" : "unknown setting");
			return FALSE;
		}
		g_strchomp(text);
		if (!add_value(conf, section, setting, text, error))
			return FALSE;
	}
	return TRUE;
}

static GKeyFile *read_key_file(const char *path, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) cause = NULL;
	g_autofree char *text = NULL;
	gsize size;

	if (!g_file_get_contents(path, &text, &size, &cause)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "%s", cause->message);
		return NULL;
	}
	if (size > CONF_FILE_MAX || strlen(text) != size) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "%s: %s", path,
			    size > CONF_FILE_MAX ? "too large" : "holds NUL bytes");
		return NULL;
	}
	if (!g_key_file_load_from_data(file, text, size, G_KEY_FILE_NONE, &cause)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "%s: %s", path, cause->message);
		return NULL;
	}
	return g_steal_pointer(&file);
}

Conf *conf_load(const char *path, GError **error)
{
	g_autoptr(GKeyFile) file = read_key_file(path, error);

	if (!file)
		return NULL;
	g_autofree char *folder = g_path_get_dirname(path);
	g_autoptr(Conf) conf = conf_new_defaults(folder);
	g_auto(GStrv) sections = g_key_file_get_groups(file, NULL);
	for (char **section = sections; *section; section++) {
		if (!load_section(conf, file, *section, error)) {
			g_prefix_error(error, "%s: ", path);
			return NULL;
		}
	}
	return g_steal_pointer(&conf);
}

static const Value *lookup(const Conf *conf, const char *section, const char *key, SettingType type)
{
	g_autofree char *name = g_strconcat(section, "\n", key, NULL);
	const Value *value = g_hash_table_lookup(conf->values, name);

	g_assert(value && value->setting->type == type);
	return value;
}

const char *conf_string(const Conf *conf, const char *section, const char *key)
{
	return lookup(conf, section, key, SETTING_STRING)->text;
}

const char *conf_path(const Conf *conf, const char *section, const char *key)
{
	return lookup(conf, section, key, SETTING_PATH)->text;
}

const char *conf_address(const Conf *conf, const char *section, const char *key)
{
	return lookup(conf, section, key, SETTING_ADDRESS)->text;
}

const char *const *conf_list(const Conf *conf, const char *section, const char *key)
{
	return (const char *const *)lookup(conf, section, key, SETTING_LIST)->list;
}

gboolean conf_boolean(const Conf *conf, const char *section, const char *key)
{
	return lookup(conf, section, key, SETTING_BOOLEAN)->number != 0;
}

gint64 conf_number(const Conf *conf, const char *section, const char *key)
{
	return lookup(conf, section, key, SETTING_NUMBER)->number;
}

gint64 conf_size(const Conf *conf, const char *section, const char *key)
{
	return lookup(conf, section, key, SETTING_SIZE)->number;
}

gint64 conf_duration(const Conf *conf, const char *section, const char *key)
{
	return lookup(conf, section, key, SETTING_DURATION)->number;
}

const char *const *conf_instances(const Conf *conf, const char *family)
{
	g_assert(is_family(family));
	return (const char *const *)conf->sections->pdata;
}
