/* SPDX-License-Identifier: Apache-2.0
 *
 * The last step of a message that was split: each variant goes to the MTA's resubmission listener
 * or into the portal, for those of its recipients who do not have it yet. What left is in the
 * journal before the next variant goes.
 */
#ifndef SEALPOST_GATEWAY_RESUBMIT_H
#define SEALPOST_GATEWAY_RESUBMIT_H

#include "gateway/protect.h"

typedef struct {
	const Job *job;
	JournalEntry *entry;
} Resubmission;

/* Sends one variant. Recipients who are done are skipped; if none is left nothing is sent. output:
 * NULL if it could not be made in time (ERROR_TIMEOUT). */
gboolean resubmit_variant(Resubmission *resubmission, const PlanVariant *variant,
			  const Output *output, GError **error);

/* For a variant that goes into the portal (protect_portal.c): one deposit for each of the
 * recipients (Recipient *), with a notice that the portal's mailer sends. The copy's name in the
 * journal makes a retry the same deposit. */
typedef struct {
	const Job *job;
	const PlanVariant *variant;
	const Output *output;
	const JournalEntry *entry;
} PortalJob;
gboolean protect_portal(const PortalJob *work, const GPtrArray *recipients, GError **error);

#endif
