/* SPDX-License-Identifier: Apache-2.0
 *
 * Every message of the corpus (SEALPOST_CORPUS, default ../shared/corpus beside the source), as it
 * is and with CRLF line ends: parsed, its texts read, written in its form for signing and read
 * again. With file names as arguments: those, with their outlines printed.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "tests/unit/mailcheck.h"
#include "tests/unit/mailtext.h"

#define TEXT_MAX 100000

typedef struct {
	guint files;
	guint unsupported;
	guint refused;
	guint bad;
} Tally;

static void read_texts(const MimeTree *tree, const MimePart *part)
{
	g_autofree char *text = mime_text(tree, part, TEXT_MAX, NULL);
	g_autofree char *from = mime_header(part, "From");

	g_assert_true(text != NULL && g_utf8_validate(text, -1, NULL));
	for (guint i = 0; part->children != NULL && i < part->children->len; i++)
		read_texts(tree, part->children->pdata[i]);
}

static void check_message(const char *name, const char *text, gsize size, Tally *tally)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MimeTree) tree = tree_of(text, size, &error);
	g_autofree char *problem = NULL;
	CheckResult result = CHECK_BAD;

	if (tree == NULL) {
		if (!g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_DEEP) &&
		    !g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE))
			tally->bad++;
		tally->refused++;
		printf("# %s: %s\n", name, error->message);
		return;
	}
	read_texts(tree, mime_root(tree));
	problem = check_ranges(tree);
	if (problem == NULL)
		result = check_rewrite(tree, &problem);
	if (result == CHECK_UNSUPPORTED)
		tally->unsupported++;
	if (result == CHECK_BAD) {
		g_auto(GStrv) lines = g_strsplit(problem, "\n", -1);
		g_autofree char *joined = g_strjoinv("\n#   ", lines);

		tally->bad++;
		printf("# %s: %s\n", name, joined);
	}
}

static GString *with_crlf(const char *text, gsize size)
{
	GString *crlf = g_string_sized_new(size + size / 32);

	for (gsize i = 0; i < size; i++) {
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			g_string_append_c(crlf, '\r');
		g_string_append_c(crlf, text[i]);
	}
	return crlf;
}

static gboolean check_file(const char *folder, const char *name, Tally *tally)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *text = NULL;
	g_autoptr(GString) crlf = NULL;
	gsize size;

	if (!g_file_get_contents(path, &text, &size, NULL))
		return FALSE;
	tally->files++;
	crlf = with_crlf(text, size);
	check_message(name, text, size, tally);
	check_message(name, crlf->str, crlf->len, tally);
	return TRUE;
}

static int print_outline(const char *path)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(MimeTree) tree = NULL;
	g_autoptr(GString) parts = g_string_new(NULL);
	gsize size;

	if (g_file_get_contents(path, &text, &size, &error))
		tree = tree_of(text, size, &error);
	if (tree == NULL) {
		printf("%s: %s\n", path, error->message);
		return 1;
	}
	outline(mime_root(tree), parts);
	printf("%s: %s\n", path, parts->str);
	return 0;
}

static void walk(const char *folder, const char *manifest)
{
	g_auto(GStrv) lines = g_strsplit(manifest, "\n", -1);
	Tally tally = {0};
	gboolean readable = TRUE;

	for (guint i = 0; lines[i] != NULL; i++) {
		g_auto(GStrv) columns = g_strsplit(lines[i], "\t", 4);

		if (g_strv_length(columns) >= 3 && g_str_has_prefix(columns[2], "mime-"))
			readable = check_file(folder, columns[0], &tally) && readable;
	}
	printf("# %u files, each twice; %u without a form for signing, %u over a limit\n",
	       tally.files, tally.unsupported, tally.refused);
	printf("%sok 1 - all messages can be read\n", readable && tally.files > 0 ? "" : "not ");
	printf("%sok 2 - all keep their parts and contents\n", tally.bad == 0 ? "" : "not ");
}

int main(int argc, char **argv)
{
	const char *named = g_getenv("SEALPOST_CORPUS");
	const char *source = g_getenv("srcdir") != NULL ? g_getenv("srcdir") : ".";
	g_autofree char *folder = named != NULL
					  ? g_strdup(named)
					  : g_build_filename(source, "../shared/corpus", NULL);
	g_autofree char *path = g_build_filename(folder, "manifest.tsv", NULL);
	g_autofree char *manifest = NULL;
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed += print_outline(argv[i]);
	if (argc > 1)
		return failed > 0;
	if (!g_file_get_contents(path, &manifest, NULL, NULL)) {
		printf("1..0 # SKIP no corpus in %s\n", folder);
		return 0;
	}
	printf("1..2\n");
	walk(folder, manifest);
	return 0;
}
