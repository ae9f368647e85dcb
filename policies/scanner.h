/* SPDX-License-Identifier: Apache-2.0
 *
 * What tokens.c needs of the generated lexer.
 */
#ifndef SEALPOST_POLICIES_SCANNER_H
#define SEALPOST_POLICIES_SCANNER_H

#include "policies/grammar.h"
#include "policies/parser.h"

/* The next token's kind, its value and place; 0 at the end. */
int policy_flex_lex(POLICY_YYSTYPE *value, Span *where, void *scanner);

/* The text of that token, borrowed until the next. */
char *policy_flex_get_text(void *scanner);

/* A scanner for one Parser (0: made), the text it reads, and its end. */
int policy_flex_lex_init_extra(Parser *parser, void **scanner);
struct yy_buffer_state *policy_flex__scan_bytes(const char *bytes, int length, void *scanner);
int policy_flex_lex_destroy(void *scanner);

#endif
