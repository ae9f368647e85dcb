/* SPDX-License-Identifier: Apache-2.0
 *
 * A small SMTP client for one purpose: to hand a finished message to our own MTA's resubmission
 * listener (RFC 5321, 1870, 3461, 6152, 6531). One message a connection, one deadline for all.
 */
#ifndef SEALPOST_LIB_MAIL_SMTP_H
#define SEALPOST_LIB_MAIL_SMTP_H

#include "lib/mail/headers.h"

typedef struct {
	const char *endpoint; /* "inet:ADDRESS:PORT" ("inet:[::1]:10026") or "unix:PATH" */
	const char *helo; /* our name */
	gint64 deadline; /* g_get_monotonic_time(), for the whole dialogue */
	gint64 answer_time; /* microseconds that must be left when the message ends: who hangs up on
			     * the last answer does not know whether the message was taken */
} SmtpServer;

typedef struct {
	const char *address; /* without brackets */
	const char *notify; /* NOTIFY= value as received; NULL if none */
	const char *orcpt; /* ORCPT= value as received; NULL if none */
} SmtpRecipient;

typedef struct {
	const char *sender; /* without brackets; "" for the null sender */
	const char *body; /* "7BIT" or "8BITMIME"; NULL: not said */
	const char *ret; /* RET= value; NULL if none */
	const char *envid; /* ENVID= value; NULL if none */
	gboolean smtputf8;
	const SmtpRecipient *recipients;
	guint recipient_count;
} SmtpEnvelope;

/* The message, dot-stuffed on its way; bare LF and CR in the body become CRLF. */
typedef struct {
	const Headers *headers;
	Source *body; /* read from where it stands */
} SmtpMessage;

/* For settings, before the first message: ERROR_CONFIG if smtp_send() could not take the endpoint. */
gboolean smtp_check_endpoint(const char *endpoint, GError **error);

/* Hands the message over. TRUE only if the server took it for every recipient: if one is refused,
 * nothing is sent (RSET). The parameters of the envelope go along where the server announces
 * them; SMTPUTF8 must be announced if it is needed. Host names other than "localhost" are not
 * looked up: no resolver may block in here.
 * ERROR_REFUSED (permanent) if the final reply refuses the content for good (5xx 5.7.x: a virus
 * scanner), ERROR_UNDELIVERABLE (temporary, for who can send it elsewhere) for another 5xx to it or to a
 * recipient, ERROR_RESUBMIT (temporary) for whatever else goes wrong before it, ERROR_TIMEOUT at the
 * deadline, ERROR_BAD_ADDRESS and ERROR_MALFORMED for an envelope that would break the dialogue,
 * ERROR_CONFIG for the endpoint; errors of the body's source as they are. The error's text has
 * the reply's codes, never addresses. *queue_id (may be NULL) gets the rest of the final 250
 * reply's text, owned by the caller. */
gboolean smtp_send(const SmtpServer *server, const SmtpEnvelope *envelope,
		   const SmtpMessage *message, char **queue_id, GError **error);

#endif
