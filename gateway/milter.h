/* SPDX-License-Identifier: Apache-2.0
 *
 * The only door to libmilter: shims that feed receive.c and carry out what the pipeline hands
 * back. All of what happens to a message is decided elsewhere.
 */
#ifndef SEALPOST_GATEWAY_MILTER_H
#define SEALPOST_GATEWAY_MILTER_H

#include "gateway/snapshot.h"

/* Opens the socket. endpoint as conf_address() gives it; mode, owner (NULL: who
 * we are): of a Unix socket. libmilter has
 * one listener in a process, so there is one milter. */
gboolean milter_listen(const char *endpoint, int mode, const char *owner, GError **error);

/* Gives new messages this snapshot (takes a reference). Before milter_run() and on reload. */
void milter_set_snapshot(Snapshot *snapshot);
/* The present one, a new reference; NULL at the end. */
Snapshot *milter_snapshot(void);

/* Serves until milter_stop(). FALSE if libmilter gave up. For a thread of its own: the main thread
 * must be the one that takes signals (main.c says why). */
gboolean milter_run(void);
/* Ends milter_run(); callbacks under way go on. */
void milter_stop(void);
/* How many messages are being worked on. */
guint milter_busy(void);

/* Called after each message that was split (there may be notices to send), from any thread; set
 * once before milter_run(). */
void milter_on_split(void (*notify)(void *context), void *context);

#endif
