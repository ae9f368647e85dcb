/* SPDX-License-Identifier: Apache-2.0
 *
 * Attempts within a span of time, per key (an account, a client's address), and how many may do
 * something costly at once. In memory only. Thread-safe.
 */
#ifndef SEALPOST_PORTAL_LIMITER_H
#define SEALPOST_PORTAL_LIMITER_H

#include <glib.h>

/* Keys that are remembered; while there are more, new ones are refused. */
#define LIMITER_KEYS_MAX 50000

typedef struct Limiter Limiter;

/* limit attempts within seconds. */
Limiter *limiter_new(guint limit, gint64 seconds);
void limiter_free(Limiter *limiter);

/* Counts an attempt before it is made. FALSE: there were too many, or too many keys. now is in
 * seconds. */
gboolean limiter_take(Limiter *limiter, const char *key, gint64 now);
/* The attempt was a good one: it does not count. */
void limiter_give_back(Limiter *limiter, const char *key);

/* A door for `places` threads at a time. */
typedef struct Gate Gate;
Gate *gate_new(guint places);
void gate_free(Gate *gate);
/* Waits for a place until deadline (g_get_monotonic_time()); FALSE if none came free. */
gboolean gate_enter(Gate *gate, gint64 deadline);
void gate_leave(Gate *gate);

#endif
