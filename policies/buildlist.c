/* SPDX-License-Identifier: Apache-2.0
 *
 * What internal domains and lists mean, and the lists' way into the rules: see build.h.
 */
#include "policies/build.h"

#include <string.h>

#include "lib/mail/address.h"
#include "policies/nearest.h"
#include "policies/textfile.h"

const char *build_pattern(Parser *parser, const char *file, const Word *word)
{
	g_autofree char *folded = address_pattern_fold(word->text, NULL);
	g_autofree char *bare = NULL;

	if (folded)
		return policy_intern(parser->policy, folded);
	if (word->text[0] == '@')
		bare = domain_fold(word->text + 1);
	problems_add(parser->problems, file, &word->where,
		     "found \"%.80s\", expected an address, a domain or *.domain%s%s%s", word->text,
		     bare ? " (did you mean \"" : "", bare ? bare : "", bare ? "\"?)" : "");
	return NULL;
}

void build_internal(Parser *parser, GPtrArray *words)
{
	for (guint i = 0; i < words->len; i++) {
		const Word *word = g_ptr_array_index(words, i);
		const char *pattern = build_pattern(parser, parser->file, word);
		const Span *before =
			pattern ? g_hash_table_lookup(parser->policy->internal, pattern) : NULL;

		if (pattern && strchr(pattern, '@'))
			problems_add(parser->problems, parser->file, &word->where,
				     "found the address \"%s\", expected a domain of ours",
				     pattern);
		else if (before)
			problems_add(parser->problems, parser->file, &word->where,
				     "found the domain \"%s\" twice, first in line %d", pattern,
				     before->first_line);
		else if (pattern)
			g_hash_table_insert(parser->policy->internal, (gpointer)pattern,
					    g_memdup2(&word->where, sizeof(word->where)));
	}
	g_ptr_array_unref(words);
}

/* The new list of that name; if there is one already, a problem and NULL. */
static List *add_list(Parser *parser, const Word *name)
{
	List *list = g_hash_table_lookup(parser->policy->lists, name->text);

	if (list) {
		problems_add(parser->problems, parser->file, &name->where,
			     "found a second list \"%s\", first in line %d", name->text,
			     list->where.first_line);
		return NULL;
	}
	list = list_new(name->text, &name->where);
	g_hash_table_insert(parser->policy->lists, list->name, list);
	return list;
}

void build_list(Parser *parser, Word *name, GPtrArray *words)
{
	List *list = add_list(parser, name);

	for (guint i = 0; i < words->len; i++) {
		const Word *word = g_ptr_array_index(words, i);
		const char *pattern = build_pattern(parser, parser->file, word);

		if (list && pattern)
			g_hash_table_add(list->patterns, (gpointer)pattern);
	}
	word_free(name);
	g_ptr_array_unref(words);
}

/* Cuts off a comment: from a # on that begins the line or follows a blank. */
static void cut_comment(char *line)
{
	for (char *p = line; *p; p++)
		if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			return;
		}
}

/* FALSE once the list is over its limit. */
static gboolean take_line(Parser *parser, List *list, const char *path, Word *word)
{
	char *text = word->text;
	const char *pattern;

	cut_comment(text);
	g_strchomp(text);
	while (*text == ' ' || *text == '\t') {
		text++;
		word->where.first_column++;
	}
	memmove(word->text, text, strlen(text) + 1);
	if (*word->text == '\0')
		return TRUE;
	if (g_hash_table_size(list->patterns) == LIST_ENTRIES_MAX) {
		problems_add(parser->problems, path, &word->where,
			     "found one more entry, expected at most %d", LIST_ENTRIES_MAX);
		return FALSE;
	}
	pattern = build_pattern(parser, path, word);
	if (pattern)
		g_hash_table_add(list->patterns, (gpointer)pattern);
	return TRUE;
}

static void read_list(Parser *parser, List *list, const char *path, const Word *file)
{
	g_autofree char *text = textfile_read(path, LIST_BYTES_MAX, parser->problems);
	gboolean more = text != NULL;
	int number = 0;

	for (char *line = text, *end = NULL; more; line = end + 1) {
		end = strchr(line, '\n');
		more = end != NULL;
		if (end)
			*end = '\0';
		number++;
		g_autoptr(Word) word = word_new(line, TRUE, &(Span){number, 1, number, 1});
		if (!take_line(parser, list, path, word))
			return;
	}
	/* Rules that require something for an empty list require it for nobody: a half-written
	 * file must not do that silently. */
	if (text && g_hash_table_size(list->patterns) == 0)
		problems_add(parser->problems, parser->file, &file->where,
			     "found no entry in the file \"%s\", expected one at least",
			     file->text);
}

void build_list_from(Parser *parser, Word *name, Word *file)
{
	List *list = add_list(parser, name);
	g_autofree char *folder = g_path_get_dirname(parser->file);
	g_autofree char *path = g_path_is_absolute(file->text)
					? g_strdup(file->text)
					: g_build_filename(folder, file->text, NULL);

	if (list)
		read_list(parser, list, path, file);
	word_free(name);
	word_free(file);
}

static void refuse_name(Parser *parser, const Word *word)
{
	g_autofree gpointer *names = NULL;
	const char *near;
	guint count = 0;

	/* it may be the list that could not be read */
	if (parser->list_failed || problems_full(parser->problems))
		return;
	names = g_hash_table_get_keys_as_array(parser->policy->lists, &count);
	near = nearest_word(word->text, (const char *const *)names, count);
	problems_add(parser->problems, parser->file, &word->where,
		     "found \"%s\", expected the name of a list or an address in quotes%s%s%s",
		     word->text, near ? " (did you mean \"" : "", near ? near : "",
		     near ? "\"?)" : "");
}

static void resolve(Parser *parser, const GPtrArray *rules)
{
	for (guint i = 0; i < rules->len; i++) {
		const Rule *rule = g_ptr_array_index(rules, i);

		for (guint j = 0; j < rule->conditions->len; j++) {
			Condition *condition = g_ptr_array_index(rule->conditions, j);

			for (guint k = 0; k < condition->words->len; k++) {
				const Word *word = g_ptr_array_index(condition->words, k);
				List *list = g_hash_table_lookup(parser->policy->lists, word->text);

				if (word->quoted)
					continue;
				if (!list) {
					refuse_name(parser, word);
					continue;
				}
				list->used = TRUE;
				g_ptr_array_add(condition->lists, list);
			}
		}
	}
}

void build_finish(Parser *parser)
{
	Policy *policy = parser->policy;

	for (int i = 0; i < DIRECTIONS; i++) {
		resolve(parser, policy->rules[i]);
		resolve(parser, policy->copies[i]);
	}
	if (g_hash_table_size(policy->internal) == 0 && !parser->internal_failed &&
	    !problems_any(parser->problems))
		problems_add(
			parser->problems, parser->file, &(Span){1, 1, 1, 1},
			"found no internal domains, expected: internal domains \"OUR.DOMAIN\"");
}
