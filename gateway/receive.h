/* SPDX-License-Identifier: Apache-2.0
 *
 * The first step: milter events become a Job. What goes wrong is kept in job->failure and said at
 * the end of the message, since mail from the `sendmail` command cannot be refused earlier; only a
 * stranger without the TLS that a rule demands hears it at RCPT. Key look-ups start at RCPT and run
 * while the data arrives.
 */
#ifndef SEALPOST_GATEWAY_RECEIVE_H
#define SEALPOST_GATEWAY_RECEIVE_H

#include "gateway/job.h"

/* path: as the MTA gives it, with or without brackets; params: ESMTP parameters, NULL-terminated,
 * may be NULL. */
void receive_sender(Job *job, const char *path, const char *const *params);
void receive_recipient(Job *job, const char *path, const char *const *params, const char *nexthop);
/* While the client can still be told for this recipient alone: FALSE with ERROR_DEMANDED if a rule
 * demands a TLS that mail for it did not come by, whatever will be in it. Then it is not received.
 * A notice of the MTA's own may always come. */
gboolean receive_may_come(const Job *job, const char *path, GError **error);
/* value: raw, with its leading blank and folding. */
void receive_header(Job *job, const char *name, const char *value);
/* After the last header; queue id and the MTA's name must have been set by then. */
void receive_end_of_headers(Job *job);
/* TRUE: bytes are wanted. FALSE: nothing that comes would be looked at. */
gboolean receive_body(Job *job, const void *data, gsize size);
/* At the end of the message: completes the digest and sets the deadline. FALSE with the first
 * failure of the steps above. */
gboolean receive_end(Job *job, GError **error);

#endif
