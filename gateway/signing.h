/* SPDX-License-Identifier: Apache-2.0
 *
 * Nobody speaks in another's name: whom a message may be signed for. Pure. Whether that address has
 * a key is the keystore's business.
 */
#ifndef SEALPOST_GATEWAY_SIGNING_H
#define SEALPOST_GATEWAY_SIGNING_H

#include "gateway/job.h"

typedef enum {
	SIGNING_NEVER,
	SIGNING_BY_RULE, /* only where the rule says `sign as from` */
	SIGNING_ALLOWED, /* the address in From sent it himself */
} SigningRight;

/* *address gets the folded address in From, owned by the caller, unless the answer is NEVER;
 * *reason gets a static word where the answer is not ALLOWED: "stranger", "no-from",
 * "several-from", "group-from", "from-not-internal", "from-not-sender". */
SigningRight signing_right(const Job *job, char **address, const char **reason);

/* The one address in the one From field, folded; NULL with a reason as above. New string. */
char *signing_only_from(const Headers *headers, const char **reason);

#endif
