/* SPDX-License-Identifier: Apache-2.0
 *
 * One recipient's walk along the policy's ladder: the first possible rung wins. "No key" lets the
 * walk go on; "could not look" never lets it fall to the portal, to TLS or to plain text.
 */
#ifndef SEALPOST_GATEWAY_LADDER_H
#define SEALPOST_GATEWAY_LADDER_H

#include "gateway/parse.h"
#include "gateway/plan.h"

/* Who is asked, and only when a rung needs it: the world in production, tables in tests. */
typedef struct {
	/* Never NULL. New answer. */
	KeyAnswer *(*keys)(void *context, const Recipient *recipient);
	TlsAbility (*tls)(void *context, const char *nexthop);
	/* As keystore_smime_signer() and keystore_pgp_signer(). */
	SmimeSigner *(*smime_signer)(void *context, const char *address, const char **reason,
				     GError **error);
	char *(*pgp_signer)(void *context, const char *address, const char **reason,
			    GError **error);
	void *context;
} Advisers;

/* Fills in rungs, way, transport, key, answer, unchanged; or error. outcome->decision and nexthop
 * must be set. encrypted: what the client has put on already. */
void ladder_walk(PlanRecipient *outcome, Layer encrypted, const Advisers *advisers);

#endif
