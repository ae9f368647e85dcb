/* SPDX-License-Identifier: Apache-2.0
 *
 * The listening socket of the portal: opened before root is dropped, so that it may be port 443.
 */
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "portal/http.h"

#define BACKLOG 128

/* "inet:HOST:PORT" or "inet:[HOST]:PORT"; no name service is asked. */
static GSocketAddress *parse_endpoint(const char *endpoint)
{
	const char *host = g_str_has_prefix(endpoint, "inet:") ? endpoint + 5 : endpoint;
	const char *colon = strrchr(host, ':');
	g_autofree char *name = NULL;
	guint64 port;

	if (colon == NULL || !g_ascii_string_to_unsigned(colon + 1, 10, 0, 65535, &port, NULL))
		return NULL;
	name = g_strndup(host, colon - host);
	if (*name == '[' && g_str_has_suffix(name, "]")) {
		name[strlen(name) - 1] = '\0';
		return g_inet_socket_address_new_from_string(name + 1, (guint)port);
	}
	return g_inet_socket_address_new_from_string(
		g_str_equal(name, "localhost") ? "127.0.0.1" : name, (guint)port);
}

int http_listen(const char *endpoint, GError **error)
{
	g_autoptr(GSocketAddress) address = parse_endpoint(endpoint);
	struct sockaddr_storage native;
	gssize size;
	const int on = 1;
	int fd;

	if (address == NULL || (size = g_socket_address_get_native_size(address)) < 0 ||
	    !g_socket_address_to_native(address, &native, sizeof(native), NULL)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "[portal] listen: %s is no inet:ADDRESS:PORT", endpoint);
		return -1;
	}
	fd = socket(native.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, (struct sockaddr *)&native, (socklen_t)size) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	error_set_errno(error, errno, endpoint);
	if (fd >= 0)
		close(fd);
	return -1;
}
