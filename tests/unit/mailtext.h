/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of lib/mail: messages out of string literals, trees as text.
 */
#ifndef SEALPOST_TESTS_UNIT_MAILTEXT_H
#define SEALPOST_TESTS_UNIT_MAILTEXT_H

#include <string.h>

#include "lib/mail/mime.h"

static inline Spool *spool_of(const char *text, gsize size)
{
	Spool *spool = spool_new(g_get_tmp_dir(), G_MAXINT64);

	if (!spool_append(spool, text, size, NULL))
		g_error("cannot spool");
	return spool;
}

static inline MimeTree *tree_of(const char *text, gsize size, GError **error)
{
	g_autoptr(Spool) spool = spool_of(text, size);

	return mime_parse(spool, error);
}

/* "multipart/mixed(text/plain,message/rfc822(text/html))" */
static inline void outline(const MimePart *part, GString *text)
{
	g_string_append(text, part->type);
	for (guint i = 0; part->children != NULL && i < part->children->len; i++) {
		g_string_append_c(text, i == 0 ? '(' : ',');
		outline(part->children->pdata[i], text);
	}
	if (part->children != NULL)
		g_string_append_c(text, ')');
}

/* The part with that number ("1.2"), NULL if there is none. */
static inline MimePart *part_at(const MimeTree *tree, const char *number)
{
	MimePart *part = mime_root(tree);
	g_auto(GStrv) steps = g_strsplit(number, ".", -1);

	for (guint i = 1; part != NULL && steps[i] != NULL; i++) {
		guint index = (guint)g_ascii_strtoull(steps[i], NULL, 10);

		if (part->children == NULL || index == 0 || index > part->children->len)
			return NULL;
		part = part->children->pdata[index - 1];
	}
	return part;
}

#endif
