/* SPDX-License-Identifier: Apache-2.0
 *
 * Transfer encodings undone and put on, chunk by chunk (RFC 2045, section 6). For lib/mail only.
 */
#ifndef SEALPOST_LIB_MAIL_MIMECODE_H
#define SEALPOST_LIB_MAIL_MIMECODE_H

#include "lib/mail/mime.h"

/* Pulls a part's content with its encoding undone; an unknown encoding is left on. */
typedef struct Decoder Decoder;

Decoder *decoder_new(const MimeTree *tree, const MimePart *part);
/* The same for bytes that have none. Borrows the source. */
Decoder *decoder_new_plain(Source *source);
void decoder_free(Decoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Decoder, decoder_free)

/* The next bytes, valid until the next call: 1; 0 at the end, -1 with error set. Size may be 0
 * before the end. */
int decoder_next(Decoder *decoder, const guint8 **data, gsize *size, GError **error);

/* Is this an encoding that decoder_next() undoes (or none)? */
gboolean decoder_knows(const MimePart *part);

/* All that is left in decoder, encoded: lines of at most 76 characters with CRLF. Quoted-printable
 * keeps CRLF as line ends and quotes what a relay might change: trailing blanks, "From " and "-"
 * at the start of a line, single CR and LF. */
gboolean encode_quoted(Decoder *decoder, Sink *sink, GError **error);
gboolean encode_base64(Decoder *decoder, Sink *sink, GError **error);

#endif
