/* SPDX-License-Identifier: Apache-2.0
 *
 * The only door to libldap: one directory (several servers that hold the same), its connections,
 * one search at a time on each. Connections are kept and shared; one that broke is replaced at
 * once; a server that could not be reached is left alone for a moment, so that a burst of
 * questions does not queue up behind it. Thread-safe.
 */
#ifndef SEALPOST_KEYSTORE_LDAP_H
#define SEALPOST_KEYSTORE_LDAP_H

#include <glib.h>

/* Limits of what a server may answer. */
#define LDAP_ENTRIES_MAX 20
#define LDAP_VALUES_MAX 50
#define LDAP_MESSAGE_MAX (1024 * 1024)

typedef enum { LDAP_BELOW_ALL, LDAP_BELOW_ONE, LDAP_BASE_ONLY } LdapScope;

typedef struct {
	char **uris; /* ldap://, ldaps://, ldapi:// */
	char *base;
	LdapScope scope;
	char **attributes;
	char *bind_dn; /* NULL or empty: anonymous */
	char *password_file;
	gboolean starttls; /* demanded on ldap:// */
	char *ca_file;
	gint64 timeout; /* seconds: for connecting to one server, and for one search */
} LdapSettings;

void ldap_settings_free(LdapSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LdapSettings, ldap_settings_free)

typedef struct {
	char *attribute; /* as the server spells it, without options (";binary") */
	GBytes *bytes;
} LdapValue;
void ldap_value_free(LdapValue *value);

typedef struct LdapServer LdapServer;

/* Takes the settings. No connection yet. */
LdapServer *ldap_server_new(LdapSettings *settings);
void ldap_server_free(LdapServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LdapServer, ldap_server_free)

/* Adds the attributes' values of all entries that match to an array of LdapValue *. FALSE with
 * ERROR_LOOKUP if no server could be asked or the answer is not complete; nothing is added then. */
gboolean ldap_server_search(LdapServer *server, const char *filter, GPtrArray *values,
			    GError **error);

#endif
