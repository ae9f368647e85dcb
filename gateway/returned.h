/* SPDX-License-Identifier: Apache-2.0
 *
 * A notice that Postfix makes itself (bounce, delay, double bounce) quotes the message that it is
 * about, as it stands in the queue. Of one that we have opened, the text, and header fields that were
 * encrypted too, must not leave that way: of what is quoted, only what tells which message it was
 * stays. So it is with a notice over message_limit, whatever it quotes; of mail that was not opened,
 * the header stays. Everything else passes as it is. Reports of inner servers and of people's programs (receipts) are
 * cut the same way where they would leave unencrypted, also beside a footer. Postfix's own notices come by a cleanup service of their own, under
 * the name CLIENT_RETURNED (doc/postfix.md).
 */
#ifndef SEALPOST_GATEWAY_RETURNED_H
#define SEALPOST_GATEWAY_RETURNED_H

#include "gateway/protect.h"

/* Gives output a body without what the message, a report, quotes of another one that must not leave; none
 * if there is nothing of the kind. FALSE with error: it could not be read. */
gboolean returned_cut(const Job *job, Output *output, GError **error);
/* Does a message that we opened stand in these bytes in another form, in a text or attached? By the field that
 * only we write, where it can be read: not in base64. */
gboolean returned_tells(Source *bytes, gboolean *opened, GError **error);

/* The notice as it may leave. NULL: a failure of ours, or it cannot be read and may quote what was
 * opened; the MTA keeps the message that it is about, and tries again. */
Output *returned_output(const Job *job, GError **error);

#endif
