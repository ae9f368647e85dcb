/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP packets as they come from a Source, in constant memory (RFC 4880, section 4.2). Only forms
 * that programs write; anything else is ERROR_MALFORMED, and gpg's to judge. For lib/crypt/pgp*.c
 * only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPSTREAM_H
#define SEALPOST_LIB_CRYPT_PGPSTREAM_H

#include "lib/mail/stream.h"

typedef struct PgpStream PgpStream;

/* source is borrowed. */
PgpStream *pgp_stream_new(Source *source);
void pgp_stream_free(PgpStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpStream, pgp_stream_free)

/* On to the next packet, once the last one's body has been read to its end. *tag 0: there is none, the
 * source is at its end. */
gboolean pgp_stream_next(PgpStream *stream, guint *tag, GError **error);
/* Of the packet's body: how many bytes came, 0 at its end, -1 with error set. */
gssize pgp_stream_read(PgpStream *stream, void *buffer, gsize size, GError **error);
/* Exactly that many of them. */
gboolean pgp_stream_need(PgpStream *stream, void *buffer, gsize size, GError **error);
/* The rest of the body, at most max bytes. */
GByteArray *pgp_stream_take(PgpStream *stream, gsize max, GError **error);
/* The rest of the body as a Source, which has no length and cannot be read twice. */
Source *pgp_stream_body(PgpStream *stream);

#endif
