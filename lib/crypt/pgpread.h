/* SPDX-License-Identifier: Apache-2.0
 *
 * A message that came in, opened here and not by gpg: a run of gpg for each costs more than all the
 * rest of its way (doc/performance.md). The twin of pgpmessage.h. Only messages of the common kinds
 * whose outcome is beyond doubt: opened, whole, its signature good or of nobody we know. Everything
 * else is gpg's: it says what is wrong, and in what words. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPREAD_H
#define SEALPOST_LIB_CRYPT_PGPREAD_H

#include "lib/crypt/pgp_open.h"

/* As pgp_open(), with the job's deadline set. NULL without an error: gpg has to do it, and what plain
 * got is to be forgotten. */
PgpOpened *pgp_read_message(PgpHome *home, const PgpOpenJob *job, Source *message, Sink *plain,
			    GError **error);
/* The same for pgp_verify(), of a detached signature. */
GPtrArray *pgp_read_detached(PgpHome *home, const PgpOpenJob *job, const PgpSigned *signed_thing,
			     GError **error);

#endif
