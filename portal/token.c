/* SPDX-License-Identifier: Apache-2.0
 *
 * Random tokens and keyed hashes (see token.h).
 */
#include "portal/token.h"

#include <sodium.h>
#include <string.h>

#define ID_BYTES 16

static char *random_text(gsize size)
{
	guint8 bytes[TOKEN_BYTES];
	gsize length = sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = g_malloc(length);

	g_assert(size <= sizeof(bytes));
	randombytes_buf(bytes, size);
	sodium_bin2base64(text, length, bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
	return text;
}

char *token_new(void)
{
	return random_text(TOKEN_BYTES);
}

char *token_new_id(void)
{
	return random_text(ID_BYTES);
}

char *token_new_code(void)
{
	return g_strdup_printf("%0*u", CODE_DIGITS, randombytes_uniform(1000000));
}

char *token_digits(const char *text)
{
	GString *digits = g_string_new(NULL);

	for (; *text != '\0'; text++)
		if (g_ascii_isdigit(*text))
			g_string_append_c(digits, *text);
	return g_string_free(digits, FALSE);
}

gboolean token_is_valid(const char *text, gsize length)
{
	gsize i;

	for (i = 0; text[i] != '\0'; i++)
		if (i >= length || !(g_ascii_isalnum(text[i]) || text[i] == '-' || text[i] == '_'))
			return FALSE;
	return i == length;
}

/* Texts go in with their final NUL, so that "ab" + "c" and "a" + "bc" differ. */
static void hash_text(crypto_generichash_state *state, const char *text)
{
	crypto_generichash_update(state, (const guint8 *)text, strlen(text) + 1);
}

char *token_mac(const Secret *key, const char *purpose, const char *first, const char *second)
{
	crypto_generichash_state state;
	guint8 mac[crypto_generichash_BYTES];
	char *hex = g_malloc(sizeof(mac) * 2 + 1);

	crypto_generichash_init(&state, secret_bytes(key), secret_size(key), sizeof(mac));
	hash_text(&state, purpose);
	hash_text(&state, first);
	hash_text(&state, second);
	crypto_generichash_final(&state, mac, sizeof(mac));
	sodium_bin2hex(hex, sizeof(mac) * 2 + 1, mac, sizeof(mac));
	return hex;
}

gboolean token_equal(const char *a, const char *b)
{
	if (a == NULL || b == NULL || strlen(a) != strlen(b))
		return FALSE;
	return sodium_memcmp(a, b, strlen(a)) == 0;
}
