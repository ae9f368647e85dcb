/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to the MTA, as data: a verdict, and edits to the message or a reply to the client.
 * Made by the pipeline, carried out by milter.c alone. Here, and only here, an error becomes an
 * SMTP reply.
 */
#ifndef SEALPOST_GATEWAY_HANDBACK_H
#define SEALPOST_GATEWAY_HANDBACK_H

#include "gateway/protect.h"

typedef enum {
	HANDBACK_ACCEPT, /* the MTA goes on with the message as edited */
	HANDBACK_DISCARD, /* every copy has left by another door */
	HANDBACK_DEFER,
	HANDBACK_REJECT,
} HandbackVerdict;

typedef struct {
	HandbackVerdict verdict;
	Output *output; /* ACCEPT: header edits and the new body */
	int code; /* DEFER, REJECT: 451, "4.4.3", text */
	char enhanced[8];
	char *text; /* printable ASCII, one line */
	const char *reason; /* the error's name, for the log; static */
	char *detail; /* the error's message, for the log; NULL if there was none */
	gint64 beat; /* microseconds: see pipeline_wait(); 0: at once */
} Handback;

/* Longest reply text (RFC 5321, section 4.5.3.1.5: 512 for the whole line). */
#define HANDBACK_TEXT_MAX 400

/* In place: takes output. */
Handback *handback_accept(Output *output);
Handback *handback_discard(void);
/* By the table of lib/base/error.h; NULL and foreign errors defer. */
Handback *handback_error(const GError *error);
void handback_free(Handback *handback);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Handback, handback_free)

/* "deliver", "defer", "reject": as in explain's JSON. Static. */
const char *handback_verdict_name(HandbackVerdict verdict);

#endif
