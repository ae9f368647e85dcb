/* SPDX-License-Identifier: Apache-2.0
 *
 * What sentences mean: called by the grammar for each part of one, in its order. Each function
 * takes what it is given (words, arrays, conditions, outcomes), checks it, adds what is wrong with
 * it to the parser's problems, and gives back something whole in any case, so that reading goes
 * on. A sentence that would be misread by people is refused here, even where a machine would know
 * what to do with it.
 */
#ifndef SEALPOST_POLICIES_BUILD_H
#define SEALPOST_POLICIES_BUILD_H

#include "policies/parser.h"

/* build.c: rules */
GPtrArray *build_conditions(void);
GPtrArray *build_and(Parser *parser, GPtrArray *conditions, Condition *condition);
Condition *build_address(Parser *parser, ConditionKind kind, const Span *where, GPtrArray *words);
Condition *build_subject(Parser *parser, const Span *where, GPtrArray *words);
Condition *build_header(Parser *parser, ConditionKind kind, Word *field, GPtrArray *words);
Outcome *build_rung(Parser *parser, Outcome *outcome, Rung rung, const Span *where);
Rung build_tls(Parser *parser, Way way, Transport transport, const Span *where);
Outcome *build_reject(Parser *parser, Word *text);
void build_rule(Parser *parser, Direction direction, GPtrArray *conditions, Outcome *outcome);
void build_copy(Parser *parser, Direction direction, GPtrArray *conditions);
/* The sentence is whole: its rule, if it was one, joins the policy. */
void build_commit(Parser *parser);

/* builddemand.c: what fits a rule's direction, and what `require` asks of incoming mail */
Outcome *build_ways(Outcome *ways);
Outcome *build_encrypted(void);
Outcome *build_signature(void);
Outcome *build_tls_version(Parser *parser, Word *number);
/* One more `require` in a rule: all must hold. */
Outcome *build_also(Parser *parser, Outcome *outcome, Outcome *also, const Span *where);
/* Do the conditions, and the outcome, make sense for the rule's direction? */
void build_check_conditions(Parser *parser, const Rule *rule);
void build_check_direction(Parser *parser, const Rule *rule);

/* buildlist.c: internal domains and lists */
void build_internal(Parser *parser, GPtrArray *words);
void build_list(Parser *parser, Word *name, GPtrArray *words);
void build_list_from(Parser *parser, Word *name, Word *file);
/* The file is whole: names in rules find their lists; what is missing is said. */
void build_finish(Parser *parser);
/* The folded, interned pattern that the word names; NULL with a problem at its place in `file`. */
const char *build_pattern(Parser *parser, const char *file, const Word *word);

/* buildexpect.c: expectations */
void build_expect(Parser *parser, const Span *where);
void build_fact_direction(Parser *parser, Direction direction);
void build_fact_sender(Parser *parser, Word *address);
void build_fact_recipient(Parser *parser, Word *address);
void build_fact_reply(Parser *parser);
void build_fact_invitation(Parser *parser);
void build_fact_subject(Parser *parser, Word *text);
void build_fact_header(Parser *parser, Word *field, Word *text);
void build_expect_outcome(Parser *parser, Outcome *outcome);
void build_expect_copy(Parser *parser, Word *address);
void build_expect_line(Parser *parser, Word *number);
void build_expected(Parser *parser);

#endif
