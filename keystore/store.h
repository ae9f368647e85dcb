/* SPDX-License-Identifier: Apache-2.0
 *
 * The one store of all keys: certificates, OpenPGP keys, private keys (encrypted under the master
 * key), whom they belong to, what is trusted. Every change counts up a generation, by which a
 * running gateway sees what the command line did. May be used by several threads.
 *
 * Fingerprints: certificates in lower case, OpenPGP keys in upper case.
 */
#ifndef SEALPOST_KEYSTORE_STORE_H
#define SEALPOST_KEYSTORE_STORE_H

#include "keystore/candidate.h"
#include "lib/base/db.h"

typedef struct Store Store;

/* Makes an empty one; an existing one is left as it is. */
gboolean store_create(const char *path, GError **error);
/* Opens an existing one. ERROR_STORE if there is none, ERROR_CONFIG if the master key cannot be
 * read or is none. */
Store *store_open(const char *path, const char *master_key_path, GError **error);
void store_close(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)

gboolean store_generation(Store *store, gint64 *generation, GError **error);

/* Adds what belongs to a folded address (NULL: everything) to an array of Candidate *. */
gboolean store_find(Store *store, const char *address, GPtrArray *into, GError **error);
/* The one whose fingerprint begins with these digits (any case; at least STORE_PREFIX_MIN).
 * ERROR_USAGE if there is none, or more than one. */
#define STORE_PREFIX_MIN 8
Candidate *store_get(Store *store, const char *prefix, GError **error);
/* An address of the OpenPGP key with that fingerprint or key id (16 hex digits), in any case; one
 * that it was bound to before one that it names. NULL: none (error unset) or a failure. */
char *store_pgp_owner(Store *store, const char *id, GError **error);
/* The addresses that the administrator bound a key to; NULL-terminated. */
char **store_bindings(Store *store, const char *id, GError **error);
/* All CA certificates and all trusted ones, as arrays of Cert *. */
gboolean store_authorities(Store *store, GPtrArray *authorities, GPtrArray *trusted,
			   GError **error);

/* All CRLs: adds to an array of Crl *. */
gboolean store_crls(Store *store, GPtrArray *crls, GError **error);

/* The private key of a candidate, PKCS#8 or an OpenPGP secret key: ERROR_STORE if there is none or
 * the master key does not open it. */
Secret *store_secret(Store *store, const Candidate *candidate, GError **error);

/* Has the store the private key of this OpenPGP key (whole fingerprint)? */
gboolean store_has_pgp_secret(Store *store, const char *fingerprint, gboolean *has, GError **error);

typedef enum { STORE_ADDED, STORE_UPDATED, STORE_UNCHANGED } StoreChange;

/* Puts a certificate in; trusted is never taken away by it. */
gboolean store_put_cert(Store *store, const Cert *cert, gboolean trusted, StoreChange *change,
			GError **error);
/* The private key of a certificate that is in the store. */
gboolean store_put_private(Store *store, const char *fingerprint, const PrivateKey *key,
			   StoreChange *change, GError **error);
/* Puts an OpenPGP key in, in place of an older form of it; a secret part that is there stays if
 * the new form has none. */
gboolean store_put_pgp(Store *store, const PgpKey *key, StoreChange *change, GError **error);
/* Puts a CRL in, whose signature was checked, in place of an older one of the same scope;
 * STORE_UNCHANGED: what is there is as new. */
gboolean store_put_crl(Store *store, const Crl *crl, StoreChange *change, GError **error);
/* Binds a key to a folded address that it need not name itself. */
gboolean store_bind(Store *store, const char *id, const char *address, GError **error);
/* Takes a key out, with its private part and bindings, or a CRL. */
gboolean store_delete(Store *store, const char *id, GError **error);

#endif
