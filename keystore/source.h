/* SPDX-License-Identifier: Apache-2.0
 *
 * Where keys come from: a table of sources that are asked in order. The own store is the first,
 * then each directory of the configuration.
 */
#ifndef SEALPOST_KEYSTORE_SOURCE_H
#define SEALPOST_KEYSTORE_SOURCE_H

#include "keystore/candidate.h"

typedef struct {
	char *name; /* "store", "ldap main" */
	void *self; /* owned; freed by free() */
	/* Adds what it has for a folded address to an array of Candidate *. FALSE: it could not
	 * look (ERROR_LOOKUP, ERROR_STORE); the array is as before then. The error's text does not
	 * hold the address. Called by several threads at once. */
	gboolean (*ask)(void *self, const char *address, GPtrArray *into, GError **error);
	/* Does it answer from memory, without asking anybody over the network? NULL: always. */
	gboolean (*knows)(void *self, const char *address);
	void (*free)(void *self); /* may be NULL */
} KeySource;

void key_source_free(KeySource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeySource, key_source_free)

#endif
