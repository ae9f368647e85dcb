/* SPDX-License-Identifier: Apache-2.0
 *
 * S/MIME in a winmail.dat (MS-OXOSMIME, section 2.1.3): Exchange makes a message's only attachment of
 * it, and that may leave as TNEF. Where the winmail.dat is all of the message, what was in it is looked
 * at in its place. Other rich text is left alone. See open.h.
 */
#include <string.h>

#include "lib/crypt/cms.h"
#include "lib/mail/tnef.h"

#include "gateway/leaves.h"
#include "gateway/open.h"
#include "gateway/protect.h"

/* Of what is encoded, as much is decoded to see whether it is one (blank lines may come before), and then
 * its class, which is among the first attributes. */
#define MARK_MAX 256
#define FRONT_MAX 8192

#define OPAQUE                                                                                     \
	"Content-Type: application/pkcs7-mime; name=\"smime.p7m\"\r\n"                             \
	"Content-Transfer-Encoding: base64\r\n\r\n"

typedef enum {
	TNEF_NONE, /* none, or another one's business */
	TNEF_RICH_TEXT, /* an ordinary message */
	TNEF_UNKNOWN, /* cannot be read: it may hold anything */
	TNEF_SMIME,
} TnefKind;

static gboolean may_be_tnef(const MimePart *part)
{
	static const char *const types[] = {"application/ms-tnef", "application/vnd.ms-tnef",
					    "application/octet-stream", NULL};

	return !part->children &&
	       (g_strv_contains(types, part->type) ||
		(part->filename && g_ascii_strcasecmp(part->filename, "winmail.dat") == 0));
}

/* What the first bytes of its content, as they are encoded, tell. */
static gboolean read_front(const MimeTree *tree, const MimePart *part, goffset size, Tnef *tnef)
{
	g_autoptr(Spool) start = spool_new(NULL, size);
	g_autoptr(Sink) sink = spool_sink(start);
	MimePart front = *part;

	front.content.end = MIN(front.content.end, front.content.start + size);
	return mime_decode(tree, &front, sink, NULL) && tnef_read(start, tnef);
}

static TnefKind kind_of(const MimeTree *tree, const MimePart *part)
{
	Tnef tnef;

	if (!may_be_tnef(part) || !read_front(tree, part, MARK_MAX, &tnef) ||
	    !read_front(tree, part, FRONT_MAX, &tnef))
		return TNEF_NONE;
	return tnef_claims_smime(&tnef) ? TNEF_SMIME : *tnef.class ? TNEF_RICH_TEXT : TNEF_UNKNOWN;
}

/* Calls for each one that matters, until FALSE comes back; depth is bounded by MIME_DEPTH_MAX. What is
 * attached as a message, or quoted in a bounce, is left alone. */
typedef gboolean (*Visit)(void *self, const MimePart *part, TnefKind kind);

static gboolean visit_all(const MimeTree *tree, const MimePart *part, Visit visit, void *self)
{
	if (g_str_equal(part->type, "message/rfc822") ||
	    g_str_equal(part->type, "multipart/report"))
		return TRUE;
	for (guint i = 0; part->children && i < part->children->len; i++)
		if (!visit_all(tree, part->children->pdata[i], visit, self))
			return FALSE;
	TnefKind kind = kind_of(tree, part);

	return kind == TNEF_NONE || kind == TNEF_RICH_TEXT || visit(self, part, kind);
}

static gboolean stop(void *self, const MimePart *part, TnefKind kind)
{
	(void)self;
	(void)part;
	(void)kind;
	return FALSE;
}

gboolean open_has_tnef(const MimeTree *tree)
{
	return !visit_all(tree, mime_root(tree), stop, NULL);
}

/* --- what is in one --- */

static gboolean is_cms(Spool *content)
{
	g_autoptr(Source) source = spool_source_all(content);
	g_autoptr(CmsHead) head = cms_head_read(source, NULL);

	return head && head->type != CMS_OTHER;
}

