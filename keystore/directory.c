/* SPDX-License-Identifier: Apache-2.0
 *
 * Directories as sources: see directory.h.
 */
#include "keystore/directory.h"

#include <string.h>

#include "keystore/cache.h"
#include "keystore/filter.h"
#include "keystore/ldap.h"
#include "keystore/scratch.h"
#include "lib/base/error.h"
#include "lib/base/secret.h"

typedef struct {
	LdapServer *server;
	Cache *cache;
	char *filter; /* with %m */
	char **certificate_attributes, **pgp_attributes;
} Directory;

/* What differs by type of server; used where the section does not say. */
typedef struct {
	const char *type, *filter, *certificates, *pgp;
} Preset;

static const Preset presets[] = {
	{"openldap", "(mail=%m)",
	 "userCertificate;binary userSMIMECertificate;binary userCertificate "
	 "userSMIMECertificate",
	 "pgpKey"},
	{"active-directory", "(|(mail=%m)(proxyAddresses=smtp:%m))",
	 "userCertificate userSMIMECertificate", ""},
};

static gboolean conf_fail(GError **error, const char *section, const char *key, const char *text)
{
	g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "[%s] %s: %s", section, key, text);
	return FALSE;
}

static const Preset *find_preset(const Conf *conf, const char *section, GError **error)
{
	const char *type = conf_string(conf, section, "type");

	for (gsize i = 0; i < G_N_ELEMENTS(presets); i++)
		if (strcmp(presets[i].type, type) == 0)
			return &presets[i];
	conf_fail(error, section, "type", "openldap or active-directory");
	return NULL;
}

static char **list_or(const Conf *conf, const char *section, const char *key, const char *preset)
{
	const char *const *list = conf_list(conf, section, key);

	if (list)
		return g_strdupv((char **)list);
	return *preset ? g_strsplit(preset, " ", -1) : g_new0(char *, 1);
}

static gboolean read_scope(const Conf *conf, const char *section, LdapScope *scope, GError **error)
{
	static const char *const names[] = {"sub", "one", "base"};
	const char *name = conf_string(conf, section, "scope");

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*scope = (LdapScope)i;
			return TRUE;
		}
	}
	return conf_fail(error, section, "scope", "sub, one or base");
}

static gboolean read_uris(const Conf *conf, const char *section, char ***uris, GError **error)
{
	const char *text = conf_string(conf, section, "uri");
	g_auto(GStrv) words = g_strsplit_set(text ? text : "", " \t", -1);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	gboolean any = FALSE;

	for (char **word = words; *word; word++) {
		if (!**word)
			continue;
		if (g_ascii_strncasecmp(*word, "ldap://", 7) != 0 &&
		    g_ascii_strncasecmp(*word, "ldaps://", 8) != 0 &&
		    g_ascii_strncasecmp(*word, "ldapi://", 8) != 0)
			return conf_fail(error, section, "uri",
					 "ldap://, ldaps:// or ldapi:// and a server");
		g_strv_builder_add(builder, *word);
		any = TRUE;
	}
	if (!any)
		return conf_fail(error, section, "uri", "is missing");
	*uris = g_strv_builder_end(builder);
	return TRUE;
}

/* Who to bind as. A password file that cannot be read is found out now, not at the first mail. */
static gboolean read_bind(const Conf *conf, const char *section, LdapSettings *settings,
			  GError **error)
{
	settings->bind_dn = g_strdup(conf_string(conf, section, "bind_dn"));
	settings->password_file = g_strdup(conf_path(conf, section, "password_file"));
	if (!settings->bind_dn || !*settings->bind_dn)
		return TRUE;
	if (!settings->password_file)
		return conf_fail(error, section, "password_file", "is missing (bind_dn is set)");
	g_autoptr(Secret) password = secret_read_passphrase(settings->password_file, error);
	if (!password)
		g_prefix_error(error, "[%s] password_file: ", section);
	else if (secret_size(password) == 0)
		return conf_fail(error, section, "password_file", "holds no password");
	return password != NULL;
}

static char **join_lists(char **first, char **second)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	g_strv_builder_addv(builder, (const char **)first);
	g_strv_builder_addv(builder, (const char **)second);
	return g_strv_builder_end(builder);
}

static LdapSettings *read_settings(const Conf *conf, const char *section, GError **error)
{
	g_autoptr(LdapSettings) settings = g_new0(LdapSettings, 1);

	settings->base = g_strdup(conf_string(conf, section, "base"));
	settings->starttls = conf_boolean(conf, section, "starttls");
	settings->ca_file = g_strdup(conf_path(conf, section, "ca_file"));
	settings->timeout = MAX(conf_duration(conf, section, "timeout"), 1);
	if (!read_uris(conf, section, &settings->uris, error) ||
	    !read_scope(conf, section, &settings->scope, error) ||
	    !read_bind(conf, section, settings, error))
		return NULL;
	return g_steal_pointer(&settings);
}

static void directory_free(void *self)
{
	Directory *directory = self;

	if (!directory)
		return;
	ldap_server_free(directory->server);
	cache_free(directory->cache);
	g_free(directory->filter);
	g_strfreev(directory->certificate_attributes);
	g_strfreev(directory->pgp_attributes);
	g_free(directory);
}

