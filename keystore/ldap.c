/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking LDAP servers: see ldap.h. Every step of a connection (TCP, StartTLS, TLS, bind) shares
 * one time limit. TLS checks the server's chain and name, whatever the system's ldap.conf says.
 */
#include "keystore/ldap.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <ldap.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openldap.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/secret.h"

/* Servers that cost a question this much time in vain are not tried again for so long. Those that
 * refuse at once are: nothing queues up behind them, and the first question after their return
 * is answered. */
#define SLOW_USEC (G_USEC_PER_SEC / 2)
#define DOWN_USEC (G_USEC_PER_SEC * 3 / 2)
/* An idle connection is trusted for so long; firewalls forget them silently. */
#define IDLE_USEC (60 * G_USEC_PER_SEC)
#define IDLE_MAX 16
/* Entries and references of one answer. */
#define RESPONSES_MAX (2 * LDAP_ENTRIES_MAX)

typedef struct {
	LDAP *ldap;
	gint64 used; /* monotonic */
} Connection;

struct LdapServer {
	LdapSettings *settings;
	GMutex lock; /* guards all below */
	GQueue idle; /* of Connection *, the last used first */
	guint preferred; /* index of the URI that worked last */
	gint64 down_until; /* monotonic */
};

/* What became of a search. */
typedef enum {
	SEARCH_DONE,
	SEARCH_BROKEN, /* the connection or the server is gone: another may do */
	SEARCH_FAILED,
} SearchResult;

void ldap_settings_free(LdapSettings *settings)
{
	if (!settings)
		return;
	g_strfreev(settings->uris);
	g_strfreev(settings->attributes);
	g_free(settings->base);
	g_free(settings->bind_dn);
	g_free(settings->password_file);
	g_free(settings->ca_file);
	g_free(settings);
}

void ldap_value_free(LdapValue *value)
{
	if (!value)
		return;
	g_free(value->attribute);
	g_bytes_unref(value->bytes);
	g_free(value);
}

static void connection_free(Connection *connection)
{
	if (!connection)
		return;
	ldap_unbind_ext_s(connection->ldap, NULL, NULL);
	g_free(connection);
}

LdapServer *ldap_server_new(LdapSettings *settings)
{
	LdapServer *server = g_new0(LdapServer, 1);

	server->settings = settings;
	g_mutex_init(&server->lock);
	g_queue_init(&server->idle);
	return server;
}

void ldap_server_free(LdapServer *server)
{
	if (!server)
		return;
	g_queue_clear_full(&server->idle, (GDestroyNotify)connection_free);
	g_mutex_clear(&server->lock);
	ldap_settings_free(server->settings);
	g_free(server);
}

static gboolean fail(LDAP *ldap, const char *what, int rc, GError **error)
{
	char *uri = NULL, *diagnostic = NULL;

	ldap_get_option(ldap, LDAP_OPT_URI, &uri);
	ldap_get_option(ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnostic);
	g_set_error(error, SEALPOST_ERROR, ERROR_LOOKUP, "%s: %s: %s%s%s", uri ? uri : "LDAP", what,
		    ldap_err2string(rc), diagnostic && *diagnostic ? ": " : "",
		    diagnostic ? diagnostic : "");
	ldap_memfree(uri);
	ldap_memfree(diagnostic);
	return FALSE;
}

/* What is left until the deadline; at least a moment, as zero means "no limit" to libldap. */
static struct timeval time_left(gint64 deadline)
{
	gint64 left = MAX(deadline - g_get_monotonic_time(), 1000);
	struct timeval tv = {left / G_USEC_PER_SEC, left % G_USEC_PER_SEC};

	return tv;
}

static void limit_time(LDAP *ldap, gint64 deadline)
{
	struct timeval tv = time_left(deadline);

	ldap_set_option(ldap, LDAP_OPT_NETWORK_TIMEOUT, &tv);
	ldap_set_option(ldap, LDAP_OPT_TIMEOUT, &tv);
}

static int set_tls(LDAP *ldap, const char *ca_file)
{
	int demand = LDAP_OPT_X_TLS_DEMAND;
	int minimum = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	int client = 0;
	int rc = ldap_set_option(ldap, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);

	if (rc == LDAP_OPT_SUCCESS)
		rc = ldap_set_option(ldap, LDAP_OPT_X_TLS_PROTOCOL_MIN, &minimum);
	if (rc == LDAP_OPT_SUCCESS)
		rc = ldap_set_option(ldap, LDAP_OPT_X_TLS_CACERTFILE, ca_file);
	/* Last: the handle gets a TLS context of its own from the options above. */
	if (rc == LDAP_OPT_SUCCESS)
		rc = ldap_set_option(ldap, LDAP_OPT_X_TLS_NEWCTX, &client);
	return rc;
}

