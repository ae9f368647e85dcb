/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's session key out of its session key packets (RFC 4880, section 5.1; RFC 6637). Secret
 * keys stay in gpg-agent, and only those are tried that the job names. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPSESSION_H
#define SEALPOST_LIB_CRYPT_PGPSESSION_H

#include "lib/crypt/pgp_open.h"
#include "lib/crypt/pgphome.h"

typedef struct PgpWrapped PgpWrapped;

/* A session key packet's body. NULL: version or algorithm are none of ours. */
PgpWrapped *pgp_wrapped_new(const GByteArray *body);
void pgp_wrapped_free(PgpWrapped *wrapped);
/* Is it for the key of that id? NULL: for nobody by name? */
gboolean pgp_wrapped_names(const PgpWrapped *wrapped, const guint8 *id);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgpWrapped, pgp_wrapped_free)

typedef struct {
	Secret *key; /* NULL: none was found, or the form is one for gpg */
	guint cipher; /* pgpunseal.h */
	const PgpSecretKey *owner; /* whose key opened it */
} PgpSession;
void pgp_session_clear(PgpSession *session);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PgpSession, pgp_session_clear)

/* In the order in which gpg tries: the packets (of PgpWrapped *), of each the job's keys, of each the
 * parts that it names; one that names none may be for all. ERROR_TIMEOUT. */
gboolean pgp_session_find(PgpHome *home, const PgpOpenJob *job, const GPtrArray *wrapped,
			  PgpSession *session, GError **error);

#endif
