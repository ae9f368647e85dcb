/* SPDX-License-Identifier: Apache-2.0
 *
 * A split message's variants leave by SMTP. See resubmit.h.
 */
#include "lib/base/error.h"
#include "lib/mail/smtp.h"

#include "gateway/resubmit.h"

/* Of a message's time, what the MTA has for the answer to a copy. A copy that ends later than that
 * is not sent, and goes at the next try: it might have arrived unheard, and would go twice. */
#define ANSWER_SHARE 6

/* Those of the variant's recipients who do not have it yet. */
static GPtrArray *remaining(const Resubmission *resubmission, const PlanVariant *variant)
{
	GPtrArray *list = g_ptr_array_new();

	for (guint i = 0; i < variant->recipients->len; i++) {
		const PlanRecipient *recipient = variant->recipients->pdata[i];

		if (!g_hash_table_contains(resubmission->entry->done,
					   recipient_id(recipient->recipient)))
			g_ptr_array_add(list, (gpointer)recipient->recipient);
	}
	return list;
}

static gboolean send_to(const Job *job, const GPtrArray *recipients, const Output *output,
			GError **error)
{
	const Sender *sender = &job->sender;
	const Snapshot *snapshot = job->snapshot;
	g_autofree SmtpRecipient *list = g_new0(SmtpRecipient, recipients->len);
	SmtpEnvelope envelope = {
		.sender = sender->address,
		.body = sender->body,
		.ret = output->opened ? "HDRS" : sender->ret,
		.envid = sender->envid,
		.smtputf8 = sender->smtputf8,
		.recipients = list,
		.recipient_count = recipients->len,
	};
	g_autoptr(Headers) headers = output_headers(job, output, error);

	if (!headers)
		return FALSE;
	for (guint i = 0; i < recipients->len; i++) {
		const Recipient *recipient = recipients->pdata[i];

		list[i].address = recipient->address;
		list[i].notify = recipient->notify;
		list[i].orcpt = recipient->orcpt;
	}
	g_autoptr(Source) body = output_body(job, output);

	const char *listener = job->trusted ? "resubmit" : "resubmit_incoming";
	SmtpMessage message = {headers, body};
	SmtpServer server = {
		.endpoint = conf_address(snapshot->conf, "mta", listener),
		.helo = snapshot->hostname,
		.deadline = job->deadline,
		.answer_time = (job->deadline - job->started) / ANSWER_SHARE,
	};

	return smtp_send(&server, &envelope, &message, NULL, error);
}

static gboolean note(Resubmission *resubmission, const PlanVariant *variant,
		     const GPtrArray *recipients, GError **error)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (guint i = 0; i < recipients->len; i++) {
		const Recipient *recipient = recipients->pdata[i];

		g_strv_builder_add(builder, recipient_id(recipient));
	}
	g_auto(GStrv) addresses = g_strv_builder_end(builder);

	return journal_add(resubmission->job->snapshot->journal, resubmission->entry,
			   (const char *const *)addresses, plan_variant_way(variant), error);
}

gboolean resubmit_variant(Resubmission *resubmission, const PlanVariant *variant,
			  const Output *output, GError **error)
{
	const Job *job = resubmission->job;
	g_autoptr(GPtrArray) recipients = remaining(resubmission, variant);
	PortalJob portal = {job, variant, output, resubmission->entry};
	gboolean to_portal = variant->way == WAY_PORTAL && !variant->unchanged;

	if (recipients->len == 0)
		return TRUE;
	if (!output) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT,
			    "not all copies could be made in time; the others have left");
		return FALSE;
	}
	if (to_portal ? !protect_portal(&portal, recipients, error)
		      : !send_to(job, recipients, output, error))
		return FALSE;
	return note(resubmission, variant, recipients, error);
}