static int set_options(LDAP *ldap)
{
	int version = LDAP_VERSION3;
	int never = LDAP_DEREF_NEVER;
	ber_len_t most = LDAP_MESSAGE_MAX;
	Sockbuf *sockbuf = NULL;
	int rc = ldap_set_option(ldap, LDAP_OPT_PROTOCOL_VERSION, &version);

	if (rc == LDAP_OPT_SUCCESS)
		rc = ldap_set_option(ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	if (rc == LDAP_OPT_SUCCESS)
		rc = ldap_set_option(ldap, LDAP_OPT_DEREF, &never);
	if (rc == LDAP_OPT_SUCCESS)
		rc = ldap_set_option(ldap, LDAP_OPT_RESTART, LDAP_OPT_ON);
	if (rc == LDAP_OPT_SUCCESS)
		rc = ldap_get_option(ldap, LDAP_OPT_SOCKBUF, &sockbuf);
	if (rc == LDAP_OPT_SUCCESS &&
	    ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &most) < 0)
		rc = LDAP_OPT_ERROR;
	return rc;
}

static gboolean bind_to(LDAP *ldap, const LdapSettings *settings, GError **error)
{
	struct berval password = {0, NULL};
	g_autoptr(Secret) secret = NULL;

	if (!settings->bind_dn || !*settings->bind_dn)
		return TRUE;
	secret = secret_read_passphrase(settings->password_file, error);
	if (!secret)
		return FALSE;
	/* A name without a password binds as nobody (RFC 4513, section 5.1.2), who may see less:
	 * that must not look like "no key". */
	if (secret_size(secret) == 0)
		return fail(ldap, "bind: the password is empty", LDAP_PARAM_ERROR, error);
	password.bv_len = secret_size(secret);
	password.bv_val = (char *)secret_data(secret);
	int rc = ldap_sasl_bind_s(ldap, settings->bind_dn, LDAP_SASL_SIMPLE, &password, NULL, NULL,
				  NULL);
	return rc == LDAP_SUCCESS || fail(ldap, "bind", rc, error);
}

/* TLS as the URI and the settings want it. libldap's handshake keeps to a time limit only in its
 * asynchronous mode; without it, it spins on a server that says nothing. */
static gboolean secure(LDAP *ldap, const LdapSettings *settings, gboolean ldaps, gint64 deadline,
		       GError **error)
{
	int rc = set_tls(ldap, settings->ca_file);

	if (rc != LDAP_OPT_SUCCESS) {
		g_set_error(error, SEALPOST_ERROR, ERROR_LOOKUP,
			    "cannot prepare TLS (is %s readable?)", settings->ca_file);
		return FALSE;
	}
	ldap_set_option(ldap, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON);
	limit_time(ldap, deadline);
	rc = ldaps ? ldap_install_tls(ldap) : ldap_start_tls_s(ldap, NULL, NULL);
	return rc == LDAP_SUCCESS || fail(ldap, ldaps ? "TLS" : "StartTLS", rc, error);
}

static gboolean prepare(LDAP *ldap, const LdapSettings *settings, const char *scheme,
			gint64 deadline, GError **error)
{
	gboolean ldaps = g_ascii_strcasecmp(scheme, "ldaps") == 0;
	gboolean starttls = settings->starttls && g_ascii_strcasecmp(scheme, "ldap") == 0;
	int rc = set_options(ldap);

	if (rc != LDAP_OPT_SUCCESS)
		return fail(ldap, "options", rc, error);
	if ((ldaps || starttls) && !secure(ldap, settings, ldaps, deadline, error))
		return FALSE;
	limit_time(ldap, deadline);
	return bind_to(ldap, settings, error);
}

/* A connected socket, tried on each of the host's addresses within the time; -1 on failure. */
static int connect_tcp(const LDAPURLDesc *url, const char *uri, gint64 timeout, GError **error)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketConnection) connection = NULL;
	g_autoptr(GError) cause = NULL;
	const char *host = url->lud_host && *url->lud_host ? url->lud_host : "localhost";

	g_socket_client_set_enable_proxy(client, FALSE);
	g_socket_client_set_timeout(client, (guint)timeout);
	connection =
		g_socket_client_connect_to_host(client, host, (guint16)url->lud_port, NULL, &cause);
	if (!connection) {
		g_set_error(error, SEALPOST_ERROR, ERROR_LOOKUP, "%s: %s", uri, cause->message);
		return -1;
	}
	GSocket *socket = g_socket_connection_get_socket(connection);
	g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
	/* Non-blocking, as GLib made it: the asynchronous mode counts on that. */
	int fd = fcntl(g_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		g_set_error(error, SEALPOST_ERROR, ERROR_LOOKUP, "%s: no free file descriptor",
			    uri);
	return fd;
}

