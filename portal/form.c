/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser of forms (see form.h).
 */
#include "portal/form.h"

#include <sodium.h>
#include <string.h>

#include "lib/base/error.h"

typedef struct {
	char *name;
	char *value;
} Field;

struct Form {
	Field fields[FORM_FIELDS_MAX];
	guint count;
};

static void wipe(char *text)
{
	if (text != NULL)
		sodium_memzero(text, strlen(text));
	g_free(text);
}

void form_free(Form *form)
{
	if (form == NULL)
		return;
	for (guint i = 0; i < form->count; i++) {
		wipe(form->fields[i].name);
		wipe(form->fields[i].value);
	}
	g_free(form);
}

const char *form_get(const Form *form, const char *name)
{
	for (guint i = 0; i < form->count; i++)
		if (g_str_equal(form->fields[i].name, name))
			return form->fields[i].value;
	return NULL;
}

/* The byte at text, '+' and "%XX" undone; *used tells how many letters it took. -1: broken. */
static int decode_byte(const char *text, gsize size, gsize *used)
{
	*used = 1;
	if (*text == '+')
		return ' ';
	if (*text != '%')
		return (guchar)*text;
	if (size < 3 || !g_ascii_isxdigit(text[1]) || !g_ascii_isxdigit(text[2]))
		return -1;
	*used = 3;
	return g_ascii_xdigit_value(text[1]) * 16 + g_ascii_xdigit_value(text[2]);
}

/* NULL if an escape is broken or what comes out is no text. */
static char *decode(const char *text, gsize size)
{
	char *out = g_malloc0(size + 1);
	gsize length = 0;
	gsize used;

	for (gsize i = 0; i < size; i += used) {
		int byte = decode_byte(text + i, size - i, &used);

		if (byte <= 0) {
			wipe(out);
			return NULL;
		}
		out[length++] = (char)byte;
	}
	if (g_utf8_validate(out, length, NULL))
		return out;
	wipe(out);
	return NULL;
}

static gboolean add(Form *form, const char *pair, gsize size, GError **error)
{
	const char *equal = memchr(pair, '=', size);
	gsize name_size = equal != NULL ? (gsize)(equal - pair) : size;
	char *name;
	char *value;

	if (form->count == FORM_FIELDS_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "a form with too many fields");
		return FALSE;
	}
	name = decode(pair, name_size);
	value = equal != NULL ? decode(equal + 1, size - name_size - 1) : g_strdup("");
	if (name == NULL || value == NULL || form_get(form, name) != NULL) {
		wipe(name);
		wipe(value);
		g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED, "a form that cannot be read");
		return FALSE;
	}
	form->fields[form->count++] = (Field){name, value};
	return TRUE;
}

Form *form_parse(const char *body, gsize size, GError **error)
{
	g_autoptr(Form) form = g_new0(Form, 1);
	gsize start = 0;

	while (start < size) {
		const char *end = memchr(body + start, '&', size - start);
		gsize length = end != NULL ? (gsize)(end - body) - start : size - start;

		if (length > 0 && !add(form, body + start, length, error))
			return NULL;
		start += length + 1;
	}
	return g_steal_pointer(&form);
}
