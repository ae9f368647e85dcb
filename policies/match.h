/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions against facts. A Matcher holds what is prepared once per decision: the patterns of
 * the policy that sender and recipient meet, and the message's texts.
 */
#ifndef SEALPOST_POLICIES_MATCH_H
#define SEALPOST_POLICIES_MATCH_H

#include "policies/model.h"

typedef struct {
	const PolicyFacts *facts;
	GPtrArray *to; /* of interned patterns that the recipient meets */
	GPtrArray *from; /* the same for the sender, and for the addresses that it claims to be */
	Gate gate; /* their bits */
	PolicyTexts *texts; /* the facts', or our own */
} Matcher;

/* Sets the gates of a policy that is whole. */
void match_prepare(Policy *policy);

void matcher_init(Matcher *matcher, const Policy *policy, const PolicyFacts *facts);
void matcher_clear(Matcher *matcher);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Matcher, matcher_clear)

/* Do all conditions hold? *tag, if given, becomes the text of `subject has` that was found, as
 * written in the policy; NULL if there is no such condition. */
gboolean match_rule(Matcher *matcher, const Rule *rule, const char **tag);

/* The same while only the envelope is known (facts->header is NULL): whatever the header will be,
 * it matches, or never will, or it depends. */
typedef enum { FORESEEN_NEVER, FORESEEN_MAYBE, FORESEEN_ALWAYS } Foreseen;
Foreseen match_foreseen(Matcher *matcher, const Rule *rule);

/* The interned patterns of the policy that a folded address meets: itself, its domain, *.domain
 * for each domain above. New array, of borrowed strings. */
GPtrArray *match_patterns(const Policy *policy, const char *folded);

/* The first rule of the facts' direction whose conditions hold; NULL if none. */
const Rule *match_first(Matcher *matcher, const Policy *policy, const char **tag);

#endif
