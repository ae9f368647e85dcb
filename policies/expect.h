/* SPDX-License-Identifier: Apache-2.0
 *
 * Expectations that live beside a policy: what a rule must say to a message, in the policy's own
 * language (sealpost.policy(5)).
 *
 *   expect from "alice@firma.example" to "dr@praxis.example" subject "Befund":
 *     require smime over tls, portal (line 7)
 */
#ifndef SEALPOST_POLICIES_EXPECT_H
#define SEALPOST_POLICIES_EXPECT_H

#include "policies/policy.h"

typedef struct Expectations Expectations;

/* Reads the file; errors as policy_load(). */
Expectations *expectations_load(const char *path, GError **error);
void expectations_free(Expectations *expectations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Expectations, expectations_free)

guint expectations_count(const Expectations *expectations);

/* Is the nth expectation met? If not, *failure is set to lines that say where it stands, what was
 * expected and what the policy says, with the rule. */
gboolean expectations_met(const Expectations *expectations, guint n, const Policy *policy,
			  char **failure);

#endif
