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
	" at INTEGER NOT NULL) WITHOUT ROWID;"
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

char *journal_key(Journal *journal, const char *digest, gboolean unique, GError **error)
{
	GError *failure = NULL;
	gint64 times = 0;

	if (unique)
		return g_strdup(digest);
	g_autoptr(DbQuery) query = db_query(
		journal->db, error, "SELECT times FROM finished WHERE digest = ?", "s", digest);
	if (!query)
		return NULL;
	if (db_next(query, &failure))
		times = db_int(query, 0);
	if (failure) {
		g_propagate_error(error, failure);
		return NULL;
	}
	return g_strdup_printf("%s.%" G_GINT64_FORMAT, digest, times);
}

GHashTable *journal_done(Journal *journal, const char *key, GError **error)
{
	g_autoptr(GHashTable) done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GError *failure = NULL;
	g_autoptr(DbQuery) query =
		db_query(journal->db, error, "SELECT recipient FROM copy WHERE key = ?", "s", key);

	if (!query)
		return NULL;
	while (db_next(query, &failure))
		g_hash_table_add(done, g_strdup(db_text(query, 0)));
	if (failure) {
		g_propagate_error(error, failure);
		return NULL;
	}
	return g_steal_pointer(&done);
}

gboolean journal_add(Journal *journal, const char *key, const char *const *recipients,
		     const char *way, GError **error)
{
	if (!db_begin(journal->db, error))
		return FALSE;
	for (; *recipients; recipients++) {
		if (!db_run(journal->db, NULL, error,
			    "INSERT OR IGNORE INTO copy (key, recipient, way, at)"
			    " VALUES (?, ?, ?, ?)",
			    "sssi", key, *recipients, way, seconds_now())) {
			db_rollback(journal->db);
			return FALSE;
		}
	}
	return db_commit(journal->db, error);
}

gboolean journal_finish(Journal *journal, const char *digest, GError **error)
{
	return db_run(journal->db, NULL, error,
		      "INSERT INTO finished (digest, times, at) VALUES (?, 1, ?)"
		      " ON CONFLICT (digest) DO UPDATE SET times = times + 1, at = excluded.at",
		      "si", digest, seconds_now());
}

gboolean journal_expire(Journal *journal, gint64 now, GError **error)
{
	gint64 oldest = now - (gint64)JOURNAL_DAYS * 24 * 60 * 60;

	return db_run(journal->db, NULL, error, "DELETE FROM copy WHERE at < ?", "i", oldest) &&
	       db_run(journal->db, NULL, error, "DELETE FROM finished WHERE at < ?", "i", oldest);
}
