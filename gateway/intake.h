/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole message as text (a file, standard input) into a Job, as if the MTA had brought it: for
 * explain and for tests.
 */
#ifndef SEALPOST_GATEWAY_INTAKE_H
#define SEALPOST_GATEWAY_INTAKE_H

#include "gateway/job.h"

/* Reads the message, with LF or CRLF line ends, without the line that a mailbox file has in front of it.
 * Of one over message_limit as much as is over it for any reader. */
Spool *intake_read(const Snapshot *snapshot, int fd, GError **error);

/* Header fields and body into a job whose envelope is there. What is wrong with the message is
 * kept in the job; an error here is one of reading. */
gboolean intake_feed(Job *job, Spool *message, GError **error);

#endif
