/* SPDX-License-Identifier: Apache-2.0
 *
 * All that the gateway sees of the portal: put a message in, sealed, together with the notice
 * that tells its recipient. Both are committed before the call returns. The database holds
 * nothing that opens the message: the link's secret is only in the notice, and a notice that
 * waits is encrypted under the gateway's master key, which the portal does not have.
 */
#ifndef SEALPOST_PORTAL_DEPOSIT_H
#define SEALPOST_PORTAL_DEPOSIT_H

#include "lib/base/conf.h"
#include "lib/base/secret.h"
#include "lib/mail/stream.h"

typedef struct Deposits Deposits;

/* Opens the portal's database for depositing. master_key is borrowed for the Deposits' life.
 * ERROR_CONFIG: [portal] sender is no address. */
Deposits *deposits_open(const Conf *conf, const Secret *master_key, GError **error);
void deposits_close(Deposits *deposits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Deposits, deposits_close)

/* What the message's envelope says of reports about it holds for the notice, which travels in its place: a
 * notice of mail that wants no reports (RFC 3834, RFC 5321: a null sender) brings none either. */
typedef struct {
	const char *sender; /* without brackets; "" or NULL: the null sender */
	const char *envid; /* ENVID=, NOTIFY=, ORCPT= as received; NULL if not given (RFC 3461) */
	const char *notify;
	const char *orcpt;
} DepositEnvelope;

typedef struct {
	const char *recipient; /* folded address: the account */
	const char *recipient_spelled; /* as in the envelope: where the notice goes */
	const char *sender; /* folded address of the employee */
	const char *sender_name; /* decoded display name for the notice; may be NULL */
	const char *subject; /* decoded; sealed, shown only after opening */
	const char *languages; /* preferred languages of the notice, "de,en"; NULL: the setting */
	const char *digest; /* what makes a retry the same deposit: unique with recipient */
	const char
		*route; /* value for the notice's route header (see doc/postfix.md); NULL: none */
	DepositEnvelope envelope; /* of the notice */
	Source *message; /* the whole message, header block included, as it was */
	gint64 deadline; /* when its own turn must have come: g_get_monotonic_time() */
} Deposit;

/* What a notice tells; NULL where the deposit was a retry. */
typedef struct {
	char *url;
	char *code; /* "" if none is asked for */
} DepositLink;

void deposit_link_clear(DepositLink *link);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DepositLink, deposit_link_clear)

/* Seals and stores, one after the other; TRUE if it is committed or was already (same digest and
 * recipient: a retry). *link (may be NULL) is for tests: nobody else but the recipient shall see it.
 * ERROR_TIMEOUT if others are stored until the deadline; ERROR_PORTAL, ERROR_DISK_FULL. */
gboolean deposit_store(Deposits *deposits, const Deposit *deposit, DepositLink *link,
		       GError **error);

/* Sends the notices that wait to the MTA's resubmission listener, oldest first, until none is due or
 * deadline (g_get_monotonic_time()) passes. What the MTA took is removed; what it did not take is tried
 * again later, with growing pauses. What it refuses for good, or does not take for five days, becomes
 * a report to the message's sender, if he is to be told (see DepositEnvelope), and in any case an event
 * "untold" of the message. One caller at a time (the gateway's notice thread). *tally may be NULL,
 * *last (may be NULL) is why the last one failed. */
typedef struct {
	guint sent; /* notices and reports */
	guint failed; /* for now */
	guint refused; /* for good */
} NoticeTally;
void deposits_send_notices(Deposits *deposits, gint64 deadline, NoticeTally *tally, GError **last);

#endif
