/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue of notices: put in within the deposit's transaction, handed to the MTA's
 * resubmission listener, taken out when the MTA has them. A notice that is tried is first moved
 * to its next due time: a crash, or a second gateway, never sends it in a loop. One that the MTA refuses
 * for good makes place for a report to the message's sender, in the same row.
 */
#ifndef SEALPOST_PORTAL_MAILER_H
#define SEALPOST_PORTAL_MAILER_H

#include "lib/base/db.h"
#include "portal/notice.h"

typedef struct {
	Db *db;
	const Conf *conf;
	const Texts *texts;
	const Secret *master;
} Mailer;

/* Queues a notice for the message of that number. */
gboolean mailer_queue(const Mailer *mailer, gint64 message, const Notice *notice, GError **error);

/* How often one is tried: five days, as MTAs do. */
#define MAILER_ATTEMPTS_MAX 125

typedef enum { MAILER_NONE_DUE, MAILER_SENT, MAILER_FAILED, MAILER_REFUSED } MailerResult;

/* Tries the oldest one that is due. MAILER_FAILED with error set: it stays queued. MAILER_REFUSED, the
 * same: it does not. */
MailerResult mailer_send_next(const Mailer *mailer, gint64 deadline, GError **error);

/* The pause after that many attempts, in seconds: it doubles from a minute to an hour. */
gint64 mailer_pause(gint64 attempts);

#endif
