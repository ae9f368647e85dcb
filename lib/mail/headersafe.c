/* SPDX-License-Identifier: Apache-2.0
 *
 * Each kind of field is made safe by its own rules: parameters by RFC 2231, text by RFC 2047, long
 * lines by folding.
 */
#include "lib/mail/headersafe.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/mimefield.h"

/* Where lines of plain ASCII are folded. */
#define FOLD_COLUMN 78

static gboolean is_line_safe(const char *line, gsize size, gsize column)
{
	if (column + size > SAFE_LINE_MAX || size == 0)
		return column > 0 && size == 0;
	for (gsize i = 0; i < size; i++)
		if (line[i] == '\r' || (guint8)line[i] >= 0x80)
			return FALSE;
	return line[size - 1] != ' ' && line[size - 1] != '\t';
}

gboolean header_is_safe(const Header *header)
{
	const char *line = header->value;
	gsize column = strlen(header->name) + 1;

	for (;;) {
		gsize size = strcspn(line, "\n");

		if (!is_line_safe(line, size, column))
			return FALSE;
		if (line[size] == '\0')
			return TRUE;
		line += size + 1;
		if (*line != ' ' && *line != '\t')
			return FALSE;
		column = 0;
	}
}

/* Lines without the blanks at their ends, and no lines of blanks alone. */
static char *strip_lines(const char *value)
{
	g_auto(GStrv) lines = g_strsplit(value, "\n", -1);
	GString *stripped = g_string_new(NULL);

	for (guint i = 0; lines[i] != NULL; i++) {
		g_strdelimit(lines[i], "\r", ' ');
		g_strchomp(lines[i]);
		if (i > 0 && *lines[i] == '\0')
			continue;
		if (i > 0)
			g_string_append(stripped,
					*lines[i] == ' ' || *lines[i] == '\t' ? "\n" : "\n\t");
		g_string_append(stripped, lines[i]);
	}
	return g_string_free(stripped, FALSE);
}

static gboolean is_ascii(const char *value)
{
	for (; *value != '\0'; value++)
		if ((guint8)*value >= 0x80)
			return FALSE;
	return TRUE;
}

/* Long lines, folded anew at their blanks. */
static char *fold_ascii(const Header *header)
{
	g_auto(GStrv) words = g_strsplit_set(header->value, " \t\r\n", -1);
	GString *value = g_string_new(NULL);
	gsize column = strlen(header->name) + 1;

	for (guint i = 0; words[i] != NULL; i++) {
		gsize size = strlen(words[i]);

		if (size == 0)
			continue;
		if (column + 1 + size > FOLD_COLUMN && value->len > 0) {
			g_string_append_c(value, '\n');
			column = 0;
		}
		g_string_append_printf(value, " %s", words[i]);
		column += 1 + size;
	}
	return g_string_free(value, FALSE);
}

static char *encode_field(const char *value)
{
	g_autoptr(MimeField) field = mime_field_new(value);

	return mime_field_encode(field);
}

static gboolean has_addresses(const char *name)
{
	static const char *const names[] = {
		"from", "to", "cc", "bcc", "sender", "reply-to", "disposition-notification-to",
		NULL};
	g_autofree char *lower = g_ascii_strdown(name, -1);
	const char *base = g_str_has_prefix(lower, "resent-") ? lower + strlen("resent-") : lower;

	return g_strv_contains(names, base);
}

/* By the field's kind; NULL if it cannot be done. */
static char *encode_value(const Header *header)
{
	g_autofree char *value = g_strdelimit(g_strdup(header->value), "\r\n\t", ' ');
	g_autofree char *text = NULL;

	if (is_ascii(value))
		return fold_ascii(header);
	if (g_ascii_strcasecmp(header->name, "Content-Type") == 0 ||
	    g_ascii_strcasecmp(header->name, "Content-Disposition") == 0)
		return encode_field(value);
	if (has_addresses(header->name))
		return NULL; /* raw UTF-8 in addresses: message/global, which stays as it is */
	if (g_ascii_strcasecmp(header->name, "Content-Transfer-Encoding") == 0)
		return NULL; /* an encoding that nobody knows must not become one */
	text = header_decode(header);
	return header_encode_text(header->name, text);
}

char *header_make_safe(const Header *header, GError **error)
{
	g_autofree char *encoded = NULL;
	Header made = {header->name, strip_lines(header->value)};

	if (header_is_safe(&made))
		return made.value;
	g_free(made.value);
	encoded = encode_value(header);
	made.value = encoded;
	if (encoded != NULL && header_is_safe(&made))
		return g_steal_pointer(&encoded);
	g_set_error(error, SEALPOST_ERROR, ERROR_UNSUPPORTED,
		    "a %s field that cannot be made fit for signing", header->name);
	return NULL;
}
