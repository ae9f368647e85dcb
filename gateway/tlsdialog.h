/* SPDX-License-Identifier: Apache-2.0
 *
 * One probe: connects to a next hop, says EHLO and STARTTLS, looks at the certificate, leaves.
 * Blocking, within its deadline; for a thread of its own.
 */
#ifndef SEALPOST_GATEWAY_TLSDIALOG_H
#define SEALPOST_GATEWAY_TLSDIALOG_H

#include "gateway/tlsprobe.h"

/* Longest reply that is read, and most hosts of a domain that are tried. */
#define TLSDIALOG_REPLY_MAX 4096
#define TLSDIALOG_HOSTS_MAX 4

TlsAbility tlsdialog_run(const char *nexthop, const char *ca_file, const char *helo,
			 gint64 deadline);

#endif
