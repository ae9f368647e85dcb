/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs lexer and grammar over a file, and words the errors of grammar: see parser.h.
 */
#include "policies/parser.h"

#include <string.h>

#include "policies/build.h"
#include "policies/grammar.h"
#include "policies/scanner.h"
#include "policies/nearest.h"
#include "policies/textfile.h"

/* So much of what was found is quoted. */
#define FOUND_CHARS 40

void parser_refuse(Parser *parser, const Span *where, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	if (parser->sentence_failed)
		return;
	parser->sentence_failed = TRUE;
	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	problems_add(parser->problems, parser->file, where, "%s", text);
}

void parser_recover(Parser *parser)
{
	if (parser->sentence_failed) {
		parser->list_failed |= parser->first_kind == T_LIST;
		parser->internal_failed |= parser->first_kind == T_INTERNAL;
	}
	parser->sentence_failed = FALSE;
}

/* Takes the kind out of the set, if it is there. */
static gboolean take(gboolean *expected, int kind)
{
	gboolean there = expected[kind];

	expected[kind] = FALSE;
	return there;
}

static void add_name(GPtrArray *names, gboolean *expected, int kind)
{
	if (take(expected, kind))
		g_ptr_array_add(names, (gpointer)(token_word(kind) ? token_word(kind)
								   : grammar_name(kind)));
}

/* The names of what was expected, in the order in which a person would think of them: words, then
 * conditions as one, then values, then signs and the end. */
static GPtrArray *expected_names(gboolean *expected)
{
	static const int conditions[] = {T_NOT,	   T_TO,    T_FROM,	 T_SUBJECT,
					 T_HEADER, T_REPLY, T_INVITATION};
	static const int last[] = {T_LATER, T_NAME, T_STRING, T_NUMBER, T_COMMA,      T_EQUALS,
				   T_COLON, T_OPEN, T_CLOSE,  T_END,	T_END_OF_FILE};
	GPtrArray *names = g_ptr_array_new();
	gboolean any_condition = expected[T_NOT];
	gboolean end = expected[T_END_OF_FILE];

	if (any_condition)
		for (gsize i = 0; i < G_N_ELEMENTS(conditions); i++)
			take(expected, conditions[i]);
	for (int kind = T_OUTGOING; kind < T_LATER; kind++)
		add_name(names, expected, kind);
	if (any_condition)
		g_ptr_array_add(names, (gpointer) "a condition (to, from, subject, header, reply, "
						  "invitation, not)");
	for (gsize i = 0; i < G_N_ELEMENTS(last); i++)
		add_name(names, expected, last[i]);
	if (names->len > 1 && end)
		g_ptr_array_set_size(names, (gint)names->len - 1); /* goes without saying */
	return names;
}

static char *join(const GPtrArray *names)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++) {
		if (i > 0)
			g_string_append(text, i + 1 < names->len ? ", " : " or ");
		g_string_append(text, g_ptr_array_index(names, i));
	}
	return g_string_free(text, FALSE);
}

/* The word of the language that was probably meant; NULL if none comes near. */
static const char *meant(const Parser *parser, const int *expected, int count)
{
	const char *words[T_LATER];
	gsize known = 0;

	if (parser->last.kind != T_NAME)
		return NULL;
	for (int i = 0; i < count; i++)
		if (token_word(expected[i]))
			words[known++] = token_word(expected[i]);
	return nearest_word(parser->last.text, words, known);
}

static char *found_text(const Parser *parser)
{
	g_autofree char *start = NULL;
	const char *text = parser->last.text;

	if (parser->last.kind == T_END || parser->last.kind == T_END_OF_FILE)
		return g_strdup(grammar_name(parser->last.kind));
	if (g_utf8_strlen(text, -1) <= FOUND_CHARS)
		return g_strdup_printf(*text == '"' ? "%s" : "\"%s\"", text);
	start = g_utf8_substring(text, 0, FOUND_CHARS);
	return g_strdup_printf(*text == '"' ? "%s…\"" : "\"%s…\"", start);
}

/* What may help beyond the bare facts; "" if nothing comes to mind. */
static char *hint(const Parser *parser, const int *expected, int count)
{
	const char *word = meant(parser, expected, count);

	if (word)
		return g_strdup_printf(" (did you mean \"%s\"?)", word);
	if (parser->last.kind == T_LATER)
		return g_strdup(" (this word is kept for a later version)");
	if (parser->last.where.first_column == 1 && parser->last.kind != T_END &&
	    parser->sentence->len == strlen(parser->last.text) &&
	    token_is_word(parser, parser->last.text))
		return g_strdup(" (a line that continues a rule begins with blanks)");
	return g_strdup("");
}

void parser_report(Parser *parser, const Span *where, const int *expected, int count)
{
	gboolean set[T_NUMBER + 1] = {FALSE};
	g_autofree char *found = found_text(parser);
	g_autofree char *help = hint(parser, expected, count);
	g_autofree char *list = NULL;
	g_autoptr(GPtrArray) names = NULL;

	for (int i = 0; i < count; i++)
		if (expected[i] <= T_NUMBER)
			set[expected[i]] = TRUE;
	names = expected_names(set);
	list = join(names);
	parser_refuse(parser, where, "found %s, expected %s%s", found, list, help);
}

gboolean parser_read(Parser *parser, const char *path)
{
	gsize limit = POLICY_BYTES_MAX;
	g_autofree char *text = textfile_read(path, limit, parser->problems);

	if (!text)
		return FALSE;
	parser->file = path;
	parser->start = parser->policy ? T_START_POLICY : T_START_EXPECTATIONS;
	parser->sentence = g_string_new(NULL);
	parser->scan = (Span){1, 1, 1, 1};
	policy_flex_lex_init_extra(parser, &parser->scanner);
	policy_flex__scan_bytes(text, (int)strlen(text), parser->scanner);
	policy_yyparse(parser);
	policy_flex_lex_destroy(parser->scanner);
	token_clear(&parser->ahead);
	token_clear(&parser->last);
	g_string_free(parser->sentence, TRUE);
	g_clear_pointer(&parser->finished, g_free);
	return TRUE;
}
