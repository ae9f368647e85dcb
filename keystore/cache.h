/* SPDX-License-Identifier: Apache-2.0
 *
 * What a directory answered, for a while: keys (positive) and "no key" (negative) have times of
 * their own. Failures are never kept. Thread-safe.
 */
#ifndef SEALPOST_KEYSTORE_CACHE_H
#define SEALPOST_KEYSTORE_CACHE_H

#include "keystore/candidate.h"

/* Most addresses that are kept; when it is full, what ends first goes. */
#define CACHE_ENTRIES_MAX 20000

typedef struct Cache Cache;

/* Times in seconds; 0: that kind of answer is not kept. */
Cache *cache_new(gint64 positive, gint64 negative);
void cache_free(Cache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cache, cache_free)

/* Adds the candidates kept for an address (into: NULL if they are not wanted) and returns TRUE; FALSE
 * if nothing is known at that time (g_get_monotonic_time()). */
gboolean cache_get(Cache *cache, const char *address, gint64 now, GPtrArray *into);
/* Keeps an answer: the candidates from index first on. */
void cache_put(Cache *cache, const char *address, gint64 now, GPtrArray *candidates, guint first);

#endif
