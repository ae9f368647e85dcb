/* SPDX-License-Identifier: Apache-2.0
 *
 * A notice that Postfix makes itself (bounce, delay, double bounce) quotes the message that it is
 * about, as it stands in the queue. Of one that we have opened, the text, and header fields that were
 * encrypted too, must not leave that way: of what is quoted, only what tells which message it was
 * stays. So it is with a notice over message_limit, whatever it quotes; of mail that was not opened,
 * the header stays. Everything else passes as it is. These notices come by a cleanup service of their own, under
 * the name CLIENT_RETURNED (doc/postfix.md).
 */
#ifndef SEALPOST_GATEWAY_RETURNED_H
#define SEALPOST_GATEWAY_RETURNED_H

#include "gateway/protect.h"

/* The notice as it may leave. NULL: a failure of ours, or it cannot be read and may quote what was
 * opened; the MTA keeps the message that it is about, and tries again. */
Output *returned_output(const Job *job, GError **error);

#endif