/* Whether an attribute's name, without options, is in a list of names with or without. */
static gboolean is_listed(char **list, const char *name)
{
	gsize length = strlen(name);

	for (; *list; list++)
		if (strcspn(*list, ";") == length && g_ascii_strncasecmp(*list, name, length) == 0)
			return TRUE;
	return FALSE;
}

/* A certificates-only PKCS#7 carries the chain along: end entities are candidates, the CAs help
 * them up to the root. A lone CA certificate is a candidate that will be told "wrong-usage". */
static void add_bundle(GPtrArray *certs, GPtrArray *into)
{
	g_autoptr(GPtrArray) extra = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);

	for (guint i = 0; i < certs->len; i++)
		if (certs->len > 1 && cert_is_ca(certs->pdata[i]))
			g_ptr_array_add(extra, cert_ref(certs->pdata[i]));
	for (guint i = 0; i < certs->len; i++) {
		if (certs->len > 1 && cert_is_ca(certs->pdata[i]))
			continue;
		Candidate *candidate = candidate_new_cert(certs->pdata[i]);
		candidate->extra = g_ptr_array_ref(extra);
		g_ptr_array_add(into, candidate);
	}
}

static void read_certificates(GBytes *value, GPtrArray *into)
{
	g_autoptr(X509Bundle) bundle = x509_read(value, NULL, NULL);

	if (bundle && bundle->certs->len)
		add_bundle(bundle->certs, into);
	else
		g_ptr_array_add(into, candidate_new_malformed(KEY_SMIME, value));
}

static gboolean read_pgp(GBytes *value, GPtrArray *into, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(GPtrArray) keys = scratch_read_pgp(value, NULL, 0, &cause);

	if (!keys && !scratch_is_bad_file(cause)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	}
	if (!keys)
		g_ptr_array_add(into, candidate_new_malformed(KEY_PGP, value));
	while (keys && keys->len)
		g_ptr_array_add(into, candidate_new_pgp(g_ptr_array_steal_index(keys, 0)));
	return TRUE;
}

gboolean directory_read_value(KeyType type, GBytes *value, GPtrArray *into, GError **error)
{
	if (g_bytes_get_size(value) > DIRECTORY_VALUE_MAX)
		g_ptr_array_add(into, candidate_new_malformed(type, value));
	else if (type == KEY_SMIME)
		read_certificates(value, into);
	else
		return read_pgp(value, into, error);
	return TRUE;
}

static gboolean read_values(const Directory *directory, GPtrArray *values, GPtrArray *into,
			    GError **error)
{
	for (guint i = 0; i < values->len; i++) {
		const LdapValue *value = values->pdata[i];
		gboolean pgp = is_listed(directory->pgp_attributes, value->attribute);
		if (!pgp && !is_listed(directory->certificate_attributes, value->attribute))
			continue;
		if (!directory_read_value(pgp ? KEY_PGP : KEY_SMIME, value->bytes, into, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean directory_ask(void *self, const char *address, GPtrArray *into, GError **error)
{
	Directory *directory = self;
	guint before = into->len;
	g_autofree char *filter = filter_fill(directory->filter, address);
	g_autoptr(GPtrArray) values =
		g_ptr_array_new_with_free_func((GDestroyNotify)ldap_value_free);

	if (cache_get(directory->cache, address, g_get_monotonic_time(), into))
		return TRUE;
	if (!ldap_server_search(directory->server, filter, values, error) ||
	    !read_values(directory, values, into, error)) {
		g_ptr_array_set_size(into, (gint)before);
		return FALSE;
	}
	cache_put(directory->cache, address, g_get_monotonic_time(), into, before);
	return TRUE;
}

static gboolean directory_knows(void *self, const char *address)
{
	return cache_get(((Directory *)self)->cache, address, g_get_monotonic_time(), NULL);
}

KeySource *directory_source(const Conf *conf, const char *section, GError **error)
{
	const Preset *preset = find_preset(conf, section, error);
	LdapSettings *settings = preset ? read_settings(conf, section, error) : NULL;
	const char *filter = conf_string(conf, section, "filter");

	if (!settings)
		return NULL;
	KeySource *source = g_new0(KeySource, 1);
	Directory *directory = g_new0(Directory, 1);
	source->name = g_strdup(section);
	source->self = directory;
	source->ask = directory_ask;
	source->knows = directory_knows;
	source->free = directory_free;
	directory->filter = g_strdup(filter ? filter : preset->filter);
	directory->certificate_attributes =
		list_or(conf, section, "certificate_attributes", preset->certificates);
	directory->pgp_attributes = list_or(conf, section, "pgp_attributes", preset->pgp);
	settings->attributes =
		join_lists(directory->certificate_attributes, directory->pgp_attributes);
	gboolean any = settings->attributes[0] != NULL;
	directory->server = ldap_server_new(settings);
	directory->cache = cache_new(conf_duration(conf, "keystore", "cache_positive"),
				     conf_duration(conf, "keystore", "cache_negative"));
	if (!any)
		conf_fail(error, section, "certificate_attributes",
			  "empty, and so is pgp_attributes: nothing to ask for");
	else if (filter_check(directory->filter, error))
		return source;
	else
		g_prefix_error(error, "[%s] filter: ", section);
	key_source_free(source);
	return NULL;
}
