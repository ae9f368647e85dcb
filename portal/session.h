/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is logged in: in memory only, found by the hash of the cookie's token. A session holds the
 * account's private key and the message that is being read; both are wiped when it ends.
 * Thread-safe.
 */
#ifndef SEALPOST_PORTAL_SESSION_H
#define SEALPOST_PORTAL_SESSION_H

#include "portal/account.h"
#include "portal/letter.h"

#define SESSIONS_MAX 10000
#define SESSIONS_PER_ACCOUNT 8 /* then the one that rested longest ends */
#define SESSION_LONGEST (12 * 3600)

typedef struct Sessions Sessions;
typedef struct Session Session;

/* idle: seconds without a click that end a session. */
Sessions *sessions_new(gint64 idle);
void sessions_free(Sessions *sessions);

/* Logs in: takes private_key on success. *token is the cookie's value, new. ERROR_BUSY at the
 * limit. A reference for the caller. */
Session *sessions_start(Sessions *sessions, const Account *account, Secret **private_key,
			char **token, GError **error);
/* NULL if nobody is logged in by that token. A reference for the caller. */
Session *sessions_find(Sessions *sessions, const char *token);
void sessions_end(Sessions *sessions, const char *token);
/* Ends what has expired. */
void sessions_sweep(Sessions *sessions);

Session *session_ref(Session *session);
void session_unref(Session *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_unref)

/* Is the account still the one that was logged in to, with the same password? */
gboolean session_is_of(const Session *session, const Account *account);
const char *session_address(const Session *session);
GBytes *session_public_key(const Session *session);
const Secret *session_private_key(const Session *session);

/* The message that was opened last, by its number; NULL if it is another. A reference. */
Letter *session_letter(Session *session, gint64 number);
void session_keep_letter(Session *session, Letter *letter);

#endif
