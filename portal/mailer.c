/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue of notices (see mailer.h).
 */
#include "portal/mailer.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/smtp.h"
#include "portal/portaldb.h"
#include "portal/report.h"
#include "portal/vault.h"

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
	char *refused;
} Due;

static void due_clear(Due *due)
{
	g_clear_pointer(&due->wrapped, g_bytes_unref);
	g_free(due->refused);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Due, due_clear)

/* FALSE without error: none is due. */
static gboolean find_due(Db *db, gint64 now, Due *due, GError **error)
{
	g_autoptr(DbQuery) query = db_query(
		db, error,
		"SELECT id, message, due, attempts, wrapped, refused FROM notice WHERE due <= ?"
		" ORDER BY due, id LIMIT 1",
		"i", now);

	if (query == NULL || !db_next(query, error))
		return FALSE;
	due->id = db_int(query, 0);
	due->message = db_int(query, 1);
	due->due = db_int(query, 2);
	due->attempts = db_int(query, 3);
	due->wrapped = db_bytes(query, 4);
	due->refused = g_strdup(db_text(query, 5));
	return TRUE;
}

/* The envelope is the message's own: if the address is wrong, the one who wrote learns it, unless nobody is
 * to (RFC 3834: no report on what was sent by itself, with a null sender). RET=HDRS keeps the link out of that bounce. */
static SmtpEnvelope notice_envelope(const Notice *notice, SmtpRecipient *recipient)
{
	*recipient = (SmtpRecipient){
		.address = notice->recipient, .notify = notice->notify, .orcpt = notice->orcpt};
	return (SmtpEnvelope){
		.sender = notice->return_path,
		.ret = "HDRS",
		.envid = notice->envid,
		.smtputf8 = !g_str_is_ascii(notice->recipient) || !g_str_is_ascii(notice->sender) ||
			    !g_str_is_ascii(notice->return_path),
		.recipients = recipient,
		.recipient_count = 1,
	};
}

static SmtpEnvelope report_envelope(const Notice *notice, SmtpRecipient *recipient)
{
	*recipient = (SmtpRecipient){.address = notice->return_path};
	return (SmtpEnvelope){
		.sender = "",
		.smtputf8 = !g_str_is_ascii(notice->return_path),
		.recipients = recipient,
		.recipient_count = 1,
	};
}

static gboolean submit(const Mailer *mailer, const Notice *notice, gint64 deadline, GError **error)
{
	const char *name = conf_string(mailer->conf, "sealpost", "hostname");
	SmtpServer server = {
		.endpoint = conf_address(mailer->conf, "mta", "resubmit"),
		.helo = name != NULL ? name : g_get_host_name(),
		.deadline = MIN(deadline, g_get_monotonic_time() + SUBMIT_TIME),
	};
	gboolean report = notice->refused != NULL;
	SmtpRecipient recipient;
	SmtpEnvelope envelope =
		report ? report_envelope(notice, &recipient) : notice_envelope(notice, &recipient);
	g_auto(NoticeMail) mail = {0};
	g_autoptr(Source) body = NULL;
	SmtpMessage message;

	if (!(report ? report_compose : notice_compose)(notice, mailer->conf, mailer->texts, &mail,
							error))
		return FALSE;
	body = source_new_bytes(mail.body);
	message = (SmtpMessage){mail.headers, body};
	return smtp_send(&server, &envelope, &message, NULL, error);
}

static gboolean is_final(const Due *due, const GError *failure)
{
	return g_error_matches(failure, SEALPOST_ERROR, ERROR_UNDELIVERABLE) ||
	       g_error_matches(failure, SEALPOST_ERROR, ERROR_REFUSED) ||
	       g_error_matches(failure, SEALPOST_ERROR, ERROR_BAD_ADDRESS) ||
	       due->attempts + 1 >= MAILER_ATTEMPTS_MAX;
}

/* Of a failure for good (RFC 3463). */
static gboolean is_status(const char *text)
{
	return g_regex_match_simple("^[45]\\.[0-9]{1,3}\\.[0-9]{1,3}\\z", text, 0, 0);
}

