/* SPDX-License-Identifier: Apache-2.0
 *
 * Who hands us the message, and whether he is one of ours. See client.h.
 */
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/error.h"

#include "gateway/client.h"

struct ClientTrust {
	GPtrArray *networks; /* of GInetAddressMask * */
	char **listeners; /* by name or port */
};

Client *client_copy(const Client *client)
{
	Client *copy = g_new0(Client, 1);

	copy->address = g_strdup(client->address);
	copy->port = client->port;
	copy->daemon_name = g_strdup(client->daemon_name);
	copy->daemon_port = g_strdup(client->daemon_port);
	copy->sasl_user = g_strdup(client->sasl_user);
	copy->tls_version = g_strdup(client->tls_version);
	copy->tls_cipher = g_strdup(client->tls_cipher);
	return copy;
}

void client_clear(Client *client)
{
	g_free(client->address);
	g_free(client->daemon_name);
	g_free(client->daemon_port);
	g_free(client->sasl_user);
	g_free(client->tls_version);
	g_free(client->tls_cipher);
	memset(client, 0, sizeof(*client));
}

void client_free(Client *client)
{
	if (!client)
		return;
	client_clear(client);
	g_free(client);
}

ClientTrust *client_trust_new(const Conf *conf, GError **error)
{
	g_autoptr(ClientTrust) trust = g_new0(ClientTrust, 1);
	const char *const *networks = conf_list(conf, "sealpost", "trusted_networks");
	const char *const *listeners = conf_list(conf, "sealpost", "outgoing_listeners");

	trust->networks = g_ptr_array_new_with_free_func(g_object_unref);
	for (; networks && *networks; networks++) {
		g_autoptr(GError) why = NULL;
		GInetAddressMask *mask = g_inet_address_mask_new_from_string(*networks, &why);

		if (!mask) {
			g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
				    "[sealpost] trusted_networks: \"%s\" is no network: %s",
				    *networks, why->message);
			return NULL;
		}
		g_ptr_array_add(trust->networks, mask);
	}
	trust->listeners = g_strdupv((char **)listeners);
	return g_steal_pointer(&trust);
}

void client_trust_free(ClientTrust *trust)
{
	if (!trust)
		return;
	g_clear_pointer(&trust->networks, g_ptr_array_unref);
	g_strfreev(trust->listeners);
	g_free(trust);
}

/* The address as a value; an IPv4 address in IPv6's clothes ("::ffff:192.0.2.1") is IPv4. */
static GInetAddress *client_inet(const Client *client)
{
	const char *text = client->address;

	if (!text)
		return NULL;
	if (g_ascii_strncasecmp(text, "::ffff:", 7) == 0 && strchr(text, '.'))
		text += 7;
	return g_inet_address_new_from_string(text);
}

gboolean client_is_local(const Client *client)
{
	g_autoptr(GInetAddress) address = client->port == 0 ? client_inet(client) : NULL;

	return address && g_inet_address_get_is_loopback(address);
}

/* "TLSv1.3", "TLSv1", as OpenSSL names them. */
guint client_tls(const Client *client)
{
	const char *version = client->tls_version ? client->tls_version : "";
	guint major = 0, minor = 0;

	if (sscanf(version, "TLSv%1u.%1u", &major, &minor) < 1)
		return 0;
	return major * 10 + minor;
}

gboolean client_brings_notice(const Client *client)
{
	return client_is_local(client) && g_strcmp0(client->daemon_name, CLIENT_RETURNED) == 0;
}

static gboolean on_network(const Client *client, const ClientTrust *trust)
{
	g_autoptr(GInetAddress) address = client_inet(client);

	for (guint i = 0; address && i < trust->networks->len; i++)
		if (g_inet_address_mask_matches(trust->networks->pdata[i], address))
			return TRUE;
	return FALSE;
}

static gboolean by_listener(const Client *client, const ClientTrust *trust)
{
	const char *const *listeners = (const char *const *)trust->listeners;

	if (!listeners)
		return FALSE;
	return (client->daemon_name && g_strv_contains(listeners, client->daemon_name)) ||
	       (client->daemon_port && g_strv_contains(listeners, client->daemon_port));
}

gboolean client_is_trusted(const Client *client, const ClientTrust *trust, const char **why)
{
	const char *reason = "stranger";

	if (client_brings_notice(client))
		reason = "notice";
	else if (client_is_local(client))
		reason = "local";
	else if (client->sasl_user && *client->sasl_user)
		reason = "login";
	else if (on_network(client, trust))
		reason = "network";
	else if (by_listener(client, trust))
		reason = "listener";
	if (why)
		*why = reason;
	return !g_str_equal(reason, "stranger") && !g_str_equal(reason, "notice");
}
