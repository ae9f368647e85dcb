/* SPDX-License-Identifier: Apache-2.0
 *
 * The Autocrypt header field. See autocrypt.h.
 */
#include "lib/mail/autocrypt.h"

#include <string.h>

#include "lib/mail/address.h"

/* The attributes that count, as they stand in the value; NULL: not there. */
typedef struct {
	char *addr;
	char *keydata;
} Attributes;

static void attributes_clear(Attributes *attributes)
{
	g_free(attributes->addr);
	g_free(attributes->keydata);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Attributes, attributes_clear)

/* Takes one "name=value". FALSE: the field is not valid. What the sender prefers changes nothing:
 * here the policy says what is encrypted. */
static gboolean take_attribute(Attributes *attributes, const char *text)
{
	const char *equals = strchr(text, '=');
	char **place = NULL;

	if (equals == NULL)
		return FALSE;
	g_autofree char *name = g_strndup(text, (gsize)(equals - text));

	g_strstrip(name);
	if (g_ascii_strcasecmp(name, "addr") == 0)
		place = &attributes->addr;
	else if (g_ascii_strcasecmp(name, "keydata") == 0)
		place = &attributes->keydata;
	else
		return *name == '_' || g_ascii_strcasecmp(name, "prefer-encrypt") == 0;
	if (*place != NULL)
		return FALSE;
	*place = g_strstrip(g_strdup(equals + 1));
	return TRUE;
}

static gboolean take_attributes(Attributes *attributes, const char *value)
{
	g_auto(GStrv) pieces = g_strsplit(value, ";", -1);

	for (char **piece = pieces; *piece != NULL; piece++) {
		g_strstrip(*piece);
		/* A semicolon at the end is no attribute. */
		if (**piece == '\0' ? piece[1] != NULL : !take_attribute(attributes, *piece))
			return FALSE;
	}
	return attributes->addr != NULL && attributes->keydata != NULL;
}

/* Base64 with white space anywhere in it (RFC 4648, section 4); NULL if it is anything else. */
static GBytes *decode(const char *text)
{
	g_autoptr(GString) digits = g_string_new(NULL);
	gsize padding = 0, size;

	for (const char *at = text; *at != '\0'; at++) {
		if (g_ascii_isspace(*at))
			continue;
		padding += *at == '=';
		if (*at == '=' ? padding > 2
			       : padding > 0 || !(g_ascii_isalnum(*at) || strchr("+/", *at)))
			return NULL;
		g_string_append_c(digits, *at);
	}
	if (digits->len == 0 || digits->len % 4 != 0)
		return NULL;
	guchar *bytes = g_base64_decode(digits->str, &size);

	return g_bytes_new_take(bytes, size);
}

GBytes *autocrypt_parse(const char *value, const char *address)
{
	g_auto(Attributes) attributes = {NULL, NULL};

	if (strlen(value) > AUTOCRYPT_MAX || !take_attributes(&attributes, value))
		return NULL;
	g_autofree char *folded = address_fold(attributes.addr);

	return g_strcmp0(folded, address) == 0 ? decode(attributes.keydata) : NULL;
}

GBytes *autocrypt_key(const Headers *headers, const char *address)
{
	g_autoptr(GBytes) found = NULL;

	for (guint i = 0; i < headers_count(headers); i++) {
		const Header *header = headers_at(headers, i);

		if (g_ascii_strcasecmp(header->name, "Autocrypt") != 0)
			continue;
		g_autoptr(GBytes) key = autocrypt_parse(header->value, address);

		if (key != NULL && found != NULL)
			return NULL;
		if (key != NULL)
			found = g_steal_pointer(&key);
	}
	return g_steal_pointer(&found);
}
