/* SPDX-License-Identifier: Apache-2.0
 *
 * Wakes libmilter's worker pool. Debian's libmilter runs all sessions on a pool of threads and can
 * lose a wake-up: two commands become ready while one worker is idle, it is signalled twice, and
 * the second command waits until some callback returns or a new event comes: whole sessions stood
 * still for as long as an end-of-message callback took. Any new connection makes
 * the pool look again. So while a callback has been running for more than a moment, this thread
 * connects to our own socket and closes again, some thirty times a second; on an idle daemon or
 * one with quick messages it does nothing.
 */
#ifndef SEALPOST_GATEWAY_TICKER_H
#define SEALPOST_GATEWAY_TICKER_H

#include <glib.h>

/* How long a callback may run before ticking begins, and how often it ticks. */
#define TICKER_PATIENCE_MS 20
#define TICKER_INTERVAL_MS 30

typedef struct Ticker Ticker;

/* endpoint: "unix:PATH" or "inet:HOST:PORT", as the milter listens. */
Ticker *ticker_new(const char *endpoint);
void ticker_free(Ticker *ticker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ticker, ticker_free)

/* Around a callback that may take its time, and around smfi_stop(), which waits for the listener to
 * wake. */
void ticker_enter(Ticker *ticker);
void ticker_leave(Ticker *ticker);
/* How many callbacks are between enter and leave. */
guint ticker_busy(Ticker *ticker);
#endif
