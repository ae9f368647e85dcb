/* SPDX-License-Identifier: Apache-2.0
 *
 * An opened message (see letter.h).
 */
#include "portal/letter.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/mime.h"
#include "portal/letterhtml.h"
#include "portal/letterparts.h"

/* The longest UTF-8 sequence. */
#define CHARACTER_MAX 4
/* An HTML text with its pictures and what letterhtml_defang() adds. */
#define FRAME_MAX (4 * (LETTER_HTML_MAX + LETTER_IMAGES_MAX))

struct Letter {
	gatomicrefcount references;
	gint64 number;
	gint64 created;
	char *subject;
	char *sender;
	char *folder;
	Spool *spool;
	MimeTree *tree;
	LetterParts *parts;
	GMutex lock; /* of what was made */
	GDestroyNotify at_end;
	gpointer at_end_data;
	GHashTable *made; /* number -> Spool: what is fetched, made once */
};

Letter *letter_ref(Letter *letter)
{
	g_atomic_ref_count_inc(&letter->references);
	return letter;
}

void letter_unref(Letter *letter)
{
	if (letter == NULL || !g_atomic_ref_count_dec(&letter->references))
		return;
	g_hash_table_unref(letter->made);
	g_mutex_clear(&letter->lock);
	letterparts_free(letter->parts);
	mime_free(letter->tree);
	spool_unref(letter->spool);
	g_free(letter->subject);
	g_free(letter->sender);
	g_free(letter->folder);
	if (letter->at_end != NULL)
		letter->at_end(letter->at_end_data);
	g_free(letter);
}

void letter_at_end(Letter *letter, GDestroyNotify call, gpointer data)
{
	letter->at_end = call;
	letter->at_end_data = data;
}

static gboolean count_bytes(void *self, const void *data, gsize size, GError **error)
{
	(void)data;
	(void)error;
	*(gint64 *)self += size;
	return TRUE;
}

static gboolean measure_attachments(Letter *letter, GError **error)
{
	const SinkClass counter = {.write = count_bytes};

	for (guint i = 0; i < letter->parts->attachments->len; i++) {
		LetterPart *part = g_ptr_array_index(letter->parts->attachments, i);
		const MimePart *mime = g_hash_table_lookup(letter->parts->parts, part->number);
		g_autoptr(Sink) sink = sink_new(&counter, &part->size);

		if (!mime_decode(letter->tree, mime, sink, error))
			return FALSE;
	}
	return TRUE;
}

static char *read_text(const Letter *letter, const char *number, gsize limit, gboolean *cut,
		       GError **error)
{
	char *text = mime_text(letter->tree, g_hash_table_lookup(letter->parts->parts, number),
			       limit + CHARACTER_MAX, error);

	if (text == NULL)
		return NULL;
	*cut = strlen(text) > limit;
	while (*cut && limit > 0 && ((guint8)text[limit] & 0xc0) == 0x80)
		limit--;
	if (*cut)
		text[limit] = '\0';
	return text;
}

static gboolean measure_html(Letter *letter, GError **error)
{
	for (guint i = 0; i < letter->parts->bodies->len; i++) {
		LetterPart *part = g_ptr_array_index(letter->parts->bodies, i);
		g_autofree char *text = part->html ? read_text(letter, part->number,
							       LETTER_HTML_MAX, &part->cut, error)
						   : NULL;

		if (part->html && text == NULL)
			return FALSE;
	}
	return TRUE;
}

/* A message that breaks our limits has no parts to show, but can still be saved as a whole. */
static gboolean find_parts(Letter *letter, GError **error)
{
	g_autoptr(GError) failure = NULL;

	letter->tree = mime_parse(letter->spool, &failure);
	if (letter->tree == NULL && error_info(failure)->class == ERROR_TEMPORARY) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	letter->parts = letterparts_new(letter->tree);
	return measure_attachments(letter, error) && measure_html(letter, error);
}

static gboolean open_metadata(Letter *letter, const VaultMessage *message, const Secret *key,
			      GError **error)
{
	g_auto(VaultTexts) texts = {0};

	if (!vault_texts(message, key, &texts, error))
		return FALSE;
	letter->subject = g_steal_pointer(&texts.subject);
	letter->sender = *texts.sender_name != '\0'
				 ? g_strdup_printf("%s <%s>", texts.sender_name, texts.sender)
				 : g_steal_pointer(&texts.sender);
	return TRUE;
}

Letter *letter_open(Db *db, const VaultMessage *message, const Secret *key, const char *folder,
		    GError **error)
{
	g_autoptr(Letter) letter = g_new0(Letter, 1);
	g_autoptr(Sink) sink = NULL;

	g_atomic_ref_count_init(&letter->references);
	g_mutex_init(&letter->lock);
	letter->made =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)spool_unref);
	letter->number = message->number;
	letter->created = message->created;
	letter->folder = g_strdup(folder);
	letter->spool = spool_new(folder, message->size);
	sink = spool_sink(letter->spool);
	if (!open_metadata(letter, message, key, error) ||
	    !vault_open(db, message, key, sink, error))
		return NULL;
	if (!find_parts(letter, error))
		return NULL;
	return g_steal_pointer(&letter);
}

gint64 letter_number(const Letter *letter)
{
	return letter->number;
}

gint64 letter_created(const Letter *letter)
{
	return letter->created;
}

const char *letter_subject(const Letter *letter)
{
	return letter->subject;
}

const char *letter_sender(const Letter *letter)
{
	return letter->sender;
}

GPtrArray *letter_bodies(const Letter *letter)
{
	return letter->parts->bodies;
}

