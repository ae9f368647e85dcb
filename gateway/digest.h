/* SPDX-License-Identifier: Apache-2.0
 *
 * What a message and its retry have in common, and no other message has: SHA-256 over envelope
 * sender, header fields and body. Fields that our MTA added itself are left out,
 * because a retry gets new ones: a Message-ID made of the queue id, and a Date behind the
 * sender's last field.
 */
#ifndef SEALPOST_GATEWAY_DIGEST_H
#define SEALPOST_GATEWAY_DIGEST_H

#include "lib/base/sha256.h"
#include "lib/mail/headers.h"

/* Feeds sender and fields. Returns whether the message names itself (a Message-ID of the
 * sender's): without one, two equal messages may both be meant, so that the journal may only
 * speak about a try that was broken off. mta_name and queue_id may be NULL. */
gboolean digest_head(Sha256 *sha256, const char *sender, const Headers *headers,
		     const char *mta_name, const char *queue_id);

#endif
