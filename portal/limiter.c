/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting attempts and places (see limiter.h).
 */
#include "portal/limiter.h"

typedef struct {
	guint taken;
	gint64 end; /* when the span is over and counting starts anew */
} Span;

struct Limiter {
	GMutex lock;
	GHashTable *spans;
	guint limit;
	gint64 seconds;
};

Limiter *limiter_new(guint limit, gint64 seconds)
{
	Limiter *limiter = g_new0(Limiter, 1);

	g_mutex_init(&limiter->lock);
	limiter->spans = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	limiter->limit = limit;
	limiter->seconds = seconds;
	return limiter;
}

void limiter_free(Limiter *limiter)
{
	if (limiter == NULL)
		return;
	g_hash_table_unref(limiter->spans);
	g_mutex_clear(&limiter->lock);
	g_free(limiter);
}

/* Is there nothing to remember? Time is over, or all was given back. */
static gboolean is_over(gpointer key, gpointer value, gpointer now)
{
	const Span *span = value;

	(void)key;
	return span->end <= *(gint64 *)now || span->taken == 0;
}

static Span *find_span(Limiter *limiter, const char *key, gint64 now)
{
	Span *span = g_hash_table_lookup(limiter->spans, key);

	if (span == NULL) {
		if (g_hash_table_size(limiter->spans) >= LIMITER_KEYS_MAX)
			g_hash_table_foreach_remove(limiter->spans, is_over, &now);
		if (g_hash_table_size(limiter->spans) >= LIMITER_KEYS_MAX)
			return NULL;
		span = g_new0(Span, 1);
		g_hash_table_insert(limiter->spans, g_strdup(key), span);
	}
	if (span->end <= now) {
		span->taken = 0;
		span->end = now + limiter->seconds;
	}
	return span;
}

gboolean limiter_take(Limiter *limiter, const char *key, gint64 now)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&limiter->lock);
	Span *span = find_span(limiter, key, now);

	if (span == NULL || span->taken >= limiter->limit)
		return FALSE;
	span->taken++;
	return TRUE;
}

void limiter_give_back(Limiter *limiter, const char *key)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&limiter->lock);
	Span *span = g_hash_table_lookup(limiter->spans, key);

	if (span != NULL && span->taken > 0)
		span->taken--;
}

struct Gate {
	GMutex lock;
	GCond left;
	guint free;
};

Gate *gate_new(guint places)
{
	Gate *gate = g_new0(Gate, 1);

	g_mutex_init(&gate->lock);
	g_cond_init(&gate->left);
	gate->free = places;
	return gate;
}

void gate_free(Gate *gate)
{
	if (gate == NULL)
		return;
	g_cond_clear(&gate->left);
	g_mutex_clear(&gate->lock);
	g_free(gate);
}

gboolean gate_enter(Gate *gate, gint64 deadline)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&gate->lock);

	while (gate->free == 0)
		if (!g_cond_wait_until(&gate->left, &gate->lock, deadline))
			return FALSE;
	gate->free--;
	return TRUE;
}

void gate_leave(Gate *gate)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&gate->lock);

	gate->free++;
	g_cond_signal(&gate->left);
}
