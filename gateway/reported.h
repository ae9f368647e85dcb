/* SPDX-License-Identifier: Apache-2.0
 *
 * Which message a report is about (RFC 6522): a receipt for mail that arrived encrypted, or an inner
 * server's bounce of it, is an answer to it, and quotes of it what was restored and opened.
 */
#ifndef SEALPOST_GATEWAY_REPORTED_H
#define SEALPOST_GATEWAY_REPORTED_H

#include "lib/mail/mime.h"

#include "gateway/job.h"

/* The multipart/report that a message is, or that stands in it beside a footer or other words: one in a message
 * that is attached is that message's. NULL: there is none. */
const MimePart *reported_root(const MimePart *root);
/* The child that quotes it, whole or its header (RFC 6522, RFC 6533); NULL: there is none. */
const MimePart *reported_quoted(const MimePart *root);
/* The header that a part's content begins with; *body: what follows, as head_read() gives it. */
Headers *reported_header(const Job *job, const MimeTree *tree, const MimePart *part, Range *body,
			 GError **error);

/* *answers: the message is (or has in it) a multipart/report, of whatever type, about one that arrived encrypted: by
 * the Message-ID of what it quotes, or by Original-Message-ID (RFC 8098, section 3.2.5). FALSE with error
 * set: could not look. Of any other message *answers stays as it is. */
gboolean reported_encrypted(const Job *job, gboolean *answers, GError **error);

#endif
