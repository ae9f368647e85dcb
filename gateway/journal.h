/* SPDX-License-Identifier: Apache-2.0
 *
 * What has left already: a message that was split and then broken off (a crash, a copy that the
 * MTA did not take) comes again whole, and each recipient who has a copy is skipped. Written
 * after each copy that left, before the next. Thread-safe.
 *
 * Between the final dot and the commit a moment stays open and cannot be closed from here: a note of
 * the intent, made before the final dot, would read the same whether the dot was taken or not, and
 * the MTA has no way to be asked (its queue may be empty because all is delivered). After a crash in
 * that moment the copy goes once more: twice is better than never. Both have the sender's
 * Message-ID, by which many receivers drop the second.
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

/* How long after its end a message that names itself may come again because somebody did not hear
 * our answer: longer than the pauses of usual queues. */
#define JOURNAL_REPEAT_SECONDS (60 * 60)

/* One message in the journal. */
typedef struct {
	char *digest;
	GHashTable *done; /* set of folded addresses that have their copy; grows */
	GHashTable *keys; /* folded address -> its copy's name, never used for another message */
} JournalEntry;

/* A message with this digest and these recipients (folded addresses) begins. Each recipient counts
 * alone, for the sender's server may send a message in several groups, and others at the next try.
 * Was the message broken off, his copy is found, or the name that it was to have. Was it finished,
 * this is a new one; but if it names itself (unique) and comes soon after, it is that one again. */
JournalEntry *journal_begin(Journal *journal, const char *digest, gboolean unique,
			    const char *const *recipients, GError **error);
void journal_entry_free(JournalEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JournalEntry, journal_entry_free)

/* What a recipient's copy is called, the same at each try. Borrowed. */
const char *journal_key(const JournalEntry *entry, const char *recipient);
/* Before the first copy leaves: notes the names. What the journal cannot note (locked, disk full)
 * would leave a second time at the next try. */
gboolean journal_ready(Journal *journal, const JournalEntry *entry, GError **error);
/* Notes that these recipients (folded addresses, NULL-terminated) have theirs, by this way. */
gboolean journal_add(Journal *journal, JournalEntry *entry, const char *const *recipients,
		     const char *way, GError **error);
/* All copies have left. */
gboolean journal_finish(Journal *journal, const JournalEntry *entry, GError **error);
/* Forgets what is older than JOURNAL_DAYS. now: seconds since 1970. */
gboolean journal_expire(Journal *journal, gint64 now, GError **error);

#endif
