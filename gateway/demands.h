/* SPDX-License-Identifier: Apache-2.0
 *
 * Does mail that came in have what its rule requires? Every doubt is a no. Pure.
 *
 * No oracle: with a cipher that does not protect against change (CBC), nobody outside may learn by
 * our answer what is inside, or whether anything came out at all; else he sends a captured message
 * again and again, changed, and reads it from the answers. So such a layer counts as encryption
 * if it is for a key of the recipient, opened or not; what is inside it never counts as encryption;
 * and a signature inside counts only if nothing else stands there that could be changed freely.
 */
#ifndef SEALPOST_GATEWAY_DEMANDS_H
#define SEALPOST_GATEWAY_DEMANDS_H

#include "gateway/job.h"
#include "gateway/opened.h"

/* opened: what was found with the recipient's keys; NULL: not looked, or nothing was there.
 * ERROR_DEMANDED with a text for the sender. */
gboolean demands_met(const Demands *demands, const Job *job, const Recipient *recipient,
		     const Opened *opened, GError **error);

/* The transport alone: tls as in Demands. */
gboolean demands_tls_met(guint tls, const Job *job, const Recipient *recipient, GError **error);

#endif
