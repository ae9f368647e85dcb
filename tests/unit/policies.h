/* SPDX-License-Identifier: Apache-2.0
 *
 * A policy (or another text file) from a string, for the tests of policies/.
 */
#ifndef SEALPOST_TESTS_UNIT_POLICIES_H
#define SEALPOST_TESTS_UNIT_POLICIES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "lib/base/error.h"
#include "policies/policy.h"

/* A private folder for one test. */
static inline char *folder_new(void)
{
	char *folder = g_dir_make_tmp("sealpost-XXXXXX", NULL);

	assert_non_null(folder);
	return folder;
}

static inline void folder_free(char *folder)
{
	g_autoptr(GDir) files = g_dir_open(folder, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(files))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		g_unlink(path);
	}
	g_rmdir(folder);
	g_free(folder);
}

/* Writes the bytes (length < 0: a string) and gives the file's path. */
static inline char *write_file(const char *folder, const char *name, const char *bytes,
			       gssize length)
{
	char *path = g_build_filename(folder, name, NULL);

	assert_true(g_file_set_contents(path, bytes, length, NULL));
	return path;
}

/* The text with each path in that folder cut down to the file's name. */
static inline char *without_folder(const char *text, const char *folder)
{
	g_autofree char *prefix = g_strconcat(folder, "/", NULL);
	g_autoptr(GString) result = g_string_new(text);

	g_string_replace(result, prefix, "", 0);
	return g_strdup(result->str);
}

/* The policy that the text is; it must be one. */
static inline Policy *policy_from(const char *text)
{
	char *folder = folder_new();
	g_autofree char *path = write_file(folder, "p", text, -1);
	g_autoptr(GError) error = NULL;
	Policy *policy = policy_load(path, &error);

	if (!policy)
		fail_msg("%s", error->message);
	folder_free(folder);
	return policy;
}

#endif
