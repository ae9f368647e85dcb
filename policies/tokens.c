/* SPDX-License-Identifier: Apache-2.0
 *
 * Between lexer and grammar: which words belong to the language, where a sentence ends, and its
 * text as written.
 */
#include "policies/parser.h"

#include <string.h>

#include "policies/grammar.h"
#include "policies/scanner.h"

typedef enum {
	SPOKEN_IN_BOTH,
	SPOKEN_IN_POLICY,
	SPOKEN_IN_EXPECTATIONS,
} Spoken;

static const struct {
	const char *text;
	int kind;
	Spoken spoken;
	gboolean starter; /* can begin a sentence */
} words[] = {
	{"outgoing", T_OUTGOING, SPOKEN_IN_BOTH, TRUE},
	{"internal", T_INTERNAL, SPOKEN_IN_BOTH, TRUE},
	{"incoming", T_INCOMING, SPOKEN_IN_BOTH, TRUE},
	{"relayed", T_RELAYED, SPOKEN_IN_BOTH, TRUE},
	{"copy", T_COPY, SPOKEN_IN_BOTH, TRUE},
	{"list", T_LIST, SPOKEN_IN_POLICY, TRUE},
	{"expect", T_EXPECT, SPOKEN_IN_EXPECTATIONS, TRUE},
	{"domains", T_DOMAINS, SPOKEN_IN_POLICY, FALSE},
	{"not", T_NOT, SPOKEN_IN_POLICY, FALSE},
	{"to", T_TO, SPOKEN_IN_BOTH, FALSE},
	{"from", T_FROM, SPOKEN_IN_BOTH, FALSE},
	{"subject", T_SUBJECT, SPOKEN_IN_BOTH, FALSE},
	{"header", T_HEADER, SPOKEN_IN_BOTH, FALSE},
	{"has", T_HAS, SPOKEN_IN_POLICY, FALSE},
	{"is", T_IS, SPOKEN_IN_POLICY, FALSE},
	{"require", T_REQUIRE, SPOKEN_IN_BOTH, FALSE},
	{"prefer", T_PREFER, SPOKEN_IN_BOTH, FALSE},
	{"plain", T_PLAIN, SPOKEN_IN_BOTH, FALSE},
	{"reject", T_REJECT, SPOKEN_IN_BOTH, FALSE},
	{"smime", T_SMIME, SPOKEN_IN_BOTH, FALSE},
	{"pgp", T_PGP, SPOKEN_IN_BOTH, FALSE},
	{"portal", T_PORTAL, SPOKEN_IN_BOTH, FALSE},
	{"tls", T_TLS, SPOKEN_IN_BOTH, FALSE},
	{"verified", T_VERIFIED, SPOKEN_IN_BOTH, FALSE},
	{"over", T_OVER, SPOKEN_IN_BOTH, FALSE},
	{"sign", T_SIGN, SPOKEN_IN_BOTH, FALSE},
	{"as", T_AS, SPOKEN_IN_BOTH, FALSE},
	{"remove", T_REMOVE, SPOKEN_IN_BOTH, FALSE},
	{"tag", T_TAG, SPOKEN_IN_BOTH, FALSE},
	{"hide", T_HIDE, SPOKEN_IN_BOTH, FALSE},
	{"keys", T_KEYS, SPOKEN_IN_BOTH, FALSE},
	{"learned", T_LEARNED, SPOKEN_IN_BOTH, FALSE},
	{"or", T_OR, SPOKEN_IN_BOTH, FALSE},
	{"signature", T_SIGNATURE, SPOKEN_IN_BOTH, FALSE},
	{"reply", T_REPLY, SPOKEN_IN_BOTH, FALSE},
	{"encrypted", T_ENCRYPTED, SPOKEN_IN_BOTH, FALSE},
	{"invitation", T_INVITATION, SPOKEN_IN_BOTH, FALSE},
	{"no", T_NO, SPOKEN_IN_EXPECTATIONS, FALSE},
	{"rule", T_RULE, SPOKEN_IN_EXPECTATIONS, FALSE},
	{"line", T_LINE, SPOKEN_IN_EXPECTATIONS, FALSE},
	/* kept free, so that a later version can give them a meaning */
	{"group", T_LATER, SPOKEN_IN_BOTH, FALSE},
	{"body", T_LATER, SPOKEN_IN_BOTH, FALSE},
};

