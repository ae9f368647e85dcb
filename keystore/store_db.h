/* SPDX-License-Identifier: Apache-2.0
 *
 * What store.c and store_write.c share. Nobody else includes this.
 */
#ifndef SEALPOST_KEYSTORE_STORE_DB_H
#define SEALPOST_KEYSTORE_STORE_DB_H

#include "keystore/store.h"

struct Store {
	Db *db;
	Secret *master;
};

#endif
