/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed parts beside others: what a mailing list's footer makes of a signed message, a signed
 * message that is attached, or an attack that hides a signed text behind an unsigned one ("Johnny,
 * you are fired", 2019, class MIME). Each is verified over its exact bytes and reported as what it
 * is, a part; nothing of it is unwrapped or moved. So is a multipart/signed of which a relay has made
 * another multipart: whether it still holds is told, but a broken one was destroyed on the way, not
 * forged. See open.h.
 */
#include <string.h>

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

/* Named as programs name the signature of a text, not as a file's: "offer.pdf.p7s" is a document. */
static gboolean has_signature_name(const MimePart *part, gboolean smime)
{
	const char *dot = part->filename ? strchr(part->filename, '.') : NULL;

	if (smime)
		return !part->filename || g_ascii_strcasecmp(part->filename, "smime.p7s") == 0;
	return !dot || !strchr(dot + 1, '.');
}

/* A signature behind the one part that it may be over, in a multipart of another kind? */
static gboolean is_left_behind(const MimePart *parent, guint index)
{
	static const char *const smime[] = {"application/pkcs7-signature",
					    "application/x-pkcs7-signature", NULL};
	static const char *const pgp[] = {"application/pgp-signature",
					  "application/x-pgp-signature", NULL};
	const MimePart *part = parent->children->pdata[index];

	if (index != 1 || !g_str_has_prefix(parent->type, "multipart/") ||
	    g_str_equal(parent->type, "multipart/signed"))
		return FALSE;
	return (g_strv_contains(smime, part->type) && has_signature_name(part, TRUE)) ||
	       (g_strv_contains(pgp, part->type) && has_signature_name(part, FALSE));
}

static gboolean has_signed_child(const MimePart *part)
{
	for (guint i = 0; !is_closed(part) && i < part->children->len; i++) {
		const MimePart *child = part->children->pdata[i];

		if (looks_signed(child) || is_left_behind(part, i) || has_signed_child(child))
			return TRUE;
	}
	return FALSE;
}

gboolean open_has_parts(const MimeTree *tree)
{
	return has_signed_child(mime_root(tree));
}

/* part: the place that it is reported with; root: what is verified. */
static gboolean verify_part(Search *search, const MimePart *part, const MimePart *root, Layer layer,
			    GError **error)
{
	OpenWork *work = search->work;
	OpenStep step = {NULL, FALSE};

	if (!open_in_time(work, error))
		return FALSE;
	search->left--;
	work->part = part;
	gboolean done = layer == LAYER_SMIME ? open_smime(work, root, &step, error)
					     : open_pgp(work, root, &step, error);

	work->part = NULL;
	spool_unref(step.next);
	return done;
}

/* Any bad one of the signatures from here on, that the layer has? */
static gboolean has_bad(const Opened *opened, guint from)
{
	for (; from < opened->signatures->len; from++) {
		const OpenSignature *signature = opened->signatures->pdata[from];

		if (g_str_equal(signature->result, "bad"))
			return TRUE;
	}
	return FALSE;
}

/* The multipart/signed that it was: its content's bytes may be what they were, or not. */
static gboolean verify_left(Search *search, const MimePart *parent, GError **error)
{
	Opened *opened = search->work->opened;
	guint layers = opened->layers->len, signatures = opened->signatures->len;
	g_autoptr(GPtrArray) pair = g_ptr_array_new();
	const MimePart *content = parent->children->pdata[0];
	MimePart was = *parent;

	g_ptr_array_add(pair, parent->children->pdata[0]);
	g_ptr_array_add(pair, parent->children->pdata[1]);
	was.type = (char *)"multipart/signed";
	was.children = pair;
	Layer layer = parse_signed_part(search->work->tree, search->work->current, &was);

	if (layer == LAYER_NONE)
		return TRUE;
	if (!verify_part(search, content, &was, layer, error))
		return FALSE;
	if (!has_bad(opened, signatures))
		return TRUE;
	OpenLayer *found = opened->layers->pdata[layers];

	found->opened = FALSE;
	found->reason = "damaged";
	g_ptr_array_set_size(opened->signatures, (gint)signatures);
	opened_warn(opened, "signature-destroyed");
	return TRUE;
}

/* Depth is bounded by MIME_DEPTH_MAX. What is inside a signed part is its own business. */
static gboolean search_children(Search *search, const MimePart *part, GError **error)
{
	for (guint i = 0; !is_closed(part) && i < part->children->len; i++) {
		const MimePart *child = part->children->pdata[i];
		Layer layer = LAYER_NONE;

		if (search->left > 0 && is_left_behind(part, i) &&
		    !verify_left(search, part, error))
			return FALSE;
		if (search->left > 0 && looks_signed(child))
			layer = parse_signed_part(search->work->tree, search->work->current, child);
		if (layer != LAYER_NONE ? !verify_part(search, child, child, layer, error)
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
