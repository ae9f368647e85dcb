/* SPDX-License-Identifier: Apache-2.0
 *
 * What lives as long as the daemon and is shared by all requests.
 */
#ifndef SEALPOST_PORTAL_PORTAL_H
#define SEALPOST_PORTAL_PORTAL_H

#include "lib/base/conf.h"
#include "lib/base/db.h"
#include "portal/crowd.h"
#include "portal/limiter.h"
#include "portal/session.h"
#include "portal/texts.h"

typedef struct {
	Conf *conf;
	Db *db;
	Texts *texts;
	Sessions *sessions;
	Limiter *clients; /* wrong passwords, per client */
	Limiter *accounts; /* and per account, link or large network: more than one client has */
	Crowd *letters; /* opened messages, per account: each may fill the spool folder */
	Gate *hashing; /* argon2id wants much memory */
	Secret *form_key; /* makes the forms' tokens */
	Account *nobody; /* to take as long for an unknown account as for a known one */
	char *organisation;
	char *origin; /* "https://host[:port]" of [portal] url, lower case */
	char *host; /* "host[:port]" of it */
	char *spool_folder;
} Portal;

/* Opens the store, makes the spool folder. */
Portal *portal_new(Conf *conf, GError **error);
void portal_free(Portal *portal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Portal, portal_free)

/* How many of each were deleted. */
typedef struct {
	int messages;
	int accounts;
} PortalSwept;
/* Deletes the messages whose time is over, then the accounts that are not used any more ([portal]
 * keep, account_keep). */
gboolean portal_expire(Db *db, const Conf *conf, PortalSwept *swept, GError **error);

/* The same, and expired sessions go, and what else was deleted leaves the database's files. To be
 * called now and then. */
gboolean portal_sweep(Portal *portal, PortalSwept *swept, GError **error);

#endif
