/* SPDX-License-Identifier: Apache-2.0
 *
 * The second step: what the message is made of, and whether the sender's client has protected it
 * already. Decided by the real MIME tree plus parseable CMS or OpenPGP packets, never by a name or
 * a substring: somebody's contract.p7m is a document. Only the body's root can be a layer. What
 * cannot be parsed can still be encrypted as opaque bytes: a parse error opens no way to plain
 * text.
 */
#ifndef SEALPOST_GATEWAY_PARSE_H
#define SEALPOST_GATEWAY_PARSE_H

#include "lib/mail/mime.h"

#include "gateway/job.h"

/* Largest text that is looked through for inline PGP armour. */
#define PARSE_INLINE_MAX ((gsize)32 * 1024 * 1024)

typedef enum { LAYER_NONE, LAYER_SMIME, LAYER_PGP } Layer;

typedef struct {
	MimeTree *tree; /* NULL: the message could not be parsed */
	GError *failure; /* why not */
	Layer encrypted; /* end-to-end encrypted by the client */
	Layer layer; /* any kind of layer at the root: what may be opened */
	Layer signed_by; /* else: signed by the client, in this technology */
	gboolean report; /* as parse_is_report() says of the root */
} Parsed;

/* In which technology the root is a layer of any kind (encrypted, signed, compressed). */
Layer parse_layer(const MimeTree *tree, Spool *message);

/* In which technology a part beside others is signed: multipart/signed, or opaque by its name (none,
 * or smime.p7m: contract.p7m is a document). */
Layer parse_signed_part(const MimeTree *tree, Spool *message, const MimePart *part);
/* In which technology a part beside others is encrypted; opaque by its name, as above. */
Layer parse_sealed(const MimeTree *tree, Spool *message, const MimePart *part);
/* PGP/MIME (RFC 3156, section 4), and what others make of it: Exchange puts the two parts into a
 * multipart/mixed, perhaps behind an empty text; Google puts the whole behind one. The part with the
 * ciphertext; NULL if it is none. */
const MimePart *parse_pgp_mime(const MimeTree *tree, Spool *message, const MimePart *root);

/* Does the message ask to a meeting (RFC 6047, section 2.4: text/calendar with method=REQUEST, in any
 * case)? An attached message is not looked into. tree NULL: no. */
gboolean parse_is_invitation(const MimeTree *tree);
/* Is it a report that other programs look for at a message's root (RFC 6522): a receipt (RFC 8098), a delivery
 * status notification (RFC 3464), in UTF-8 too (RFC 6533), feedback of a reader (RFC 5965) or on TLS
 * (RFC 8460)? Its type, its report-type and its second part must agree. */
gboolean parse_is_report(const MimePart *root);

/* Never fails. */
Parsed *parse_message(Spool *message);
void parsed_free(Parsed *parsed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Parsed, parsed_free)

#endif
