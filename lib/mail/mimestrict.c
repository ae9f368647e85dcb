/* SPDX-License-Identifier: Apache-2.0
 *
 * Do all readers see the same parts? What is signed stays as it came, and around it stands what the
 * sender of the moment likes: a type with two boundaries, a boundary that only some programs take
 * for one. Whatever is not written as RFC 2045 and RFC 2046 say, and so that old and new programs
 * agree, is not strict; mail as programs write it is.
 */
#include "lib/mail/mime.h"

#include <string.h>

#include "lib/mail/lines.h"
#include "lib/mail/mimecode.h"
#include "lib/mail/mimescan.h"

#define FIELD_MAX 2000
#define PARAMS_MAX 20

#define BLANKS " \t\r\n"
#define TYPE_SPECIALS "()<>@,;:\\\"/[]?="
/* A value without quotes: all programs write "=", "/" and ":" there. */
#define VALUE_SPECIALS "()<>@,;\\\"[]"

/* How many characters of a word stand here. */
static gsize word_length(const char *text, const char *specials)
{
	gsize size = 0;

	while (text[size] > ' ' && text[size] <= '~' && strchr(specials, text[size]) == NULL)
		size++;
	return size;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, BLANKS);
}

/* In quotes nothing is escaped; only names of files may have other letters. NULL: it is not so. */
static const char *skip_value(const char *text, gboolean is_name)
{
	gsize size;

	if (*text != '"') {
		size = word_length(text, VALUE_SPECIALS);
		return size > 0 ? text + size : NULL;
	}
	for (text++; *text != '"'; text++)
		if (*text == '\0' || *text == '\\' || ((*text < ' ' || *text > '~') && !is_name))
			return NULL;
	return text + 1;
}

/* Each name once; only the names of files come in pieces or encoded (RFC 2231). */
static gboolean add_name(GPtrArray *names, const char *text, gsize size, gboolean *is_name)
{
	g_autofree char *name = g_ascii_strdown(text, (gssize)size);

	*is_name = g_str_equal(name, "name") || g_str_has_prefix(name, "name*");
	if (size == 0 || names->len >= PARAMS_MAX || (strchr(name, '*') != NULL && !*is_name))
		return FALSE;
	for (guint i = 0; i < names->len; i++)
		if (g_str_equal(names->pdata[i], name))
			return FALSE;
	g_ptr_array_add(names, g_steal_pointer(&name));
	return TRUE;
}

/* ";" and a parameter, or the end. NULL: it is neither. */
static const char *skip_param(const char *text, GPtrArray *names)
{
	gboolean is_name;
	gsize size;

	if (*text != ';')
		return NULL;
	text = skip_blanks(text + 1);
	if (*text == '\0')
		return text;
	size = word_length(text, TYPE_SPECIALS);
	if (!add_name(names, text, size, &is_name))
		return NULL;
	text = skip_blanks(text + size);
	if (*text != '=')
		return NULL;
	text = skip_value(skip_blanks(text + 1), is_name);
	return text == NULL ? NULL : skip_blanks(text);
}

static gboolean is_strict_type(const char *text)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	gsize size;

	if (strlen(text) > FIELD_MAX)
		return FALSE;
	text = skip_blanks(text);
	size = word_length(text, TYPE_SPECIALS);
	if (size == 0 || text[size] != '/')
		return FALSE;
	text += size + 1;
	size = word_length(text, TYPE_SPECIALS);
	if (size == 0)
		return FALSE;
	for (text = skip_blanks(text + size); text != NULL && *text != '\0';)
		text = skip_param(text, names);
	return text != NULL;
}

static gboolean is_one_word(const char *text)
{
	text = skip_blanks(text);
	return *skip_blanks(text + word_length(text, TYPE_SPECIALS)) == '\0';
}

/* What the part is, said once. An encoded multipart (RFC 2045, section 6.4), and an encoding that is none
 * of that RFC's, some programs decode. */
static gboolean has_strict_fields(const MimePart *part)
{
	const Headers *fields = mime_facts(part)->fields;
	const Header *type = headers_find(fields, "Content-Type", 0);
	const Header *encoding = headers_find(fields, "Content-Transfer-Encoding", 0);

	return headers_count_name(fields, "Content-Type") <= 1 &&
	       headers_count_name(fields, "Content-Transfer-Encoding") <= 1 &&
	       (type == NULL || is_strict_type(type->value)) &&
	       (encoding == NULL || is_one_word(encoding->value)) &&
	       (part->children == NULL ? decoder_knows(part) : mime_is_identity(part));
}

/* NUL ends a line for some programs, a CR for others. */
static gboolean is_strict_line(const Line *line)
{
	return !line->cut && memchr(line->text, '\0', line->size) == NULL &&
	       memchr(line->text, '\r', line->size) == NULL;
}

static gboolean is_field(const Line *line)
{
	gsize name = 0;

	while (name < line->size && line->text[name] > ' ' && line->text[name] <= '~' &&
	       line->text[name] != ':')
		name++;
	return name > 0 && name < line->size && line->text[name] == ':';
}

/* Nothing but fields, and a blank line. */
static gboolean has_strict_header(const MimeTree *tree, const MimePart *part)
{
	g_autoptr(Lines) lines = lines_new(tree->spool, part->headers);
	gboolean first = TRUE, ended = FALSE;
	Line line;
	int more;

	while ((more = lines_next(lines, &line, NULL)) > 0) {
		gboolean continues = line.size > 0 && (line.text[0] == ' ' || line.text[0] == '\t');

		ended = line.size == 0;
		if (!ended && (!is_strict_line(&line) || (continues ? first : !is_field(&line))))
			return FALSE;
		first = FALSE;
	}
	return more == 0 && ended;
}

/* In these bytes, which are none of a part that is judged by itself: at most so many lines that begin
 * as the multipart's delimiter does, whatever follows. */
static gboolean has_strict_lines(const MimeTree *tree, const MimePart *part, Range range,
				 guint delimiters)
{
	g_autoptr(Lines) lines = lines_new(tree->spool, range);
	g_autofree char *mark = g_strconcat("--", mime_param(part, "boundary"), NULL);
	gsize size = strlen(g_strchomp(mark));
	guint found = 0;
	Line line;
	int more;

	while ((more = lines_next(lines, &line, NULL)) > 0) {
		if (!is_strict_line(&line))
			return FALSE;
		found += line.size >= size && g_ascii_strncasecmp(line.text, mark, size) == 0;
	}
	return more == 0 && found <= delimiters;
}

gboolean mime_is_strict(const MimeTree *tree, const MimePart *part)
{
	if (!has_strict_fields(part) || !has_strict_header(tree, part))
		return FALSE;
	if (part->children == NULL || !g_str_has_prefix(part->type, "multipart/"))
		return TRUE;
	const MimePart *first = part->children->pdata[0];
	const MimePart *last = part->children->pdata[part->children->len - 1];
	gboolean is_signed = g_str_equal(part->type, "multipart/signed");
	Range before = {part->content.start, first->whole.start};
	Range behind = {is_signed ? first->whole.end : last->whole.end, part->content.end};
	guint delimiters = is_signed ? part->children->len - 1 : 0;

	if (last->whole.end < part->content.end)
		delimiters++; /* the one that closes */
	/* Of a multipart/signed only the first part is signed. */
	return has_strict_lines(tree, part, before, 1) &&
	       has_strict_lines(tree, part, behind, delimiters);
}
