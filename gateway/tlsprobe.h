/* SPDX-License-Identifier: Apache-2.0
 *
 * What a recipient's server can do: STARTTLS, and a certificate that Postfix's level "secure"
 * would take. Asked by a connection of our own, in the background, and cached. Only choices
 * between ways depend on it: Postfix enforces the transport whatever we saw, so that a server
 * that lies to the probe leaves mail in the queue, never in the clear.
 */
#ifndef SEALPOST_GATEWAY_TLSPROBE_H
#define SEALPOST_GATEWAY_TLSPROBE_H

#include <glib.h>

/* How long one probe may take, and how long an answer is believed. */
#define TLSPROBE_SECONDS 5
#define TLSPROBE_KEEP_GOOD ((gint64)60 * 60)
#define TLSPROBE_KEEP_BAD (5 * 60)
/* Most next hops that are remembered. */
#define TLSPROBE_CACHE_MAX 10000

typedef enum {
	TLS_ABILITY_UNKNOWN, /* unreachable or too slow: Postfix will find out */
	TLS_ABILITY_NONE, /* the server answers, and offers no TLS */
	TLS_ABILITY_OFFERED, /* TLS, but no certificate that fits */
	TLS_ABILITY_VERIFIED,
} TlsAbility;

typedef struct TlsProbe TlsProbe;

/* ca_file: the roots; a missing file verifies nothing. helo: our name. */
TlsProbe *tlsprobe_new(const char *ca_file, const char *helo);
void tlsprobe_free(TlsProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsProbe, tlsprobe_free)

/* nexthop as in Postfix's transport table: "[host]:port", "[host]", "host:port" or a domain (MX).
 * Waits until deadline (g_get_monotonic_time()) at most; UNKNOWN then, and the probe goes on for
 * the cache. */
TlsAbility tlsprobe_ask(TlsProbe *probe, const char *nexthop, gint64 deadline);

#endif
