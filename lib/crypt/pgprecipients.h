/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom a message is encrypted to; for gpg each public key as a memfd that it opens by a path in
 * /proc, one key in each; and the check afterwards that it was these and no others. For
 * lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPRECIPIENTS_H
#define SEALPOST_LIB_CRYPT_PGPRECIPIENTS_H

#include "lib/crypt/pgphome.h"

/* Most recipients of one message: each takes a file descriptor while gpg runs. */
#define PGP_RECIPIENTS_MAX 200

typedef struct PgpRecipients PgpRecipients;

/* keys: of GBytes *. A key that is there twice is taken once. ERROR_KEY_UNUSABLE for what is no
 * public key of version 4, ERROR_TOO_LARGE for too many. */
PgpRecipients *pgp_recipients_new(GPtrArray *keys, GError **error);
void pgp_recipients_free(PgpRecipients *recipients);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpRecipients, pgp_recipients_free)

guint pgp_recipients_count(const PgpRecipients *recipients);
/* The subkeys to encrypt to if we can do it ourselves for all of them; NULL: gpg does it. Array of
 * PgpTarget *. */
GPtrArray *pgp_recipients_targets(const PgpRecipients *recipients, PgpHome *home, gint64 deadline);
/* Makes the memfds. What gpgme_op_encrypt_ext() wants to be told: borrowed; NULL on error. */
const char *pgp_recipients_text(PgpRecipients *recipients, GError **error);
/* The fingerprint of the key whose path gpg complained about; NULL if it is none of them. */
const char *pgp_recipients_find(const PgpRecipients *recipients, const char *path);
/* Whether the (armoured) beginning of a message shows that it is encrypted, with integrity
 * protection, to one key of each recipient and to nobody else. ERROR_CRYPTO. */
gboolean pgp_recipients_check(const PgpRecipients *recipients, const void *start, gsize size,
			      GError **error);

#endif
