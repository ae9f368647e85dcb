/* SPDX-License-Identifier: Apache-2.0
 *
 * One address at a time: split, checked, folded. Lists of them are in addresslist.c.
 */
#include "lib/mail/address.h"

#include <gio/gio.h>
#include <string.h>

#include "lib/base/error.h"

/* RFC 1035, section 2.3.4, for A-labels. */
#define DOMAIN_MAX 253
#define LABEL_MAX 63

/* What an unquoted local part must not hold (RFC 5321 atext, left as wide as MTAs take it). */
#define SPECIALS " ()<>[]\\,;:\"@"

/* The '@' between local part and domain; NULL if there is none or not exactly one. */
static const char *find_at(const char *address)
{
	const char *p = address;

	if (*p == '"') {
		for (p++; *p != '"'; p++) {
			if (*p == '\\')
				p++;
			if (*p == '\0')
				return NULL;
		}
		p++;
		return *p == '@' ? p : NULL;
	}
	p = strchr(address, '@');
	return p != NULL && p > address && strchr(p + 1, '@') == NULL ? p : NULL;
}

static gboolean has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if (g_ascii_iscntrl(*text))
			return TRUE;
	return FALSE;
}

/* What stands outside quotes is free of characters that a tokenizer would read as structure. */
static gboolean is_mailbox(const char *mailbox)
{
	const char *at = find_at(mailbox);
	const char *local_end = at != NULL ? at : mailbox + strlen(mailbox);

	if (!g_utf8_validate(mailbox, -1, NULL) || has_control(mailbox))
		return FALSE;
	if (*mailbox != '"' && strcspn(mailbox, SPECIALS) < (gsize)(local_end - mailbox))
		return FALSE;
	if (at == NULL)
		return *mailbox != '"';
	return at[1] != '\0' && at[1 + strcspn(at + 1, " ()<>\\,;\"@")] == '\0';
}

char *address_from_path(const char *path, GError **error)
{
	g_autofree char *mailbox = NULL;
	gsize length = path != NULL ? strnlen(path, ADDRESS_MAX + 1) : 0;

	if (path == NULL || length > ADDRESS_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_BAD_ADDRESS,
			    "an address of more than %d bytes", ADDRESS_MAX);
		return NULL;
	}
	if (path[0] == '<' && length >= 2 && path[length - 1] == '>')
		mailbox = g_strndup(path + 1, length - 2);
	else
		mailbox = g_strdup(path);
	if (*mailbox != '\0' && !is_mailbox(mailbox)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_BAD_ADDRESS,
			    "not an address that we take");
		return NULL;
	}
	return g_steal_pointer(&mailbox);
}

/* Letters that IDNA 2003 maps away and IDNA 2008 keeps. */
static gboolean has_deviation(const char *domain)
{
	for (const char *p = domain; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c == 0x00df || c == 0x1e9e || c == 0x03c2 || c == 0x200c || c == 0x200d)
			return TRUE;
	}
	return FALSE;
}

