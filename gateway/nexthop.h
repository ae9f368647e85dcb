/* SPDX-License-Identifier: Apache-2.0
 *
 * Postfix's next hop as the milter sees it ({rcpt_host}): "[host]:port", "[host]", "host:port" or a
 * domain. Pure.
 */
#ifndef SEALPOST_GATEWAY_NEXTHOP_H
#define SEALPOST_GATEWAY_NEXTHOP_H

#include <glib.h>

typedef struct {
	char *host; /* without brackets, lower case */
	guint16 port; /* 25 if none was said */
	gboolean use_mx; /* no brackets: MX records are asked first */
} NextHop;

/* FALSE if the text is no next hop; then hop is not touched. */
gboolean nexthop_parse(const char *text, NextHop *hop);
void nexthop_clear(NextHop *hop);

/* Does a name in a certificate meet Postfix's secure match (nexthop, dot-nexthop) for this host? A
 * leading "*." in the name stands for one label. */
gboolean nexthop_matches(const char *certificate_name, const char *host);

#endif
