/* SPDX-License-Identifier: Apache-2.0
 *
 * What is inside of an OpenPGP message's encryption: a document, signed or not, folded or not (RFC 4880,
 * section 11.3). What is no common form is gpg's. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPCONTENT_H
#define SEALPOST_LIB_CRYPT_PGPCONTENT_H

#include "lib/crypt/pgp_open.h"
#include "lib/crypt/pgpstream.h"

typedef struct {
	PgpHome *home;
	const PgpOpenJob *job;
	Sink *plain;
	GPtrArray *wrapped; /* of PgpWrapped *: the message's session key packets */
	GPtrArray *signatures; /* of PgpSignature *: gets the one there is */
} PgpContent;

/* The whole of bytes. ERROR_MALFORMED: gpg has to do it; ERROR_TIMEOUT; what the sink reports. */
gboolean pgp_content_read(const PgpContent *content, Source *bytes, GError **error);

/* For those who read the packets around it, or none: "not what we read" (FALSE); is the next packet that
 * one (0: the end)? */
gboolean pgp_leave(GError **error);
gboolean pgp_next_is(PgpStream *stream, guint wanted, GError **error);
/* ERROR_TIMEOUT. */
gboolean pgp_in_time(const PgpOpenJob *job, GError **error);
/* What the reader could not take is gpg's, and so is what OpenSSL could not. */
gboolean pgp_is_for_gpg(const GError *failure);

#endif
