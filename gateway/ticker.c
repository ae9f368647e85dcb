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

static gpointer run(gpointer data)
{
	Ticker *ticker = data;

	g_mutex_lock(&ticker->lock);
	while (!ticker->stop) {
		gint64 wait = TICKER_PATIENCE_MS;

		while (ticker->busy > 0 && !ticker->stop) {
			gint64 until = g_get_monotonic_time() + wait * 1000;

			if (g_cond_wait_until(&ticker->changed, &ticker->lock, until))
				continue;
			g_mutex_unlock(&ticker->lock);
			tick(ticker);
			g_mutex_lock(&ticker->lock);
			wait = TICKER_INTERVAL_MS;
		}
		if (!ticker->stop)
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

/* Only the change from idle to busy and back wakes the thread: ten busy sessions do not keep it
 * from ever reaching its tick. */
void ticker_enter(Ticker *ticker)
{
	g_mutex_lock(&ticker->lock);
	if (ticker->busy++ == 0)
		g_cond_signal(&ticker->changed);
	g_mutex_unlock(&ticker->lock);
}

void ticker_leave(Ticker *ticker)
{
	g_mutex_lock(&ticker->lock);
	if (--ticker->busy == 0)
		g_cond_signal(&ticker->changed);
	g_mutex_unlock(&ticker->lock);
}

guint ticker_busy(Ticker *ticker)
{
	g_mutex_lock(&ticker->lock);
	guint busy = ticker->busy;

	g_mutex_unlock(&ticker->lock);
	return busy;
}
