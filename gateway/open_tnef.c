/* SPDX-License-Identifier: Apache-2.0
 *
 * winmail.dat: what Outlook makes of a message in its rich text (MS-OXTNEF), the text and all its
 * attachments in one part. Not looked into; the reader is told that there is one. See open.h.
 */
#include <string.h>

#include "gateway/open.h"

/* TNEF_SIGNATURE, 0x223E9F78, as it stands in the file. */
static const guint8 mark[] = {0x78, 0x9f, 0x3e, 0x22};

/* Of what is encoded, as much is decoded: the mark, and blank lines before it. */
#define FRONT_MAX 256

typedef struct {
	guint8 bytes[sizeof mark];
	gsize size;
} Start;

/* Fails when it has what it wants. */
static gboolean keep_start(void *self, const void *data, gsize size, GError **error)
{
	Start *start = self;
	gsize count = MIN(size, sizeof start->bytes - start->size);

	(void)error;
	memcpy(start->bytes + start->size, data, count);
	start->size += count;
	return start->size < sizeof start->bytes;
}

static gboolean may_be_tnef(const MimePart *part)
{
	static const char *const types[] = {"application/ms-tnef", "application/vnd.ms-tnef",
					    "application/octet-stream", NULL};

	return g_strv_contains(types, part->type) ||
	       (part->filename && g_ascii_strcasecmp(part->filename, "winmail.dat") == 0);
}

static gboolean is_tnef(const MimeTree *tree, const MimePart *part)
{
	static const SinkClass class = {.write = keep_start};
	Start start = {.size = 0};
	MimePart front = *part;

	if (part->children || !may_be_tnef(part))
		return FALSE;
	g_autoptr(Sink) sink = sink_new(&class, &start);

	front.content.end = MIN(front.content.end, front.content.start + FRONT_MAX);
	mime_decode(tree, &front, sink, NULL);
	return start.size == sizeof mark && memcmp(start.bytes, mark, sizeof mark) == 0;
}

/* Depth is bounded by MIME_DEPTH_MAX. What is attached as a message, or quoted in a bounce, is left
 * alone. */
static gboolean holds_tnef(const MimeTree *tree, const MimePart *part)
{
	if (g_str_equal(part->type, "message/rfc822") ||
	    g_str_equal(part->type, "multipart/report"))
		return FALSE;
	for (guint i = 0; part->children && i < part->children->len; i++)
		if (holds_tnef(tree, part->children->pdata[i]))
			return TRUE;
	return is_tnef(tree, part);
}

gboolean open_has_tnef(const MimeTree *tree)
{
	return holds_tnef(tree, mime_root(tree));
}

void open_warn_tnef(OpenWork *work)
{
	if (!work->tree || !open_has_tnef(work->tree))
		return;
	work->opened->unread = TRUE;
	opened_warn(work->opened, "tnef");
}