static gboolean is_hostname(const char *ascii)
{
	gsize label = 0;

	if (strlen(ascii) > DOMAIN_MAX)
		return FALSE;
	for (const char *p = ascii; *p != '\0'; p++) {
		if (*p == '.') {
			if (label == 0)
				return FALSE;
			label = 0;
			continue;
		}
		if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_')
			return FALSE;
		if (++label > LABEL_MAX)
			return FALSE;
	}
	return label > 0;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" */
static char *fold_literal(const char *domain, gsize length)
{
	g_autofree char *folded = g_ascii_strdown(domain, (gssize)length);

	if (length < 3 || folded[length - 1] != ']')
		return NULL;
	for (gsize i = 1; i < length - 1; i++)
		if (!g_ascii_isalnum(folded[i]) && strchr(".:-", folded[i]) == NULL)
			return NULL;
	return g_steal_pointer(&folded);
}

char *domain_fold(const char *domain)
{
	g_autofree char *name = NULL;
	g_autofree char *ascii = NULL;
	gsize length = domain != NULL ? strnlen(domain, 4 * DOMAIN_MAX + 1) : 0;

	if (length == 0 || length > 4 * DOMAIN_MAX || !g_utf8_validate(domain, -1, NULL))
		return NULL;
	if (domain[0] == '[')
		return fold_literal(domain, length);
	if (domain[length - 1] == '.')
		length--;
	name = g_strndup(domain, length);
	if (has_deviation(name))
		return NULL;
	ascii = g_str_is_ascii(name) ? g_steal_pointer(&name) : g_hostname_to_ascii(name);
	if (ascii == NULL || !is_hostname(ascii))
		return NULL;
	return g_ascii_strdown(ascii, -1);
}

/* Lower case by Unicode alone: g_utf8_strdown() depends on the locale. */
static char *lower(const char *text)
{
	if (g_str_is_ascii(text))
		return g_ascii_strdown(text, -1);
	g_autofree char *composed = g_utf8_normalize(text, -1, G_NORMALIZE_NFC);
	GString *folded = g_string_new(NULL);

	for (const char *p = composed; *p != '\0'; p = g_utf8_next_char(p))
		g_string_append_unichar(folded, g_unichar_tolower(g_utf8_get_char(p)));
	return g_string_free(folded, FALSE);
}

/* Could this local part stand without quotes (RFC 5321, Dot-string)? */
static gboolean is_dot_string(const char *local)
{
	gsize length = strlen(local);

	return length > 0 && local[0] != '.' && local[length - 1] != '.' &&
	       strstr(local, "..") == NULL && local[strcspn(local, SPECIALS)] == '\0';
}

/* The local part without quotes and backslashes if it can do without, else with the least. */
static char *fold_local(const char *address, const char *at)
{
	g_autofree char *given = g_strndup(address, (gsize)(at - address));
	g_autofree char *folded = lower(given);
	g_autoptr(GString) plain = g_string_new(NULL);
	GString *quoted;

	if (folded[0] != '"')
		return folded[strcspn(folded, SPECIALS)] == '\0' ? g_steal_pointer(&folded) : NULL;
	for (const char *p = folded + 1; p[1] != '\0'; p++) {
		if (*p == '\\')
			p++;
		g_string_append_c(plain, *p);
	}
	if (is_dot_string(plain->str))
		return g_strdup(plain->str);
	quoted = g_string_new("\"");
	for (const char *p = plain->str; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(quoted, '\\');
		g_string_append_c(quoted, *p);
	}
	g_string_append_c(quoted, '"');
	return g_string_free(quoted, FALSE);
}

char *address_fold(const char *address)
{
	g_autofree char *local = NULL;
	g_autofree char *domain = NULL;
	const char *at;

	if (address == NULL || strnlen(address, ADDRESS_MAX + 1) > ADDRESS_MAX ||
	    !g_utf8_validate(address, -1, NULL) || has_control(address))
		return NULL;
	at = find_at(address);
	if (at == NULL)
		return NULL;
	local = fold_local(address, at);
	domain = domain_fold(at + 1);
	if (local == NULL || domain == NULL)
		return NULL;
	return g_strconcat(local, "@", domain, NULL);
}

const char *address_domain(const char *address)
{
	const char *at = find_at(address);

	return at != NULL && at[1] != '\0' ? at + 1 : NULL;
}

gboolean address_equal(const char *a, const char *b)
{
	g_autofree char *folded_a = address_fold(a);
	g_autofree char *folded_b = address_fold(b);

	return folded_a != NULL && folded_b != NULL && strcmp(folded_a, folded_b) == 0;
}

gboolean address_spelled_alike(const char *a, const char *b)
{
	const char *at_a = find_at(a), *at_b = find_at(b);

	return at_a != NULL && at_b != NULL && at_a - a == at_b - b &&
	       strncmp(a, b, (size_t)(at_a - a)) == 0 && g_ascii_strcasecmp(at_a, at_b) == 0;
}

char *address_pattern_fold(const char *pattern, GError **error)
{
	g_autofree char *domain = NULL;
	char *folded = NULL;

	if (strchr(pattern, '@') != NULL)
		folded = address_fold(pattern);
	else if (!g_str_has_prefix(pattern, "*."))
		folded = domain_fold(pattern);
	else if ((domain = domain_fold(pattern + 2)) != NULL)
		folded = g_strconcat("*.", domain, NULL);
	if (folded == NULL)
		g_set_error(error, SEALPOST_ERROR, ERROR_BAD_ADDRESS,
			    "neither an address, a domain nor *.domain: \"%s\"", pattern);
	return folded;
}

char *address_without_tag(const char *address, char delimiter)
{
	const char *at = find_at(address);
	const char *tag;

	if (at == NULL || delimiter == '\0' || address[0] == '"')
		return NULL;
	tag = memchr(address, delimiter, (gsize)(at - address));
	if (tag == NULL || tag == address)
		return NULL;
	return g_strdup_printf("%.*s%s", (int)(tag - address), address, at);
}