GPtrArray *letter_attachments(const Letter *letter)
{
	return letter->parts->attachments;
}

Spool *letter_whole(const Letter *letter)
{
	return letter->spool;
}

static gboolean is_body(const Letter *letter, const char *number)
{
	for (guint i = 0; i < letter->parts->bodies->len; i++) {
		const LetterPart *part = g_ptr_array_index(letter->parts->bodies, i);

		if (g_str_equal(part->number, number) || g_strcmp0(part->fallback, number) == 0)
			return TRUE;
	}
	return FALSE;
}

char *letter_text(Letter *letter, const char *number, gsize limit, gboolean *cut, GError **error)
{
	return is_body(letter, number) ? read_text(letter, number, limit, cut, error) : NULL;
}

/* An HTML text on its way into its frame, which may load nothing, not even from us: pictures go
 * into the text itself. */
typedef struct {
	const Letter *letter;
	Sink *sink;
	gsize left; /* bytes that pictures may still have */
	GHashTable *hopeless; /* ids of pictures without room, or damaged: not tried again */
} Frame;

/* "data:image/png;base64,..." */
static gboolean write_picture(Frame *frame, const MimePart *part, gboolean *written, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, MIN(LETTER_IMAGE_MAX, frame->left));
	g_autofree char *encoded = NULL;
	/* reading it is work, too: a picture may be mostly junk, and named again and again */
	gsize work = (gsize)(part->content.end - part->content.start) / 2;

	*written = work <= frame->left && mime_decode(frame->letter->tree, part, sink, NULL) &&
		   bytes->len > 0;
	if (!*written)
		return TRUE;
	frame->left -= MAX(bytes->len, work);
	encoded = g_base64_encode(bytes->data, bytes->len);
	return sink_print(frame->sink, error, "data:%s;base64,%s", part->type, encoded);
}

/* "cid:" and an id, with escapes; as it is if that picture cannot be shown. */
static gboolean write_reference(Frame *frame, const char *reference, gsize size, GError **error)
{
	g_autofree char *id = g_uri_unescape_segment(reference + 4, reference + size, "/");
	const MimePart *part =
		id != NULL ? g_hash_table_lookup(frame->letter->parts->pictures, id) : NULL;
	gboolean written = FALSE;

	if (part != NULL && !g_hash_table_contains(frame->hopeless, id)) {
		if (!write_picture(frame, part, &written, error))
			return FALSE;
		if (!written)
			g_hash_table_add(frame->hopeless, g_steal_pointer(&id));
	}
	return written || sink_write(frame->sink, reference, size, error);
}

static gboolean write_html(Frame *frame, const char *html, GError **error)
{
	const char *at;

	for (; (at = strstr(html, "cid:")) != NULL;) {
		gsize size = 4 + strcspn(at + 4, "\"'<> )\t\r\n");

		if (!sink_write(frame->sink, html, at - html, error) ||
		    !write_reference(frame, at, size, error))
			return FALSE;
		html = at + size;
	}
	return sink_write(frame->sink, html, strlen(html), error);
}

static Spool *make_frame(Letter *letter, const LetterPart *part, GError **error)
{
	g_autoptr(GHashTable) hopeless =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gboolean cut;
	g_autofree char *html = read_text(letter, part->number, LETTER_HTML_MAX, &cut, error);
	g_autofree char *defanged = html != NULL ? letterhtml_defang(html) : NULL;
	g_autoptr(Spool) spool = spool_new(letter->folder, FRAME_MAX);
	g_autoptr(Sink) sink = spool_sink(spool);
	Frame frame = {letter, sink, LETTER_IMAGES_MAX, hopeless};

	if (defanged == NULL || !write_html(&frame, defanged, error))
		return NULL;
	return g_steal_pointer(&spool);
}

typedef Spool *(*Make)(Letter *letter, const LetterPart *part, GError **error);

/* Made once, however often it is fetched. A reference. */
static Spool *keep(Letter *letter, const LetterPart *part, Make make, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&letter->lock);
	Spool *spool = g_hash_table_lookup(letter->made, part->number);

	if (spool == NULL) {
		spool = make(letter, part, error);
		if (spool == NULL)
			return NULL;
		g_hash_table_insert(letter->made, g_strdup(part->number), spool);
	}
	return spool_ref(spool);
}

static const LetterPart *find_part(const GPtrArray *parts, const char *number)
{
	for (guint i = 0; i < parts->len; i++) {
		const LetterPart *part = g_ptr_array_index(parts, i);

		if (g_str_equal(part->number, number))
			return part;
	}
	return NULL;
}

Spool *letter_html(Letter *letter, const char *number, GError **error)
{
	const LetterPart *part = find_part(letter->parts->bodies, number);

	return part != NULL && part->html ? keep(letter, part, make_frame, error) : NULL;
}

static Spool *decode(Letter *letter, const LetterPart *part, GError **error)
{
	const MimePart *mime = g_hash_table_lookup(letter->parts->parts, part->number);
	g_autoptr(Spool) spool = spool_new(letter->folder, part->size);
	g_autoptr(Sink) sink = spool_sink(spool);

	return mime_decode(letter->tree, mime, sink, error) ? g_steal_pointer(&spool) : NULL;
}

Spool *letter_download(Letter *letter, const char *number, const LetterPart **part, GError **error)
{
	const LetterPart *found = find_part(letter->parts->attachments, number);
	Spool *spool = found != NULL ? keep(letter, found, decode, error) : NULL;

	if (spool != NULL)
		*part = found;
	return spool;
}
