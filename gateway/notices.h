/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's one background worker: sends the portal's notices, soon after a deposit and again
 * later where the MTA did not take one; forgets old entries of the journal, and secret keys that were
 * deleted from the store.
 */
#ifndef SEALPOST_GATEWAY_NOTICES_H
#define SEALPOST_GATEWAY_NOTICES_H

#include "gateway/snapshot.h"

/* How often it looks without being woken, and how long one round may take. */
#define NOTICES_INTERVAL_SECONDS 10
#define NOTICES_ROUND_SECONDS 10
#define NOTICES_EXPIRE_SECONDS ((gint64)60 * 60)

typedef struct Notices Notices;

/* present: gives the snapshot in force, a new reference. */
Notices *notices_new(Snapshot *(*present)(void));
/* Ends the worker after its round. */
void notices_free(Notices *notices);
/* There is something to send. For milter_on_split(). */
void notices_wake(void *notices);

#endif
