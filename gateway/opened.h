/* SPDX-License-Identifier: Apache-2.0
 *
 * What was found when a message that came in was opened: layers and signatures from outside in,
 * each reported as what it is, and the entity inside. A value: made by open.c, shown by annotate.c
 * and explain.
 */
#ifndef SEALPOST_GATEWAY_OPENED_H
#define SEALPOST_GATEWAY_OPENED_H

#include "keystore/learn.h"
#include "lib/mail/headers.h"
#include "lib/mail/spool.h"

typedef struct {
	char *part; /* where: "1" is the root of what the layer outside of it held */
	gboolean partial; /* a part beside others, not all that the reader sees */
	const char *kind; /* "smime-encrypted", "pgp-signed", …; static */
	gboolean opened;
	gboolean
		unread; /* what calls itself a layer, but cannot be read as one: no key was tried */
	const char *reason; /* why not: "no-key", "damaged", "no-integrity", "too-deep", "too-large"
			       (in bytes, or in work), "foreign-part" (beside what was not encrypted);
			       NULL if opened. Static. */
	char *algorithm; /* NULL if not known */
	char *key; /* fingerprint of the key that opened it; NULL if none did */
	char *sha256; /* of the bytes inside, as the cipher gave them; NULL if shut */
} OpenLayer;

typedef struct {
	char *part; /* as in OpenLayer */
	gboolean partial;
	const char *kind; /* "smime", "pgp"; static */
	const char *result; /* "good", "untrusted", …; static */
	char *signer; /* address; NULL if not known */
	const char *form; /* of a detached one that holds: "raw" over the bytes as they are, "crlf"
			     over their CRLF form; else NULL. Static. */
	gboolean matches_from; /* FALSE for a bad one: nobody signed it */
	gboolean outside; /* over a ciphertext that was opened: its signer need not know the text */
	gboolean loose; /* inside a cipher without protection against change, with room beside what
			   it covers: see demands.h */
	char *key; /* fingerprint or key id; NULL if not known */
} OpenSignature;

typedef struct {
	grefcount references;
	GPtrArray *layers; /* of OpenLayer * */
	GPtrArray *signatures; /* of OpenSignature * */
	GPtrArray *warnings; /* of const char *, static words */
	char *subject; /* that was protected, decoded; NULL: the outer one stays */
	Headers *restored; /* other fields that take the place of outer ones (headrestore.h) */
	GPtrArray *lessons; /* of Lesson *: keys that it proves, see lessons.h */
	Spool *entity; /* what replaces the message's content; NULL: it stays as it came */
	gboolean unread; /* a part was not looked into that may hold something */
	gboolean decrypted; /* a private key was used */
	gboolean changeable; /* ... and the last cipher does not protect against change (CBC) */
} Opened;

Opened *opened_new(void);
Opened *opened_ref(Opened *opened); /* for recipients of whom the same holds */
void opened_free(Opened *opened); /* with the last reference */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Opened, opened_free)

/* Of the root; open_add_layer() and open_add_signature() are for parts, too. */
OpenLayer *opened_add_layer(Opened *opened, const char *kind);
OpenSignature *opened_add_signature(Opened *opened, const char *kind, const char *result);
void opened_warn(Opened *opened, const char *warning);
/* It was not looked into: why the MIME parser gave it up, or NULL where it is over message_limit. */
void opened_warn_unread(Opened *opened, const GError *failure);

/* A cipher was opened: signatures so far are outside of it. */
void opened_decrypted(Opened *opened, gboolean changeable);
/* A signature that holds, over all that the reader sees. */
gboolean opened_covers(const OpenSignature *signature);
/* The last words, when all layers are known: what the cipher does not protect, a good signature
 * inside does; without one the reader is warned. So he is where only a part is signed, or only the
 * ciphertext. */
void opened_conclude(Opened *opened);
/* Was any layer an encrypted one, opened or shut? */
gboolean opened_met_encryption(const Opened *opened);
/* Nothing was found that concerns us. */
gboolean opened_is_plain(const Opened *opened);
/* The names of the header fields that were restored, each once. New vector. */
char **opened_restored(const Opened *opened);
/* The same for recipients who may share a copy. New string. */
char *opened_key(const Opened *opened, GError **error);

#endif
