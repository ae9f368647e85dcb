/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends the portal's notices. See notices.h.
 */
#include "lib/base/log.h"

#include "gateway/notices.h"

struct Notices {
	Snapshot *(*present)(void);
	GThread *thread;
	GMutex lock;
	GCond changed;
	gboolean woken, stop;
	gint64 expired; /* monotonic time of the last look at the journal */
};

static void send_round(const Snapshot *snapshot)
{
	gint64 deadline = g_get_monotonic_time() + NOTICES_ROUND_SECONDS * G_USEC_PER_SEC;
	NoticeTally tally;
	g_autoptr(GError) last = NULL;

	deposits_send_notices(snapshot->deposits, deadline, &tally, &last);
	if (tally.sent > 0)
		log_info("notices sent=%u", tally.sent);
	if (tally.refused > 0)
		log_warning("notices refused=%u for good (sealpost portal messages: untold): %s",
			    tally.refused, last->message);
	if (tally.failed > 0)
		log_warning("notices failed=%u, they are tried again later: %s", tally.failed,
			    last->message);
}

static void expire_journal(Notices *notices, const Snapshot *snapshot)
{
	g_autoptr(GError) error = NULL;
	gint64 now = g_get_monotonic_time();

	if (notices->expired && now - notices->expired < NOTICES_EXPIRE_SECONDS * G_USEC_PER_SEC)
		return;
	notices->expired = now;
	now = g_get_real_time() / G_USEC_PER_SEC;
	if (!journal_expire(snapshot->journal, now, &error) ||
	    !threads_expire(snapshot->threads, now, &error))
		log_warning("journal: %s", error->message);
}

static void forget_deleted_keys(const Snapshot *snapshot)
{
	g_autoptr(GError) error = NULL;

	if (!keystore_forget_deleted(snapshot->keystore, snapshot->pgp, &error))
		log_warning("key store: %s", error->message);
}

static gpointer run(gpointer data)
{
	Notices *notices = data;

	g_mutex_lock(&notices->lock);
	while (!notices->stop) {
		gint64 until = g_get_monotonic_time() + NOTICES_INTERVAL_SECONDS * G_USEC_PER_SEC;

		notices->woken = FALSE;
		g_mutex_unlock(&notices->lock);
		g_autoptr(Snapshot) snapshot = notices->present();

		send_round(snapshot);
		expire_journal(notices, snapshot);
		forget_deleted_keys(snapshot);
		g_mutex_lock(&notices->lock);
		while (!notices->woken && !notices->stop &&
		       g_cond_wait_until(&notices->changed, &notices->lock, until))
			;
	}
	g_mutex_unlock(&notices->lock);
	return NULL;
}

Notices *notices_new(Snapshot *(*present)(void))
{
	Notices *notices = g_new0(Notices, 1);

	notices->present = present;
	g_mutex_init(&notices->lock);
	g_cond_init(&notices->changed);
	notices->thread = g_thread_new("notices", run, notices);
	return notices;
}

void notices_wake(void *data)
{
	Notices *notices = data;

	g_mutex_lock(&notices->lock);
	notices->woken = TRUE;
	g_cond_signal(&notices->changed);
	g_mutex_unlock(&notices->lock);
}

void notices_free(Notices *notices)
{
	if (!notices)
		return;
	g_mutex_lock(&notices->lock);
	notices->stop = TRUE;
	g_cond_signal(&notices->changed);
	g_mutex_unlock(&notices->lock);
	g_thread_join(notices->thread);
	g_mutex_clear(&notices->lock);
	g_cond_clear(&notices->changed);
	g_free(notices);
}
