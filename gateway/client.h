/* SPDX-License-Identifier: Apache-2.0
 *
 * Who hands us the message: the SMTP client as the MTA describes it, and whether his mail counts
 * as our own people's. Only facts that a stranger cannot forge are looked at: the address of the
 * connection, the listener it came in by, a login that the MTA checked.
 */
#ifndef SEALPOST_GATEWAY_CLIENT_H
#define SEALPOST_GATEWAY_CLIENT_H

#include "lib/base/conf.h"

/* Owned strings; each may be NULL (not told). */
typedef struct {
	char *address; /* IP address of the connection */
	guint port; /* 0: not a connection (Postfix's pickup: the `sendmail` command) */
	char *daemon_name; /* the MTA's listener */
	char *daemon_port;
	char *sasl_user; /* who logged in; NULL or empty: nobody */
	char *tls_version;
	char *tls_cipher;
} Client;

Client *client_copy(const Client *client);
/* Frees what it holds: nothing is known of him then. */
void client_clear(Client *client);
void client_free(Client *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_free)

/* What sealpost.conf says about trust, parsed. Immutable. */
typedef struct ClientTrust ClientTrust;
/* ERROR_CONFIG names the network that is none. */
ClientTrust *client_trust_new(const Conf *conf, GError **error);
void client_trust_free(ClientTrust *trust);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ClientTrust, client_trust_free)

/* Mail of the local `sendmail` command: the loopback address without a port. The MTA allows no
 * answers to single recipients there. */
gboolean client_is_local(const Client *client);

/* The name under which the MTA's own notices come; see returned.h. Nobody else can come by it. */
#define CLIENT_RETURNED "sealpost-returned"
gboolean client_brings_notice(const Client *client);

/* The TLS of the connection as in Demands of policies/policy.h: 0 none, 12 for TLS 1.2, … Of what it
 * cannot read, 0. */
guint client_tls(const Client *client);

/* Trusted: local, logged in, on a trusted network, or by an outgoing listener. *why (may be NULL)
 * gets a static word for log and explain: "local", "login", "network", "listener", "stranger"; "notice" is not
 * trusted either. */
gboolean client_is_trusted(const Client *client, const ClientTrust *trust, const char **why);

#endif
