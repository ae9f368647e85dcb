/* SPDX-License-Identifier: Apache-2.0
 *
 * Which parts of a public key may sign now: gpg is asked once for each form of a key, and its answer
 * kept. The twin of pgptargets.h: gpg judges keys. Only whether a subkey that signs has signed the key
 * that claims it (RFC 4880, section 5.2.1, type 0x19) does not show in what it lists, and is seen to
 * here. One for each PgpHome; shared by threads. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPSIGNERS_H
#define SEALPOST_LIB_CRYPT_PGPSIGNERS_H

#include <openssl/evp.h>

#include "lib/crypt/pgphome.h"
#include "lib/crypt/pgppacket.h"

/* A part that may sign; immutable. */
typedef struct {
	guint8 fingerprint[PGP_FINGERPRINT];
	gint64 created; /* seconds since 1970 */
	gint64 end; /* the same; 0: never */
	EVP_PKEY *key;
} PgpSignerPart;

/* How long an answer holds that names parts, and one that names none; most that are kept. */
#define PGP_SIGNERS_SECONDS (24 * 3600)
#define PGP_SIGNERS_NONE_SECONDS 600
#define PGP_SIGNERS_MAX 2000

/* Where they are kept, by the key's bytes. */
Kept *pgp_signers_new(void);

/* The part of that fingerprint in a public key (binary). NULL: gpg has to look at its signatures: it
 * may not sign now, is of a kind that we do not verify, or gpg could not be asked. *parts gets what
 * holds it, for g_ptr_array_unref(), in any case; NULL if there is nothing. */
const PgpSignerPart *pgp_signers_find(PgpHome *home, GBytes *key, const guint8 *fingerprint,
				      gint64 deadline, GPtrArray **parts);

#endif
