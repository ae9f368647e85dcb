/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target over files that are named, or all files in folders that are named; without
 * arguments over the target's own corpus (tests/fuzz/corpus/NAME for fuzz_NAME), as a test. Each
 * input is given whole and cut off at half its length.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static void add_path(GPtrArray *files, const char *path)
{
	GDir *folder = g_dir_open(path, 0, NULL);
	const char *name;

	if (folder == NULL) {
		g_ptr_array_add(files, g_strdup(path));
		return;
	}
	while ((name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *inside = g_build_filename(path, name, NULL);

		add_path(files, inside);
	}
	g_dir_close(folder);
}

static char *default_corpus(const char *program)
{
	g_autofree char *base = g_path_get_basename(program);
	const char *name = strstr(base, "fuzz_");
	const char *source = g_getenv("srcdir");

	return g_build_filename(source != NULL ? source : ".", "tests/fuzz/corpus",
				name != NULL ? name + strlen("fuzz_") : base, NULL);
}

static gboolean replay(const char *path)
{
	g_autofree char *text = NULL;
	gsize size;

	if (!g_file_get_contents(path, &text, &size, NULL))
		return FALSE;
	LLVMFuzzerTestOneInput((const uint8_t *)text, size);
	LLVMFuzzerTestOneInput((const uint8_t *)text, size / 2);
	return TRUE;
}

int main(int argc, char **argv)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *corpus = default_corpus(argv[0]);
	int failed = 0;

	for (int i = 1; i < argc; i++)
		add_path(files, argv[i]);
	if (argc == 1)
		add_path(files, corpus);
	printf("1..%u\n", files->len);
	for (guint i = 0; i < files->len; i++) {
		gboolean read = replay(files->pdata[i]);

		printf("%s %u - %s\n", read ? "ok" : "not ok", i + 1, (char *)files->pdata[i]);
		fflush(stdout);
		failed += !read;
	}
	return failed > 0 || files->len == 0;
}
