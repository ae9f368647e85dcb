/* SPDX-License-Identifier: Apache-2.0
 *
 * From a file's text to a Policy (or expectations): lexer.l cuts it into words, tokens.c tells
 * sentences apart, grammar.y knows their order, build.c what they mean, parser.c says what is wrong
 * with them. One Parser per file; nothing global.
 *
 * A sentence begins in the first column, or with one of the words that can begin one on a line of
 * its own; further lines of a sentence are indented. So an error in one sentence leaves all others
 * readable.
 */
#ifndef SEALPOST_POLICIES_PARSER_H
#define SEALPOST_POLICIES_PARSER_H

#include "policies/expect.h"
#include "policies/model.h"
#include "policies/problems.h"

/* A token as the lexer saw it. */
typedef struct {
	int kind;
	Span where;
	char *text; /* as written */
	Word *word; /* its value, if it has one that nobody took yet */
} Token;

typedef struct {
	const char *file;
	Problems *problems;
	Policy *policy; /* what is built; NULL while expectations are read */
	Expectations *expectations; /* the same for them; NULL while a policy is read */

	/* tokens.c */
	void *scanner;
	Span scan; /* the token that the scanner read last */
	int start; /* the token that tells the grammar what to read; 0 once it was given */
	Token ahead; /* read after the end of a sentence, not yet given to the grammar */
	Token last; /* given last: what an error message calls "found" */
	gboolean in_sentence;
	GString *sentence; /* the sentence so far, blanks folded */
	char *finished; /* the last whole sentence */
	Span finished_where; /* ... its first token */
	Span first; /* first token of the sentence so far */
	int first_kind;

	Rule *rule; /* the one being built: build.c */

	/* parser.c */
	gboolean sentence_failed; /* one error of grammar per sentence is enough */
	gboolean list_failed; /* a `list` could not be read: names may be missing */
	gboolean internal_failed; /* the same for `internal domains` */
} Parser;

/* tokens.c */

/* A word of the language, by its token; NULL if the token is none. */
const char *token_word(int kind);
/* Is this a word of the language as it is spoken in this file? */
gboolean token_is_word(const Parser *parser, const char *text);
void token_clear(Token *token);

/* parser.c */

/* Reads the file into parser->policy or parser->expectations, FALSE if it could not be read at
 * all. Whatever is wrong with it is in parser->problems. */
gboolean parser_read(Parser *parser, const char *path);
/* An error of the lexer, which ends the sentence. */
void parser_refuse(Parser *parser, const Span *where, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The sentence was left at an error; the next one begins anew. */
void parser_recover(Parser *parser);

#endif
