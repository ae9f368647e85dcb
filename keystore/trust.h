/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges one candidate: may it be used for this address, and why not? A Trust is what was trusted
 * at one moment (roots, intermediates, certificates trusted by themselves); counted, for all threads.
 */
#ifndef SEALPOST_KEYSTORE_TRUST_H
#define SEALPOST_KEYSTORE_TRUST_H

#include "keystore/candidate.h"

typedef struct Trust Trust;

/* system: roots of the system (may be NULL); authorities: CA certificates of the store, good as
 * intermediates; trusted: those that the administrator trusts. Arrays of Cert *, references are
 * taken. crls: array of Crl *, may be NULL; an overdue one still revokes. */
Trust *trust_new(GPtrArray *system, GPtrArray *authorities, GPtrArray *trusted, GPtrArray *crls,
		 GError **error);
Trust *trust_ref(Trust *trust);
void trust_unref(Trust *trust);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trust, trust_unref)

/* NULL: usable at that time (seconds since 1970). Else the reason, static: "malformed",
 * "address-mismatch", "expired", "not-yet-valid", "revoked", "wrong-usage", "weak-key",
 * "untrusted", … address: folded; NULL: of whomever. */
const char *trust_judge(Trust *trust, const Candidate *candidate, const char *address, CertUse use,
			gint64 now);

/* All that is trusted, and the CA certificates that the store knows (array of Cert *). Borrowed. */
const TrustStore *trust_anchors(const Trust *trust);
GPtrArray *trust_authorities(const Trust *trust);

/* The certificates between this one and its root, as far as they are known, nearest first: what a
 * signature carries along. Array of Cert *. */
GPtrArray *trust_chain(const Trust *trust, const Cert *cert);

#endif
