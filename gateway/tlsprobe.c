/* SPDX-License-Identifier: Apache-2.0
 *
 * What a recipient's server can do: cache and threads; one probe's dialogue is in tlsdialog.c. See
 * tlsprobe.h.
 */
#include <string.h>

#include "lib/mail/address.h"

#include "gateway/tlsdialog.h"
#include "gateway/tlsprobe.h"

typedef struct {
	gboolean finished;
	TlsAbility ability;
	gint64 until; /* monotonic time; while not finished it is under way */
} CacheEntry;

/* Shared between the owner and the probes under way; the last one frees it. */
typedef struct {
	GMutex lock;
	GCond changed;
	GHashTable *cache; /* next hop -> CacheEntry * */
	char *ca_file;
	char *helo;
} Shared;

struct TlsProbe {
	Shared *shared;
};

typedef struct {
	Shared *shared;
	char *nexthop;
} Task;

static void shared_clear(Shared *shared)
{
	g_mutex_clear(&shared->lock);
	g_cond_clear(&shared->changed);
	g_hash_table_unref(shared->cache);
	g_free(shared->ca_file);
	g_free(shared->helo);
}

TlsProbe *tlsprobe_new(const char *ca_file, const char *helo)
{
	TlsProbe *probe = g_new0(TlsProbe, 1);
	Shared *shared = g_atomic_rc_box_new0(Shared);

	g_mutex_init(&shared->lock);
	g_cond_init(&shared->changed);
	shared->cache = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	shared->ca_file = g_strdup(ca_file);
	shared->helo = g_strdup(helo);
	probe->shared = shared;
	return probe;
}

void tlsprobe_free(TlsProbe *probe)
{
	if (!probe)
		return;
	g_atomic_rc_box_release_full(probe->shared, (GDestroyNotify)shared_clear);
	g_free(probe);
}

static gpointer run_task(gpointer data)
{
	Task *task = data;
	Shared *shared = task->shared;
	gint64 deadline = g_get_monotonic_time() + TLSPROBE_SECONDS * G_USEC_PER_SEC;
	TlsAbility ability = tlsdialog_run(task->nexthop, shared->ca_file, shared->helo, deadline);
	gint64 keep = ability == TLS_ABILITY_VERIFIED || ability == TLS_ABILITY_OFFERED
			      ? TLSPROBE_KEEP_GOOD
			      : TLSPROBE_KEEP_BAD;

	g_mutex_lock(&shared->lock);
	CacheEntry *entry = g_hash_table_lookup(shared->cache, task->nexthop);

	if (entry) {
		entry->finished = TRUE;
		entry->ability = ability;
		entry->until = g_get_monotonic_time() + keep * G_USEC_PER_SEC;
	}
	g_cond_broadcast(&shared->changed);
	g_mutex_unlock(&shared->lock);
	g_free(task->nexthop);
	g_free(task);
	g_atomic_rc_box_release_full(shared, (GDestroyNotify)shared_clear);
	return NULL;
}

/* Forgets what has finished when there is too much of it; called with the lock. */
static void make_room(Shared *shared)
{
	GHashTableIter iter;
	gpointer value;

	if (g_hash_table_size(shared->cache) < TLSPROBE_CACHE_MAX)
		return;
	g_hash_table_iter_init(&iter, shared->cache);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (((CacheEntry *)value)->finished)
			g_hash_table_iter_remove(&iter);
}

/* Called with the lock: an entry whose probe runs now. */
static void start(Shared *shared, const char *nexthop)
{
	Task *task = g_new0(Task, 1);
	GThread *thread;

	make_room(shared);
	g_hash_table_replace(shared->cache, g_strdup(nexthop), g_new0(CacheEntry, 1));
	task->shared = g_atomic_rc_box_acquire(shared);
	task->nexthop = g_strdup(nexthop);
	thread = g_thread_try_new("tlsprobe", run_task, task, NULL);
	if (thread) {
		g_thread_unref(thread);
		return;
	}
	/* No thread to be had: nobody will finish this entry, so it must not stay. */
	g_hash_table_remove(shared->cache, nexthop);
	g_free(task->nexthop);
	g_free(task);
	g_atomic_rc_box_release(shared);
}

TlsAbility tlsprobe_ask(TlsProbe *probe, const char *nexthop, gint64 deadline)
{
	Shared *shared = probe->shared;
	g_autofree char *key = g_ascii_strdown(nexthop, -1);
	TlsAbility ability = TLS_ABILITY_UNKNOWN;
	gboolean waiting = TRUE;

	g_mutex_lock(&shared->lock);
	CacheEntry *entry = g_hash_table_lookup(shared->cache, key);

	if (!entry || (entry->finished && entry->until < g_get_monotonic_time()))
		start(shared, key);
	while (waiting) {
		entry = g_hash_table_lookup(shared->cache, key);
		if (!entry || entry->finished)
			break;
		waiting = g_cond_wait_until(&shared->changed, &shared->lock, deadline);
	}
	if (entry && entry->finished)
		ability = entry->ability;
	g_mutex_unlock(&shared->lock);
	return ability;
}
