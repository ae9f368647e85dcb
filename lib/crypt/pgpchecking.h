/* SPDX-License-Identifier: Apache-2.0
 *
 * A signature that came in, checked without gpg while its document passes. Only two outcomes are told
 * here: it is good, or of nobody whose key is at hand. Everything else is gpg's to name. For
 * lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPCHECKING_H
#define SEALPOST_LIB_CRYPT_PGPCHECKING_H

#include "lib/crypt/pgp_open.h"
#include "lib/crypt/pgppacket.h"

/* What is known before the document (RFC 4880, section 5.4), or from a detached signature itself. */
typedef struct {
	guint8 type, hash, algorithm;
	guint8 issuer[PGP_KEY_ID];
} PgpAnnounced;
/* From a one-pass signature packet's body. FALSE: none of ours, or another one follows. */
gboolean pgp_announced_read(const GByteArray *body, PgpAnnounced *announced);
/* From a signature packet's body. FALSE: none of ours. */
gboolean pgp_announced_from(const GByteArray *body, PgpAnnounced *announced);

/* The longest signature packet: RSA, and what programs say besides. */
#define PGP_SIGNATURE_MAX (16 * 1024)

typedef struct PgpChecking PgpChecking;
/* NULL: gpg has to do it. */
PgpChecking *pgp_checking_new(const PgpAnnounced *announced);
void pgp_checking_free(PgpChecking *checking);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpChecking, pgp_checking_free)
/* The document's bytes. FALSE: gpg has to do it. */
gboolean pgp_checking_update(PgpChecking *checking, const guint8 *data, gsize size);

/* Once, behind the document: the signature packet's body. wrapped: the message's session key packets
 * (of PgpWrapped *), NULL for none: a key that they name does not vouch here. New, or NULL: gpg has
 * to do it. The job's deadline is set. */
PgpSignature *pgp_checking_finish(PgpChecking *checking, PgpHome *home, const PgpOpenJob *job,
				  const GPtrArray *wrapped, const GByteArray *body);

#endif
