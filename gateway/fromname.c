/* SPDX-License-Identifier: Apache-2.0
 *
 * The names in From. See fromname.h.
 */
#include <string.h>

#include "lib/mail/address.h"

#include "gateway/fromname.h"

/* Most addresses in names that are looked at; more are a lie by themselves. */
#define NAME_ADDRESSES_MAX 20

/* The value without what stands in angle brackets outside of quotes. New string. */
static char *names_only(const char *value)
{
	GString *names = g_string_new(NULL);
	gboolean quoted = FALSE, angle = FALSE;

	for (const char *p = value; *p; p++) {
		if (*p == '\\' && p[1]) {
			p++;
		} else if (*p == '"') {
			quoted = !quoted;
			continue;
		} else if (!quoted && (*p == '<' || *p == '>')) {
			angle = *p == '<';
			g_string_append_c(names, ' ');
			continue;
		}
		if (!angle)
			g_string_append_c(names, *p);
	}
	return g_string_free(names, FALSE);
}

/* As people see it: decoded, wide forms as the plain ones. New string. */
static char *readable(const char *names)
{
	g_autofree char *text = header_text_decode(names);
	char *plain = g_utf8_normalize(text, -1, G_NORMALIZE_ALL_COMPOSE);

	return plain ? plain : g_steal_pointer(&text);
}

static gboolean is_address_byte(char c)
{
	return (c & 0x80) || g_ascii_isalnum(c) || strchr(".!#$%&'*+-/=?^_`{|}~", c);
}

char *fromname_address_around(const char *text, const char *at)
{
	const char *start = at, *end = at + 1;

	while (start > text && is_address_byte(start[-1]))
		start--;
	while (*end && is_address_byte(*end))
		end++;
	while (end > at + 1 && strchr(".!'", end[-1]))
		end--;
	g_autofree char *address = g_strndup(start, (gsize)(end - start));

	return start < at && strchr(strchr(address, '@'), '.') ? address_fold(address) : NULL;
}

static gboolean is_mailbox(const GPtrArray *mailboxes, const char *address)
{
	for (guint i = 0; i < mailboxes->len; i++)
		if (address_equal(mailboxes->pdata[i], address))
			return TRUE;
	return FALSE;
}

static gboolean name_lies(const char *value)
{
	g_autoptr(GPtrArray) mailboxes = address_list_parse(value, NULL);
	g_autofree char *names = names_only(value);
	g_autofree char *text = readable(names);
	guint count = 0;

	for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@')) {
		g_autofree char *address = fromname_address_around(text, at);

		if (address && !is_mailbox(mailboxes, address))
			return TRUE;
		if (++count > NAME_ADDRESSES_MAX)
			return TRUE;
	}
	return FALSE;
}

gboolean fromname_lies(const Headers *headers)
{
	for (guint i = 0; i < headers_count(headers); i++) {
		const Header *header = headers_at(headers, i);

		if (g_ascii_strcasecmp(header->name, "From") == 0 && name_lies(header->value))
			return TRUE;
	}
	return FALSE;
}
