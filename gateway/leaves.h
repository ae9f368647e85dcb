/* SPDX-License-Identifier: Apache-2.0
 *
 * The leaves of a message that is no layer as a whole: which of them are inline PGP, encrypted
 * files or encrypted parts, and which are foreign to these. Decided by content; nothing is opened.
 */
#ifndef SEALPOST_GATEWAY_LEAVES_H
#define SEALPOST_GATEWAY_LEAVES_H

#include "lib/crypt/pgptext.h"
#include "lib/mail/mime.h"

/* Most blocks and encrypted files that a message may have; what is over it is foreign. */
#define LEAVES_SEALED_MAX 16

typedef enum {
	LEAF_FOREIGN, /* anything else: a text, an image, a signed part, an attached message */
	LEAF_SILENT, /* says nothing to a reader: a blank text, OpenPGP keys or signatures and no
			more, without a name that says more (Exchange's ATT00001.txt says nothing) */
	LEAF_TEXT, /* a text with armoured blocks in it; of HTML, one and nothing else */
	LEAF_ECHO, /* the HTML form of such a text, with the same block */
	LEAF_FILE, /* wholly one OpenPGP ciphertext, by its name an encrypted file */
	LEAF_PGP, /* an encrypted part (RFC 3156) */
	LEAF_SMIME, /* an encrypted part (RFC 8551) */
} LeafForm;

typedef struct {
	const MimePart *part; /* borrowed from the tree */
	LeafForm form;
	/* LEAF_TEXT and LEAF_ECHO: */
	char *text; /* transfer encoding and markup undone, the charset's bytes as they are */
	GArray *pieces; /* of it: PgpTextPiece */
	guint blocks; /* how many of them are blocks */
	char *hash; /* of the packets if there is one block; else NULL */
	gboolean outside; /* there is text around the blocks */
	gboolean worded; /* ... or in a signature's armour */
	gboolean joined; /* lines of a signed block are shown as one, and no signature says so */
} Leaf;

/* All leaves in order; attached messages, signed parts and reports are leaves. Never NULL. */
GPtrArray *leaves_find(const MimeTree *tree, Spool *message);
/* Is there more than foreign and silent leaves? */
gboolean leaves_hold_pgp(const GPtrArray *leaves);

#endif
