/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of words in a policy and in a file of expectations. END is no text: tokens.c puts it
 * where a sentence ends, so that an error spoils one sentence only. Meaning and checks: build.h.
 */
%require "3.6"
%define api.pure full
%define api.prefix {policy_yy}
%define api.location.type {Span}
%define api.token.raw
%define api.token.prefix {T_}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%parse-param {Parser *parser}
%lex-param {Parser *parser}

%code requires {
#include "policies/parser.h"
}

%code provides {
/* tokens.c */
int policy_yylex(POLICY_YYSTYPE *value, Span *where, Parser *parser);

/* parser.c: says what was found and what was expected. */
void parser_report(Parser *parser, const Span *where, const int *expected, int count);
/* A symbol's token kind, and its name for people. */
const char *grammar_name(int symbol);
}

%code {
#include "policies/build.h"

static void yyerror(const Span *where, Parser *parser, const char *message);
}

%union {
	Word *word;
	GPtrArray *array;
	Condition *condition;
	Outcome *outcome;
	Direction direction;
	Transport transport;
	Rung rung;
	gboolean flag;
}

%token END_OF_FILE 0 "the end of the file"
%token START_POLICY START_EXPECTATIONS
%token COMMA "a comma" EQUALS "=" COLON ":" OPEN "(" CLOSE ")"
%token END "the end of the sentence"
%token OUTGOING "outgoing" INTERNAL "internal" INCOMING "incoming" RELAYED "relayed"
%token COPY "copy" LIST "list" DOMAINS "domains"
%token NOT "not" TO "to" FROM "from" SUBJECT "subject" HEADER "header" HAS "has" IS "is"
%token REQUIRE "require" PREFER "prefer" PLAIN "plain" REJECT "reject"
%token SMIME "smime" PGP "pgp" PORTAL "portal" TLS "tls" VERIFIED "verified" OVER "over"
%token SIGN "sign" AS "as" REMOVE "remove" TAG "tag" HIDE "hide" KEYS "keys" LEARNED "learned"
%token EXPECT "expect" NO "no" RULE "rule" LINE "line"
%token OR "or" SIGNATURE "signature" REPLY "reply" ENCRYPTED "encrypted"
%token INVITATION "invitation"
%token LATER "a word of a later version"
%token <word> STRING "a text in \"quotes\""
%token <word> NAME "the name of a list"
%token <word> NUMBER "a number"

%type <array> strings addresses conditions
%type <word> address
%type <condition> condition signed_condition
%type <outcome> outcome ladder required rungs
%type <rung> rung
%type <direction> direction
%type <transport> transport
%type <flag> maybe_not

%destructor { word_free($$); } <word>
%destructor { g_ptr_array_unref($$); } <array>
%destructor { condition_free($$); } <condition>
%destructor { outcome_free($$); } <outcome>

%%

file:
	START_POLICY sentences
|	START_EXPECTATIONS expectations
;

sentences:
	%empty
|	sentences sentence END		{ build_commit(parser); parser_recover(parser); }
|	sentences error END		{ parser_recover(parser); yyerrok; }
;

sentence:
	INTERNAL DOMAINS strings	{ build_internal(parser, $3); }
|	LIST NAME EQUALS strings		{ build_list(parser, $2, $4); }
|	LIST NAME FROM STRING		{ build_list_from(parser, $2, $4); }
|	direction conditions outcome	{ build_rule(parser, $1, $2, $3); }
|	COPY direction conditions	{ build_copy(parser, $2, $3); }
;

direction:
	OUTGOING			{ $$ = DIRECTION_OUTGOING; }
|	INTERNAL			{ $$ = DIRECTION_INTERNAL; }
|	INCOMING			{ $$ = DIRECTION_INCOMING; }
|	RELAYED				{ $$ = DIRECTION_OTHER; }
;

conditions:
	%empty				{ $$ = build_conditions(); }
|	conditions signed_condition	{ $$ = build_and(parser, $1, $2); }
;

signed_condition:
	maybe_not condition		{ $$ = $2; $$->negated = $1; }
;

maybe_not:
	%empty				{ $$ = FALSE; }
|	NOT				{ $$ = TRUE; }
;

condition:
	TO addresses			{ $$ = build_address(parser, CONDITION_TO, &@1, $2); }
|	FROM addresses			{ $$ = build_address(parser, CONDITION_FROM, &@1, $2); }
|	SUBJECT HAS strings		{ $$ = build_subject(parser, &@1, $3); }
|	HEADER STRING HAS strings	{ $$ = build_header(parser, CONDITION_HEADER_HAS, $2, $4); }
|	REPLY TO ENCRYPTED		{ $$ = condition_new(CONDITION_REPLY, &@1); }
|	INVITATION			{ $$ = condition_new(CONDITION_INVITATION, &@1); }
|	HEADER STRING IS strings	{ $$ = build_header(parser, CONDITION_HEADER_IS, $2, $4); }
;

