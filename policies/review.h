/* SPDX-License-Identifier: Apache-2.0
 *
 * A second look at a policy that is in order: what was probably not meant, as warnings.
 */
#ifndef SEALPOST_POLICIES_REVIEW_H
#define SEALPOST_POLICIES_REVIEW_H

#include "policies/model.h"

/* Warns of rules that are never reached because one before them takes all they would match, rules
 * whose `to` contradicts their direction, mail that no rule speaks of, copies that leave the house,
 * and lists that no rule uses. */
void review(const Policy *policy, Problems *problems);

#endif
