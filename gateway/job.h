/* SPDX-License-Identifier: Apache-2.0
 *
 * One message on its way through the gateway: what receive.c collected, and nothing that later
 * steps conclude from it. A job belongs to one connection; libmilter may call for it from a
 * different thread each time, but never from two at once.
 */
#ifndef SEALPOST_GATEWAY_JOB_H
#define SEALPOST_GATEWAY_JOB_H

#include "lib/base/sha256.h"
#include "lib/mail/headers.h"
#include "lib/mail/spool.h"

#include "gateway/snapshot.h"

/* Most recipients of one message; Postfix's default limit is 1,000. */
#define JOB_RECIPIENTS_MAX 10000

typedef struct {
	char *address; /* as in the envelope, without brackets */
	char *folded; /* address_fold(); NULL if it cannot be folded: then it is never protected */
	char *notify; /* NOTIFY= and ORCPT= as received, NULL if not given (RFC 3461) */
	char *orcpt;
	char *nexthop; /* where the MTA will send it ({rcpt_host}); NULL if it did not say */
	Direction direction;
	gboolean copy; /* added by a `copy` rule */
	KeyLookup *lookup; /* under way since RCPT; NULL: none was started */
} Recipient;

Recipient *recipient_new(const char *address);
void recipient_free(Recipient *recipient);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recipient, recipient_free)
/* What names the recipient in the journal: the folded address, or the one as it came. Borrowed. */
const char *recipient_id(const Recipient *recipient);

typedef struct {
	char *address; /* without brackets; "" for the null sender */
	char *folded; /* "" for the null sender and for what cannot be folded */
	char *body; /* BODY=, RET=, ENVID= as received; NULL if not given */
	char *ret;
	char *envid;
	gboolean smtputf8;
} Sender;

typedef struct {
	Snapshot *snapshot;
	Client *client;
	gboolean trusted;
	const char *trusted_why; /* static; see client_is_trusted() */
	char *queue_id; /* NULL until the MTA says it */
	char *mta_name; /* the MTA's own name ({j}) */
	Sender sender;
	GPtrArray *recipients; /* of Recipient *; each address once */
	Headers *headers; /* as received, all of them */
	Spool *message; /* header block, blank line, body */
	goffset body_start;
	Sha256 *sha256; /* grows to the digest */
	char *digest; /* what a retry of the same message shares; see digest.h */
	gboolean unique; /* ... and no other message has */
	gboolean preview; /* nothing leaves: somebody wants to know what would */
	gboolean
		too_large; /* a stranger's: cut short here, not looked at, passes as it is in the MTA,
			       or not at all; a notice: cut short */
	GError *failure; /* the first thing that went wrong while receiving */
	gint64 started; /* g_get_monotonic_time() */
	gint64 cpu_started; /* job_cpu() then */
	gint64 deadline; /* for all that is waited for at the end of the message */
} Job;

Job *job_new(Snapshot *snapshot, const Client *client);
void job_free(Job *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Job, job_free)

/* The body's range in job->message. */
Range job_body(const Job *job);

/* For look-ups: they may take most of the message's time, but leave some for what follows. */
gint64 job_lookup_deadline(const Job *job);

/* How long this thread has been computing; microseconds. At the end of a message all steps are on one
 * thread. */
gint64 job_cpu(void);

/* Was a step's time over because it is so much work, and not because of what we had to wait for (an
 * agent, the store, other messages)? Then the next try would end the same way. computed: what of
 * job_cpu() it took. */
gboolean job_was_costly(const Job *job, gint64 computed, const GError *failure);

/* For policy rules: all fields of that name, decoded. PolicyFacts.headers with a Job as context. */
GPtrArray *job_headers(void *job, const char *name);

/* Direction: from who sends and whose the recipient is. */
Direction job_direction(const Job *job, const char *recipient);

#endif
