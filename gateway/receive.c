/* SPDX-License-Identifier: Apache-2.0
 *
 * The first step: milter events become a Job. See receive.h.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/address.h"

#include "gateway/demands.h"
#include "gateway/digest.h"
#include "gateway/facts.h"
#include "gateway/receive.h"

/* Keeps the first failure; later ones mostly follow from it. */
static void fail(Job *job, GError *error)
{
	if (job->failure)
		g_error_free(error);
	else
		job->failure = error;
}

/* The value of "NAME=value" among ESMTP parameters, copied; NULL if it is not there. */
static char *param_value(const char *const *params, const char *name)
{
	gsize length = strlen(name);

	for (; params && *params; params++)
		if (g_ascii_strncasecmp(*params, name, length) == 0 && (*params)[length] == '=')
			return g_strdup(*params + length + 1);
	return NULL;
}

static gboolean has_param(const char *const *params, const char *name)
{
	for (; params && *params; params++)
		if (g_ascii_strcasecmp(*params, name) == 0)
			return TRUE;
	return FALSE;
}

/* The mailbox in a path. What we cannot read stays as it came; only mail that we would have to
 * protect fails for it. */
static char *read_path(Job *job, const char *path)
{
	GError *error = NULL;
	char *address = address_from_path(path, &error);

	if (address)
		return address;
	g_prefix_error(&error, "%s: ", path);
	if (job->trusted)
		fail(job, error);
	else
		g_error_free(error);
	return g_strdup(path);
}

void receive_sender(Job *job, const char *path, const char *const *params)
{
	Sender *sender = &job->sender;

	sender->address = read_path(job, path);
	sender->folded = address_fold(sender->address);
	if (!sender->folded)
		sender->folded = g_strdup("");
	sender->body = param_value(params, "BODY");
	sender->ret = param_value(params, "RET");
	sender->envid = param_value(params, "ENVID");
	sender->smtputf8 = has_param(params, "SMTPUTF8");
}

/* The MTA shows each RCPT, also those that it will merge: "Bob@x" and "bob@x" are one recipient
 * in its queue file, the first spelling wins. */
static gboolean is_known(const Job *job, const Recipient *recipient)
{
	for (guint i = 0; i < job->recipients->len; i++) {
		const Recipient *known = job->recipients->pdata[i];

		if (g_strcmp0(known->address, recipient->address) == 0 ||
		    (known->folded && g_strcmp0(known->folded, recipient->folded) == 0))
			return TRUE;
	}
	return FALSE;
}

/* "user%outside.example@ours": an MTA that is final for our domain routes it on to outside.example
 * (Postfix: allow_percent_hack, swap_bangpath, resolve_dequoted_address), and as mail to one of us
 * it would leave in the clear. */
static gboolean hides_a_route(const Recipient *recipient)
{
	const char *domain = address_domain(recipient->folded);

	return recipient->direction == DIRECTION_INTERNAL && domain &&
	       strcspn(recipient->folded, "%!@") < (gsize)(domain - 1 - recipient->folded);
}

/* Postfix says several next hops (relayhost, transport_maps) as they were written, with commas or
 * blanks between them; a route header's table takes one word. New string; NULL if there is none. */
static char *one_word(const char *nexthop)
{
	g_auto(GStrv) hops = g_strsplit_set(nexthop ? nexthop : "", ", \t", -1);
	GString *word = g_string_new(NULL);

	for (char **hop = hops; *hop; hop++)
		if (**hop)
			g_string_append_printf(word, "%s%s", word->len > 0 ? "," : "", *hop);
	return g_string_free(word, word->len == 0);
}

void receive_recipient(Job *job, const char *path, const char *const *params, const char *nexthop)
{
	g_autofree char *address = read_path(job, path);
	Recipient *recipient = recipient_new(address);

	if (is_known(job, recipient)) {
		recipient_free(recipient);
		return;
	}
	recipient->notify = param_value(params, "NOTIFY");
	recipient->orcpt = param_value(params, "ORCPT");
	recipient->nexthop = one_word(nexthop);
	recipient->direction = job_direction(job, address);
	g_ptr_array_add(job->recipients, recipient);
	if (job->trusted && !recipient->folded)
		fail(job, g_error_new(SEALPOST_ERROR, ERROR_BAD_ADDRESS,
				      "<%s>: an address needs a name and a domain", address));
	else if (job->trusted && hides_a_route(recipient))
		fail(job, g_error_new(SEALPOST_ERROR, ERROR_BAD_ADDRESS,
				      "<%s>: an address that holds a route (%%, ! or @)", address));
	else if (job->recipients->len > JOB_RECIPIENTS_MAX)
		fail(job, g_error_new(SEALPOST_ERROR, ERROR_TOO_MANY, "too many recipients"));
	else if (recipient->direction == DIRECTION_OUTGOING &&
		 !keystore_is_at_hand(job->snapshot->keystore, recipient->folded))
		recipient->lookup = keystore_lookup(job->snapshot->keystore, recipient->address);
}

gboolean receive_may_come(const Job *job, const char *path, GError **error)
{
	if (job->trusted || client_brings_notice(job->client))
		return TRUE;
	g_autofree char *address = address_from_path(path, NULL);
	g_autoptr(Recipient) recipient = recipient_new(address ? address : path);

	recipient->direction = job_direction(job, recipient->address);
	return recipient->direction != DIRECTION_INCOMING ||
	       demands_tls_met(facts_tls_foreseen(job, recipient), job, recipient, error);
}

void receive_header(Job *job, const char *name, const char *value)
{
	GError *error = NULL;

	if (job->failure || headers_append(job->headers, name, value, &error))
		return;
	if (g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE))
		error->code = ERROR_TOO_MANY; /* it is the header that is */
	fail(job, error);
}

void receive_end_of_headers(Job *job)
{
	GError *error = NULL;

	if (job->failure)
		return;
	job->unique = digest_head(job->sha256, job->sender.address, job->headers, job->mta_name,
				  job->queue_id);
	g_autoptr(Sink) sink = spool_sink(job->message);

	if (!headers_write(job->headers, HEADERS_ALL, sink, &error) ||
	    !sink_write(sink, "\r\n", 2, &error))
		fail(job, error);
	job->body_start = spool_length(job->message);
}

/* How much more the message may grow. */
static gsize room(const Job *job)
{
	goffset limit = conf_size(job->snapshot->conf, "gateway", "message_limit");

	return (gsize)MAX(0, limit - spool_length(job->message));
}

gboolean receive_body(Job *job, const void *data, gsize size)
{
	GError *error = NULL;

	if (job->failure || job->too_large)
		return FALSE;
	sha256_update(job->sha256, data, size);
	if (spool_append(job->message, data, size, &error))
		return TRUE;
	/* A stranger's message that is too large for us is not ours to refuse: it passes as it is. Of a
	 * notice its beginning is needed. */
	if (!job->trusted && g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE)) {
		job->too_large = TRUE;
		g_clear_error(&error);
		if (client_brings_notice(job->client) &&
		    !spool_append(job->message, data, room(job), &error))
			fail(job, error);
	} else {
		fail(job, error);
	}
	return FALSE;
}

gboolean receive_end(Job *job, GError **error)
{
	gint64 seconds = conf_duration(job->snapshot->conf, "gateway", "message_time");

	job->started = g_get_monotonic_time();
	job->cpu_started = job_cpu();
	job->deadline = job->started + seconds * G_USEC_PER_SEC;
	job->digest = sha256_finish(job->sha256);
	if (job->failure) {
		g_propagate_error(error, g_steal_pointer(&job->failure));
		return FALSE;
	}
	return TRUE;
}
