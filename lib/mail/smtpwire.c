/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection under the SMTP client: a non-blocking socket that is waited for, but never past
 * the deadline.
 */
#include "lib/mail/smtpwire.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "lib/base/error.h"

/* How long to wait when a Unix socket's backlog is full (microseconds). */
#define BACKLOG_PAUSE (10 * 1000)

struct Wire {
	GSocket *socket;
	gint64 deadline;
	gsize at; /* what has been read of buffer */
	gsize filled;
	char buffer[WIRE_LINE_MAX];
};

static GSocketAddress *inet_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	g_autofree char *host = NULL;
	g_autoptr(GInetAddress) inet = NULL;
	guint64 port;

	if (colon == NULL ||
	    !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &port, NULL))
		return NULL;
	if (text[0] == '[' && colon - text > 2 && colon[-1] == ']')
		host = g_strndup(text + 1, (gsize)(colon - text - 2));
	else
		host = g_strndup(text, (gsize)(colon - text));
	if (strcmp(host, "localhost") == 0)
		inet = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
	else
		inet = g_inet_address_new_from_string(host);
	return inet != NULL ? g_inet_socket_address_new(inet, (guint16)port) : NULL;
}

static GSocketAddress *endpoint_address(const char *endpoint, GError **error)
{
	GSocketAddress *address = NULL;

	if (g_str_has_prefix(endpoint, "inet:"))
		address = inet_address(endpoint + strlen("inet:"));
	else if (g_str_has_prefix(endpoint, "unix:") && endpoint[strlen("unix:")] == '/')
		address = g_unix_socket_address_new(endpoint + strlen("unix:"));
	if (address == NULL)
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "\"%s\" is neither inet:ADDRESS:PORT nor unix:PATH", endpoint);
	return address;
}

gboolean wire_check_endpoint(const char *endpoint, GError **error)
{
	g_autoptr(GSocketAddress) address = endpoint_address(endpoint, error);

	return address != NULL;
}

/* Makes an error of GIO one of ours; takes it. Always FALSE. */
static gboolean fail(GError **error, const char *what, GError *cause)
{
	int code = g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ? ERROR_TIMEOUT
									    : ERROR_RESUBMIT;

	g_set_error(error, SEALPOST_ERROR, code, "resubmission: %s: %s", what, cause->message);
	g_error_free(cause);
	return FALSE;
}

static gboolean wait_for(Wire *wire, GIOCondition condition, const char *what, GError **error)
{
	gint64 left = wire->deadline - g_get_monotonic_time();
	GError *cause = NULL;

	if (left <= 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT, "resubmission: %s: timed out",
			    what);
		return FALSE;
	}
	if (!g_socket_condition_timed_wait(wire->socket, condition, left, NULL, &cause))
		return fail(error, what, cause);
	return TRUE;
}

static gboolean connect_socket(Wire *wire, GSocketAddress *address, GError **error)
{
	GError *cause = NULL;

	while (!g_socket_connect(wire->socket, address, NULL, &cause)) {
		if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PENDING)) {
			g_clear_error(&cause);
			if (!wait_for(wire, G_IO_OUT, "connect", error))
				return FALSE;
			if (!g_socket_check_connect_result(wire->socket, &cause))
				return fail(error, "connect", cause);
			return TRUE;
		}
		if (!g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) ||
		    g_get_monotonic_time() + BACKLOG_PAUSE >= wire->deadline)
			return fail(error, "connect", cause);
		g_clear_error(&cause);
		g_usleep(BACKLOG_PAUSE);
	}
	return TRUE;
}

Wire *wire_connect(const char *endpoint, gint64 deadline, GError **error)
{
	g_autoptr(GSocketAddress) address = endpoint_address(endpoint, error);
	g_autoptr(Wire) wire = NULL;
	GError *cause = NULL;

	if (address == NULL)
		return NULL;
	wire = g_new0(Wire, 1);
	wire->deadline = deadline;
	wire->socket = g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM,
				    G_SOCKET_PROTOCOL_DEFAULT, &cause);
	if (wire->socket == NULL) {
		fail(error, "socket", cause);
		return NULL;
	}
	g_socket_set_blocking(wire->socket, FALSE);
	if (!connect_socket(wire, address, error))
		return NULL;
	/* Else the small writes of the dialogue meet delayed acknowledgements. */
	if (g_socket_get_family(wire->socket) != G_SOCKET_FAMILY_UNIX)
		g_socket_set_option(wire->socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
	return g_steal_pointer(&wire);
}

void wire_close(Wire *wire)
{
	if (wire == NULL)
		return;
	if (wire->socket != NULL)
		g_object_unref(wire->socket);
	g_free(wire);
}

gboolean wire_write(Wire *wire, const void *data, gsize size, GError **error)
{
	const char *at = data;

	while (size > 0) {
		GError *cause = NULL;
		gssize count = g_socket_send(wire->socket, at, size, NULL, &cause);

		if (count < 0 && g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
			g_clear_error(&cause);
			if (!wait_for(wire, G_IO_OUT, "write", error))
				return FALSE;
			continue;
		}
		if (count < 0)
			return fail(error, "write", cause);
		at += count;
		size -= (gsize)count;
	}
	return TRUE;
}

static gboolean fill(Wire *wire, GError **error)
{
	for (;;) {
		GError *cause = NULL;
		gssize count;

		if (!wait_for(wire, G_IO_IN, "read", error))
			return FALSE;
		count = g_socket_receive(wire->socket, wire->buffer, sizeof(wire->buffer), NULL,
					 &cause);
		if (count > 0) {
			wire->at = 0;
			wire->filled = (gsize)count;
			return TRUE;
		}
		if (count == 0) {
			g_set_error(error, SEALPOST_ERROR, ERROR_RESUBMIT,
				    "resubmission: the server closed the connection");
			return FALSE;
		}
		if (!g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
			return fail(error, "read", cause);
		g_clear_error(&cause);
	}
}

gboolean wire_read_line(Wire *wire, GString *line, GError **error)
{
	g_string_truncate(line, 0);
	for (;;) {
		const char *start = wire->buffer + wire->at;
		gsize left = wire->filled - wire->at;
		const char *end = memchr(start, '\n', left);
		gsize count = end != NULL ? (gsize)(end - start) : left;

		if (line->len + count > WIRE_LINE_MAX) {
			g_set_error(error, SEALPOST_ERROR, ERROR_RESUBMIT,
				    "resubmission: a line of more than %d bytes", WIRE_LINE_MAX);
			return FALSE;
		}
		g_string_append_len(line, start, (gssize)count);
		wire->at += end != NULL ? count + 1 : count;
		if (end != NULL)
			break;
		if (!fill(wire, error))
			return FALSE;
	}
	if (line->len > 0 && line->str[line->len - 1] == '\r')
		g_string_truncate(line, line->len - 1);
	return TRUE;
}
