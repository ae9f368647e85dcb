/* SPDX-License-Identifier: Apache-2.0
 *
 * The Subject as it is delivered, made here and nowhere else. In this order: the one that was
 * encrypted takes the place of the one outside (RFC 9788); a rule's tag is taken out; text that
 * looks like our tags is; our tags go in front. Pure.
 */
#ifndef SEALPOST_GATEWAY_SUBJECT_H
#define SEALPOST_GATEWAY_SUBJECT_H

#include <glib.h>

typedef struct {
	const char *restored; /* UTF-8; NULL: the one that came stays */
	const char *rule_tag; /* text to take out; NULL: none */
	const char *tags; /* of tags_text(); NULL: no tags are wanted, nothing is cleaned */
} SubjectWish;

/* The new value of a Subject field in raw form; NULL: it stays as it is. raw: the value as received;
 * NULL: there was no such field. What only gets our tags in front stays byte for byte behind them. */
char *subject_value(const char *raw, const SubjectWish *wish);

#endif
