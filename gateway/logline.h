/* SPDX-License-Identifier: Apache-2.0
 *
 * The log's record of a message: one line for each recipient, key=value, nothing of the content.
 */
#ifndef SEALPOST_GATEWAY_LOGLINE_H
#define SEALPOST_GATEWAY_LOGLINE_H

#include "gateway/handback.h"

/* plan: NULL if the message did not come that far. */
void logline_message(const Job *job, const Plan *plan, const Handback *handback);

#endif
