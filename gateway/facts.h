/* SPDX-License-Identifier: Apache-2.0
 *
 * What the policy is told of a message: made once for a job, asked for each recipient.
 */
#ifndef SEALPOST_GATEWAY_FACTS_H
#define SEALPOST_GATEWAY_FACTS_H

#include "gateway/job.h"

/* So many different addresses may stand in From where a rule asks who it is from. */
#define FACTS_CLAIMED_MAX 100

typedef struct {
	const Job *job;
	const char *sender; /* whom rules see as the sender; borrowed */
	char *subject; /* all Subject fields, one a line */
	char **claimed; /* a stranger's message, if a rule asks: all addresses in From, folded, each
			   once */
	gboolean reply_to_encrypted;
	gboolean invitation; /* set by who has parsed it */
	PolicyTexts *texts;
} Facts;

/* sender: borrowed. FALSE with error set if it could not be found out what is answered;
 * ERROR_MALFORMED: there is more in From than is looked at. */
gboolean facts_init(Facts *facts, const Job *job, const char *sender, GError **error);
void facts_clear(Facts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Facts, facts_clear)

/* What the policy says to this recipient. New decision. */
PolicyDecision *facts_ask(const Facts *facts, const Recipient *recipient);

/* While only the envelope is known: the TLS that it must have come over (see policy.h). */
guint facts_tls_foreseen(const Job *job, const Recipient *recipient);

#endif
