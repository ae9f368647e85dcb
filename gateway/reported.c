/* SPDX-License-Identifier: Apache-2.0
 *
 * Which message a report is about. See reported.h.
 */
#include "gateway/head.h"
#include "gateway/protect.h"
#include "gateway/reported.h"

/* Depth is bounded by MIME_DEPTH_MAX. */
const MimePart *reported_root(const MimePart *root)
{
	const MimePart *found = NULL;

	if (g_str_equal(root->type, "multipart/report"))
		return root;
	if (!g_str_has_prefix(root->type, "multipart/"))
		return NULL;
	for (guint i = 0; root->children && i < root->children->len && !found; i++)
		found = reported_root(root->children->pdata[i]);
	return found;
}

static const MimePart *find_child(const MimePart *root, const char *const *types)
{
	for (guint i = 0; root->children && i < root->children->len; i++) {
		const MimePart *child = root->children->pdata[i];

		if (g_strv_contains(types, child->type))
			return child;
	}
	return NULL;
}

const MimePart *reported_quoted(const MimePart *root)
{
	static const char *const types[] = {"message/rfc822", "text/rfc822-headers",
					    "message/global", "message/global-headers", NULL};

	return find_child(root, types);
}

Headers *reported_header(const Job *job, const MimeTree *tree, const MimePart *part, Range *body,
			 GError **error)
{
	g_autoptr(Spool) plain = protect_spool(job);
	g_autoptr(Sink) sink = spool_sink(plain);

	return mime_decode(tree, part, sink, error) ? head_read(plain, body, error) : NULL;
}

typedef struct {
	const Job *job;
	MimeTree *tree;
	Headers *references; /* the identifiers of what it is about, as an answer would name them */
} Search;

/* Adds what fields of that name in the part's header say. part NULL: it is not there. */
static gboolean add_references(const Search *search, const MimePart *part, const char *name,
			       GError **error)
{
	Range body;
	g_autoptr(Headers) fields =
		part ? reported_header(search->job, search->tree, part, &body, error) : NULL;

	for (guint i = 0; fields && i < headers_count(fields); i++) {
		const Header *field = headers_at(fields, i);

		if (g_ascii_strcasecmp(field->name, name) == 0 &&
		    !headers_append(search->references, "References", field->value, error))
			return FALSE;
	}
	return !part || fields;
}

gboolean reported_encrypted(const Job *job, gboolean *answers, GError **error)
{
	static const char *const receipts[] = {"message/disposition-notification",
					       "message/global-disposition-notification", NULL};
	/* What it quotes may be as deep as a message may be, and is one level deeper here. */
	g_autoptr(MimeTree) tree = mime_parse_unquoted(job->message, NULL);
	g_autoptr(Headers) references = headers_new();
	Search search = {job, tree, references};
	const MimePart *root = tree ? reported_root(mime_root(tree)) : NULL;

	if (!root)
		return TRUE;
	return add_references(&search, find_child(root, receipts), "Original-Message-ID", error) &&
	       add_references(&search, reported_quoted(root), "Message-ID", error) &&
	       threads_answers(job->snapshot->threads, references, answers, error);
}
