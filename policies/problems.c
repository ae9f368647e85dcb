/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors and warnings with their places: see problems.h.
 */
#include "policies/problems.h"

#include <string.h>

#include "lib/base/error.h"

typedef struct {
	char *file;
	int line, column;
	guint number; /* in the order they were found */
	gboolean warning;
	char *text;
} Problem;

struct Problems {
	GPtrArray *all; /* of Problem */
	guint errors;
	guint warnings;
};

static void problem_free(gpointer data)
{
	Problem *problem = data;

	g_free(problem->file);
	g_free(problem->text);
	g_free(problem);
}

Problems *problems_new(void)
{
	Problems *problems = g_new0(Problems, 1);

	problems->all = g_ptr_array_new_with_free_func(problem_free);
	return problems;
}

void problems_free(Problems *problems)
{
	if (!problems)
		return;
	g_ptr_array_unref(problems->all);
	g_free(problems);
}

static void add(Problems *problems, const char *file, const Span *where, gboolean warning,
		char *text)
{
	Problem *problem = g_new0(Problem, 1);

	problem->file = g_strdup(file);
	problem->line = where ? where->first_line : 0;
	problem->column = where ? where->first_column : 0;
	problem->number = problems->all->len;
	problem->warning = warning;
	problem->text = text;
	g_ptr_array_add(problems->all, problem);
}

void problems_add(Problems *problems, const char *file, const Span *where, const char *format, ...)
{
	va_list arguments;

	if (problems->errors++ >= PROBLEMS_MAX)
		return;
	va_start(arguments, format);
	add(problems, file, where, FALSE, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

void problems_warn(Problems *problems, const char *file, const Span *where, const char *format, ...)
{
	va_list arguments;

	if (problems->warnings++ >= PROBLEMS_MAX)
		return;
	va_start(arguments, format);
	add(problems, file, where, TRUE, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

gboolean problems_any(const Problems *problems)
{
	return problems->errors > 0;
}

gboolean problems_full(const Problems *problems)
{
	return problems->errors > PROBLEMS_MAX;
}

static gint by_place(gconstpointer left, gconstpointer right, gpointer first)
{
	const Problem *a = *(Problem *const *)left;
	const Problem *b = *(Problem *const *)right;
	int order = strcmp(b->file, first) == 0 ? 1 : 0;

	order -= strcmp(a->file, first) == 0 ? 1 : 0;
	if (order == 0)
		order = strcmp(a->file, b->file);
	if (order == 0)
		order = a->line - b->line;
	if (order == 0)
		order = a->column - b->column;
	return order != 0 ? order : (gint)a->number - (gint)b->number;
}

static char *problem_text(const Problem *problem)
{
	const char *kind = problem->warning ? "warning: " : "";

	if (problem->line == 0)
		return g_strdup_printf("%s: %s%s", problem->file, kind, problem->text);
	return g_strdup_printf("%s:%d:%d: %s%s", problem->file, problem->line, problem->column,
			       kind, problem->text);
}

static GPtrArray *texts(Problems *problems, const char *first, gboolean warnings)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	guint count = warnings ? problems->warnings : problems->errors;

	g_ptr_array_sort_with_data(problems->all, by_place, (gpointer)first);
	for (guint i = 0; i < problems->all->len; i++) {
		const Problem *problem = g_ptr_array_index(problems->all, i);

		if (problem->warning == warnings)
			g_ptr_array_add(lines, problem_text(problem));
	}
	if (count > PROBLEMS_MAX)
		g_ptr_array_add(lines, g_strdup_printf("%s: and more", first));
	return lines;
}

gboolean problems_none(Problems *problems, const char *first, GError **error)
{
	g_autoptr(GPtrArray) lines = NULL;
	g_autofree char *text = NULL;

	if (!problems_any(problems))
		return TRUE;
	lines = texts(problems, first, FALSE);
	g_ptr_array_add(lines, NULL);
	text = g_strjoinv("\n", (char **)lines->pdata);
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_CONFIG, text);
	return FALSE;
}

GPtrArray *problems_warnings(Problems *problems, const char *first)
{
	return texts(problems, first, TRUE);
}
