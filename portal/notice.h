/* SPDX-License-Identifier: Apache-2.0
 *
 * The mail that tells a recipient of a message in the portal: what it needs, at rest under the
 * gateway's master key (its link may hold a secret), and its text. It says nothing of the
 * message but who sent it.
 */
#ifndef SEALPOST_PORTAL_NOTICE_H
#define SEALPOST_PORTAL_NOTICE_H

#include "lib/base/conf.h"
#include "lib/base/secret.h"
#include "lib/mail/headers.h"
#include "portal/texts.h"

typedef struct {
	char *recipient; /* as in the envelope */
	char *sender; /* the employee; "": nobody to answer to */
	char *sender_name; /* "" if unknown */
	char *languages; /* "de, en"; "" for the setting */
	char *route; /* "" if none */
	char *return_path; /* as in DepositEnvelope; "" for what is not there */
	char *envid;
	char *notify;
	char *orcpt;
	char *link;
	char *code; /* to be typed with the link at the first visit; "" for who has an account */
	char *message_id; /* the same on every attempt */
	gint64 expires;
	/* Not in the wrapped bytes. */
	char *refused; /* the MTA's last word on it, an enhanced status code (RFC 3463); NULL: none */
} Notice;

void notice_free(Notice *notice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Notice, notice_free)

/* context binds the wrapped bytes to their row. What an older version wrapped is unwrapped, too: it may
 * wait for an hour, or for a mail server that is down. */
GBytes *notice_wrap(const Notice *notice, const Secret *master, const char *context);
Notice *notice_unwrap(GBytes *wrapped, const Secret *master, const char *context, GError **error);

typedef struct {
	Headers *headers;
	GBytes *body; /* multipart/alternative, pure 7-bit, CRLF */
} NoticeMail;

void notice_mail_clear(NoticeMail *mail);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NoticeMail, notice_mail_clear)

/* One line of valid UTF-8, fit for a header field. New string. */
char *notice_line(const char *text);

gboolean notice_compose(const Notice *notice, const Conf *conf, const Texts *texts,
			NoticeMail *mail, GError **error);

#endif
