/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the new content. See rebuild.h.
 */
#include <string.h>

#include "gateway/rebuild.h"

#define BASE64_BYTES 57 /* of a line: 76 characters */
#define BASE64_LINES 512 /* written at a time */
#define NAME_MAX_BYTES 200
#define LINE_MAX_BYTES 990 /* RFC 5322: 998 */
#define CHARSET_START 4096
#define FILE_START 4096

/* What explains the marks; it stands where no sender can put a line without one. */
#define LEGEND                                                                                     \
	"[Sealpost: only parts of this text were protected. Lines that begin with | were not.]"
#define MARK "| "

void new_part_free(NewPart *part)
{
	if (!part)
		return;
	g_free(part->type);
	g_free(part->filename);
	g_free(part->content_id);
	spool_unref(part->content);
	g_free(part);
}

static gboolean is_token(const char *word)
{
	gsize length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.:+");

	return length > 0 && length <= 40 && word[length] == '\0';
}

/* Inline PGP is UTF-8 unless somebody says otherwise (RFC 4880, section 6.2); some do not. */
static gboolean looks_like_utf8(const Spool *content)
{
	char start[CHARSET_START];
	gssize size = spool_read(content, 0, start, sizeof(start), NULL);
	const char *end = start;

	return size <= 0 || g_utf8_validate(start, size, &end) || start + size - end < 4;
}

NewPart *new_part_text(const char *charset, Spool *content)
{
	NewPart *part = g_new0(NewPart, 1);

	if (!charset || !is_token(charset) || g_ascii_strcasecmp(charset, "us-ascii") == 0)
		charset = looks_like_utf8(content) ? "utf-8" : "iso-8859-1";
	part->type = g_strdup_printf("text/plain; charset=%s", charset);
	part->content = spool_ref(content);
	return part;
}

NewPart *new_part_file(const MimePart *leaf, Spool *content)
{
	NewPart *part = g_new0(NewPart, 1);
	g_autofree char *id = mime_header(leaf, "Content-ID");
	char *name = g_utf8_make_valid(leaf->filename ? leaf->filename : "", -1);
	char *dot = strrchr(name, '.');

	if (dot)
		*dot = '\0';
	if (strlen(name) > NAME_MAX_BYTES)
		*g_utf8_find_prev_char(name, name + NAME_MAX_BYTES) = '\0';
	part->type = g_strdup("application/octet-stream");
	part->filename = name;
	if (id && strlen(id) <= NAME_MAX_BYTES && !strpbrk(id, " \t\r\n") && g_str_is_ascii(id))
		part->content_id = g_steal_pointer(&id);
	part->content = spool_ref(content);
	return part;
}

gboolean rebuild_is_file(const Spool *content)
{
	char start[FILE_START];
	gssize size = spool_read(content, 0, start, sizeof(start), NULL);
	const char *line_end = size > 0 ? memchr(start, '\n', (gsize)size) : NULL;
	gsize line = (gsize)(line_end ? line_end - start : MAX(size, 0));

	/* A blank line ends a header; what has a colon may be one for somebody. */
	if (line == 0 || *start == '\r' || memchr(start, ':', line))
		return FALSE;
	for (gssize i = 0; i < size; i++)
		if (g_ascii_iscntrl(start[i]) && !g_ascii_isspace(start[i]) && start[i] != '\x1b')
			return TRUE;
	return FALSE;
}

/* How long the line end at this place is: of each kind that some reader shows as one; 0: there is
 * none. In UTF-8 these are U+0085, U+2028 and U+2029. */
static gsize line_end(const char *text, gsize size, gboolean has_c1)
{
	static const char *const ends[] = {"\r\n", "\r",       "\n",	       "\v",
					   "\f",   "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};

	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		gsize length = strlen(ends[i]);

		if (length <= size && memcmp(text, ends[i], length) == 0)
			return length;
	}
	return has_c1 && size > 0 && *text == '\x85' ? 1 : 0;
}

/* Is the byte 0x85 a line end by itself? In ISO 8859, and where a reader may take what is no UTF-8
 * for that. */
static gboolean has_c1(const Leaf *leaf)
{
	const char *charset = mime_param(leaf->part, "charset");

	if (charset && g_ascii_strncasecmp(charset, "iso-", 4) == 0)
		return TRUE;
	return (!charset || g_ascii_strncasecmp(charset, "u", 1) == 0) &&
	       !g_utf8_validate(leaf->text, -1, NULL);
}

typedef struct {
	Sink *sink;
	gboolean has_c1;
} Marking;

/* How long the next line is, and its end (0: there is none). */
static gsize line_length(const Marking *marking, const char *text, gsize size, gsize *end)
{
	gsize length = 0;

	while ((*end = line_end(text + length, size - length, marking->has_c1)) == 0 &&
	       length < size)
		length++;
	return length;
}

static gboolean mark_lines(const Marking *marking, const char *text, gsize size, GError **error)
{
	for (gsize at = 0; at < size;) {
		gsize end, length = line_length(marking, text + at, size - at, &end);

		if (!pgp_text_is_blank(text + at, length) &&
		    !sink_write(marking->sink, MARK, strlen(MARK), error))
			return FALSE;
		if (!sink_write(marking->sink, text + at, length + end, error) ||
		    (end == 0 && !sink_write(marking->sink, "\r\n", 2, error)))
			return FALSE;
		at += length + end;
	}
	return TRUE;
}

