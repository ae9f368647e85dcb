/* SPDX-License-Identifier: Apache-2.0
 *
 * What has left already: a message that was split and then broken off (a crash, a copy that the
 * MTA did not take) comes again whole, and each recipient who has a copy is skipped. Written
 * after each copy that left, before the next; the moment between the MTA's 250 and the commit is the
 * only one where a crash makes a double. Thread-safe.
 */
#ifndef SEALPOST_GATEWAY_JOURNAL_H
#define SEALPOST_GATEWAY_JOURNAL_H

#include <glib.h>

/* How long entries are kept: twice Postfix's default queue life. */
#define JOURNAL_DAYS 10

typedef struct Journal Journal;

Journal *journal_open(const char *path, GError **error);
void journal_close(Journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Journal, journal_close)

/* The name under which this message's copies are noted: its digest, and for a message that is not
 * unique also how often an equal one has been finished. New string. */
char *journal_key(Journal *journal, const char *digest, gboolean unique, GError **error);
/* Who has a copy: folded addresses as a set. NULL on error. */
GHashTable *journal_done(Journal *journal, const char *key, GError **error);
/* Notes that these recipients (folded addresses, NULL-terminated) have theirs, by this way. */
gboolean journal_add(Journal *journal, const char *key, const char *const *recipients,
		     const char *way, GError **error);
/* All copies of a message that is not unique have left: an equal one is a new message. */
gboolean journal_finish(Journal *journal, const char *digest, GError **error);
/* Forgets what is older than JOURNAL_DAYS. now: seconds since 1970. */
gboolean journal_expire(Journal *journal, gint64 now, GError **error);

#endif
