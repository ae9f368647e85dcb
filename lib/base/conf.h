/* SPDX-License-Identifier: Apache-2.0
 *
 * sealpost.conf: a GKeyFile whose sections and keys all stand in one table (settings.c), with
 * type, default and a sentence that explains each. An unknown section or key, or a value of the
 * wrong type, is an error that names file, section and key. The same table writes the commented
 * file of `sealpost init` and is checked against the man page. A Conf never changes: a reload
 * makes a new one.
 *
 * A section may be a family with instances: "[ldap NAME]" is an instance of "ldap".
 */
#ifndef SEALPOST_LIB_BASE_CONF_H
#define SEALPOST_LIB_BASE_CONF_H

#include <glib.h>

typedef enum {
	SETTING_STRING,
	SETTING_PATH, /* relative ones are taken from the folder of the configuration file */
	SETTING_LIST, /* strings separated by ';' or ',' and blanks */
	SETTING_BOOLEAN, /* true or false */
	SETTING_NUMBER, /* 0 or more */
	SETTING_SIZE, /* bytes; K, M, G as in 64K */
	SETTING_DURATION, /* seconds; s, m, h, d as in 10m */
	SETTING_ADDRESS, /* where to listen or connect: "unix:PATH" (relative as PATH),
			     "inet:HOST:PORT", IPv6 as "inet:[::1]:PORT" */
} SettingType;

typedef struct {
	const char *section;
	const char *key;
	SettingType type;
	const char *fallback; /* NULL: none; conf_string() gives NULL then */
	const char *help; /* one or two sentences for the commented file */
} Setting;

/* The table, in the order of the commented file. */
extern const Setting conf_settings[];
extern const gsize conf_settings_count;

typedef struct Conf Conf;

/* Reads and checks the file. ERROR_CONFIG with "FILE: [SECTION] KEY: what is wrong". */
Conf *conf_load(const char *path, GError **error);
/* The defaults alone, as if folder/sealpost.conf were empty (tests). */
Conf *conf_new_defaults(const char *folder);
Conf *conf_ref(Conf *conf);
void conf_unref(Conf *conf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Conf, conf_unref)

/* Values, by section (or "family instance") and key. The pair must be in the table with that
 * type: anything else is a bug of ours. Strings and lists are borrowed from the Conf. */
const char *conf_string(const Conf *conf, const char *section, const char *key);
const char *conf_path(const Conf *conf, const char *section, const char *key);
const char *conf_address(const Conf *conf, const char *section, const char *key);
const char *const *conf_list(const Conf *conf, const char *section, const char *key);
gboolean conf_boolean(const Conf *conf, const char *section, const char *key);
gint64 conf_number(const Conf *conf, const char *section, const char *key);
gint64 conf_size(const Conf *conf, const char *section, const char *key); /* bytes */
gint64 conf_duration(const Conf *conf, const char *section, const char *key); /* seconds */

/* The full section names ("ldap main") of a family, in the file's order; NULL-terminated, borrowed. */
const char *const *conf_instances(const Conf *conf, const char *family);

/* The text of a commented sealpost.conf: every setting with its help; settings that have a value
 * in `values` ("section\nkey" -> string, may be NULL) are set, the others commented out with
 * their default. New string. */
char *conf_template(GHashTable *values);

#endif
