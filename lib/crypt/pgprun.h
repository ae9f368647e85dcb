/* SPDX-License-Identifier: Apache-2.0
 *
 * How we run gpg: a GPGME context bound to one GnuPG folder, whose operations are started
 * (gpgme_op_…_start) and then carried through by pgp_run() under a deadline, with our own poll()
 * loop. For lib/crypt/pgp*.c only. A context belongs to one thread at a time.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPRUN_H
#define SEALPOST_LIB_CRYPT_PGPRUN_H

#include <gpgme.h>

#include "lib/base/secret.h"
#include "lib/mail/stream.h"

/* What an operation may take if its caller names no deadline. */
#define PGP_SECONDS 60

typedef struct PgpContext PgpContext;

/* folder: GnuPG's home as gpg shall see it. Costs a few forks: keep it. */
PgpContext *pgp_context_new(const char *folder, GError **error);
void pgp_context_free(PgpContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpContext, pgp_context_free)
gpgme_ctx_t pgp_context_gpgme(PgpContext *context); /* borrowed */

/* Carries through the operation that started (the result of a gpgme_op_…_start) until deadline
 * (g_get_monotonic_time()). After a failure the context is only good for pgp_context_free().
 * keys (may be NULL): gets a reference to each key that a listing finds (gpgme_key_t). */
gboolean pgp_run(PgpContext *context, gpgme_error_t started, gint64 deadline, GPtrArray *keys,
		 GError **error);
/* A GPGME error as ours: ERROR_PASSPHRASE, ERROR_KEY_UNUSABLE, ERROR_TIMEOUT, else ERROR_CRYPTO. */
void pgp_set_error(GError **error, gpgme_error_t failure, const char *what);

/* GPGME's view of a Source or a Sink (one of them NULL), of bytes, of a secret that is filled
 * (into: its size is the limit, *used says how much came). What a Source or Sink itself reported
 * is kept and preferred: pgp_data_failed() moves it to *error. */
typedef struct PgpData PgpData;
PgpData *pgp_data_new(Source *source, Sink *sink, GError **error);
PgpData *pgp_data_new_bytes(const void *data, gsize size, GError **error); /* borrowed */
PgpData *pgp_data_new_secret(Secret *into, gsize *used, GError **error);
gpgme_data_t pgp_data_gpgme(PgpData *data); /* borrowed */
gboolean pgp_data_failed(PgpData *data, GError **error);
void pgp_data_free(PgpData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpData, pgp_data_free)

#endif
