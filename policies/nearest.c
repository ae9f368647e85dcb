/* SPDX-License-Identifier: Apache-2.0
 *
 * Suggestions: see nearest.h. The distance is Damerau's and Levenshtein's, restricted to one swap
 * per pair of letters ("optimal string alignment").
 */
#include "policies/nearest.h"

#include <string.h>

#define SLIPS_MAX 3

static guint minimum(guint a, guint b, guint c)
{
	return MIN(MIN(a, b), c);
}

guint nearest_distance(const char *a, const char *b)
{
	/* Three lines of the table: the one before the last, the last, and this one. */
	guint lines[3][NEAREST_WORD_MAX + 1];
	gsize length_a = strlen(a);
	gsize length_b = strlen(b);

	if (length_a > NEAREST_WORD_MAX || length_b > NEAREST_WORD_MAX)
		return G_MAXUINT;
	for (gsize j = 0; j <= length_b; j++)
		lines[0][j] = (guint)j;
	for (gsize i = 1; i <= length_a; i++) {
		guint *this = lines[i % 3];
		const guint *last = lines[(i + 2) % 3];
		const guint *before = lines[(i + 1) % 3];

		this[0] = (guint)i;
		for (gsize j = 1; j <= length_b; j++) {
			char from = g_ascii_tolower(a[i - 1]);
			char to = g_ascii_tolower(b[j - 1]);

			this[j] = minimum(last[j] + 1, this[j - 1] + 1,
					  last[j - 1] + (from == to ? 0 : 1));
			if (i > 1 && j > 1 && from == g_ascii_tolower(b[j - 2]) &&
			    g_ascii_tolower(a[i - 2]) == to)
				this[j] = MIN(this[j], before[j - 2] + 1);
		}
	}
	return lines[length_a % 3][length_b];
}

const char *nearest_word(const char *word, const char *const *candidates, gsize count)
{
	guint best = MIN(1 + (guint)strlen(word) / 3, SLIPS_MAX) + 1;
	const char *nearest = NULL;

	for (gsize i = 0; i < count; i++) {
		guint distance = nearest_distance(word, candidates[i]);

		if (distance < best) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}
