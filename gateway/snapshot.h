/* SPDX-License-Identifier: Apache-2.0
 *
 * All that a message's way depends on besides the message: configuration, policy, keys, the
 * portal's inbox, the journal. A snapshot never changes; a reload makes a new one and a message
 * keeps the one that it started with. What must exist only once in a process (GnuPG's folder, the
 * journal's database) is handed on from one snapshot to the next.
 */
#ifndef SEALPOST_GATEWAY_SNAPSHOT_H
#define SEALPOST_GATEWAY_SNAPSHOT_H

#include "keystore/keystore.h"
#include "lib/base/log.h"
#include "policies/policy.h"
#include "portal/deposit.h"

#include "gateway/client.h"
#include "gateway/journal.h"
#include "gateway/tags.h"
#include "gateway/threads.h"
#include "gateway/tlsprobe.h"

typedef struct Services Services; /* what outlives a reload; counted */

typedef struct {
	Conf *conf;
	Policy *policy;
	Keystore *keystore;
	ClientTrust *trust;
	TlsProbe *tlsprobe;
	Tags tags;
	LogLevel log_level;
	char *hostname; /* in our greetings and in Authentication-Results */
	const char *spool_folder; /* borrowed from conf; the system's for explain */
	Services *services;
	PgpHome *pgp; /* of services */
	Journal *journal; /* of services; NULL for explain */
	Threads *threads; /* of services */
	Secret *master_key; /* NULL for explain */
	Deposits *deposits; /* NULL for explain: it stores nothing */
} Snapshot;

/* Reads the policy and opens everything. Takes a reference to the configuration. ERROR_CONFIG,
 * ERROR_STORE, ERROR_IO. */
Snapshot *snapshot_open(Conf *conf, GError **error);
/* The same for a configuration that was read again; what outlives a reload is shared with the old one. */
Snapshot *snapshot_reopen(const Snapshot *old, Conf *conf, GError **error);
/* For explain: nothing is opened for writing, GnuPG gets a passing folder of its own. */
Snapshot *snapshot_open_for_explain(Conf *conf, GError **error);

Snapshot *snapshot_ref(Snapshot *snapshot);
void snapshot_unref(Snapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Snapshot, snapshot_unref)

/* Starts the log as the configuration says, or changes it later. */
void snapshot_configure_log(const Snapshot *snapshot);

#endif