static Spool *wrap_cms(const OpenWork *work, Spool *content, GError **error)
{
	g_autoptr(Spool) entity = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(entity);
	g_autoptr(Source) source = spool_source_all(content);

	return sink_write(sink, OPAQUE, strlen(OPAQUE), error) &&
			       mime_encode("base64", source, sink, error)
		       ? g_steal_pointer(&entity)
		       : NULL;
}

/* The only attachment's bytes; NULL without error: there is not one. */
static Spool *take_attachment(OpenWork *work, const MimePart *part, GError **error)
{
	g_autoptr(Spool) file = open_decoded(work, part, error);
	Tnef tnef;

	if (!file || !tnef_read(file, &tnef) || tnef.attachments != 1 ||
	    tnef.data.start == tnef.data.end)
		return NULL;
	g_autoptr(Spool) content = protect_spool(work->job);
	g_autoptr(Sink) sink = spool_sink(content);
	g_autoptr(Source) source = spool_source(file, tnef.data);

	return stream_copy(source, sink, error) ? g_steal_pointer(&content) : NULL;
}

/* What is inside, as MIME: put in whole (clear-signed), or without its header. NULL as above. */
static Spool *only_attachment(OpenWork *work, const MimePart *part, GError **error)
{
	g_autoptr(Spool) content = take_attachment(work, part, error);

	return content && is_cms(content) ? wrap_cms(work, content, error)
					  : g_steal_pointer(&content);
}

/* Says a reader nothing else? */
static gboolean is_whole(const OpenWork *work, const MimePart *part)
{
	g_autoptr(GPtrArray) leaves = leaves_find(work->tree, work->current);

	for (guint i = 0; i < leaves->len; i++) {
		const Leaf *leaf = leaves->pdata[i];

		if (leaf->part != part && leaf->form != LEAF_SILENT)
			return FALSE;
	}
	return TRUE;
}

typedef struct {
	OpenWork *work;
	OpenStep *step;
	GError **error;
	gboolean failed;
} Opening;

/* The first one, beside which no other is all of the message. The ciphertext stays in its winmail.dat
 * until it is opened. What is signed takes the place: a text that stands beside it there is not. */
static gboolean open_one(void *self, const MimePart *part, TnefKind kind)
{
	Opening *opening = self;
	OpenWork *work = opening->work;
	GError *failure = NULL;

	if (kind != TNEF_SMIME || !is_whole(work, part))
		return FALSE;
	g_autoptr(Spool) entity = only_attachment(work, part, &failure);
	g_autoptr(Parsed) parsed = entity ? parse_message(entity) : NULL;

	if (failure) {
		g_propagate_error(opening->error, failure);
		opening->failed = TRUE;
	}
	if (!parsed || parsed->layer != LAYER_SMIME)
		return FALSE;
	open_add_layer(work, "tnef")->opened = TRUE;
	work->loose |= work->opened->changeable;
	*opening->step = (OpenStep){.next = g_steal_pointer(&entity),
				    .replaces = parsed->signed_by == LAYER_SMIME};
	return FALSE;
}

gboolean open_tnef(OpenWork *work, OpenStep *step, GError **error)
{
	Opening opening = {work, step, error, FALSE};

	visit_all(work->tree, mime_root(work->tree), open_one, &opening);
	return !opening.failed;
}

/* --- what stayed shut --- */

typedef struct {
	OpenWork *work;
	guint told; /* how many stayed shut */
} Telling;

static gboolean tell_one(void *self, const MimePart *part, TnefKind kind)
{
	Telling *telling = self;
	OpenWork *work = telling->work;

	if (kind == TNEF_UNKNOWN) {
		work->opened->unread = TRUE;
		opened_warn(work->opened, "tnef");
		return TRUE;
	}
	work->part = part == mime_root(work->tree) ? NULL : part;
	open_add_layer(work, "tnef")->reason =
		telling->told == 0 && is_whole(work, part) ? "damaged" : "foreign-part";
	work->part = NULL;
	return ++telling->told < OPEN_PARTS_MAX;
}

void open_tell_tnef(OpenWork *work)
{
	Telling telling = {work, 0};

	if (work->tree)
		visit_all(work->tree, mime_root(work->tree), tell_one, &telling);
}
