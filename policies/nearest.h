/* SPDX-License-Identifier: Apache-2.0
 *
 * "Did you mean …?": the known word that a mistyped one is nearest to.
 */
#ifndef SEALPOST_POLICIES_NEAREST_H
#define SEALPOST_POLICIES_NEAREST_H

#include <glib.h>

/* Longer words get no suggestion. */
#define NEAREST_WORD_MAX 64

/* How many letters must be changed, added, left out or swapped with their neighbour to make one
 * word of the other, small and capital letters being the same. */
guint nearest_distance(const char *a, const char *b);

/* The candidate nearest to the word, if it is near enough to be meant: one slip, and one more for
 * each three letters, three at most. The first of equally near ones. NULL if there is none; else
 * borrowed. */
const char *nearest_word(const char *word, const char *const *candidates, gsize count);

#endif
