/* SPDX-License-Identifier: Apache-2.0
 *
 * The canonical S-expressions in which gpg-agent takes a ciphertext, and hands out a signature or what
 * was encrypted. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPEXPRESSION_H
#define SEALPOST_LIB_CRYPT_PGPEXPRESSION_H

#include <glib.h>

/* Points into the expression. */
typedef struct {
	const guint8 *bytes;
	gsize size;
} PgpNumber;

/* Reads "(7:sig-val(3:rsa(1:s…)))": the wanted numbers of that algorithm (names end with NULL), in
 * their order and no others. FALSE: it is anything else. */
gboolean pgp_expression_read(const guint8 *expression, gsize size, const char *algorithm,
			     const char *const *names, PgpNumber *numbers);
/* Reads "(5:value…)". FALSE: it is anything else. */
gboolean pgp_expression_value(const guint8 *expression, gsize size, PgpNumber *value);
/* Makes "(7:enc-val(3:rsa(1:a…)))" of an algorithm's name and its numbers, each with its name. New. */
typedef struct {
	const char *name;
	PgpNumber number;
} PgpNamed;
GBytes *pgp_expression_sealed(const char *algorithm, const PgpNamed *numbers, gsize count);

#endif
