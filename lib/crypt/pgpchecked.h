/* SPDX-License-Identifier: Apache-2.0
 *
 * Public keys as a keyring has them once gpg has looked at their own signatures: behind each
 * stands gpg's note that it holds (a trust packet, RFC 4880, section 5.10), and no later run looks
 * again; with Ed25519 that was two thirds of a run. The notes are only what gpg itself wrote
 * in this process about exactly these bytes. Thread-safe. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPCHECKED_H
#define SEALPOST_LIB_CRYPT_PGPCHECKED_H

#include <glib.h>

/* A full collection is emptied. */
#define PGP_CHECKED_MAX 2000

typedef struct PgpChecked PgpChecked;

PgpChecked *pgp_checked_new(void);
void pgp_checked_free(PgpChecked *checked);
/* New reference; NULL: gpg has not looked at that key. */
GBytes *pgp_checked_find(PgpChecked *checked, GBytes *key);
void pgp_checked_keep(PgpChecked *checked, GBytes *key, GBytes *with_notes);

#endif
