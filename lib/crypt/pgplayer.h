/* SPDX-License-Identifier: Apache-2.0
 *
 * The layers that bytes pass on their way to an OpenPGP message, each in constant memory: the
 * encryption with its integrity code, the packet around it, the armour (RFC 4880, sections 5.13,
 * 4.2.2, 6.2). What stands in a layer's sink has all left only after its finish. For
 * lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPLAYER_H
#define SEALPOST_LIB_CRYPT_PGPLAYER_H

#include "lib/base/secret.h"
#include "lib/mail/stream.h"

/* Armour with label as in "PGP MESSAGE"; lines end with CRLF. next is borrowed. */
typedef struct PgpArmour PgpArmour;
PgpArmour *pgp_armour_new(const char *label, Sink *next);
Sink *pgp_armour_sink(PgpArmour *armour); /* borrowed */
gboolean pgp_armour_finish(PgpArmour *armour, GError **error);
void pgp_armour_free(PgpArmour *armour);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpArmour, pgp_armour_free)

/* What a session key is for us: AES-256. */
#define PGP_SESSION_KEY 32
#define PGP_AES256 9

/* A symmetrically encrypted, integrity protected data packet (tag 18, version 1) whose content goes
 * into the sink. NULL: ERROR_CRYPTO. */
typedef struct PgpSeal PgpSeal;
PgpSeal *pgp_seal_new(const guint8 key[PGP_SESSION_KEY], Sink *next, GError **error);
Sink *pgp_seal_sink(PgpSeal *seal); /* borrowed */
gboolean pgp_seal_finish(PgpSeal *seal, GError **error);
void pgp_seal_free(PgpSeal *seal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpSeal, pgp_seal_free)

/* The head of a packet of known length, new form. */
gboolean pgp_write_head(Sink *sink, guint tag, guint32 length, GError **error);
/* Appends a multiprecision integer: a bit count and the bytes without leading zeros. */
void pgp_append_mpi(GByteArray *bytes, const guint8 *number, gsize size);

#endif