addresses:
	address				{ $$ = words_new(); g_ptr_array_add($$, $1); }
|	addresses COMMA address		{ $$ = $1; g_ptr_array_add($$, $3); }
;

address:
	STRING
|	NAME
;

strings:
	STRING				{ $$ = words_new(); g_ptr_array_add($$, $1); }
|	strings COMMA STRING		{ $$ = $1; g_ptr_array_add($$, $3); }
;

outcome:
	ladder
|	REJECT				{ $$ = outcome_new(VERDICT_REJECT); }
|	REJECT STRING			{ $$ = build_reject(parser, $2); }
;

ladder:
	REQUIRE required		{ $$ = $2; }
|	ladder REQUIRE required		{ $$ = build_also(parser, $1, $3, &@2); }
|	PREFER rungs			{ $$ = $2; $$->verdict = VERDICT_PREFER; }
|	PLAIN				{ $$ = outcome_new(VERDICT_PLAIN); }
|	ladder SIGN			{ $$ = $1; $$->sign = TRUE; }
|	ladder SIGN AS FROM		{ $$ = $1; $$->sign_as_from = TRUE; }
|	ladder REMOVE TAG		{ $$ = $1; $$->remove_tag = TRUE; }
|	ladder HIDE SUBJECT		{ $$ = $1; $$->hide_subject = TRUE; }
|	ladder KEYS FROM LEARNED	{ $$ = $1; $$->keys_from_learned = TRUE; }
;

required:
	rungs				{ $$ = build_ways($1); }
|	SMIME OR PGP			{ $$ = build_encrypted(); }
|	PGP OR SMIME			{ $$ = build_encrypted(); }
|	SIGNATURE			{ $$ = build_signature(); }
|	TLS NUMBER			{ $$ = build_tls_version(parser, $2); }
;

rungs:
	rung				{ $$ = build_rung(parser, NULL, $1, &@1); }
|	rungs COMMA rung			{ $$ = build_rung(parser, $1, $3, &@3); }
;

rung:
	SMIME transport			{ $$ = (Rung){WAY_SMIME, $2}; }
|	PGP transport			{ $$ = (Rung){WAY_PGP, $2}; }
|	PORTAL transport		{ $$ = (Rung){WAY_PORTAL, $2}; }
|	TLS transport			{ $$ = build_tls(parser, WAY_TLS, $2, &@$); }
|	VERIFIED TLS transport		{ $$ = build_tls(parser, WAY_VERIFIED_TLS, $3, &@$); }
|	PLAIN				{ $$ = (Rung){WAY_PLAIN, TRANSPORT_ANY}; }
;

transport:
	%empty				{ $$ = TRANSPORT_ANY; }
|	OVER TLS			{ $$ = TRANSPORT_TLS; }
|	OVER VERIFIED TLS		{ $$ = TRANSPORT_VERIFIED_TLS; }
;

expectations:
	%empty
|	expectations expectation END	{ build_expected(parser); parser_recover(parser); }
|	expectations error END		{ build_expected(parser); parser_recover(parser); yyerrok; }
;

expectation:
	expect facts COLON expected remarks
;

expect:
	EXPECT				{ build_expect(parser, &@1); }
;

facts:
	%empty
|	facts fact
;

fact:
	direction			{ build_fact_direction(parser, $1); }
|	FROM STRING			{ build_fact_sender(parser, $2); }
|	TO STRING			{ build_fact_recipient(parser, $2); }
|	REPLY TO ENCRYPTED		{ build_fact_reply(parser); }
|	INVITATION			{ build_fact_invitation(parser); }
|	SUBJECT STRING			{ build_fact_subject(parser, $2); }
|	HEADER STRING STRING		{ build_fact_header(parser, $2, $3); }
;

expected:
	outcome				{ build_expect_outcome(parser, $1); }
|	NO RULE				{ build_expect_outcome(parser, NULL); }
;

remarks:
	%empty
|	remarks COPY TO STRING		{ build_expect_copy(parser, $4); }
|	remarks OPEN LINE NUMBER CLOSE	{ build_expect_line(parser, $4); }
;

%%

const char *grammar_name(int symbol)
{
	return yysymbol_name((yysymbol_kind_t)symbol);
}

#define EXPECTED_MAX 40

static int yyreport_syntax_error(const yypcontext_t *context, Parser *parser)
{
	yysymbol_kind_t symbols[EXPECTED_MAX];
	int expected[EXPECTED_MAX];
	int count = yypcontext_expected_tokens(context, symbols, EXPECTED_MAX);

	for (int i = 0; i < count; i++)
		expected[i] = symbols[i];
	parser_report(parser, yypcontext_location(context), expected, count);
	return 0;
}

/* Only called when the parser's own stack is exhausted, which no policy within limits does. */
static void yyerror(const Span *where, Parser *parser, const char *message)
{
	parser_refuse(parser, where, "%s", message);
}
