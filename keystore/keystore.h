/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and certificates: whose, from where, how far trusted. One question for the gateway: which
 * keys may be used now for this address, best first, and why not the others? Sources are asked in
 * order: the own store, then each directory. "No key" and "could not look" are different answers.
 * All functions may be called by any thread.
 */
#ifndef SEALPOST_KEYSTORE_KEYSTORE_H
#define SEALPOST_KEYSTORE_KEYSTORE_H

#include "lib/base/conf.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/x509.h"

/* Most keys that are looked at for one address, in all sources. */
#define KEYSTORE_KEYS_MAX 50

typedef struct Keystore Keystore;

/* Makes the empty store of a new installation; one that exists is left as it is. */
gboolean keystore_create(const Conf *conf, GError **error);

/* Opens the store (which must exist: a wrong path must not look like "no key"), reads the master
 * key, prepares the directories of the configuration (no connection yet). */
Keystore *keystore_open(const Conf *conf, GError **error);
void keystore_close(Keystore *keystore);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keystore, keystore_close)

typedef enum { KEY_SMIME, KEY_PGP } KeyType;
const char *key_type_name(KeyType type); /* "smime", "pgp" */

typedef struct {
	KeyType type;
	char *id; /* fingerprint: SHA-256 of the certificate, or of the OpenPGP key */
	char *source; /* "store", "ldap main", … */
	gboolean usable;
	const char
		*reason; /* why not: "expired", "revoked", "untrusted", "wrong-usage", "weak-key",
			       "address-mismatch", "malformed", …; of learned keys also "changed",
			       "other-key", "not-approved", "lookup-failed"; NULL if usable.
			       Static. */
	gboolean first_contact; /* nobody but the key's first message speaks for it: it was learned
				   and no administrator has approved it */
	char *base; /* user@domain, where user+tag@domain was asked for and it is of the former: NULL
		       if it is of the address itself */
	guint capabilities; /* KEY_SMIME: CmsCapability flags that the owner has named */
	Cert *cert; /* KEY_SMIME; NULL if malformed */
	GBytes *pgp; /* KEY_PGP: the public key; NULL if malformed */
	char **pgp_encryption_ids;
} Key;
void key_free(Key *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Key, key_free)

/* The answer for one address: usable keys first, best first; then the others with their reasons.
 * failure: set if a source could not be asked (ERROR_LOOKUP, ERROR_STORE, ERROR_TIMEOUT): then
 * the answer holds what the other sources said and more keys may exist. */
typedef struct {
	char *address; /* folded */
	GPtrArray *keys; /* of Key * */
	GError *failure;
} KeyAnswer;
void key_answer_free(KeyAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyAnswer, key_answer_free)
/* The best usable key of a type; NULL if none. Borrowed. */
const Key *key_answer_best(const KeyAnswer *answer, KeyType type);

/* Learned keys that only wait for approval become usable: a rule says that it does without. */
void key_answer_take_learned(KeyAnswer *answer);

/* A look-up in the background, for an address in any spelling: starts at once on a thread of the keystore's pool (equal questions
 * under way are shared), is waited for until deadline (g_get_monotonic_time()); too late is an
 * answer with failure ERROR_TIMEOUT, and the search goes on for the cache. Wait may be called
 * again and gives the same answer (a new copy each). Dropping a look-up is fine at any time. */
typedef struct KeyLookup KeyLookup;
KeyLookup *keystore_lookup(Keystore *keystore, const char *address);
KeyAnswer *key_lookup_wait(KeyLookup *lookup, gint64 deadline);
/* The answer to a question that there was no time to ask: ERROR_TIMEOUT. */
KeyAnswer *key_answer_late(const char *address);
void key_lookup_free(KeyLookup *lookup);
/* Can the look-up of a (folded) address be answered from the own store and from memory? Then it is
 * done where it is asked for, and need not be started beforehand. */
gboolean keystore_is_at_hand(Keystore *keystore, const char *address);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyLookup, key_lookup_free)

/* What we sign with for an own address: the best valid certificate with a private key, its chain
 * below the root. NULL: none (error unset; *reason, static, tells why if there was one that may not be
 * used) or failure (error set). */
typedef struct {
	Cert *cert;
	PrivateKey *key;
	GPtrArray *chain; /* of Cert * */
} SmimeSigner;
void smime_signer_free(SmimeSigner *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SmimeSigner, smime_signer_free)
SmimeSigner *keystore_smime_signer(Keystore *keystore, const char *address, const char **reason,
				   GError **error);
/* Where own OpenPGP keys are brought to, and by when. */
typedef struct {
	PgpHome *home;
	gint64 deadline; /* g_get_monotonic_time(); 0: 60 s for each run of gpg */
} PgpDelivery;
/* The same for OpenPGP: the fingerprint, its secret key brought there. New string. */
char *keystore_pgp_signer(Keystore *keystore, const char *address, const PgpDelivery *to,
			  const char **reason, GError **error);

/* Takes secret keys out of home that the store does not have any more (`sealpost key delete`).
 * FALSE: the store failed. */
gboolean keystore_forget_deleted(Keystore *keystore, PgpHome *home, GError **error);

/* What may open mail that came for an own address: all its private keys, expired and revoked ones
 * too, newest first. Those of user@domain serve user+tag@domain, as in look-ups; then those that are
 * bound to "@domain": domain keys. Nobody else's. */
typedef struct {
	Cert *cert;
	PrivateKey *key;
} KeyPair;
/* Array of KeyPair *; NULL with error set if the store failed. */
GPtrArray *keystore_smime_openers(Keystore *keystore, const char *address, GError **error);
/* Array of char *: fingerprints of secret keys, brought there. */
GPtrArray *keystore_pgp_openers(Keystore *keystore, const char *address, const PgpDelivery *to,
				GError **error);

/* What the signatures of a sender are verified with: what is trusted, the intermediates that we
 * know, and the sender's own certificates and OpenPGP keys, usable or not. */
typedef struct {
	TrustStore *anchors;
	GPtrArray *certs; /* of Cert * */
	GPtrArray *pgp; /* of GBytes *: public keys */
} Verifiers;
void verifiers_free(Verifiers *verifiers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Verifiers, verifiers_free)
/* sender: the answer to a look-up of the sender's address, from key_lookup_wait(); NULL: of none. */
Verifiers *keystore_verifiers(Keystore *keystore, const KeyAnswer *sender, GError **error);

/* Whose key a signature names: an address of the own store's OpenPGP key with that fingerprint or
 * key id (16 hex digits; not those of subkeys). NULL: none, or the store failed (error set). New
 * string. */
char *keystore_pgp_owner(Keystore *keystore, const char *id, GError **error);

#endif
