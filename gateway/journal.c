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
	g_free(entry->key);
	g_clear_pointer(&entry->done, g_hash_table_unref);
	g_free(entry->digest);
	g_free(entry->recipients);
	g_free(entry);
}

static int compare(gconstpointer a, gconstpointer b)
{
	return g_strcmp0(*(char *const *)a, *(char *const *)b);
}

/* One value for a set of addresses, in whatever order. */
static char *set_digest(const char *const *recipients)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

	for (; *recipients; recipients++)
		g_ptr_array_add(sorted, (gpointer)*recipients);
	g_ptr_array_sort(sorted, compare);
	for (guint i = 0; i < sorted->len; i++) {
		g_checksum_update(checksum, sorted->pdata[i], -1);
		g_checksum_update(checksum, (const guchar *)"\n", 1);
	}
	return g_strdup(g_checksum_get_string(checksum));
}

/* How often an equal message was finished, and whether this is the last of these again. */
static gboolean read_finished(Journal *journal, JournalEntry *entry, GError **error)
{
	g_autoptr(DbQuery) query = db_query(
		journal->db, error, "SELECT times, at, recipients FROM finished WHERE digest = ?",
		"s", entry->digest);
	gboolean there;

	if (!db_row(query, &there, error))
		return FALSE;
	if (there) {
		entry->times = db_int(query, 0);
		entry->finished = entry->recipients != NULL &&
				  g_strcmp0(entry->recipients, db_text(query, 2)) == 0 &&
				  db_int(query, 1) > seconds_now() - JOURNAL_REPEAT_SECONDS;
	}
	return TRUE;
}

static gboolean read_done(Journal *journal, JournalEntry *entry, GError **error)
{
	GError *failure = NULL;
	g_autoptr(DbQuery) query = db_query(
		journal->db, error, "SELECT recipient FROM copy WHERE key = ? AND recipient <> ''",
		"s", entry->key);

	if (!query)
		return FALSE;
	while (db_next(query, &failure))
		g_hash_table_add(entry->done, g_strdup(db_text(query, 0)));
	if (failure)
		g_propagate_error(error, failure);
	return failure == NULL;
}

JournalEntry *journal_begin(Journal *journal, const char *digest, gboolean unique,
			    const char *const *recipients, GError **error)
{
	g_autoptr(JournalEntry) entry = g_new0(JournalEntry, 1);

	entry->digest = g_strdup(digest);
	entry->recipients = unique ? set_digest(recipients) : NULL;
	entry->done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (!read_finished(journal, entry, error))
		return NULL;
	entry->key = g_strdup_printf("%s.%" G_GINT64_FORMAT, digest,
				     entry->finished ? entry->times - 1 : entry->times);
	return read_done(journal, entry, error) ? g_steal_pointer(&entry) : NULL;
}

gboolean journal_ready(Journal *journal, const JournalEntry *entry, GError **error)
{
	return db_run(journal->db, NULL, error,
		      "INSERT OR REPLACE INTO copy (key, recipient, way, at)"
		      " VALUES (?, '', 'begun', ?)",
		      "si", entry->key, seconds_now());
}

gboolean journal_add(Journal *journal, JournalEntry *entry, const char *const *recipients,
		     const char *way, GError **error)
{
	if (!db_begin(journal->db, error))
		return FALSE;
	for (; *recipients; recipients++) {
		g_hash_table_add(entry->done, g_strdup(*recipients));
		if (!db_run(journal->db, NULL, error,
			    "INSERT OR IGNORE INTO copy (key, recipient, way, at)"
			    " VALUES (?, ?, ?, ?)",
			    "sssi", entry->key, *recipients, way, seconds_now())) {
			db_rollback(journal->db);
			return FALSE;
		}
	}
	return db_commit(journal->db, error);
}

gboolean journal_finish(Journal *journal, const JournalEntry *entry, GError **error)
{
	if (entry->finished)
		return TRUE;
	return db_run(journal->db, NULL, error,
		      "INSERT INTO finished (digest, times, at, recipients) VALUES (?, ?, ?, ?)"
		      " ON CONFLICT (digest) DO UPDATE SET times = excluded.times,"
		      " at = excluded.at, recipients = excluded.recipients",
		      "siis", entry->digest, entry->times + 1, seconds_now(), entry->recipients);
}

gboolean journal_expire(Journal *journal, gint64 now, GError **error)
{
	gint64 oldest = now - (gint64)JOURNAL_DAYS * 24 * 60 * 60;

	return db_run(journal->db, NULL, error, "DELETE FROM copy WHERE at < ?", "i", oldest) &&
	       db_run(journal->db, NULL, error, "DELETE FROM finished WHERE at < ?", "i", oldest);
}
