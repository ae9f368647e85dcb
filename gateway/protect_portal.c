/* SPDX-License-Identifier: Apache-2.0
 *
 * One variant into the web portal: sealed and committed, with the notice that tells its recipient,
 * before the MTA gets an answer. The deposit has the copy's name, so that a retry after a crash in
 * between is the same deposit. See resubmit.h.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/address.h"

#include "gateway/resubmit.h"

/* The display name in From; NULL if there is none. Notices show it beside the address. */
static char *sender_name(const Job *job)
{
	const Header *from = headers_find(job->headers, "From", 0);
	g_autofree char *text = from ? header_decode(from) : NULL;
	char *angle = text ? g_strrstr(text, "<") : NULL;

	if (!angle)
		return NULL;
	*angle = '\0';
	g_strstrip(text);
	if (*text == '"' && g_str_has_suffix(text, "\"") && text[1])
		return g_strndup(text + 1, strlen(text) - 2);
	return *text ? g_steal_pointer(&text) : NULL;
}

/* The whole message as it was, without what nobody outside shall see (Bcc, X-Sealpost-*). */
static Source *whole_message(const Job *job, const Output *output, GError **error)
{
	g_autoptr(Headers) headers = output_headers(job, output, error);
	g_autoptr(GByteArray) head = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(head, HEADERS_BYTES_MAX * 2);

	if (!headers || !headers_write(headers, HEADERS_ALL, sink, error) ||
	    !sink_write(sink, "\r\n", 2, error))
		return NULL;
	g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(g_steal_pointer(&head));

	return source_new_concat(source_new_bytes(bytes), output_body(job, output));
}

/* Whose message it is for the reader: the envelope sender, or From where that is empty. */
static char *sender_address(const Job *job)
{
	const Header *from = headers_find(job->headers, "From", 0);

	if (*job->sender.folded || !from)
		return g_strdup(job->sender.folded);
	g_autoptr(GPtrArray) list = address_list_parse(from->value, NULL);
	char *folded = list->len > 0 ? address_fold(list->pdata[0]) : NULL;

	return folded ? folded : g_strdup("");
}

/* The subject as the reader shall see it. */
static char *shown_subject(const PortalJob *work)
{
	const Header *field = headers_find(work->job->headers, "Subject", 0);
	g_autofree char *subject = field ? header_decode(field) : g_strdup("");

	if (work->variant->tag)
		return policy_remove_tag(subject, work->variant->tag);
	return g_steal_pointer(&subject);
}

/* Those who have theirs keep it, and the next try goes on with the others. */
static gboolean is_in_time(const Job *job, guint done, GError **error)
{
	if (done == 0 || g_get_monotonic_time() < job->deadline)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT, "no time for more than %u deposits",
		    done);
	return FALSE;
}

/* Half of the time that is left is for storing it. */
static gint64 turn_deadline(const Job *job)
{
	gint64 now = g_get_monotonic_time();

	return now + MAX(job->deadline - now, 0) / 2;
}

gboolean protect_portal(const PortalJob *work, const GPtrArray *recipients, GError **error)
{
	const Job *job = work->job;
	g_autofree char *sender = sender_address(job);
	g_autofree char *name = sender_name(job);
	g_autofree char *subject = shown_subject(work);
	g_autofree char *route = plan_route(work->variant);

	for (guint i = 0; i < recipients->len; i++) {
		const Recipient *recipient = recipients->pdata[i];
		g_autoptr(Source) message = whole_message(job, work->output, error);
		Deposit deposit = {
			.recipient = recipient->folded,
			.recipient_spelled = recipient->address,
			.sender = sender,
			.sender_name = name,
			.subject = subject,
			.digest = journal_key(work->entry, recipient_id(recipient)),
			.route = route,
			.envelope = {job->sender.address, job->sender.envid, recipient->notify,
				     recipient->orcpt},
			.message = message,
			.deadline = turn_deadline(job),
		};

		if (!message || !is_in_time(job, i, error) ||
		    !deposit_store(job->snapshot->deposits, &deposit, NULL, error))
			return FALSE;
	}
	return TRUE;
}
