/* SPDX-License-Identifier: Apache-2.0
 *
 * What would happen to a message, and why: a Preview as JSON (a contract, see sealpost(1)), as text
 * for people, and as the files that would leave.
 */
#ifndef SEALPOST_GATEWAY_EXPLAIN_H
#define SEALPOST_GATEWAY_EXPLAIN_H

#include "gateway/pipeline.h"

/* New strings. */
char *explain_json(const Job *job, const Preview *preview);
char *explain_text(const Job *job, const Preview *preview);

/* "550 5.7.1 text"; NULL if the message would leave. New string. */
char *explain_reply(const Preview *preview);
/* "outgoing" if any recipient is outside, else the first one's direction. Static. */
const char *explain_direction(const Job *job);
/* Would it leave, be deferred, be refused? */
HandbackVerdict explain_verdict(const Preview *preview);

/* Writes N.eml for each variant: the whole message as it would leave. */
gboolean explain_write(const Job *job, const Preview *preview, const char *folder, GError **error);

#endif
