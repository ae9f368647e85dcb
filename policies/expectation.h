/* SPDX-License-Identifier: Apache-2.0
 *
 * What an expectation is in memory: built by buildexpect.c, compared by expect.c.
 */
#ifndef SEALPOST_POLICIES_EXPECTATION_H
#define SEALPOST_POLICIES_EXPECTATION_H

#include "policies/expect.h"
#include "policies/model.h"

typedef struct {
	char *name; /* lower case */
	char *text;
} ExpectedField;

typedef struct {
	Span where;
	gboolean directed; /* a direction is named; else addresses tell it */
	Direction direction;
	char *sender; /* folded; NULL: not given */
	char *recipient; /* the same */
	char *subject; /* NULL: none */
	gboolean reply; /* to encrypted */
	gboolean invitation;
	GPtrArray *fields; /* of ExpectedField */
	gboolean decided; /* what is expected was said */
	Outcome *outcome; /* NULL: no rule matches */
	GPtrArray *copies; /* of char *, folded */
	int line; /* of the rule; 0: any */
} Expectation;

struct Expectations {
	char *path;
	GPtrArray *all; /* of Expectation */
	Expectation *open; /* the one being built; NULL if none */
};

Expectation *expectation_new(const Span *where);
void expectation_free(Expectation *expectation);

#endif
