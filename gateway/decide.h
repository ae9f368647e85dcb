/* SPDX-License-Identifier: Apache-2.0
 *
 * The third step: policy ladder x usable keys -> Plan. Adds the recipients of `copy` rules, finds
 * out who may be signed for, sorts recipients into variants. Asks the world only by Advisers.
 */
#ifndef SEALPOST_GATEWAY_DECIDE_H
#define SEALPOST_GATEWAY_DECIDE_H

#include "gateway/ladder.h"

/* Never fails: what cannot be is in plan->error. encrypted, signed_by: what parse.c found. */
Plan *decide(const Job *job, const Parsed *parsed, const Advisers *advisers);

/* Mail that is not from one of us (decide_incoming.c): opened for each recipient of ours with his own
 * keys; refused where a rule says so, or where it has not what a rule requires. */
Plan *decide_incoming(const Job *job, const Parsed *parsed);

/* The advisers of production: the job's look-ups, the snapshot's keystore and probe. */
Advisers decide_advisers(Job *job);

#endif
