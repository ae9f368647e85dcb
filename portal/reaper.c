/* SPDX-License-Identifier: Apache-2.0
 *
 * Deadlines of connections (see reaper.h).
 */
#include "portal/reaper.h"

#include <sys/socket.h>

#define LOOK_EVERY (G_USEC_PER_SEC / 4)

struct Reaped {
	int socket;
	gint64 deadline; /* monotonic */
};

struct Reaper {
	GMutex lock;
	GCond stop;
	gboolean stopped;
	GHashTable *connections; /* a set of Reaped */
	GThread *thread;
};

/* Shut, not closed: the descriptor stays the library's until it has seen the end. */
static void cut_overdue(Reaper *reaper, gint64 now)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, reaper->connections);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		Reaped *reaped = key;

		if (reaped->deadline > now)
			continue;
		shutdown(reaped->socket, SHUT_RDWR);
		reaped->deadline = G_MAXINT64;
	}
}

static gpointer run(gpointer data)
{
	Reaper *reaper = data;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&reaper->lock);

	while (!reaper->stopped) {
		gint64 now = g_get_monotonic_time();

		cut_overdue(reaper, now);
		g_cond_wait_until(&reaper->stop, &reaper->lock, now + LOOK_EVERY);
	}
	return NULL;
}

Reaper *reaper_start(void)
{
	Reaper *reaper = g_new0(Reaper, 1);

	g_mutex_init(&reaper->lock);
	g_cond_init(&reaper->stop);
	reaper->connections = g_hash_table_new_full(NULL, NULL, g_free, NULL);
	reaper->thread = g_thread_new("reaper", run, reaper);
	return reaper;
}

void reaper_stop(Reaper *reaper)
{
	g_mutex_lock(&reaper->lock);
	reaper->stopped = TRUE;
	g_cond_signal(&reaper->stop);
	g_mutex_unlock(&reaper->lock);
	g_thread_join(reaper->thread);
	g_hash_table_unref(reaper->connections);
	g_cond_clear(&reaper->stop);
	g_mutex_clear(&reaper->lock);
	g_free(reaper);
}

static gint64 in_seconds(gint64 seconds)
{
	return g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
}

Reaped *reaper_add(Reaper *reaper, int socket, gint64 seconds)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&reaper->lock);
	Reaped *reaped = g_new0(Reaped, 1);

	reaped->socket = socket;
	reaped->deadline = in_seconds(seconds);
	g_hash_table_add(reaper->connections, reaped);
	return reaped;
}

void reaper_renew(Reaper *reaper, Reaped *reaped, gint64 seconds)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&reaper->lock);

	if (reaped->deadline != G_MAXINT64)
		reaped->deadline = in_seconds(seconds);
}

void reaper_remove(Reaper *reaper, Reaped *reaped)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&reaper->lock);

	g_hash_table_remove(reaper->connections, reaped);
}

void reaper_cut_all(Reaper *reaper)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&reaper->lock);

	cut_overdue(reaper, G_MAXINT64 - 1);
}
