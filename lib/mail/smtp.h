/* SPDX-License-Identifier: Apache-2.0
 *
 * A small SMTP client for one purpose: to hand a finished message to our own MTA's resubmission
 * listener (RFC 5321, 1870, 3461, 6152, 6531). One message a connection, one deadline for all.
 */
#ifndef SEALPOST_LIB_MAIL_SMTP_H
#define SEALPOST_LIB_MAIL_SMTP_H

#include "lib/mail/headers.h"

typedef struct {
	const char *address; /* without brackets */
	const char *notify;  /* NOTIFY= value as received; NULL if none */
	const char *orcpt;   /* ORCPT= value as received; NULL if none */
} SmtpRecipient;

typedef struct {
	const char *sender;	  /* without brackets; "" for the null sender */
	const char *body;	  /* "7BIT" or "8BITMIME"; NULL: not said */
	const char *ret;	  /* RET= value; NULL if none */
	const char *envid;	  /* ENVID= value; NULL if none */
	gboolean smtputf8;
	const SmtpRecipient *recipients;
	guint recipient_count;
} SmtpEnvelope;

/* Sends headers and body (dot-stuffed, bare LF and CR become CRLF) to the server at endpoint
 * ("inet:HOST:PORT" or "unix:PATH") within deadline (g_get_monotonic_time(), microseconds). TRUE
 * only if the server took the message for every recipient: if one is refused, nothing is sent
 * (RSET). helo: our name.
 * ERROR_RESUBMIT (temporary) for whatever goes wrong before the final reply. *queue_id (may be
 * NULL) gets the rest of the final 250 reply's text, owned by the caller. */
gboolean smtp_send(const char *endpoint, const char *helo, const SmtpEnvelope *envelope,
		   const Headers *headers, Source *body, gint64 deadline, char **queue_id,
		   GError **error);

#endif
