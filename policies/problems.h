/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with a policy: collected while it is read, so that a person sees all of it in one
 * go, each with its place. Errors refuse the file; warnings are for `sealpost policy check`.
 */
#ifndef SEALPOST_POLICIES_PROBLEMS_H
#define SEALPOST_POLICIES_PROBLEMS_H

#include <glib.h>

/* More errors than this are not listed one by one. */
#define PROBLEMS_MAX 50

/* Lines and columns count from 1, columns in characters; last_column is one past the end. Line 0:
 * no place within the file. */
typedef struct {
	int first_line, first_column, last_line, last_column;
} Span;

typedef struct Problems Problems;

Problems *problems_new(void);
void problems_free(Problems *problems);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Problems, problems_free)

void problems_add(Problems *problems, const char *file, const Span *where, const char *format, ...)
	G_GNUC_PRINTF(4, 5);
void problems_warn(Problems *problems, const char *file, const Span *where, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/* Has an error been added? Are there so many that reading on makes no sense? */
gboolean problems_any(const Problems *problems);
gboolean problems_full(const Problems *problems);

/* TRUE if there is no error; else sets ERROR_CONFIG with one "FILE:LINE:COLUMN: TEXT" per line,
 * in the order of the places, those in the file `first` before those in others. */
gboolean problems_none(Problems *problems, const char *first, GError **error);

/* The warnings in that order and form. New array of char * that frees them. */
GPtrArray *problems_warnings(Problems *problems, const char *first);

#endif
