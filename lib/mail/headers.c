/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's header fields, kept as they came. Texts in and out of them: headertext.c.
 */
#include "lib/mail/headers.h"

#include <string.h>

#include "lib/base/error.h"

struct Headers {
	GPtrArray *fields; /* of Header * */
	gsize bytes;
};

static void header_free(gpointer data)
{
	Header *header = data;

	g_free(header->name);
	g_free(header->value);
	g_free(header);
}

static gsize header_size(const Header *header)
{
	return strlen(header->name) + strlen(header->value);
}

Headers *headers_new(void)
{
	Headers *headers = g_new0(Headers, 1);

	headers->fields = g_ptr_array_new_with_free_func(header_free);
	return headers;
}

static void add(Headers *headers, const char *name, const char *value)
{
	Header *header = g_new(Header, 1);

	header->name = g_strdup(name);
	header->value = g_strdup(value);
	headers->bytes += header_size(header);
	g_ptr_array_add(headers->fields, header);
}

Headers *headers_copy(const Headers *headers)
{
	Headers *copy = headers_new();

	for (guint i = 0; i < headers->fields->len; i++) {
		const Header *header = headers->fields->pdata[i];

		add(copy, header->name, header->value);
	}
	return copy;
}

void headers_free(Headers *headers)
{
	if (headers == NULL)
		return;
	g_ptr_array_unref(headers->fields);
	g_free(headers);
}

static gboolean is_field_name(const char *name)
{
	if (*name == '\0')
		return FALSE;
	for (; *name != '\0'; name++)
		if (*name <= ' ' || *name > '~' || *name == ':')
			return FALSE;
	return TRUE;
}

gboolean headers_append(Headers *headers, const char *name, const char *value, GError **error)
{
	if (!is_field_name(name)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED, "not a header field's name");
		return FALSE;
	}
	if (headers->fields->len >= HEADERS_MAX ||
	    strlen(name) + strlen(value) > HEADERS_BYTES_MAX - headers->bytes) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE,
			    "more than %d header fields or %d bytes of them", HEADERS_MAX,
			    HEADERS_BYTES_MAX);
		return FALSE;
	}
	add(headers, name, value);
	return TRUE;
}

gboolean headers_add(Headers *headers, const char *name, const char *value, GError **error)
{
	g_autofree char *spaced = g_strconcat(" ", value, NULL);

	return headers_append(headers, name, spaced, error);
}

guint headers_count(const Headers *headers)
{
	return headers->fields->len;
}

const Header *headers_at(const Headers *headers, guint index)
{
	return index < headers->fields->len ? headers->fields->pdata[index] : NULL;
}

const Header *headers_find(const Headers *headers, const char *name, guint nth)
{
	for (guint i = 0; i < headers->fields->len; i++) {
		const Header *header = headers->fields->pdata[i];

		if (g_ascii_strcasecmp(header->name, name) == 0 && nth-- == 0)
			return header;
	}
	return NULL;
}

guint headers_count_name(const Headers *headers, const char *name)
{
	guint count = 0;

	for (guint i = 0; i < headers->fields->len; i++) {
		const Header *header = headers->fields->pdata[i];

		if (g_ascii_strcasecmp(header->name, name) == 0)
			count++;
	}
	return count;
}

void headers_remove_at(Headers *headers, guint index)
{
	if (index >= headers->fields->len)
		return;
	headers->bytes -= header_size(headers->fields->pdata[index]);
	g_ptr_array_remove_index(headers->fields, index);
}

gboolean header_is_content(const char *name)
{
	/* RFC 2156 and its forerunners: about the X.400 message, not about the body. */
	static const char *const x400[] = {"Content-Return", "Content-Identifier",
					   "Content-Correlator"};

	for (gsize i = 0; i < G_N_ELEMENTS(x400); i++)
		if (g_ascii_strcasecmp(name, x400[i]) == 0)
			return FALSE;
	return g_ascii_strncasecmp(name, "Content-", strlen("Content-")) == 0;
}

/* A comment may follow; more than one such field says the same. */
static gboolean is_version(const char *value)
{
	const char *text = value + strspn(value, " \t\r\n");

	return g_str_has_prefix(text, "1.0") && (text[3] == '\0' || strchr(" \t\r\n(", text[3]));
}

gboolean headers_say_mime(const Headers *headers)
{
	const Header *version = headers_find(headers, "MIME-Version", 0);

	for (guint n = 1; version && is_version(version->value); n++) {
		version = headers_find(headers, "MIME-Version", n);
		if (!version)
			return TRUE;
	}
	return FALSE;
}

/* The value with CRLF where it is folded. A line break that no blank follows would begin a field
 * of its own: it gets a tab, as Postfix does it. A bare CR becomes a blank, inside of what is
 * encrypted, too: no field may hold one (RFC 5322, section 2.2), and a reader who takes it for a line
 * break would find a field that the gateway did not see. */
static void append_value(GString *line, const char *value)
{
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\r' && p[1] == '\n')
			p++;
		if (*p == '\r') {
			g_string_append_c(line, ' ');
		} else if (*p == '\n') {
			if (p[1] == '\0')
				break;
			g_string_append(line, "\r\n");
			if (p[1] != ' ' && p[1] != '\t')
				g_string_append_c(line, '\t');
		} else {
			g_string_append_c(line, *p);
		}
	}
	g_string_append(line, "\r\n");
}

gboolean headers_write(const Headers *headers, HeadersWhich which, Sink *sink, GError **error)
{
	g_autoptr(GString) line = g_string_new(NULL);

	for (guint i = 0; i < headers->fields->len; i++) {
		const Header *header = headers->fields->pdata[i];
		gboolean content = header_is_content(header->name);

		if ((which == HEADERS_CONTENT && !content) || (which == HEADERS_OTHER && content))
			continue;
		g_string_assign(line, header->name);
		g_string_append_c(line, ':');
		append_value(line, header->value);
		if (!sink_write(sink, line->str, line->len, error))
			return FALSE;
	}
	return TRUE;
}
