/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the connection says one thing and the sender's address another: a stranger who writes in the
 * name of one of us, a client of ours that writes in the name of somebody outside. The connection
 * decides the direction in any case; this is only told, in log and explain: a mistake in
 * trusted_networks shows here first.
 */
#ifndef SEALPOST_GATEWAY_CONTRADICTION_H
#define SEALPOST_GATEWAY_CONTRADICTION_H

#include "gateway/job.h"

/* "own-name-from-outside", "foreign-name-from-inside"; NULL: they agree, or there is no sender. Looks at
 * the envelope sender and all addresses in From. Static. */
const char *contradiction_find(const Job *job);
/* The same for people. Static; NULL as above. */
const char *contradiction_text(const char *contradiction);

#endif
