/* SPDX-License-Identifier: Apache-2.0
 *
 * The two ways of opening a message share a result, and one falls back on the other. For
 * lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPOPENED_H
#define SEALPOST_LIB_CRYPT_PGPOPENED_H

#include "lib/crypt/pgp_open.h"

/* Still shut, for that reason (static; NULL: set opened), without signatures. */
PgpOpened *pgp_opened_new(const char *reason);

/* Array of PgpSignature *, empty. */
GPtrArray *pgp_signatures_new(void);

/* pgp_open() by a run of gpg, whatever the message is like. */
PgpOpened *pgp_open_by_gpg(PgpHome *home, const PgpOpenJob *job, Source *message, Sink *plain,
			   GError **error);
GPtrArray *pgp_verify_by_gpg(PgpHome *home, const PgpOpenJob *job, const PgpSigned *signed_thing,
			     GError **error);

#endif
