/* SPDX-License-Identifier: Apache-2.0
 *
 * What store.c and store_write.c share. Nobody else includes this.
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

#endif
