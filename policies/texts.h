/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's texts in the form in which they are compared, each made when it is first asked for:
 * a subject may be long, and the recipients may be many. One thread at a time.
 */
#ifndef SEALPOST_POLICIES_TEXTS_H
#define SEALPOST_POLICIES_TEXTS_H

#include "policies/policy.h"

/* The subject, folded. Borrowed. */
const char *texts_subject(PolicyTexts *texts, const PolicyFacts *facts);
/* All fields of that name, folded, without blanks around them: array of char *. Borrowed. */
const GPtrArray *texts_headers(PolicyTexts *texts, const PolicyFacts *facts, const char *name);

#endif
