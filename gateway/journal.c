/* SPDX-License-Identifier: Apache-2.0
 *
 * What has left already, in SQLite. See journal.h.
 */
#include "lib/base/db.h"
#include "lib/base/error.h"

#include "gateway/journal.h"

static const char *const migrations[] = {
	"CREATE TABLE copy (key TEXT NOT NULL, recipient TEXT NOT NULL, way TEXT NOT NULL,"
	" at INTEGER NOT NULL, PRIMARY KEY (key, recipient)) WITHOUT ROWID;"
	"CREATE INDEX copy_at ON copy (at);"
	"CREATE TABLE finished (digest TEXT PRIMARY KEY, times INTEGER NOT NULL,"
	" at INTEGER NOT NULL, recipients TEXT) WITHOUT ROWID;"
	"CREATE INDEX finished_at ON finished (at);",
	/* The last copy of a message for each recipient. way is empty until it has left; open: the
	 * message is not finished. */
	"DROP TABLE copy; DROP TABLE finished;"
	"CREATE TABLE copy (digest TEXT NOT NULL, recipient TEXT NOT NULL, key TEXT NOT NULL,"
	" way TEXT NOT NULL, open INTEGER NOT NULL, at INTEGER NOT NULL,"
	" PRIMARY KEY (digest, recipient)) WITHOUT ROWID;"
	"CREATE INDEX copy_at ON copy (at);",
	NULL,
};

struct Journal {
	Db *db;
};

static gint64 seconds_now(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

Journal *journal_open(const char *path, GError **error)
{
	Db *db = db_open(path, migrations, FALSE, error);

	if (!db)
		return NULL;
	Journal *journal = g_new0(Journal, 1);

	journal->db = db;
	return journal;
}

void journal_close(Journal *journal)
{
	if (!journal)
		return;
	db_close(journal->db);
	g_free(journal);
}

void journal_entry_free(JournalEntry *entry)
{
	if (!entry)
		return;
	g_free(entry->digest);
	g_clear_pointer(&entry->done, g_hash_table_unref);
	g_clear_pointer(&entry->keys, g_hash_table_unref);
	g_free(entry);
}

/* A copy of an earlier try. A finished one counts if this is the same message once more. */
static void take_row(JournalEntry *entry, DbQuery *row, gboolean unique)
{
	const char *recipient = db_text(row, 0);
	gboolean left = *db_text(row, 2) != '\0', open = db_int(row, 3) != 0;
	gboolean again = unique && db_int(row, 4) > seconds_now() - JOURNAL_REPEAT_SECONDS;

	if (!g_hash_table_contains(entry->keys, recipient) || (!open && !again))
		return;
	g_hash_table_replace(entry->keys, g_strdup(recipient), g_strdup(db_text(row, 1)));
	if (left)
		g_hash_table_add(entry->done, g_strdup(recipient));
}

static gboolean read_rows(Journal *journal, JournalEntry *entry, gboolean unique, GError **error)
{
	GError *failure = NULL;
	g_autoptr(DbQuery) query =
		db_query(journal->db, error,
			 "SELECT recipient, key, way, open, at FROM copy WHERE digest = ?", "s",
			 entry->digest);

	if (!query)
		return FALSE;
	while (db_next(query, &failure))
		take_row(entry, query, unique);
	if (failure)
		g_propagate_error(error, failure);
	return failure == NULL;
}

JournalEntry *journal_begin(Journal *journal, const char *digest, gboolean unique,
			    const char *const *recipients, GError **error)
{
	g_autoptr(JournalEntry) entry = g_new0(JournalEntry, 1);
	g_autofree char *fresh = g_uuid_string_random();

	entry->digest = g_strdup(digest);
	entry->done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	entry->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (; *recipients; recipients++)
		g_hash_table_replace(entry->keys, g_strdup(*recipients), g_strdup(fresh));
	return read_rows(journal, entry, unique, error) ? g_steal_pointer(&entry) : NULL;
}

const char *journal_key(const JournalEntry *entry, const char *recipient)
{
	return g_hash_table_lookup(entry->keys, recipient);
}

/* way: empty for a copy that has not left yet. */
static gboolean put_row(Journal *journal, const JournalEntry *entry, const char *recipient,
			const char *way, GError **error)
{
	return db_run(journal->db, NULL, error,
		      "INSERT OR REPLACE INTO copy (digest, recipient, key, way, open, at)"
		      " VALUES (?, ?, ?, ?, 1, ?)",
		      "ssssi", entry->digest, recipient, journal_key(entry, recipient), way,
		      seconds_now());
}

static gboolean end_transaction(Journal *journal, gboolean good, GError **error)
{
	if (good)
		return db_commit(journal->db, error);
	db_rollback(journal->db);
	return FALSE;
}

typedef gboolean (*RowStep)(Journal *journal, const JournalEntry *entry, const char *recipient,
			    GError **error);

/* All of the entry's recipients, or none. */
static gboolean for_all(Journal *journal, const JournalEntry *entry, RowStep step, GError **error)
{
	GHashTableIter iter;
	gpointer recipient;
	gboolean good = TRUE;

	if (!db_begin(journal->db, error))
		return FALSE;
	g_hash_table_iter_init(&iter, entry->keys);
	while (good && g_hash_table_iter_next(&iter, &recipient, NULL))
		good = step(journal, entry, recipient, error);
	return end_transaction(journal, good, error);
}

static gboolean announce(Journal *journal, const JournalEntry *entry, const char *recipient,
			 GError **error)
{
	return g_hash_table_contains(entry->done, recipient) ||
	       put_row(journal, entry, recipient, "", error);
}

static gboolean close_row(Journal *journal, const JournalEntry *entry, const char *recipient,
			  GError **error)
{
	return db_run(journal->db, NULL, error,
		      "UPDATE copy SET open = 0 WHERE digest = ? AND recipient = ?", "ss",
		      entry->digest, recipient);
}

gboolean journal_ready(Journal *journal, const JournalEntry *entry, GError **error)
{
	return for_all(journal, entry, announce, error);
}

gboolean journal_add(Journal *journal, JournalEntry *entry, const char *const *recipients,
		     const char *way, GError **error)
{
	gboolean good = TRUE;

	if (!db_begin(journal->db, error))
		return FALSE;
	for (; good && *recipients; recipients++) {
		g_hash_table_add(entry->done, g_strdup(*recipients));
		good = put_row(journal, entry, *recipients, way, error);
	}
	return end_transaction(journal, good, error);
}

gboolean journal_finish(Journal *journal, const JournalEntry *entry, GError **error)
{
	return for_all(journal, entry, close_row, error);
}

gboolean journal_expire(Journal *journal, gint64 now, GError **error)
{
	gint64 oldest = now - (gint64)JOURNAL_DAYS * 24 * 60 * 60;

	return db_run(journal->db, NULL, error, "DELETE FROM copy WHERE at < ?", "i", oldest);
}
