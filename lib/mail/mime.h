/* SPDX-License-Identifier: Apache-2.0
 *
 * A message becomes a tree of parts with the exact byte range of each in the spool; nothing is
 * decoded or rewritten unless asked for. Hostile input: depth, parts and header sizes are
 * bounded; what cannot be parsed is a part without children, never a crash. A tree may be read by
 * several threads.
 */
#ifndef SEALPOST_LIB_MAIL_MIME_H
#define SEALPOST_LIB_MAIL_MIME_H

#include "lib/mail/spool.h"

#define MIME_DEPTH_MAX 50 /* then mime_parse() fails with ERROR_TOO_DEEP */
#define MIME_PARTS_MAX 10000 /* then ERROR_TOO_LARGE */

typedef struct MimePart MimePart;
struct MimePart {
	char *type; /* "text/plain", lower case; default by RFC 2045, 5.2 */
	char *encoding; /* Content-Transfer-Encoding in lower case, "7bit" if absent */
	char *filename; /* decoded; from disposition or type; NULL if none */
	gboolean attached; /* Content-Disposition: attachment */
	Range headers; /* its header block, with the blank line */
	Range content; /* its content as transmitted */
	Range whole; /* headers and content: what a signature over the part covers */
	GPtrArray *children; /* of MimePart *; for multiparts and message/rfc822; else NULL */
	MimePart *parent; /* NULL for the root */
	gpointer object; /* lib/mail only */
};

typedef struct MimeTree MimeTree;

/* The spool holds a whole message: header block, blank line, body; the block ends at the first line
 * that is no field and continues none, if no blank line came before. (A part's header is read more
 * leniently.) The tree keeps a reference to the spool. */
MimeTree *mime_parse(Spool *spool, GError **error);
/* The same, but a message/rfc822 is a part without children, whatever is in it. */
MimeTree *mime_parse_unquoted(Spool *spool, GError **error);
MimePart *mime_root(const MimeTree *tree);
void mime_free(MimeTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeTree, mime_free)

/* A parameter of Content-Type, decoded (RFC 2231), not always valid UTF-8; NULL if absent.
 * Borrowed. */
const char *mime_param(const MimePart *part, const char *name);
/* The part's own header field, decoded to UTF-8; NULL if absent. New string. */
char *mime_header(const MimePart *part, const char *name);
/* The part's number as people and JSON see it: "1" for the root, "1.2" for its second child.
 * New string. */
char *mime_number(const MimePart *part);

/* Do all programs see the same part here, and of a multipart the same parts in it? Its header is nothing
 * but fields, its type and encoding are said once and in the plain way (RFC 2045, sections 5.1 and 6),
 * no other line looks like a delimiter. In a multipart/signed this is said of the second part, too;
 * what is in other parts is not looked at. */
gboolean mime_is_strict(const MimeTree *tree, const MimePart *part);

/* The part's content with its transfer encoding undone, streamed. Encodings other than those of
 * RFC 2045 are left on. */
gboolean mime_decode(const MimeTree *tree, const MimePart *part, Sink *sink, GError **error);
/* The same, pulled. Its source_length() is that of the content as transmitted. */
Source *mime_source(const MimeTree *tree, const MimePart *part);
/* The other way: base64 or quoted-printable put on; of any other encoding the bytes as they are. */
gboolean mime_encode(const char *encoding, Source *source, Sink *sink, GError **error);
/* A text part as UTF-8: transfer encoding and charset undone, at most limit bytes (the rest is
 * left out). New string, always valid UTF-8, NUL bytes replaced by blanks. */
char *mime_text(const MimeTree *tree, const MimePart *part, gsize limit, GError **error);

/* May this entity be signed as it stands and survive every relay: pure ASCII, lines of at most
 * 998, CRLF line ends, no NUL, no trailing blanks that a relay strips, no line that begins with
 * "From ", no part that is called 8bit or binary (RFC 3156 section 5, RFC 8551 section 3.1.3), no
 * preamble in multiparts (some readers do not hash it)?
 * The entity is a part with its headers; of the root, only the fields that describe the body
 * (header_is_content()) belong to it. FALSE with error set if it could not be read. */
gboolean mime_is_transport_safe(const MimeTree *tree, const MimePart *part, GError **error);
/* Writes the entity (fields, blank line, body) in a form that is: leaves that are not 7-bit safe
 * get quoted-printable or base64; structure, parameters and decoded contents stay; preambles and
 * epilogues go. message/rfc822 is made safe inside. ERROR_UNSUPPORTED if that would change the
 * bytes of a part that is itself signed or encrypted, or has no such form: sign opaque, then. */
gboolean mime_write_transport_safe(const MimeTree *tree, const MimePart *part, Sink *sink,
				   GError **error);

/* A boundary that is random and in no danger of standing in any text. New string. */
char *mime_boundary_new(void);

#endif
