/* SPDX-License-Identifier: Apache-2.0
 *
 * An OpenPGP message made here and not by gpg: a run of gpg for each message costs more than all
 * the rest of its way (doc/performance.md). Session key packets, then encrypted data with integrity
 * code around the signed document (RFC 4880, section 11.3), armoured, in constant memory. gpg still
 * judges the keys, and its agent alone has the secret one. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPMESSAGE_H
#define SEALPOST_LIB_CRYPT_PGPMESSAGE_H

#include "lib/crypt/pgphome.h"

typedef struct {
	PgpHome *home;
	const PgpSecretKey *signer; /* NULL: no signature */
	GPtrArray *targets; /* of PgpTarget *, one for each recipient */
	gint64 deadline; /* g_get_monotonic_time() */
} PgpMessage;

/* What Source and Sink report; ERROR_TIMEOUT; ERROR_CRYPTO; ERROR_TOO_LARGE (4 GB). */
gboolean pgp_message_write(const PgpMessage *message, Source *entity, Sink *sink, GError **error);

#endif
