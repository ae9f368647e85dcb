/* SPDX-License-Identifier: Apache-2.0
 *
 * What a source has for an address, before anyone judged it: a certificate or an OpenPGP key, or
 * bytes that should have been one. Immutable once handed out, counted: a cache and several answers
 * share it.
 */
#ifndef SEALPOST_KEYSTORE_CANDIDATE_H
#define SEALPOST_KEYSTORE_CANDIDATE_H

#include "keystore/keystore.h"

/* What became of a key that was learned from mail (learned.h). Numbers as they are stored. */
typedef enum {
	LEARNED_NOT, /* it was not learned: a store's or directory's */
	LEARNED_USED, /* used, as far as that is allowed */
	LEARNED_CHANGED, /* another one than the first: kept aside until an administrator decides */
	LEARNED_APPROVED, /* by an administrator: as good as his own */
	LEARNED_REJECTED, /* by an administrator: never used, never learned again */
} LearnedState;
const char *learned_state_name(LearnedState state); /* "learned", "changed", … */

typedef struct {
	gint refs;
	KeyType type;
	char *id; /* fingerprint; of malformed ones the SHA-256 of the bytes */
	Cert *cert; /* KEY_SMIME; NULL: malformed */
	PgpKey *pgp; /* KEY_PGP, without its secret part; NULL: malformed */
	GPtrArray *extra; /* of Cert *: intermediates that came along; may be NULL */
	gboolean bound; /* the administrator bound it to the address that was asked for */
	gboolean trusted; /* a root, or trusted by itself (store only) */
	gboolean secret; /* the store has its private key */
	LearnedState learned;
} Candidate;

Candidate *candidate_new_cert(Cert *cert); /* takes a reference */
Candidate *candidate_new_pgp(PgpKey *pgp); /* takes the key; its secret part is wiped */
Candidate *candidate_new_malformed(KeyType type, GBytes *bytes);
Candidate *candidate_ref(Candidate *candidate);
void candidate_unref(Candidate *candidate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Candidate, candidate_unref)

/* A new array that owns a reference to each of its elements. */
GPtrArray *candidate_array_new(void);

/* Whether it says itself that it belongs to a folded address. */
gboolean candidate_names(const Candidate *candidate, const char *address);
/* Whether it spells an address just so (address_spelled_alike()). */
gboolean candidate_spells(const Candidate *candidate, const char *address);
/* The addresses that it names; NULL-terminated, borrowed, may be empty. */
const char *const *candidate_addresses(const Candidate *candidate);
/* When it was made, for ranking, and when it ends (0: never). */
gint64 candidate_since(const Candidate *candidate);
gint64 candidate_until(const Candidate *candidate);

#endif
