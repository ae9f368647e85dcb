/* SPDX-License-Identifier: Apache-2.0
 *
 * Header protection: what is taken from a hostile inside, and a hostile message made ready to be
 * protected; the legacy display element in both.
 */
#include <string.h>

#include "gateway/head.h"
#include "gateway/headprotect.h"
#include "gateway/headrestore.h"
#include "gateway/legacydisplay.h"
#include "lib/mail/headersafe.h"
#include "tests/fuzz/fuzz.h"

static void drain(Source *source)
{
	g_autofree char *buffer = g_malloc(STREAM_CHUNK);

	while (source_read(source, buffer, STREAM_CHUNK, NULL) > 0)
		;
	source_free(source);
}

static gboolean is_harmless(const char *name)
{
	static const char *const evil[] = {
		"X-Sealpost-", "Authentication-Results", "Received", "Bcc", "Resent-", "Content-",
		"Subject"};

	for (gsize i = 0; i < G_N_ELEMENTS(evil); i++)
		if (g_ascii_strncasecmp(name, evil[i], strlen(evil[i])) == 0)
			return FALSE;
	return TRUE;
}

static void restore(const Headers *inside, HeadrestoreMark mark, gboolean decrypted)
{
	g_autoptr(Headers) outer = headers_new();
	g_autoptr(Opened) opened = opened_new();
	HeadrestoreJob job = {outer, inside, "a@b.example", mark};

	headers_append(outer, "From", " A <a@b.example>", NULL);
	headers_append(outer, "Subject", " [...]", NULL);
	opened->decrypted = decrypted;
	opened->entity = spool_new(NULL, 1);
	headrestore(opened, &job);
	for (guint i = 0; i < headers_count(opened->restored); i++) {
		const Header *header = headers_at(opened->restored, i);

		g_assert_true(header_is_safe(header) && is_harmless(header->name));
	}
	for (const char *p = opened->subject; p && *p; p++)
		g_assert_false(g_ascii_iscntrl(*p));
}

static void protect(const MimeTree *tree, Spool *spool, const Headers *sent)
{
	const Header *type = headers_find(sent, "Content-Type", 0);
	g_autofree char *marked = headprotect_content_type(type ? type->value : NULL, TRUE);

	g_assert_nonnull(strstr(marked, "hp=\"cipher\""));
	for (int encrypted = 0; encrypted < 2; encrypted++) {
		g_autoptr(Headers) inside = headprotect_fields(sent, encrypted, encrypted, NULL);

		for (guint i = 0; inside && !encrypted && i < headers_count(inside); i++)
			g_assert_true(header_is_safe(headers_at(inside, i)));
		g_autoptr(LegacyDisplay) display =
			inside ? legacydisplay_add(tree, spool, inside, NULL) : NULL;

		if (display)
			drain(legacydisplay_content(display, mime_root(tree)->content));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(Spool) spool = spool_new(g_get_tmp_dir(), G_MAXINT64);
	Range body = {0, 0};

	if (!spool_append(spool, data, size, NULL))
		return 0;
	g_autoptr(MimeTree) tree = mime_parse(spool, NULL);
	g_autoptr(Headers) inside = head_read(spool, &body, NULL);

	if (!tree || !inside)
		return 0;
	const MimePart *root = mime_root(tree);

	headrestore_mark(mime_param(root, "hp"), mime_param(root, "protected-headers"));
	for (HeadrestoreMark mark = HEADRESTORE_OLD; mark <= HEADRESTORE_CIPHER; mark++)
		restore(inside, mark, size & 1);
	g_autoptr(LegacyDisplay) display = legacydisplay_remove(tree, spool, NULL);

	if (display)
		drain(legacydisplay_content(display, root->content));
	protect(tree, spool, inside);
	return 0;
}