static LDAP *open_handle(const LDAPURLDesc *url, const char *uri, gint64 timeout, GError **error)
{
	LDAP *ldap = NULL;
	int fd = -1, rc;

	if (g_ascii_strcasecmp(url->lud_scheme, "ldapi") == 0) {
		rc = ldap_initialize(&ldap, uri);
	} else {
		fd = connect_tcp(url, uri, timeout, error);
		if (fd < 0)
			return NULL;
		rc = ldap_init_fd(fd, LDAP_PROTO_TCP, uri, &ldap);
	}
	if (rc == LDAP_SUCCESS)
		return ldap;
	if (fd >= 0)
		close(fd);
	g_set_error(error, SEALPOST_ERROR, ERROR_LOOKUP, "%s: %s", uri, ldap_err2string(rc));
	return NULL;
}

static Connection *connect_one(const LdapSettings *settings, const char *uri, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + settings->timeout * G_USEC_PER_SEC;
	LDAPURLDesc *url = NULL;
	Connection *connection = NULL;

	if (ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS) {
		g_set_error(error, SEALPOST_ERROR, ERROR_LOOKUP, "%s: no LDAP URI", uri);
		return NULL;
	}
	LDAP *ldap = open_handle(url, uri, settings->timeout, error);
	if (ldap && prepare(ldap, settings, url->lud_scheme, deadline, error)) {
		connection = g_new0(Connection, 1);
		connection->ldap = ldap;
	} else if (ldap) {
		ldap_unbind_ext_s(ldap, NULL, NULL);
	}
	ldap_free_urldesc(url);
	return connection;
}

static void add_entry(LDAP *ldap, LDAPMessage *entry, GPtrArray *values)
{
	BerElement *position = NULL;

	for (char *name = ldap_first_attribute(ldap, entry, &position); name;
	     name = ldap_next_attribute(ldap, entry, position)) {
		struct berval **found = ldap_get_values_len(ldap, entry, name);
		for (int i = 0; found && found[i] && values->len < LDAP_VALUES_MAX; i++) {
			LdapValue *value = g_new0(LdapValue, 1);
			value->attribute = g_strndup(name, strcspn(name, ";"));
			value->bytes = g_bytes_new(found[i]->bv_val, found[i]->bv_len);
			g_ptr_array_add(values, value);
		}
		ldap_value_free_len(found);
		ldap_memfree(name);
	}
	ber_free(position, 0);
}

/* The search's own result. More entries than we asked for is no failure: some are here. */
static SearchResult finish_search(LDAP *ldap, LDAPMessage *message, GError **error)
{
	int code = LDAP_OTHER;
	int rc = ldap_parse_result(ldap, message, &code, NULL, NULL, NULL, NULL, 0);

	if (rc != LDAP_SUCCESS)
		code = rc;
	if (code == LDAP_SUCCESS || code == LDAP_SIZELIMIT_EXCEEDED)
		return SEARCH_DONE;
	fail(ldap, "search", code, error);
	return code == LDAP_UNAVAILABLE || code == LDAP_BUSY ? SEARCH_BROKEN : SEARCH_FAILED;
}

static SearchResult collect(LDAP *ldap, int id, gint64 deadline, GPtrArray *values, GError **error)
{
	/* references to other servers count, and are not followed */
	for (int responses = 0; responses < RESPONSES_MAX; responses++) {
		struct timeval tv = time_left(deadline);
		LDAPMessage *message = NULL;
		int type = ldap_result(ldap, id, LDAP_MSG_ONE, &tv, &message);
		SearchResult result = SEARCH_DONE;

		if (type <= 0) {
			int rc = LDAP_TIMEOUT;
			if (type < 0)
				ldap_get_option(ldap, LDAP_OPT_RESULT_CODE, &rc);
			fail(ldap, "search", rc, error);
			return type < 0 ? SEARCH_BROKEN : SEARCH_FAILED;
		}
		if (type == LDAP_RES_SEARCH_ENTRY)
			add_entry(ldap, message, values);
		else if (type == LDAP_RES_SEARCH_RESULT)
			result = finish_search(ldap, message, error);
		ldap_msgfree(message);
		if (type == LDAP_RES_SEARCH_RESULT)
			return result;
	}
	ldap_abandon_ext(ldap, id, NULL, NULL);
	fail(ldap, "an answer without end", LDAP_SIZELIMIT_EXCEEDED, error);
	return SEARCH_FAILED;
}

