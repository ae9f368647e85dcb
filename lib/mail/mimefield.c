/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of MIME fields. Pieces of one (RFC 2231: name*0*=, name*1=) are gathered first and
 * put together when all have been read.
 */
#include "lib/mail/mimefield.h"

#include <string.h>

#include "lib/mail/charset.h"
#include "lib/mail/headers.h"

/* Most pieces of one parameter. */
#define SECTIONS_MAX 100
/* Encoded characters of one piece when we write. */
#define SECTION_WIDTH 54

#define BLANKS " \t\r\n"
#define TOKEN_SPECIALS "()<>@,;:\\\"/[]?= *'%"

typedef struct {
	char *name; /* without "*0*", as spelled */
	int section; /* -1: not in pieces */
	gboolean extended; /* percent-encoded */
	char *value;
} Param;

struct MimeField {
	char *value;
	GPtrArray *params; /* of Param *, put together */
};

static void param_free(gpointer data)
{
	Param *param = data;

	g_free(param->name);
	g_free(param->value);
	g_free(param);
}

/* Past blanks and comments. */
static const char *skip(const char *p)
{
	guint depth = 0;

	for (; *p != '\0'; p++) {
		if (*p == '\\' && depth > 0 && p[1] != '\0')
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && depth > 0)
			depth--;
		else if (depth == 0 && strchr(BLANKS, *p) == NULL)
			break;
	}
	return p;
}

/* "Text / Plain (comment)": tokens with slashes between them. */
static const char *read_value(const char *p, GString *value)
{
	for (;;) {
		gsize size = strcspn(p, ";/(" BLANKS);

		g_string_append_len(value, p, (gssize)size);
		p = skip(p + size);
		if (*p != '/')
			return p;
		g_string_append_c(value, '/');
		p = skip(p + 1);
	}
}

static const char *read_quoted(const char *p, GString *value)
{
	for (p++; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		if (*p != '\r' && *p != '\n')
			g_string_append_c(value, *p);
	}
	return p + strcspn(p, ";");
}

/* Names of files often come with blanks and without quotes. */
static const char *read_token(const char *p, gboolean blanks, GString *value)
{
	gsize size = strcspn(p, blanks ? ";\r\n" : ";" BLANKS);

	g_string_append_len(value, p, (gssize)size);
	g_strchomp(value->str);
	g_string_set_size(value, strlen(value->str));
	return p + size;
}

static gboolean is_file_name(const char *name)
{
	return g_ascii_strcasecmp(name, "name") == 0 || g_ascii_strcasecmp(name, "filename") == 0;
}

/* Takes "name*3*" apart. */
static void split_name(Param *param)
{
	char *star = strchr(param->name, '*');

	param->section = -1;
	if (star == NULL)
		return;
	param->extended = star[strlen(star) - 1] == '*';
	*star++ = '\0';
	if (g_ascii_isdigit(*star))
		param->section = (int)MIN(g_ascii_strtoull(star, NULL, 10), SECTIONS_MAX);
}

static GPtrArray *read_pieces(const char *p)
{
	GPtrArray *pieces = g_ptr_array_new_with_free_func(param_free);

	while (*p != '\0' && pieces->len < MIME_PARAMS_MAX) {
		g_autoptr(GString) value = g_string_new(NULL);
		Param *param;
		gsize size;

		p = skip(p);
		size = strcspn(p, "=;(\"" BLANKS);
		param = g_new0(Param, 1);
		param->name = g_strndup(p, size);
		p = skip(p + size);
		if (size == 0 || *p != '=') {
			param_free(param); /* without a value, or a stray character */
			if (*p == ';' || (size == 0 && *p != '\0'))
				p++;
			continue;
		}
		split_name(param);
		p = skip(p + 1);
		p = *p == '"' ? read_quoted(p, value)
			      : read_token(p, is_file_name(param->name), value);
		param->value = g_strdup(value->str);
		g_ptr_array_add(pieces, param);
	}
	return pieces;
}

static void append_percent(GString *bytes, const char *p)
{
	for (; *p != '\0'; p++) {
		if (*p == '%' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
			g_string_append_c(bytes, (char)(g_ascii_xdigit_value(p[1]) * 16 +
							g_ascii_xdigit_value(p[2])));
			p += 2;
		} else {
			g_string_append_c(bytes, *p);
		}
	}
}

/* Takes "charset'language'" off the front. */
static char *take_charset(const char **value)
{
	const char *language = strchr(*value, '\'');
	const char *text = language != NULL ? strchr(language + 1, '\'') : NULL;
	char *charset;

	if (text == NULL)
		return NULL;
	charset = g_strndup(*value, (gsize)(language - *value));
	*value = text + 1;
	return charset;
}

/* The next piece of a parameter; NULL if there is none. */
static const Param *find_piece(const GPtrArray *pieces, const char *name, int section)
{
	for (guint i = 0; i < pieces->len; i++) {
		const Param *piece = pieces->pdata[i];

		if (piece->section == section && g_ascii_strcasecmp(piece->name, name) == 0)
			return piece;
	}
	return NULL;
}

static char *to_utf8(const char *charset, const GString *bytes)
{
	GString *text = g_string_new(NULL);
	char *valid;

	charset_append_utf8(text, charset, bytes->str, bytes->len);
	for (gsize i = 0; i < text->len; i++)
		if (g_ascii_iscntrl(text->str[i]))
			text->str[i] = ' ';
	valid = g_utf8_make_valid(text->str, (gssize)text->len);
	g_string_free(text, TRUE);
	return valid;
}

