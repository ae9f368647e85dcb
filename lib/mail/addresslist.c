/* SPDX-License-Identifier: Apache-2.0
 *
 * The addresses of a header field (RFC 5322, section 3.4), read by GMime, with a second opinion
 * on whether another reader would see the same ones.
 */
#include <string.h>

#include "lib/mail/address.h"
#include "lib/mail/gmime.h"

/* How deep groups are opened; RFC 5322 knows one level. */
#define GROUP_DEPTH_MAX 4

/* Most colons in a field: each may begin a group, and GMime opens them by recursion. */
#define COLONS_MAX 1000

/* Every address has one '@' outside quotes, comments and encoded words. More of them than
 * addresses: text such as "boss@ours.example <eve@evil.example>" that readers take differently. */
static guint count_ats(const char *value)
{
	guint ats = 0;
	guint comment = 0;
	gboolean quoted = FALSE;

	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\\' && (quoted || comment > 0) && p[1] != '\0')
			p++;
		else if (*p == '"' && comment == 0)
			quoted = !quoted;
		else if (*p == '(' && !quoted)
			comment++;
		else if (*p == ')' && !quoted && comment > 0)
			comment--;
		else if (*p == '@' && !quoted && comment == 0)
			ats++;
	}
	return ats;
}

static guint count_colons(const char *value)
{
	guint colons = 0;

	for (; *value != '\0'; value++)
		if (*value == ':')
			colons++;
	return colons;
}

/* Is there a domain that is a literal, or may be one behind a comment? Nobody writes them in
 * header fields, and GMime loses memory over broken ones, as much as a stranger cares to send. */
static gboolean has_literal(const char *value)
{
	for (const char *at = strchr(value, '@'); at != NULL; at = strchr(at + 1, '@')) {
		const char *domain = at + 1 + strspn(at + 1, " \t\r\n");

		if (*domain == '(' || *domain == '[')
			return TRUE;
	}
	return FALSE;
}

static void note_warning(gint64 offset, GMimeParserWarning warning, const char *item, gpointer data)
{
	gboolean *unparsed = data;

	(void)offset;
	(void)item;
	if (warning == GMIME_WARN_INVALID_ADDRESS_LIST)
		*unparsed = TRUE;
}

/* Adds the mailboxes of list; FALSE if some were no addresses or too many. */
static gboolean collect(InternetAddressList *list, GPtrArray *found, guint depth)
{
	gboolean whole = TRUE;
	int count = internet_address_list_length(list);

	for (int i = 0; i < count; i++) {
		InternetAddress *entry = internet_address_list_get_address(list, i);
		const char *address;

		if (INTERNET_ADDRESS_IS_GROUP(entry)) {
			InternetAddressList *members =
				internet_address_group_get_members(INTERNET_ADDRESS_GROUP(entry));

			if (members != NULL && depth >= GROUP_DEPTH_MAX)
				whole = FALSE;
			else if (members != NULL)
				whole = collect(members, found, depth + 1) && whole;
			continue;
		}
		address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(entry));
		if (address == NULL || address_domain(address) == NULL ||
		    !g_utf8_validate(address, -1, NULL)) {
			whole = FALSE;
			continue;
		}
		if (found->len >= ADDRESS_LIST_MAX)
			return FALSE;
		g_ptr_array_add(found, g_strdup(address));
	}
	return whole;
}

GPtrArray *address_list_parse(const char *header_value, gboolean *unparsed)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GMimeParserOptions) options = gmime_options_new();
	g_autofree char *value = NULL;
	gboolean broken = FALSE;
	InternetAddressList *list;

	if (header_value == NULL || strlen(header_value) > ADDRESS_LIST_BYTES_MAX ||
	    count_colons(header_value) > COLONS_MAX || has_literal(header_value)) {
		if (unparsed != NULL)
			*unparsed = header_value != NULL;
		return found;
	}
	value = g_strdup(header_value);
	g_strdelimit(value, "\r\n\t", ' ');
	g_mime_parser_options_set_warning_callback(options, note_warning, &broken);
	list = internet_address_list_parse(options, value);
	if (list != NULL) {
		if (!collect(list, found, 0))
			broken = TRUE;
		g_object_unref(list);
	} else if (*g_strstrip(value) != '\0') {
		broken = TRUE;
	}
	if (count_ats(value) != found->len)
		broken = TRUE;
	if (unparsed != NULL)
		*unparsed = broken;
	return found;
}
