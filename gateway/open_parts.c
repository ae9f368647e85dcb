/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed parts beside others: what a mailing list's footer makes of a signed message, a signed
 * message that is attached, or an attack that hides a signed text behind an unsigned one ("Johnny,
 * you are fired", 2019, class MIME). Each is verified over its exact bytes and reported as what it
 * is, a part; nothing of it is unwrapped or moved. See open.h.
 */
#include "gateway/open.h"

typedef struct {
	OpenWork *work;
	guint left; /* how many more are looked at */
} Search;

/* May there be a signature at this part? By its type alone. */
static gboolean looks_signed(const MimePart *part)
{
	return g_str_equal(part->type, "multipart/signed") ||
	       g_str_has_suffix(part->type, "pkcs7-mime");
}

/* Bounces that quote mail are left alone. */
static gboolean is_closed(const MimePart *part)
{
	return !part->children || g_str_equal(part->type, "multipart/report");
}

static gboolean has_signed_child(const MimePart *part)
{
	for (guint i = 0; !is_closed(part) && i < part->children->len; i++) {
		const MimePart *child = part->children->pdata[i];

		if (looks_signed(child) || has_signed_child(child))
			return TRUE;
	}
	return FALSE;
}

gboolean open_has_parts(const MimeTree *tree)
{
	return has_signed_child(mime_root(tree));
}

static gboolean verify_part(Search *search, const MimePart *part, Layer layer, GError **error)
{
	OpenWork *work = search->work;
	OpenStep step = {NULL, FALSE};

	if (!open_in_time(work, error))
		return FALSE;
	search->left--;
	work->part = part;
	gboolean done = layer == LAYER_SMIME ? open_smime(work, part, &step, error)
					     : open_pgp(work, part, &step, error);

	work->part = NULL;
	spool_unref(step.next);
	return done;
}

/* Depth is bounded by MIME_DEPTH_MAX. What is inside a signed part is its own business. */
static gboolean search_children(Search *search, const MimePart *part, GError **error)
{
	for (guint i = 0; !is_closed(part) && i < part->children->len; i++) {
		const MimePart *child = part->children->pdata[i];
		Layer layer = LAYER_NONE;

		if (search->left > 0 && looks_signed(child))
			layer = parse_signed_part(search->work->tree, search->work->current, child);
		if (layer != LAYER_NONE ? !verify_part(search, child, layer, error)
					: !search_children(search, child, error))
			return FALSE;
	}
	return TRUE;
}

gboolean open_takes_report(const OpenWork *work, const MimePart *content)
{
	return work->opened->entity && parse_is_report(content);
}

gboolean open_parts(OpenWork *work, GError **error)
{
	Search search = {work, OPEN_PARTS_MAX};

	return !work->tree || search_children(&search, mime_root(work->tree), error);
}
