/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole message: its parts, their texts, and its form for signing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/mailcheck.h"

/* What is read of each text. */
#define TEXT_MAX 10000

static void read_part(const MimeTree *tree, const MimePart *part)
{
	g_autofree char *number = mime_number(part);
	g_autofree char *subject = mime_header(part, "Subject");
	g_autofree char *text = mime_text(tree, part, TEXT_MAX, NULL);

	g_assert_nonnull(number);
	g_assert_true(subject == NULL || g_utf8_validate(subject, -1, NULL));
	g_assert_true(g_utf8_validate(text, -1, NULL));
	mime_is_strict(tree, part);
	for (guint i = 0; part->children != NULL && i < part->children->len; i++)
		read_part(tree, part->children->pdata[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(Spool) spool = spool_new(g_get_tmp_dir(), G_MAXINT64);
	g_autoptr(MimeTree) tree = NULL;
	g_autofree char *problem = NULL;

	if (!spool_append(spool, data, size, NULL))
		return 0;
	tree = mime_parse(spool, NULL);
	if (tree == NULL)
		return 0;
	problem = check_ranges(tree);
	if (problem == NULL)
		check_rewrite(tree, &problem);
	if (problem != NULL) {
		fprintf(stderr, "%s\n", problem);
		abort();
	}
	read_part(tree, mime_root(tree));
	return 0;
}
