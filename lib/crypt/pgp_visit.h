/* SPDX-License-Identifier: Apache-2.0
 *
 * A GnuPG home for one run at a time: a keyring of the named keys, and the way to the agent of
 * PgpHome. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGP_VISIT_H
#define SEALPOST_LIB_CRYPT_PGP_VISIT_H

#include "lib/base/kept.h"
#include "lib/crypt/pgp_open.h"
#include "lib/crypt/pgprun.h"

typedef struct PgpVisit PgpVisit;

/* A key id that hides the recipient (RFC 4880, section 5.1). */
#define PGP_HIDDEN_ID "0000000000000000"

/* Fingerprints that are not in the home are passed over. recipients: the key ids (char *) that the
 * message is encrypted to, which only the job's secrets may open; NULL: nothing is opened. */
PgpVisit *pgp_visit_begin(PgpHome *home, const PgpOpenJob *job, GPtrArray *recipients,
			  GError **error);
/* After a run that was good: kept for the next one, without the keys. */
void pgp_visit_end(PgpHome *home, PgpVisit *visit);
/* After any other. */
void pgp_visit_free(PgpVisit *visit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpVisit, pgp_visit_free)
PgpContext *pgp_visit_context(PgpVisit *visit); /* borrowed */

/* What pgp_home_checked() gives, empty. */
Kept *pgp_checked_new(void);

/* Is that primary key's fingerprint one of the job's secrets? */
gboolean pgp_visit_opens_with(const PgpOpenJob *job, const char *fingerprint);

/* The primary key's fingerprint for that of a key or subkey (or key id) of the job's signers; the
 * same in upper case if it is none of them. New string; NULL for NULL. */
char *pgp_visit_primary(const PgpOpenJob *job, const char *fingerprint);

#endif
