/* SPDX-License-Identifier: Apache-2.0
 *
 * Cuts off connections at their deadline: the HTTP library only knows how long one is silent, so
 * that a client who sends a byte now and then would hold its place for ever. Thread-safe.
 */
#ifndef SEALPOST_PORTAL_REAPER_H
#define SEALPOST_PORTAL_REAPER_H

#include <glib.h>

typedef struct Reaper Reaper;
typedef struct Reaped Reaped;

Reaper *reaper_start(void);
void reaper_stop(Reaper *reaper);

/* A connection by its socket, which must be open until reaper_remove(). */
Reaped *reaper_add(Reaper *reaper, int socket, gint64 seconds);
/* A new deadline, from now. */
void reaper_renew(Reaper *reaper, Reaped *reaped, gint64 seconds);
void reaper_remove(Reaper *reaper, Reaped *reaped);
/* All of them now. */
void reaper_cut_all(Reaper *reaper);

#endif
