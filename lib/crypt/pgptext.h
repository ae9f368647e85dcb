/* SPDX-License-Identifier: Apache-2.0
 *
 * Inline PGP: a text is split into armoured blocks and what stands around them. The text is as it
 * was before its transfer encoding, in any charset that holds ASCII; hostile. Pure.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPTEXT_H
#define SEALPOST_LIB_CRYPT_PGPTEXT_H

#include <glib.h>

/* Most blocks that are looked for in a text; the rest of it is outside. */
#define PGP_TEXT_BLOCKS_MAX 64

typedef enum {
	PGP_TEXT_OUTSIDE,
	PGP_TEXT_MESSAGE, /* "PGP MESSAGE": encrypted, or signed with its content inside */
	PGP_TEXT_CLEAR_SIGNED, /* "PGP SIGNED MESSAGE" (RFC 4880, section 7) */
} PgpTextKind;

/* Bytes [start, end). */
typedef struct {
	PgpTextKind kind;
	gsize start;
	gsize end;
	gboolean
		worded; /* clear-signed, and its signature's armour says more than programs write */
} PgpTextPiece;

/* All pieces of the text in order, without a gap: array of PgpTextPiece. Only a block that is
 * complete is one: what has no end, or has another one's beginning in it, is outside; so is a
 * clear-signed one with any armour header but Hash, which programs would show and gpg not hash, or
 * with more in its signature's armour than base64 and a short Version, Comment and Charset. */
GArray *pgp_text_split(const char *text, gsize size);

/* Nothing but blanks (no-break spaces count) and line ends. */
gboolean pgp_text_is_blank(const char *text, gsize size);

/* Nothing but OpenPGP public keys and signatures from the first byte to the last, binary or armoured
 * (as many blocks as there are, with no words around or in them)? */
gboolean pgp_text_is_keys(const char *text, gsize size);

/* The packets of a PGP_TEXT_MESSAGE, armour off. */
GBytes *pgp_text_packets(const char *text, const PgpTextPiece *piece);
/* A PGP_TEXT_CLEAR_SIGNED in a form that gpg 2.2 can read: its signature gets a checksum if it has none
 * (RFC 9580, section 6.1). */
GBytes *pgp_text_clear_signed(const char *text, const PgpTextPiece *piece);
/* What its armour header "Charset" says; NULL if there is none. New string. */
char *pgp_text_charset(const char *text, const PgpTextPiece *piece);

/* Is what gpg found signed (shown) the text that a reader sees in this PGP_TEXT_CLEAR_SIGNED?
 * Compared without dash escapes, line ends and the blanks before them. */
gboolean pgp_text_shows(const char *text, const PgpTextPiece *piece, const char *shown, gsize size);

#endif