/* "5.1.1" at the end of the failure's text; what there is for a text without. New string. */
static char *status_of(const GError *failure)
{
	const char *last = strrchr(failure->message, ' ');

	if (last != NULL && last[1] == '5' && is_status(last + 1))
		return g_strdup(last + 1);
	switch (error_info(failure)->code) {
	case ERROR_UNDELIVERABLE: return g_strdup("5.0.0");
	case ERROR_BAD_ADDRESS: return g_strdup("5.1.3");
	default: return g_strdup("4.4.7");
	}
}

static gboolean drop(const Mailer *mailer, const Due *due, GError **error)
{
	return db_run(mailer->db, NULL, error, "DELETE FROM notice WHERE id = ?", "i", due->id);
}

/* Inside a transaction: the recipient is not told, his sender is. */
static gboolean turn_into_report(const Mailer *mailer, const Due *due, const Notice *notice,
				 const char *status, GError **error)
{
	if (!vault_event(mailer->db, due->message, "untold", error))
		return FALSE;
	if (!report_wanted(notice))
		return drop(mailer, due, error);
	return db_run(mailer->db, NULL, error,
		      "UPDATE notice SET refused = ?, due = ?, attempts = 0 WHERE id = ?", "sii",
		      status, portaldb_now(), due->id);
}

/* A report that is refused, too, ends here; the event stays. */
static MailerResult refuse(const Mailer *mailer, const Due *due, const Notice *notice,
			   const GError *failure, GError **error)
{
	g_autofree char *status = status_of(failure);

	if (!db_begin(mailer->db, error))
		return MAILER_FAILED;
	if (!(due->refused != NULL ? drop(mailer, due, error)
				   : turn_into_report(mailer, due, notice, status, error))) {
		db_rollback(mailer->db);
		return MAILER_FAILED;
	}
	if (!db_commit(mailer->db, error))
		return MAILER_FAILED;
	g_set_error(error, failure->domain, failure->code, "message %" G_GINT64_FORMAT ", %s: %s",
		    due->message,
		    due->refused != NULL    ? "the report to its sender"
		    : report_wanted(notice) ? "its sender is told"
					    : "nobody is to be told",
		    failure->message);
	return MAILER_REFUSED;
}

static MailerResult deliver(const Mailer *mailer, Due *due, gint64 deadline, GError **error)
{
	g_autofree char *context = wrap_context(due->message);
	g_autoptr(GError) failure = NULL;
	g_autoptr(Notice) notice = notice_unwrap(due->wrapped, mailer->master, context, &failure);

	if (notice == NULL) {
		/* its own failure, not the store's: the others go on */
		g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "%s", failure->message);
		return MAILER_FAILED;
	}
	/* Who can write to the database, which the portal can, puts nothing else into a mail of ours. */
	if (due->refused != NULL)
		notice->refused = g_strdup(is_status(due->refused) ? due->refused : "5.0.0");
	if (submit(mailer, notice, deadline, &failure))
		return drop(mailer, due, error) ? MAILER_SENT : MAILER_FAILED;
	if (is_final(due, failure))
		return refuse(mailer, due, notice, failure, error);
	g_propagate_error(error, g_steal_pointer(&failure));
	return MAILER_FAILED;
}

MailerResult mailer_send_next(const Mailer *mailer, gint64 deadline, GError **error)
{
	gint64 now = portaldb_now();
	g_autoptr(GError) failure = NULL;
	g_auto(Due) due = {0};
	int changed = 0;

	if (!find_due(mailer->db, now, &due, &failure)) {
		if (failure == NULL)
			return MAILER_NONE_DUE;
		g_propagate_error(error, g_steal_pointer(&failure));
		return MAILER_FAILED;
	}
	if (!db_run(mailer->db, &changed, error,
		    "UPDATE notice SET due = ?, attempts = attempts + 1 WHERE id = ? AND due = ?",
		    "iii", now + mailer_pause(due.attempts), due.id, due.due))
		return MAILER_FAILED;
	if (changed == 0)
		return MAILER_NONE_DUE; /* another gateway has it */
	return deliver(mailer, &due, deadline, error);
}
