/* SPDX-License-Identifier: Apache-2.0
 *
 * What store.c, store_write.c and learned.c share. Nobody else includes this.
 */
#ifndef SEALPOST_KEYSTORE_STORE_DB_H
#define SEALPOST_KEYSTORE_STORE_DB_H

#include "keystore/store.h"

/* Most certificates that are kept in their read form. */
#define STORE_CERTS_MAX 5000
/* The same of CRLs. */
#define STORE_CRLS_MAX 200

struct Store {
	Db *db;
	Secret *master;
	GMutex lock; /* guards certs and crls */
	GHashTable *certs; /* fingerprint -> Cert: reading one is most of the cost of finding it */
	GHashTable *crls; /* fingerprint -> Crl: a large one takes long to read */
};

/* An OpenPGP key, without its addresses, from a row of: fingerprint, public key, anything, user_ids,
 * encryption_ids, algorithm, created, expires, revoked, expired, can_encrypt, can_sign. */
PgpKey *store_read_pgp(DbQuery *query);
/* Lines of a text column; an array that is NULL is empty. New string. */
char *store_join_lines(char **items);

/* Ends the transaction of db_begin(). counts: a change that was made (ok) counts up the generation. */
gboolean store_finish(Store *store, gboolean ok, gboolean counts, GError **error);

#endif
