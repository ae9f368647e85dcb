/* SPDX-License-Identifier: Apache-2.0
 *
 * Which messages arrived encrypted, in SQLite. See threads.h.
 */
#include "lib/base/db.h"

#include "gateway/threads.h"

static const char *const migrations[] = {
	"CREATE TABLE encrypted (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX encrypted_at ON encrypted (at);",
	NULL,
};

struct Threads {
	Db *db; /* NULL: there is no file, and nothing is known */
};

static Threads *threads_new(Db *db)
{
	Threads *threads = g_new0(Threads, 1);

	threads->db = db;
	return threads;
}

Threads *threads_open(const char *path, GError **error)
{
	Db *db = db_open(path, migrations, FALSE, error);

	return db ? threads_new(db) : NULL;
}

Threads *threads_open_readonly(const char *path, GError **error)
{
	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return threads_new(NULL);
	Db *db = db_open_readonly(path, migrations, error);

	return db ? threads_new(db) : NULL;
}

void threads_close(Threads *threads)
{
	if (!threads)
		return;
	db_close(threads->db);
	g_free(threads);
}

/* Adds the hash of each "<…>" in a field's value, and of what stands between them: some programs
 * leave the brackets out, and who answers may put them on. */
static void add_ids(GPtrArray *ids, const char *value)
{
	g_auto(GStrv) pieces = g_strsplit_set(value, "<>", -1);

	for (guint i = 0; pieces[i]; i++)
		if (*g_strstrip(pieces[i]))
			g_ptr_array_add(ids, g_compute_checksum_for_string(G_CHECKSUM_SHA256,
									   pieces[i], -1));
}

/* The identifiers in all fields of that name, as hashes; the last THREADS_IDS_MAX. */
static GPtrArray *find_ids(const Headers *headers, const char *name)
{
	GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < headers_count(headers); i++) {
		const Header *header = headers_at(headers, i);

		if (g_ascii_strcasecmp(header->name, name) == 0)
			add_ids(ids, header->value);
	}
	if (ids->len > THREADS_IDS_MAX)
		g_ptr_array_remove_range(ids, 0, ids->len - THREADS_IDS_MAX);
	return ids;
}

gboolean threads_note(Threads *threads, const Headers *headers, GError **error)
{
	g_autoptr(GPtrArray) ids = find_ids(headers, "Message-ID");

	for (guint i = 0; i < ids->len; i++)
		if (!db_run(threads->db, NULL, error,
			    "INSERT OR REPLACE INTO encrypted (id, at) VALUES (?, ?)", "si",
			    ids->pdata[i], g_get_real_time() / G_USEC_PER_SEC))
			return FALSE;
	return TRUE;
}

static gboolean knows(Threads *threads, const char *id, gboolean *known, GError **error)
{
	g_autoptr(DbQuery) query =
		db_query(threads->db, error, "SELECT 1 FROM encrypted WHERE id = ?", "s", id);

	return db_row(query, known, error);
}

gboolean threads_answers(Threads *threads, const Headers *headers, gboolean *answers,
			 GError **error)
{
	static const char *const names[] = {"In-Reply-To", "References"};

	*answers = FALSE;
	for (guint n = 0; threads->db && n < G_N_ELEMENTS(names); n++) {
		g_autoptr(GPtrArray) ids = find_ids(headers, names[n]);

		for (guint i = 0; i < ids->len && !*answers; i++)
			if (!knows(threads, ids->pdata[i], answers, error))
				return FALSE;
	}
	return TRUE;
}

gboolean threads_expire(Threads *threads, gint64 now, GError **error)
{
	return db_run(threads->db, NULL, error, "DELETE FROM encrypted WHERE at < ?", "i",
		      now - (gint64)THREADS_DAYS * 24 * 60 * 60);
}
