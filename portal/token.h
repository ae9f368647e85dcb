/* SPDX-License-Identifier: Apache-2.0
 *
 * Random tokens (URL-safe base64) for ids, sessions and forms, and the keyed hashes under which
 * they, and the digests of deposits, are kept.
 */
#ifndef SEALPOST_PORTAL_TOKEN_H
#define SEALPOST_PORTAL_TOKEN_H

#include "lib/base/secret.h"

#define TOKEN_BYTES 32
#define TOKEN_LENGTH 43 /* a token of TOKEN_BYTES in letters */
#define TOKEN_ID_LENGTH 22 /* a message's id: 16 bytes */

/* A token of TOKEN_BYTES random bytes; a shorter one that serves as a public id. New strings. */
char *token_new(void);
char *token_new_id(void);

/* A code that a person can remember from one window to the next: CODE_DIGITS random digits. It is no
 * secret that keeps anybody out, only something that programs do not fill in. */
#define CODE_DIGITS 6
char *token_new_code(void);
/* The digits of what a person typed ("123 456"). New string. */
char *token_digits(const char *text);

/* Are these length letters of URL-safe base64, and nothing else? */
gboolean token_is_valid(const char *text, gsize length);

/* Keyed hash (BLAKE2b) of two texts; purpose keeps uses of one key apart. 64 hex digits, new
 * string. */
char *token_mac(const Secret *key, const char *purpose, const char *first, const char *second);

/* Compared in constant time; FALSE if one is NULL. */
gboolean token_equal(const char *a, const char *b);

#endif
