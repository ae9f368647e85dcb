/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning keys from signed mail. The gateway brings what it saw: a valid signature of the From
 * address, and the keys that came with it. Here it is decided whether the store takes them, and
 * later, on a thread of its own, written: no message waits for it or fails because of it.
 *
 * A key that an administrator or a directory vouches for is never replaced, another key for an
 * address that has a learned one is kept aside, and nobody can bring more than the limits allow.
 */
#ifndef SEALPOST_KEYSTORE_LEARN_H
#define SEALPOST_KEYSTORE_LEARN_H

#include "keystore/keystore.h"

/* Most keys of each type that are kept for one address, in whatever state. */
#define LEARN_PER_ADDRESS 5
/* Larger certificates, and longer chains, are not learned. */
#define LEARN_CERT_MAX (16 * 1024)
#define LEARN_CHAIN_MAX 5
/* Most lessons that wait for being written; what comes then is lost (and comes again). */
#define LEARN_QUEUE_MAX 200

typedef enum {
	LEARN_KNOWN, /* is there already */
	LEARN_NEW, /* the first one of the address */
	LEARN_UPDATED, /* another form of one that is there: longer valid, revoked, … */
	LEARN_CHANGED, /* another key than the one that is there: kept aside */
	LEARN_VOUCHED, /* an administrator or a directory has one: not taken */
	LEARN_REJECTED, /* an administrator did not want it: not taken */
	LEARN_LIMIT, /* too many: not taken */
} LearnResult;
const char *learn_result_name(LearnResult result); /* "known", "new", … */

/* What may be learned from one message about one key. */
typedef struct Lesson Lesson;
void lesson_free(Lesson *lesson);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lesson, lesson_free)
KeyType lesson_type(const Lesson *lesson);
const char *lesson_id(const Lesson *lesson); /* fingerprint; borrowed, as the next two */
const char *lesson_address(const Lesson *lesson);
const char *lesson_origin(const Lesson *lesson);
LearnResult lesson_result(const Lesson *lesson);
/* The OpenPGP key as GnuPG cleaned it; NULL if it was not taken. Borrowed. */
GBytes *lesson_pgp(const Lesson *lesson);

/* Does this installation learn? */
gboolean keystore_learns(const Keystore *keystore);

/* From a good S/MIME signature of the address that `sender` is the answer for: the certificate to
 * encrypt with (the preferred one, the signer's own, or another of his among certs), if it may be
 * used, with what his program opens. NULL: there is none (error unset), or the store failed. */
typedef struct {
	Cert *signer;
	Cert *preferred; /* may be NULL */
	GPtrArray *certs; /* of Cert *: that came along */
	guint capabilities; /* CmsCapability */
	gint64 signed_at; /* as the signer claims; 0: he does not. What is older than the newest
			     known (mail that is late, or sent again) tells no capabilities */
} SmimeEvidence;
Lesson *keystore_lesson_smime(Keystore *keystore, const KeyAnswer *sender,
			      const SmimeEvidence *evidence, GError **error);

/* An OpenPGP key that came along with mail of that address. Whoever learns it must have verified the
 * message's signature with it. NULL: not this one (error unset), the store failed, or gpg did. */
typedef struct {
	const PgpCarried *carried;
	const char *origin; /* static: "autocrypt", "attached", "text"; the last two count only if
			       the key names the address */
	gint64 deadline; /* for gpg; g_get_monotonic_time() */
} PgpEvidence;
Lesson *keystore_lesson_pgp(Keystore *keystore, const KeyAnswer *sender,
			    const PgpEvidence *evidence, GError **error);

/* A learned OpenPGP key that verified mail without having come along: it is still in use. NULL: it
 * is no learned one (error unset), or the store failed. */
Lesson *keystore_lesson_seen(Keystore *keystore, const KeyAnswer *sender, const char *id,
			     GError **error);

/* Called on the learning thread when a lesson was written (error NULL) or could not be. */
typedef void (*LearnReport)(const Lesson *lesson, const GError *error);
/* Hands the lesson over (takes it); returns at once. One with nothing to write is dropped silently. */
void keystore_learn(Keystore *keystore, Lesson *lesson, LearnReport report);

#endif
