/* SPDX-License-Identifier: Apache-2.0
 *
 * A signature's S-expression. See pgpexpression.h.
 */
#include "lib/crypt/pgpexpression.h"

#include <string.h>

/* No number of a signature is longer: RSA with 16384 bits. */
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
