/* SPDX-License-Identifier: Apache-2.0
 *
 * Which subkey of a public key to encrypt to: gpg is asked once, and its answer kept for a while.
 * One for each PgpHome; shared by threads. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPTARGETS_H
#define SEALPOST_LIB_CRYPT_PGPTARGETS_H

#include "lib/crypt/pgphome.h"
#include "lib/crypt/pgptarget.h"

/* How long an answer holds; never beyond the end of the subkey or its key. Most that are kept. */
#define PGP_TARGETS_SECONDS 600
#define PGP_TARGETS_MAX 10000

/* Where they are kept, by the key's bytes: a new form of a key, with a revocation say, is another
 * one. */
Kept *pgp_targets_new(void);

/* The target for a public key (binary). NULL where gpg has to do it: as pgp_target_new(), and if it
 * could not be asked. */
PgpTarget *pgp_targets_find(PgpHome *home, GBytes *key, gint64 deadline);

#endif
