/* SPDX-License-Identifier: Apache-2.0
 *
 * One message on its way through the gateway. See job.h.
 */
#include <time.h>

#include "lib/base/error.h"
#include "lib/mail/address.h"

#include "gateway/job.h"

/* The one address that needs no domain (RFC 5321, section 4.5.1): the MTA's own. */
#define POSTMASTER "postmaster"

static gboolean is_postmaster(const char *address)
{
	return g_ascii_strcasecmp(address, POSTMASTER) == 0;
}

Recipient *recipient_new(const char *address)
{
	Recipient *recipient = g_new0(Recipient, 1);

	recipient->address = g_strdup(address);
	recipient->folded = is_postmaster(address) ? g_strdup(POSTMASTER) : address_fold(address);
	return recipient;
}

void recipient_free(Recipient *recipient)
{
	if (!recipient)
		return;
	g_free(recipient->address);
	g_free(recipient->folded);
	g_free(recipient->notify);
	g_free(recipient->orcpt);
	g_free(recipient->nexthop);
	key_lookup_free(recipient->lookup);
	g_free(recipient);
}

const char *recipient_id(const Recipient *recipient)
{
	return recipient->folded ? recipient->folded : recipient->address;
}

static void sender_clear(Sender *sender)
{
	g_free(sender->address);
	g_free(sender->folded);
	g_free(sender->body);
	g_free(sender->ret);
	g_free(sender->envid);
}

Job *job_new(Snapshot *snapshot, const Client *client)
{
	Job *job = g_new0(Job, 1);
	const Conf *conf = snapshot->conf;

	job->snapshot = snapshot_ref(snapshot);
	job->client = client_copy(client);
	job->trusted = client_is_trusted(client, snapshot->trust, &job->trusted_why);
	job->recipients = g_ptr_array_new_with_free_func((GDestroyNotify)recipient_free);
	job->headers = headers_new();
	job->message =
		spool_new(snapshot->spool_folder, conf_size(conf, "gateway", "message_limit"));
	job->sha256 = sha256_new();
	job->started = g_get_monotonic_time();
	return job;
}

void job_free(Job *job)
{
	if (!job)
		return;
	g_ptr_array_unref(job->recipients);
	headers_free(job->headers);
	spool_unref(job->message);
	sha256_free(job->sha256);
	g_free(job->digest);
	g_clear_error(&job->failure);
	sender_clear(&job->sender);
	g_free(job->queue_id);
	g_free(job->mta_name);
	client_free(job->client);
	snapshot_unref(job->snapshot);
	g_free(job);
}

Range job_body(const Job *job)
{
	return (Range){job->body_start, spool_length(job->message)};
}

gint64 job_cpu(void)
{
	struct timespec time = {0};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (gint64)time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

gint64 job_lookup_deadline(const Job *job)
{
	return job->started + (job->deadline - job->started) * 2 / 3;
}

gboolean job_was_costly(const Job *job, gint64 computed, const GError *failure)
{
	return g_error_matches(failure, SEALPOST_ERROR, ERROR_TIMEOUT) &&
	       computed >= (job->deadline - job->started) / 2;
}

GPtrArray *job_headers(void *job, const char *name)
{
	const Headers *headers = ((Job *)job)->headers;
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < headers_count(headers); i++) {
		const Header *header = headers_at(headers, i);

		if (g_ascii_strcasecmp(header->name, name) == 0)
			g_ptr_array_add(texts, header_decode(header));
	}
	return texts;
}

Direction job_direction(const Job *job, const char *recipient)
{
	gboolean internal =
		is_postmaster(recipient) || policy_is_internal(job->snapshot->policy, recipient);

	if (job->trusted)
		return internal ? DIRECTION_INTERNAL : DIRECTION_OUTGOING;
	return internal ? DIRECTION_INCOMING : DIRECTION_OTHER;
}
