/* SPDX-License-Identifier: Apache-2.0
 *
 * What gpg-agent reads and writes. See pgpexpression.h.
 */
#include "lib/crypt/pgpexpression.h"

#include <string.h>

/* No number is longer: RSA with 16384 bits. */
#define NUMBER_MAX 2048

typedef struct {
	const guint8 *at;
	gsize left;
} Rest;

static gboolean take(Rest *rest, char wanted)
{
	if (rest->left == 0 || *rest->at != (guint8)wanted)
		return FALSE;
	rest->at++;
	rest->left--;
	return TRUE;
}

/* "5:eddsa" */
static gboolean take_atom(Rest *rest, PgpNumber *atom)
{
	gsize size = 0;
	gboolean any = FALSE;

	while (rest->left > 0 && g_ascii_isdigit(*rest->at) && size <= NUMBER_MAX) {
		size = size * 10 + (gsize)(*rest->at++ - '0');
		rest->left--;
		any = TRUE;
	}
	if (!any || !take(rest, ':') || size == 0 || size > NUMBER_MAX || size > rest->left)
		return FALSE;
	*atom = (PgpNumber){rest->at, size};
	rest->at += size;
	rest->left -= size;
	return TRUE;
}

static gboolean take_word(Rest *rest, const char *word)
{
	PgpNumber atom;

	return take(rest, '(') && take_atom(rest, &atom) && atom.size == strlen(word) &&
	       memcmp(atom.bytes, word, atom.size) == 0;
}

gboolean pgp_expression_read(const guint8 *expression, gsize size, const char *algorithm,
			     const char *const *names, PgpNumber *numbers)
{
	Rest rest = {expression, size};

	if (!take_word(&rest, "sig-val") || !take_word(&rest, algorithm))
		return FALSE;
	for (gsize i = 0; names[i]; i++)
		if (!take_word(&rest, names[i]) || !take_atom(&rest, &numbers[i]) ||
		    !take(&rest, ')'))
			return FALSE;
	return take(&rest, ')') && take(&rest, ')') && rest.left == 0;
}

/* The agent puts a NUL behind it. */
gboolean pgp_expression_value(const guint8 *expression, gsize size, PgpNumber *value)
{
	Rest rest = {expression, size};

	return take_word(&rest, "value") && take_atom(&rest, value) && take(&rest, ')') &&
	       (rest.left == 0 || (rest.left == 1 && *rest.at == 0));
}

static void append_atom(GByteArray *bytes, const void *atom, gsize size)
{
	char length[24];

	g_snprintf(length, sizeof(length), "%" G_GSIZE_FORMAT ":", size);
	g_byte_array_append(bytes, (const guint8 *)length, (guint)strlen(length));
	g_byte_array_append(bytes, atom, (guint)size);
}

static void append_text(GByteArray *bytes, const char *text)
{
	g_byte_array_append(bytes, (const guint8 *)text, (guint)strlen(text));
}

/* A number with the sign's place free, else it would be negative. */
static void append_number(GByteArray *bytes, const PgpNumber *number)
{
	g_autofree guint8 *copy = g_malloc(number->size + 1);
	gsize sign = number->size > 0 && (number->bytes[0] & 0x80) ? 1 : 0;

	copy[0] = 0;
	memcpy(copy + sign, number->bytes, number->size);
	append_atom(bytes, copy, number->size + sign);
}

GBytes *pgp_expression_sealed(const char *algorithm, const PgpNamed *numbers, gsize count)
{
	GByteArray *bytes = g_byte_array_new();

	append_text(bytes, "(7:enc-val(");
	append_atom(bytes, algorithm, strlen(algorithm));
	for (gsize i = 0; i < count; i++) {
		append_text(bytes, "(");
		append_atom(bytes, numbers[i].name, strlen(numbers[i].name));
		append_number(bytes, &numbers[i].number);
		append_text(bytes, ")");
	}
	append_text(bytes, "))");
	return g_byte_array_free_to_bytes(bytes);
}
