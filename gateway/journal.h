/* SPDX-License-Identifier: Apache-2.0
 *
 * What has left already: a message that was split and then broken off (a crash, a copy that the
 * MTA did not take) comes again whole, and each recipient who has a copy is skipped. Written
 * after each copy that left, before the next. Thread-safe.
 *
 * Between the MTA's 250 and the commit a moment stays open, some milliseconds, and cannot be closed
 * from here: a note of the intent, made before the final dot, would read the same whether the
 * dot was taken or not, and the MTA has no way to be asked (its queue may be empty because all is
 * delivered). After a crash in that moment the copy goes once more: twice is better than never. Both
 * have the sender's Message-ID, by which many receivers drop the second.
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
	char *key; /* what its copies are noted under; never shared by two messages */
	GHashTable *done; /* set of folded addresses that have their copy; grows */
	char *digest;
	char *recipients; /* digest of the recipient set; NULL: the message does not name itself */
	gint64 times; /* how often an equal one had been finished before */
	gboolean finished; /* it is one of these, come again */
} JournalEntry;

/* A message with this digest and these recipients (folded addresses) begins. Is it an earlier one
 * that was broken off, it finds its copies. Was an equal one finished, it is a new message; but if
 * it names itself (unique), has the same recipients and comes soon after, it is that one again. */
JournalEntry *journal_begin(Journal *journal, const char *digest, gboolean unique,
			    const char *const *recipients, GError **error);
void journal_entry_free(JournalEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JournalEntry, journal_entry_free)

/* Before the first copy leaves: can the journal be written? What it cannot note (locked, disk full)
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
