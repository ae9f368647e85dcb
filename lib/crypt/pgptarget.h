/* SPDX-License-Identifier: Apache-2.0
 *
 * A subkey to encrypt to, and the packet by which its owner gets a message's session key (RFC 4880,
 * section 5.1; RFC 6637). gpg judges keys, we never do: which subkey may be used, and until when,
 * is read from its listing. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPTARGET_H
#define SEALPOST_LIB_CRYPT_PGPTARGET_H

#include <gpgme.h>

#include "lib/crypt/pgplayer.h"

/* What goes to the recipient: algorithm, key, sum (section 5.1). */
#define PGP_SESSION_CODED (1 + PGP_SESSION_KEY + 2)

typedef struct PgpTarget PgpTarget;

/* The subkey of a public key (binary, one key) that gpg would encrypt to, by what gpg lists of it.
 * NULL: there is none now, or its kind is not among ours: RSA of 2048 to 8192 bits, ECDH over
 * Curve25519, P-256, P-384 and P-521. */
PgpTarget *pgp_target_new(gpgme_key_t listed, GBytes *key);
PgpTarget *pgp_target_ref(PgpTarget *target);
void pgp_target_unref(PgpTarget *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpTarget, pgp_target_unref)

/* Seconds since 1970 at which the subkey or its key ends; 0: never. */
gint64 pgp_target_end(const PgpTarget *target);

/* A new session key in that form. ERROR_CRYPTO. */
Secret *pgp_session_new(GError **error);
/* Writes the session key packet for target. ERROR_CRYPTO. */
gboolean pgp_target_write(const PgpTarget *target, const Secret *session, Sink *sink,
			  GError **error);

#endif
