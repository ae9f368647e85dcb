/* SPDX-License-Identifier: Apache-2.0
 *
 * Incoming mail, opened for one recipient layer by layer, with his keys and nobody else's. Only
 * the message's root, and what is the root of an opened layer, is a layer: an encrypted part beside
 * foreign ones stays shut, so that what was not encrypted can never surround what was (EFAIL).
 * Inline PGP is opened where nothing but a text's own words stand around it, and then apart.
 */
#ifndef SEALPOST_GATEWAY_OPEN_H
#define SEALPOST_GATEWAY_OPEN_H

#include "lib/crypt/pgp_open.h"

#include "gateway/opened.h"
#include "gateway/parse.h"

#define OPEN_DEPTH_MAX 8

/* One layer's work (open_smime.c, open_pgp.c). */
typedef struct {
	const Job *job;
	const char *recipient; /* whose message it is */
	GPtrArray *smime_keys; /* of KeyPair *: his; asked for when they are needed */
	GPtrArray *pgp_keys; /* of char *: fingerprints; the same */
	const char *from; /* the one address in From, folded; NULL if there is not one */
	KeyAnswer *sender; /* the keys of From; asked for when a signature needs them */
	GPtrArray *others; /* of KeyAnswer *: signers who are not the sender; NULL: none yet */
	Verifiers *verifiers;
	GPtrArray *
		lessons; /* of Lesson *: keys that came along; which of them signed is to be seen */
	guint tries; /* keys that came along and were looked at, whatever came of it */
	Opened *opened; /* grows */
	Spool *current; /* the entity whose root is looked at */
	MimeTree *tree; /* its parts */
	Layer layer; /* at its root, as parse_layer() says … */
	gboolean judged; /* … if it has been asked */
	gboolean loose; /* for OpenSignature */
	gboolean rest; /* the root is a multipart/signed, and some reader may see more than what is
			  signed */
	gboolean beside; /* other words, blocks or parts stand beside each block of inline PGP */
	const MimePart *part; /* the part beside others that is looked at; NULL: the root */
} OpenWork;

/* Opens the message, parsed before, for the owner of `recipient`. What stays shut is a result, also where it is more
 * work than there is time for (too-large); NULL is a failure of ours (ERROR_STORE, ERROR_TIMEOUT,
 * ERROR_CRYPTO, …): try again later. */
Opened *open_message(const Job *job, const Parsed *parsed, const char *recipient, GError **error);

/* Takes the root's layer off. *next gets the entity inside, to look at next (NULL: this is the
 * end); *replaces, whether it takes the message's place. FALSE with error: a failure of ours. */
typedef struct {
	Spool *next;
	gboolean replaces;
	gboolean last; /* *next is finished: nothing in it is looked at again */
} OpenStep;
gboolean open_smime(OpenWork *work, const MimePart *root, OpenStep *step, GError **error);
gboolean open_pgp(OpenWork *work, const MimePart *root, OpenStep *step, GError **error);
/* Where the root is no layer: S/MIME in a winmail.dat that is all there is to see, *next NULL if there is
 * none. */
gboolean open_tnef(OpenWork *work, OpenStep *step, GError **error);
/* Else: inline PGP in its texts, encrypted files, encrypted parts. */
gboolean open_inline(OpenWork *work, OpenStep *step, GError **error);

/* What calls itself a layer, but is not whole, or none: the reader is told why it stays as it came.
 * FALSE: nothing does. */
gboolean open_claimed(OpenWork *work);
/* May the root be such? By its type alone. */
gboolean open_has_claim(const MimeTree *tree);

/* At the end: signatures of parts beside others, at most this many, over their exact bytes. What
 * is delivered stays as it is. */
#define OPEN_PARTS_MAX 16
gboolean open_parts(OpenWork *work, GError **error);
/* Each winmail.dat with S/MIME in it that stayed shut, and that there is one that cannot be read. */
void open_tell_tnef(OpenWork *work);
/* May the tree have such parts? By their types alone. */
gboolean open_has_parts(const MimeTree *tree);
/* Does it hold a winmail.dat (TNEF) that is no ordinary message? By its first bytes, whatever it is
 * called. */
gboolean open_has_tnef(const MimeTree *tree);

/* Does the root's layer fill its entity to the very end, so that nothing can be put behind it? */
gboolean open_fills(const MimeTree *tree, Spool *entity);

/* For inline PGP (open_pgp.c). A ciphertext: a new layer of that kind, borrowed; if it opened, *plain
 * gets what was inside. NULL is a failure of ours. */
OpenLayer *open_pgp_message(OpenWork *work, const char *kind, Source *message, Spool **plain,
			    GError **error);
/* A text with its signature: array of PgpSignature *, empty if there is none; *plain gets what was
 * signed. */
GPtrArray *open_pgp_verify(OpenWork *work, Source *text, Spool **plain, GError **error);
/* Reports them; none at all is a broken one. */
void open_pgp_report(OpenWork *work, const GPtrArray *signatures);

/* May some reader see more in a multipart/signed than what is signed? Then that is not the whole:
 * nothing is unwrapped there. */
gboolean open_has_rest(const MimeTree *tree);
/* Of a multipart that stays as it came: do some programs show its source, and in it more than its parts?
 * Exchange shows it where no field calls it MIME. What takes the message's place gets the field. FALSE where
 * no part is found in it. */
gboolean open_shows_source(const OpenWork *work);

/* For all: what was found, with the part that is looked at. */
OpenLayer *open_add_layer(OpenWork *work, const char *kind);
OpenSignature *open_add_signature(OpenWork *work, const char *kind, const char *result);
/* Nobody signed what the reader sees: a signature that was verified is a bad one, whatever the key is
 * worth; another stays what it is. */
void open_call_bad(OpenSignature *signature);
/* Detached signatures, those found from here on: over which form of the content they hold. */
void open_set_form(OpenWork *work, guint from, gboolean with_crlf);
/* OpenPGP signatures (of PgpSignature *) over one text, each with whose it is. One that is bad makes all
 * bad that were verified: next to a forged one, a true one may have been lent. */
void open_report_pgp(OpenWork *work, const GPtrArray *signatures);
/* Where the key is not at hand: the store's that the signature names. *more: there are keys to
 * verify with once again. FALSE: the store failed. */
gboolean open_find_signers(OpenWork *work, const GPtrArray *signatures, gboolean *more,
			   GError **error);
/* The keys of the sender, asked for once. */
const Verifiers *open_verifiers(OpenWork *work, GError **error);
/* The recipient's private keys: as keystore_smime_openers(), keystore_pgp_openers(), asked for once. */
const GPtrArray *open_smime_keys(OpenWork *work, GError **error);
GPtrArray *open_pgp_keys(OpenWork *work, GError **error);
/* ERROR_TIMEOUT if the message's time is over. */
gboolean open_in_time(const OpenWork *work, GError **error);
/* Does the content of a multipart/signed take its place? Where the message is another one already, decrypted,
 * a report in it does: programs look for it at the root. */
gboolean open_takes_report(const OpenWork *work, const MimePart *content);
/* The part alone, as an entity of its own. */
Spool *open_copy_part(OpenWork *work, const MimePart *part, GError **error);
/* A part's content with its transfer encoding undone. */
Spool *open_decoded(OpenWork *work, const MimePart *part, GError **error);
/* An error about the message's bytes becomes the layer's reason and TRUE; others are ours. */
gboolean open_excuse(OpenLayer *layer, GError *failure, GError **error);

#endif