gboolean rebuild_can_mark(const Leaf *leaf)
{
	static const char *const charsets[] = {"us-ascii", "utf-8", "iso-8859-", "windows-125",
					       "koi8-"};
	const char *charset = mime_param(leaf->part, "charset");

	for (gsize i = 0; charset && i < G_N_ELEMENTS(charsets); i++)
		if (g_ascii_strncasecmp(charset, charsets[i], strlen(charsets[i])) == 0)
			return TRUE;
	return !charset;
}

gboolean rebuild_marked_text(const Leaf *leaf, char *const *notes, Spool *into, GError **error)
{
	g_autoptr(Sink) sink = spool_sink(into);
	const Marking marking = {sink, has_c1(leaf)};

	if (leaf->outside && !sink_print(sink, error, "%s\r\n\r\n", LEGEND))
		return FALSE;
	for (guint i = 0; i < leaf->pieces->len; i++) {
		const PgpTextPiece *piece = &g_array_index(leaf->pieces, PgpTextPiece, i);
		const char *text = leaf->text + piece->start;
		gsize size = piece->end - piece->start;

		if (notes[i]			      ? !sink_print(sink, error, "%s\r\n", notes[i])
		    : piece->kind == PGP_TEXT_OUTSIDE ? !mark_lines(&marking, text, size, error)
						      : !sink_write(sink, text, size, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean write_base64(Spool *content, Sink *sink, GError **error)
{
	guint8 bytes[BASE64_BYTES * BASE64_LINES];
	g_autoptr(GString) out = g_string_sized_new(BASE64_LINES * 80);
	goffset at = 0;
	gssize got;

	while ((got = spool_read(content, at, bytes, sizeof(bytes), error)) > 0) {
		/* Only the last line may be short. */
		if (at + got < spool_length(content) && got > BASE64_BYTES)
			got -= got % BASE64_BYTES;
		g_string_truncate(out, 0);
		for (gssize done = 0; done < got; done += BASE64_BYTES) {
			g_autofree char *line =
				g_base64_encode(bytes + done, (gsize)MIN(BASE64_BYTES, got - done));

			g_string_append(out, line);
			g_string_append(out, "\r\n");
		}
		if (!sink_write(sink, out->str, out->len, error))
			return FALSE;
		at += got;
	}
	return got == 0;
}

/* May it stand as it is, but for its line ends? */
static gboolean is_plain_text(Spool *content)
{
	g_autofree char *text = g_malloc(STREAM_CHUNK);
	goffset at = 0, line = 0;
	gssize got;

	while ((got = spool_read(content, at, text, STREAM_CHUNK, NULL)) > 0) {
		for (gssize i = 0; i < got; i++) {
			line = text[i] == '\n' ? 0 : line + 1;
			if (text[i] == '\0' || line > LINE_MAX_BYTES)
				return FALSE;
		}
		at += got;
	}
	return got == 0;
}

/* A text goes as it is, for those who look for words in it. */
static gboolean write_content(const NewPart *part, Sink *sink, GError **error)
{
	const char *encoding = part->filename || !is_plain_text(part->content) ? "base64" : "8bit";
	g_autoptr(Source) source = spool_source_all(part->content);

	if (!sink_print(sink, error, "Content-Transfer-Encoding: %s\r\n\r\n", encoding))
		return FALSE;
	return *encoding == 'b' ? write_base64(part->content, sink, error)
				: stream_copy_crlf(source, sink, error);
}

static gboolean write_made(const NewPart *part, Sink *sink, GError **error)
{
	g_autofree char *name =
		part->filename ? g_uri_escape_string(part->filename, NULL, FALSE) : NULL;

	if (!sink_print(sink, error, "Content-Type: %s\r\n", part->type) ||
	    (name &&
	     !sink_print(sink, error,
			 "Content-Disposition: attachment;\r\n filename*=utf-8''%s\r\n", name)) ||
	    (part->content_id && !sink_print(sink, error, "Content-ID: %s\r\n", part->content_id)))
		return FALSE;
	return write_content(part, sink, error);
}

static gboolean write_part(Spool *current, const NewPart *part, Sink *sink, GError **error)
{
	if (!part->copied)
		return write_made(part, sink, error);
	g_autoptr(Source) source = spool_source(current, part->copied->whole);

	return stream_copy(source, sink, error);
}

gboolean rebuild_entity(Spool *current, const GPtrArray *parts, Spool *into, GError **error)
{
	g_autoptr(Sink) sink = spool_sink(into);
	g_autoptr(Source) whole = spool_source_all(current);

	if (parts->len == 1)
		return write_part(current, parts->pdata[0], sink, error);
	/* Nobody can put a boundary into a message that is made from the message's own hash. */
	g_autofree char *hash = source_sha256(whole, error);

	if (!hash ||
	    !sink_print(sink, error,
			"Content-Type: multipart/mixed;\r\n boundary=\"=_%.60s\"\r\n\r\n", hash))
		return FALSE;
	for (guint i = 0; i < parts->len; i++) {
		if (!sink_print(sink, error, "--=_%.60s\r\n", hash) ||
		    !write_part(current, parts->pdata[i], sink, error) ||
		    !sink_write(sink, "\r\n", 2, error))
			return FALSE;
	}
	return sink_print(sink, error, "--=_%.60s--\r\n", hash);
}