static SearchResult search_on(LDAP *ldap, const LdapSettings *settings, const char *filter,
			      GPtrArray *values, GError **error)
{
	static const int scopes[] = {LDAP_SCOPE_SUBTREE, LDAP_SCOPE_ONELEVEL, LDAP_SCOPE_BASE};
	gint64 deadline = g_get_monotonic_time() + settings->timeout * G_USEC_PER_SEC;
	struct timeval tv = time_left(deadline);
	int id = 0;

	limit_time(ldap, deadline);
	int rc = ldap_search_ext(ldap, settings->base, scopes[settings->scope], filter,
				 settings->attributes, 0, NULL, NULL, &tv, LDAP_ENTRIES_MAX, &id);
	SearchResult result = SEARCH_BROKEN;
	if (rc == LDAP_SUCCESS)
		result = collect(ldap, id, deadline, values, error);
	else
		fail(ldap, "search", rc, error);
	if (rc == LDAP_FILTER_ERROR || rc == LDAP_PARAM_ERROR)
		result = SEARCH_FAILED;
	return result;
}

/* An idle connection that is young enough; NULL: none. */
static Connection *take_idle(LdapServer *server)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);
	gint64 oldest = g_get_monotonic_time() - IDLE_USEC;
	Connection *connection = g_queue_pop_head(&server->idle);

	if (!connection || connection->used >= oldest)
		return connection;
	connection_free(connection);
	g_queue_clear_full(&server->idle, (GDestroyNotify)connection_free);
	return NULL;
}

static void give_back(LdapServer *server, Connection *connection)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);

	connection->used = g_get_monotonic_time();
	g_queue_push_head(&server->idle, connection);
	if (g_queue_get_length(&server->idle) > IDLE_MAX)
		connection_free(g_queue_pop_tail(&server->idle));
}

/* One search over one connection, which is kept if it went well and closed if not. */
static SearchResult search_and_keep(LdapServer *server, Connection *connection, const char *filter,
				    GPtrArray *values, GError **error)
{
	g_autoptr(GPtrArray) found =
		g_ptr_array_new_with_free_func((GDestroyNotify)ldap_value_free);
	SearchResult result = search_on(connection->ldap, server->settings, filter, found, error);

	if (result != SEARCH_DONE) {
		connection_free(connection);
		return result;
	}
	give_back(server, connection);
	while (found->len)
		g_ptr_array_add(values, g_ptr_array_steal_index(found, 0));
	return SEARCH_DONE;
}

static gboolean is_down(LdapServer *server, guint *preferred)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);

	*preferred = server->preferred;
	return server->down_until > g_get_monotonic_time();
}

static void remember_up(LdapServer *server, guint index)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);

	server->preferred = index;
	server->down_until = 0;
}

static void remember_down(LdapServer *server, gint64 start)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);
	gint64 now = g_get_monotonic_time();

	if (now - start > SLOW_USEC)
		server->down_until = now + DOWN_USEC;
}

/* New connections, to each server in turn, the one that worked last first. */
static gboolean search_anew(LdapServer *server, guint preferred, const char *filter,
			    GPtrArray *values, GError **error)
{
	const LdapSettings *settings = server->settings;
	guint count = g_strv_length(settings->uris);
	SearchResult result = SEARCH_BROKEN;

	for (guint i = 0; i < count && result == SEARCH_BROKEN; i++) {
		guint index = (preferred + i) % count;
		g_clear_error(error);
		Connection *connection = connect_one(settings, settings->uris[index], error);
		if (connection)
			result = search_and_keep(server, connection, filter, values, error);
		if (result == SEARCH_DONE)
			remember_up(server, index);
	}
	return result == SEARCH_DONE;
}

static gboolean search(LdapServer *server, guint preferred, const char *filter, GPtrArray *values,
		       GError **error)
{
	Connection *connection = take_idle(server);
	SearchResult result = SEARCH_BROKEN;

	if (connection)
		result = search_and_keep(server, connection, filter, values, error);
	if (result != SEARCH_BROKEN)
		return result == SEARCH_DONE;
	/* No connection yet, or the server closed it or was started anew: once more, at once. */
	g_clear_error(error);
	return search_anew(server, preferred, filter, values, error);
}

gboolean ldap_server_search(LdapServer *server, const char *filter, GPtrArray *values,
			    GError **error)
{
	gint64 start = g_get_monotonic_time();
	GError *failure = NULL;
	guint preferred = 0;

	if (is_down(server, &preferred)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_LOOKUP,
			    "%s: could not be reached a moment ago",
			    server->settings->uris[preferred]);
		return FALSE;
	}
	if (search(server, preferred, filter, values, &failure))
		return TRUE;
	remember_down(server, start);
	g_propagate_error(error, failure);
	return FALSE;
}
