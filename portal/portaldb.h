/* SPDX-License-Identifier: Apache-2.0
 *
 * The portal's database: its tables (portaldb.c) and how gateway, portal and command open it. What
 * stands in the clear: the recipient's address, sizes and times. All else is sealed, wrapped or
 * hashed.
 */
#ifndef SEALPOST_PORTAL_PORTALDB_H
#define SEALPOST_PORTAL_PORTALDB_H

#include "lib/base/conf.h"
#include "lib/base/db.h"

/* Opens (and creates) the database of [portal] database. */
Db *portaldb_open(const Conf *conf, GError **error);

/* Seconds since 1970, as all times in the store. */
gint64 portaldb_now(void);

#endif
