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

/* As people see it: wide forms as the plain ones. New string. */
static char *readable(const char *text)
{
	char *plain = g_utf8_normalize(text, -1, G_NORMALIZE_ALL_COMPOSE);

	return plain ? plain : g_strdup(text);
}

/* Of UTF-16 that does not say which byte of a letter comes first, some programs take the one, some the
 * other (RFC 2781, section 4.3; WHATWG): the letters of ASCII that it has the other way round. */
static char *swapped(const char *text)
{
	GString *other = g_string_new(NULL);

	for (const char *p = text; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p), high = c >> 8;
		gboolean ascii = (c & 0xff) == 0 && high >= ' ' && high <= '~';

		g_string_append_unichar(other, ascii ? high : c);
	}
	return g_string_free(other, FALSE);
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

static gboolean shows_other(const char *seen, const GPtrArray *mailboxes)
{
	g_autofree char *text = readable(seen);
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

static gboolean name_lies(const char *value)
{
	g_autoptr(GPtrArray) mailboxes = address_list_parse(value, NULL);
	g_autofree char *names = names_only(value);
	g_autofree char *text = header_text_decode(names);
	g_autofree char *other = swapped(text);

	return shows_other(text, mailboxes) || shows_other(other, mailboxes);
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
