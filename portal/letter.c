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
	GMutex lock; /* of downloads */
	GDestroyNotify at_end;
	gpointer at_end_data;
	GHashTable *downloads; /* number -> Spool: decoded once, however often it is fetched */
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
	g_hash_table_unref(letter->downloads);
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
	return measure_attachments(letter, error);
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
	letter->downloads =
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

char *letter_text(Letter *letter, const char *number, GError **error)
{

	if (!is_body(letter, number))
		return NULL;
	return mime_text(letter->tree, g_hash_table_lookup(letter->parts->parts, number),
			 LETTER_TEXT_MAX, error);
}

/* "data:image/png;base64,..." for a picture; NULL if it is too large or cannot be read. */
static char *picture_url(Letter *letter, const MimePart *part, gsize *left)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, MIN(LETTER_IMAGE_MAX, *left));
	g_autofree char *encoded = NULL;

	if (!mime_decode(letter->tree, part, sink, NULL))
		return NULL;
	*left -= bytes->len;
	encoded = g_base64_encode(bytes->data, bytes->len);
	return g_strdup_printf("data:%s;base64,%s", part->type, encoded);
}

/* The id behind "cid:", with its escapes undone, and where it ends. */
static char *picture_id(const char *reference, const char **end)
{
	gsize length = strcspn(reference, "\"'<> )\t\r\n");

	*end = reference + length;
	return g_uri_unescape_segment(reference, *end, "/");
}

/* The frame may load nothing, not even from us: pictures go into the text itself. */
static char *with_pictures(Letter *letter, const char *html)
{
	GString *out = g_string_new(NULL);
	gsize left = LETTER_IMAGES_MAX;
	const char *at;

	while ((at = strstr(html, "cid:")) != NULL) {
		const char *end;
		g_autofree char *id = picture_id(at + 4, &end);
		const MimePart *part =
			id != NULL ? g_hash_table_lookup(letter->parts->pictures, id) : NULL;
		g_autofree char *url = part != NULL ? picture_url(letter, part, &left) : NULL;

		g_string_append_len(out, html, at - html);
		if (url != NULL)
			g_string_append(out, url);
		else
			g_string_append_len(out, at, end - at);
		html = end;
	}
	g_string_append(out, html);
	return g_string_free(out, FALSE);
}

char *letter_html(Letter *letter, const char *number, GError **error)
{
	g_autofree char *html = letter_text(letter, number, error);
	g_autofree char *defanged = html != NULL ? letterhtml_defang(html) : NULL;

	return defanged != NULL ? with_pictures(letter, defanged) : NULL;
}

static const LetterPart *find_attachment(const Letter *letter, const char *number)
{
	for (guint i = 0; i < letter->parts->attachments->len; i++) {
		const LetterPart *part = g_ptr_array_index(letter->parts->attachments, i);

		if (g_str_equal(part->number, number))
			return part;
	}
	return NULL;
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
	const LetterPart *found = find_attachment(letter, number);
	g_autoptr(GMutexLocker) locker = NULL;
	Spool *spool;

	if (found == NULL)
		return NULL;
	locker = g_mutex_locker_new(&letter->lock);
	spool = g_hash_table_lookup(letter->downloads, number);
	if (spool == NULL) {
		spool = decode(letter, found, error);
		if (spool == NULL)
			return NULL;
		g_hash_table_insert(letter->downloads, g_strdup(number), spool);
	}
	*part = found;
	return spool_ref(spool);
}
