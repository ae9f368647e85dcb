/* SPDX-License-Identifier: Apache-2.0
 *
 * Wakes libmilter's worker pool. See ticker.h.
 */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>

#include "gateway/ticker.h"

struct Ticker {
	GSocketAddress *address; /* NULL: none that we can connect to */
	GThread *thread;
	GMutex lock;
	GCond changed;
	guint busy;
	gint64 since; /* since when busy, and none has left */
	gboolean asleep; /* until the next one enters */
	gboolean stop;
};

static GSocketAddress *parse_endpoint(const char *endpoint)
{
	if (g_str_has_prefix(endpoint, "unix:"))
		return g_unix_socket_address_new(endpoint + strlen("unix:"));
	if (!g_str_has_prefix(endpoint, "inet:"))
		return NULL;
	g_autoptr(GSocketConnectable) host =
		g_network_address_parse(endpoint + strlen("inet:"), 0, NULL);
	g_autoptr(GSocketAddressEnumerator) list =
		host ? g_socket_connectable_enumerate(host) : NULL;

	return list ? g_socket_address_enumerator_next(list, NULL, NULL) : NULL;
}

static void tick(const Ticker *ticker)
{
	g_autoptr(GSocket) socket = NULL;

	if (ticker->address)
		socket = g_socket_new(g_socket_address_get_family(ticker->address),
				      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
	if (!socket)
		return;
	/* A full backlog means that the listener is awake anyway: never wait for it. */
	g_socket_set_blocking(socket, FALSE);
	g_socket_connect(socket, ticker->address, NULL, NULL);
	g_socket_close(socket, NULL);
}

/* When there is something to do; 0: not before the next one enters. */
static gint64 next_tick(const Ticker *ticker, gint64 last)
{
	if (ticker->busy == 0)
		return 0;
	return MAX(ticker->since + TICKER_PATIENCE_MS * 1000, last + TICKER_INTERVAL_MS * 1000);
}

/* Whoever enters wakes this thread only if it sleeps: under load it looks after its patience, and
 * mostly finds that what it waited for has long left. */
static gpointer run(gpointer data)
{
	Ticker *ticker = data;
	gint64 last = 0;

	g_mutex_lock(&ticker->lock);
	while (!ticker->stop) {
		gint64 at = next_tick(ticker, last);

		if (at > 0 && at <= g_get_monotonic_time()) {
			g_mutex_unlock(&ticker->lock);
			tick(ticker);
			g_mutex_lock(&ticker->lock);
			last = g_get_monotonic_time();
			continue;
		}
		ticker->asleep = at == 0;
		if (at > 0)
			g_cond_wait_until(&ticker->changed, &ticker->lock, at);
		else
			g_cond_wait(&ticker->changed, &ticker->lock);
	}
	g_mutex_unlock(&ticker->lock);
	return NULL;
}

Ticker *ticker_new(const char *endpoint)
{
	Ticker *ticker = g_new0(Ticker, 1);

	ticker->address = parse_endpoint(endpoint);
	g_mutex_init(&ticker->lock);
	g_cond_init(&ticker->changed);
	ticker->thread = g_thread_new("ticker", run, ticker);
	return ticker;
}

void ticker_free(Ticker *ticker)
{
	if (!ticker)
		return;
	g_mutex_lock(&ticker->lock);
	ticker->stop = TRUE;
	g_cond_signal(&ticker->changed);
	g_mutex_unlock(&ticker->lock);
	g_thread_join(ticker->thread);
	g_clear_object(&ticker->address);
	g_mutex_clear(&ticker->lock);
	g_cond_clear(&ticker->changed);
	g_free(ticker);
}

void ticker_enter(Ticker *ticker)
{
	g_mutex_lock(&ticker->lock);
	if (ticker->busy++ == 0)
		ticker->since = g_get_monotonic_time();
	if (ticker->asleep) {
		ticker->asleep = FALSE;
		g_cond_signal(&ticker->changed);
	}
	g_mutex_unlock(&ticker->lock);
}

void ticker_leave(Ticker *ticker)
{
	g_mutex_lock(&ticker->lock);
	ticker->busy--;
	/* Its worker looks for what was forgotten. */
	ticker->since = g_get_monotonic_time();
	g_mutex_unlock(&ticker->lock);
}

guint ticker_busy(Ticker *ticker)
{
	g_mutex_lock(&ticker->lock);
	guint busy = ticker->busy;

	g_mutex_unlock(&ticker->lock);
	return busy;
}