/* The parameter that begins with this piece, whole. */
static char *put_together(const GPtrArray *pieces, const Param *first)
{
	g_autoptr(GString) bytes = g_string_new(NULL);
	g_autofree char *charset = NULL;
	const char *value = first->value;
	const Param *piece = first;

	if (first->extended)
		charset = take_charset(&value);
	for (int section = first->section; piece != NULL && section < SECTIONS_MAX;) {
		if (piece->extended)
			append_percent(bytes, value);
		else
			g_string_append(bytes, value);
		if (section < 0)
			break;
		piece = find_piece(pieces, first->name, ++section);
		value = piece != NULL ? piece->value : NULL;
	}
	if (first->extended)
		return to_utf8(charset, bytes);
	if (!is_file_name(first->name))
		return g_strdup(bytes->str);
	return header_text_decode(bytes->str);
}

/* One of each name: the extended form before the pieces before the plain one. */
static void add_whole(MimeField *field, const GPtrArray *pieces, const char *name)
{
	const Param *first = NULL;
	Param *whole;

	if (mime_field_param(field, name) != NULL)
		return;
	for (guint i = 0; i < pieces->len; i++) {
		const Param *piece = pieces->pdata[i];

		if (g_ascii_strcasecmp(piece->name, name) != 0 || piece->section > 0)
			continue;
		if (first == NULL || (piece->extended && !first->extended) ||
		    (piece->section == 0 && first->section < 0 && !first->extended))
			first = piece;
	}
	if (first == NULL)
		return;
	whole = g_new0(Param, 1);
	whole->name = g_strdup(name);
	whole->value = put_together(pieces, first);
	g_ptr_array_add(field->params, whole);
}

MimeField *mime_field_new(const char *raw)
{
	MimeField *field = g_new0(MimeField, 1);
	/* g_strndup() alone would fill up all of that length. */
	g_autofree char *line = g_strndup(raw, strnlen(raw, MIME_FIELD_MAX));
	g_autoptr(GString) value = g_string_new(NULL);
	g_autoptr(GPtrArray) pieces = NULL;
	const char *p;

	g_strdelimit(line, "\r\n", ' ');
	p = read_value(skip(line), value);
	pieces = read_pieces(p);
	field->value = g_strdup(value->str);
	field->params = g_ptr_array_new_with_free_func(param_free);
	for (guint i = 0; i < pieces->len; i++)
		add_whole(field, pieces, ((const Param *)pieces->pdata[i])->name);
	return field;
}

void mime_field_free(MimeField *field)
{
	if (field == NULL)
		return;
	g_free(field->value);
	g_ptr_array_unref(field->params);
	g_free(field);
}

const char *mime_field_value(const MimeField *field)
{
	return field->value;
}

const char *mime_field_param(const MimeField *field, const char *name)
{
	for (guint i = 0; i < field->params->len; i++) {
		const Param *param = field->params->pdata[i];

		if (g_ascii_strcasecmp(param->name, name) == 0)
			return param->value;
	}
	return NULL;
}

static gboolean is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return FALSE;
	return TRUE;
}

static void append_plain(GString *text, const Param *param)
{
	g_string_append_printf(text, ";\n\t%s=", param->name);
	if (*param->value != '\0' && strpbrk(param->value, TOKEN_SPECIALS) == NULL) {
		g_string_append(text, param->value);
		return;
	}
	g_string_append_c(text, '"');
	for (const char *p = param->value; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(text, '\\');
		g_string_append_c(text, *p);
	}
	g_string_append_c(text, '"');
}

/* In as many pieces as it takes; an escape is not split. */
static void append_extended(GString *text, const Param *param)
{
	g_autoptr(GString) utf8 = g_string_new(NULL);
	g_autoptr(GString) bytes = g_string_new(NULL);
	gboolean pieces;
	gsize at = 0;

	charset_append_utf8(utf8, NULL, param->value, strlen(param->value));
	for (const char *p = utf8->str; *p != '\0'; p++)
		if (g_ascii_isalnum(*p) || strchr("-._", *p) != NULL)
			g_string_append_c(bytes, *p);
		else
			g_string_append_printf(bytes, "%%%02X", (guint8)*p);
	pieces = bytes->len > SECTION_WIDTH;
	for (guint section = 0; at < bytes->len || section == 0; section++) {
		gsize size = MIN(SECTION_WIDTH, bytes->len - at);

		if (at + size < bytes->len && bytes->str[at + size - 1] == '%')
			size -= 1;
		else if (at + size < bytes->len && bytes->str[at + size - 2] == '%')
			size -= 2;
		g_string_append_printf(text, ";\n\t%s*", param->name);
		if (pieces)
			g_string_append_printf(text, "%u*", section);
		g_string_append(text, section == 0 ? "=utf-8''" : "=");
		g_string_append_len(text, bytes->str + at, (gssize)size);
		at += size;
	}
}

/* Readers take "=?" in quotes for an encoded word (RFC 2047 forbids it, many do it): what stands
 * there literally is only safe in the form of RFC 2231. Nobody decodes a boundary. */
static gboolean is_plain(const Param *param)
{
	return is_printable(param->value) &&
	       (!strstr(param->value, "=?") || g_str_equal(param->name, "boundary"));
}

char *mime_field_encode(const MimeField *field)
{
	GString *text = g_string_new(" ");

	g_string_append(text, field->value);
	for (guint i = 0; i < field->params->len; i++) {
		const Param *param = field->params->pdata[i];

		if (!is_printable(param->name))
			continue;
		if (is_plain(param))
			append_plain(text, param);
		else
			append_extended(text, param);
	}
	return g_string_free(text, FALSE);
}
