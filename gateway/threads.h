/* SPDX-License-Identifier: Apache-2.0
 *
 * Which messages arrived encrypted: their Message-IDs, as hashes, so that a rule can see that an
 * answer to one (In-Reply-To, References: RFC 5322, section 3.6.4) must not leave in the clear.
 * Nothing is noted unless a rule asks. Thread-safe.
 */
#ifndef SEALPOST_GATEWAY_THREADS_H
#define SEALPOST_GATEWAY_THREADS_H

#include "lib/mail/headers.h"

/* Answers that come later than this are not known as such. */
#define THREADS_DAYS 400
/* So many of the message identifiers in a header are looked at, the last ones. */
#define THREADS_IDS_MAX 200

typedef struct Threads Threads;

Threads *threads_open(const char *path, GError **error);
/* Never writes; a file that is not there knows nothing. */
Threads *threads_open_readonly(const char *path, GError **error);
void threads_close(Threads *threads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Threads, threads_close)

/* A message with this header arrived encrypted. */
gboolean threads_note(Threads *threads, const Headers *headers, GError **error);
/* Does a message with this header answer one that did? FALSE with error set: could not look. */
gboolean threads_answers(Threads *threads, const Headers *headers, gboolean *answers,
			 GError **error);
/* Forgets what is older than THREADS_DAYS. now: seconds since 1970. */
gboolean threads_expire(Threads *threads, gint64 now, GError **error);

#endif
