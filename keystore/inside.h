/* SPDX-License-Identifier: Apache-2.0
 *
 * What the keystore's own files share, and what `sealpost key` may see of it beyond keystore.h:
 * the store and what is trusted.
 */
#ifndef SEALPOST_KEYSTORE_INSIDE_H
#define SEALPOST_KEYSTORE_INSIDE_H

#include "lib/base/kept.h"

#include "keystore/source.h"
#include "keystore/store.h"
#include "keystore/trust.h"

typedef struct LookupPool LookupPool;
typedef struct SignerCache SignerCache;

/* [learn] of the configuration. */
typedef enum { LEARN_MODE_OFF, LEARN_MODE_APPROVED, LEARN_MODE_USE } LearnMode;
/* Why a learned key is not used where it would do. */
#define KEY_NOT_APPROVED "not-approved"

struct Keystore {
	Conf *conf;
	Store *store;
	GPtrArray *sources; /* of KeySource *, in the order of asking */
	GPtrArray *system_roots; /* of Cert *; NULL: none */
	char tag_delimiter; /* of user+tag@domain; NUL: none */
	LookupPool *pool;
	SignerCache *signers;
	Kept *unlocked; /* fingerprint -> PrivateKey * */
	LearnMode learn_mode;
	GThreadPool *learner; /* learn.c */
	gint learner_closing;
	gboolean learner_gave_up; /* its thread's own */

	GMutex lock; /* guards the three below */
	GHashTable *carried; /* lesson.c: digest -> Candidate (NULL: gpg does not take it) */
	Trust *trust;
	gint64 trust_generation; /* of the store, when trust was made */
};

/* What is trusted now: made anew when the store has changed. NULL: the store failed. *generation
 * (may be NULL) is the store's that it belongs to. */
Trust *keystore_trust(Keystore *keystore, gint64 *generation, GError **error);

/* Asks all sources, in this thread, for a folded address; among its keys those stand first that name it
 * as it is spelled here. Never NULL. */
KeyAnswer *keystore_ask(Keystore *keystore, const char *address, const char *spelled);
/* user@domain of user+tag@domain; NULL if there is no tag. New string. */
char *keystore_base(const Keystore *keystore, const char *address);

/* key.c */
Key *key_from_candidate(const Candidate *candidate, const char *source, const char *reason);
/* Does the administrator or a directory say that this key is the address's, be it that it cannot be
 * used now? Learned keys are not vouched for, unless they were approved. */
gboolean key_is_vouched(const Key *key);
KeyAnswer *key_answer_new(const char *address);
KeyAnswer *key_answer_copy(const KeyAnswer *answer);

/* lookup.c */
LookupPool *lookup_pool_new(Keystore *keystore, int threads, GError **error);
void lookup_pool_free(LookupPool *pool); /* waits for what is under way */

/* learn.c */
gboolean learner_open(Keystore *keystore, GError **error);
void learner_close(Keystore *keystore); /* waits for what is under way */

/* signer.c */
SignerCache *signer_cache_new(void);
void signer_cache_free(SignerCache *cache);

/* incoming.c: own private keys for S/MIME that opened mail lately. */
Kept *unlocked_new(void);

#endif
