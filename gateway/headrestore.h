/* SPDX-License-Identifier: Apache-2.0
 *
 * Header protection of what comes in (RFC 9788, and the older protected-headers="v1"): which
 * fields that stood inside the encryption or signature take the place of those outside. Pure:
 * fields and what was found in, fields and warnings out.
 *
 * The inside is as hostile as the outside: only fields that a reader's program shows or answers by
 * are taken, in a form that cannot begin another field; never those of transport, and none that
 * only we may set.
 */
#ifndef SEALPOST_GATEWAY_HEADRESTORE_H
#define SEALPOST_GATEWAY_HEADRESTORE_H

#include "lib/mail/headers.h"

#include "gateway/opened.h"

/* Longest value, and most fields, that are taken: what the MTA takes from a milter. */
#define HEADRESTORE_VALUE_MAX (32 * 1024)
#define HEADRESTORE_FIELDS_MAX 100

typedef enum {
	HEADRESTORE_NONE,
	HEADRESTORE_OLD, /* protected-headers="v1", or a whole message: some fields are inside */
	HEADRESTORE_CLEAR, /* hp="clear": all that the sender's program knew are */
	HEADRESTORE_CIPHER, /* hp="cipher": the same, and HP-Outer says what it put outside */
} HeadrestoreMark;

/* By the parameters of the payload's root; either may be NULL. */
HeadrestoreMark headrestore_mark(const char *hp, const char *protected_headers);

/* Is a message/rfc822 that is the payload the message itself, put into it as a whole (RFC 8551,
 * section 3.1), and none that is forwarded? inside: its header; forwarded: that parameter, NULL if it
 * is not there. Without it, both must be the same message (Message-ID, Date, From). */
gboolean headrestore_is_whole(const Headers *outer, const Headers *inside, const char *forwarded);

typedef struct {
	const Headers *outer; /* as received */
	const Headers *inside; /* of the payload's root, which bears the mark */
	const char *from; /* the one address in the outer From, folded; NULL if there is not one */
	HeadrestoreMark mark;
} HeadrestoreJob;

/* Fills opened->subject and opened->restored. Taken is what was encrypted to us, or is covered by
 * a good signature of the address in the protected From (RFC 9788, section 4.4: "valid and
 * correctly bound"); of a message that stays as it came, clear-signed, the subject alone. Another
 * address in the protected From than in the outer one is taken only with such a signature, which
 * then is the From address's; else the warning is "protected-from-differs". "header-changed": the
 * outside is not what the inside says of it. */
void headrestore(Opened *opened, const HeadrestoreJob *job);

#endif
