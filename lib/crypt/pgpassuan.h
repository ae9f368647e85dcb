/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection to gpg-agent and the lines that go over it (the Assuan protocol, as libassuan's manual
 * has it). Every wait ends at the connection's deadline, however slowly the other side dribbles. For
 * lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPASSUAN_H
#define SEALPOST_LIB_CRYPT_PGPASSUAN_H

#include "lib/crypt/pgphome.h"

/* What one command may be answered with, and what comes of it. */
typedef struct {
	const Secret *old, *new; /* passphrases, for its questions */
	GBytes *ciphertext; /* the same */
	guint8 *data; /* gets its data, at most room bytes; NULL: there is none */
	gsize room;
	gsize used;
} PgpTalk;

/* To the agent of a GnuPG folder: greeted, and told to ask nobody but us. NULL: *failure is
 * GPG_ERR_TIMEOUT if it was silent until then (g_get_monotonic_time()), GPG_ERR_EOF if there is none. */
PgpAgent *pgp_agent_open(const char *folder, gint64 deadline, gpgme_error_t *failure);
/* Until when what follows may take. */
void pgp_agent_limit(PgpAgent *agent, gint64 deadline);
/* One command (a line with its end). 0, the agent's error code, GPG_ERR_TIMEOUT, or GPG_ERR_EOF if it
 * is gone or there is no sense in its answers. After a failure the connection is only good for
 * pgp_agent_free(). */
gpgme_error_t pgp_agent_command(PgpAgent *agent, const char *line, PgpTalk *talk);
/* Until the agent closes the connection, or the deadline. */
void pgp_agent_wait(PgpAgent *agent);

#endif
