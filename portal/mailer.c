/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue of notices (see mailer.h).
 */
#include "portal/mailer.h"

#include "lib/base/error.h"
#include "lib/mail/smtp.h"
#include "portal/portaldb.h"

#define PAUSE_FIRST 60
#define PAUSE_MAX 3600
/* Most time for handing over one notice. */
#define SUBMIT_TIME (30 * G_USEC_PER_SEC)

static char *wrap_context(gint64 message)
{
	return g_strdup_printf("portal notice %" G_GINT64_FORMAT, message);
}

gboolean mailer_queue(const Mailer *mailer, gint64 message, const Notice *notice, GError **error)
{
	g_autofree char *context = wrap_context(message);
	g_autoptr(GBytes) wrapped = notice_wrap(notice, mailer->master, context);

	return db_run(mailer->db, NULL, error,
		      "INSERT INTO notice (message, wrapped, due) VALUES (?,?,?)", "ibi", message,
		      wrapped, portaldb_now());
}

gint64 mailer_pause(gint64 attempts)
{
	return attempts >= 6 ? PAUSE_MAX : (gint64)PAUSE_FIRST << attempts;
}

typedef struct {
	gint64 id;
	gint64 message;
	gint64 due;
	gint64 attempts;
	GBytes *wrapped;
} Due;

/* FALSE without error: none is due. */
static gboolean find_due(Db *db, gint64 now, Due *due, GError **error)
{
	g_autoptr(DbQuery) query =
		db_query(db, error,
			 "SELECT id, message, due, attempts, wrapped FROM notice WHERE due <= ?"
			 " ORDER BY due, id LIMIT 1",
			 "i", now);

	if (query == NULL || !db_next(query, error))
		return FALSE;
	due->id = db_int(query, 0);
	due->message = db_int(query, 1);
	due->due = db_int(query, 2);
	due->attempts = db_int(query, 3);
	due->wrapped = db_bytes(query, 4);
	return TRUE;
}

/* The envelope is the message's own: if the address is wrong, the one who wrote learns it, unless nobody is
 * to (RFC 3834: no report on what was sent by itself, with a null sender). RET=HDRS keeps the link out of that bounce. */
static gboolean submit(const Mailer *mailer, const Notice *notice, gint64 deadline, GError **error)
{
	const char *name = conf_string(mailer->conf, "sealpost", "hostname");
	SmtpServer server = {
		.endpoint = conf_address(mailer->conf, "mta", "resubmit"),
		.helo = name != NULL ? name : g_get_host_name(),
		.deadline = MIN(deadline, g_get_monotonic_time() + SUBMIT_TIME),
	};
	SmtpRecipient recipient = {
		.address = notice->recipient, .notify = notice->notify, .orcpt = notice->orcpt};
	SmtpEnvelope envelope = {
		.sender = notice->return_path,
		.ret = "HDRS",
		.envid = notice->envid,
		.smtputf8 = !g_str_is_ascii(notice->recipient) || !g_str_is_ascii(notice->sender) ||
			    !g_str_is_ascii(notice->return_path),
		.recipients = &recipient,
		.recipient_count = 1,
	};
	g_auto(NoticeMail) mail = {0};
	g_autoptr(Source) body = NULL;
	SmtpMessage message;

	if (!notice_compose(notice, mailer->conf, mailer->texts, &mail, error))
		return FALSE;
	body = source_new_bytes(mail.body);
	message = (SmtpMessage){mail.headers, body};
	return smtp_send(&server, &envelope, &message, NULL, error);
}

MailerResult mailer_send_next(const Mailer *mailer, gint64 deadline, GError **error)
{
	gint64 now = portaldb_now();
	g_autoptr(GError) failure = NULL;
	g_autoptr(Notice) notice = NULL;
	g_autoptr(GBytes) wrapped = NULL;
	g_autofree char *context = NULL;
	Due due = {0};
	int changed = 0;

	if (!find_due(mailer->db, now, &due, &failure)) {
		if (failure == NULL)
			return MAILER_NONE_DUE;
		g_propagate_error(error, g_steal_pointer(&failure));
		return MAILER_FAILED;
	}
	wrapped = due.wrapped;
	context = wrap_context(due.message);
	if (!db_run(mailer->db, &changed, error,
		    "UPDATE notice SET due = ?, attempts = attempts + 1 WHERE id = ? AND due = ?",
		    "iii", now + mailer_pause(due.attempts), due.id, due.due))
		return MAILER_FAILED;
	if (changed == 0)
		return MAILER_NONE_DUE; /* another gateway has it */
	notice = notice_unwrap(wrapped, mailer->master, context, error);
	if (notice == NULL || !submit(mailer, notice, deadline, error) ||
	    !db_run(mailer->db, NULL, error, "DELETE FROM notice WHERE id = ?", "i", due.id))
		return MAILER_FAILED;
	return MAILER_SENT;
}
