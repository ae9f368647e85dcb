/* SPDX-License-Identifier: Apache-2.0
 *
 * A small installation for the gateway's unit tests: a passing folder with configuration, policy
 * and an empty store.
 */
#ifndef SEALPOST_TESTS_UNIT_GATEWAYMAKER_H
#define SEALPOST_TESTS_UNIT_GATEWAYMAKER_H

#include "gateway/receive.h"

#define POLICY_HEAD "internal domains \"firma.example\"\n"

/* rules come behind POLICY_HEAD; settings are lines of sealpost.conf, may be NULL. */
Snapshot *make_snapshot(const char *rules, const char *settings);
/* Frees it and removes its folder. */
void remove_snapshot(Snapshot *snapshot);

/* A whole message received: address of the client, "" or NULL for the `sendmail` command,
 * CLIENT_RETURNED for a notice of the MTA; text with LF line ends; to: NULL-terminated. */
Job *make_job(Snapshot *snapshot, const char *client, const char *from, const char *const *to,
	      const char *text);

#endif