static int find_word(const Parser *parser, const char *text, gboolean *starter)
{
	Spoken elsewhere = parser->policy ? SPOKEN_IN_EXPECTATIONS : SPOKEN_IN_POLICY;

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (words[i].spoken != elsewhere && strcmp(words[i].text, text) == 0) {
			/* an expectation has directions and `copy` inside it */
			*starter =
				words[i].starter && (parser->policy || words[i].kind == T_EXPECT);
			return words[i].kind;
		}
	*starter = FALSE;
	return T_NAME;
}

gboolean token_is_word(const Parser *parser, const char *text)
{
	gboolean starter;

	return find_word(parser, text, &starter) != T_NAME;
}

const char *token_word(int kind)
{
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (words[i].kind == kind && kind != T_LATER)
			return words[i].text;
	return NULL;
}

void token_clear(Token *token)
{
	g_clear_pointer(&token->text, g_free);
	g_clear_pointer(&token->word, word_free);
}

/* The next token of the file. *begins: it is the first on its line and may begin a sentence. */
static Token scan(Parser *parser, gboolean *begins)
{
	POLICY_YYSTYPE value = {NULL};
	Token token = {0};
	gboolean starter = FALSE;
	int line = parser->last.where.last_line;

	token.kind = policy_flex_lex(&value, &parser->scan, parser->scanner);
	token.where = parser->scan;
	token.text = g_strdup(policy_flex_get_text(parser->scanner));
	if (token.kind == T_NAME || token.kind == T_STRING || token.kind == T_NUMBER)
		token.word = value.word;
	if (token.kind == T_NAME) {
		token.kind = find_word(parser, token.text, &starter);
		if (token.kind != T_NAME)
			g_clear_pointer(&token.word, word_free);
	}
	*begins = token.where.first_line > line && (starter || token.where.first_column == 1);
	return token;
}

/* Adds the token to the sentence's text, after one blank where any white space stood. */
static void append(Parser *parser, const Token *token)
{
	const Span *last = &parser->last.where;
	gboolean touches = token->where.first_line == last->last_line &&
			   token->where.first_column == last->last_column;

	if (!parser->in_sentence) {
		parser->first = token->where;
		parser->first_kind = token->kind;
	} else if (!touches) {
		g_string_append_c(parser->sentence, ' ');
	}
	g_string_append(parser->sentence, token->text);
	parser->in_sentence = TRUE;
}

/* The end of the sentence, just behind its last token. */
static Token end_sentence(Parser *parser)
{
	Token token = {.kind = T_END};

	token.where = parser->last.where;
	token.where.first_line = token.where.last_line;
	token.where.first_column = token.where.last_column;
	g_free(parser->finished);
	parser->finished = g_strdup(parser->sentence->str);
	parser->finished_where = parser->first;
	g_string_truncate(parser->sentence, 0);
	parser->in_sentence = FALSE;
	return token;
}

static Token next(Parser *parser)
{
	gboolean begins = FALSE;
	Token token = parser->ahead;

	if (parser->start) {
		token.kind = parser->start;
		parser->start = 0;
		return token;
	}
	parser->ahead = (Token){0};
	if (!token.text)
		token = scan(parser, &begins);
	if (parser->in_sentence && (begins || token.kind == T_END_OF_FILE)) {
		parser->ahead = token;
		return end_sentence(parser);
	}
	if (token.kind != T_END_OF_FILE)
		append(parser, &token);
	return token;
}

int policy_yylex(POLICY_YYSTYPE *value, Span *where, Parser *parser)
{
	Token token = next(parser);

	token_clear(&parser->last);
	value->word = g_steal_pointer(&token.word);
	*where = token.where;
	parser->last = token;
	return token.kind;
}
