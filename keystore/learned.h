/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of keys that were learned from mail, apart from the administrator's own: one row for
 * each key and address. What may be learned is decided in learn.c; here it is written and read.
 */
#ifndef SEALPOST_KEYSTORE_LEARNED_H
#define SEALPOST_KEYSTORE_LEARNED_H

#include "keystore/store.h"

typedef struct {
	char *address; /* folded: who signed with it */
	char *origin; /* "signature", "autocrypt", "attached", "text" */
	gint64 first, seen; /* seconds since 1970; seen: to the day */
	char *digest; /* OpenPGP: SHA-256 of the form that came last; NULL for certificates */
	LearnedState state;
	Candidate *candidate; /* its intermediates in `extra`; what was read has the state, too */
} Learned;
void learned_free(Learned *learned);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Learned, learned_free)

/* The rows of an address (NULL: all), or those of the key whose fingerprint begins so (any case;
 * ERROR_USAGE as store_get() has it). Array of Learned *, in the order of their first day. */
GPtrArray *learned_list(Store *store, const char *address, GError **error);
GPtrArray *learned_of(Store *store, const char *prefix, GError **error);

/* Inside of a transaction of the caller's (db_begin): writes a row, in place of the one of that key
 * and address; and how many came since a time, from one domain (NULL: from anybody). */
gboolean learned_put(Store *store, const Learned *learned, GError **error);
gboolean learned_count(Store *store, const char *domain, gint64 since, gint64 *count,
		       GError **error);

/* Decides about the key whose fingerprint begins so: approves it for the one address that it was
 * learned for, or for this one of several (folded; NULL with several is ERROR_USAGE, with their
 * list), or rejects it for all. The rows as they were before; errors as learned_of() has them. */
GPtrArray *learned_approve(Store *store, const char *prefix, const char *address, GError **error);
GPtrArray *learned_reject(Store *store, const char *prefix, GError **error);
/* Did the administrator reject that key (a whole fingerprint), for whatever address? */
gboolean learned_is_rejected(Store *store, const char *id, gboolean *rejected, GError **error);
/* Forgets a key as if it had never come. */
gboolean learned_forget(Store *store, const char *id, GError **error);
/* Forgets those that nobody decided about and that were not seen since, and what was said about
 * programs before that. */
gboolean learned_expire(Store *store, gint64 seen, GError **error);

/* What the owner of a certificate, wherever it is from, last said that his program opens
 * (CmsCapability flags), and when he signed that; both 0 if nothing is known. */
gboolean learned_capabilities(Store *store, const char *id, guint *flags, gint64 *signed_at,
			      GError **error);
gboolean learned_put_capabilities(Store *store, const char *id, guint flags, gint64 signed_at,
				  GError **error);

#endif
