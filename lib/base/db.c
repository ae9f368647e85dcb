/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite behind db.h. A recursive lock hands the one connection to one thread at a time; a
 * transaction or an open query keeps it. The schema's version is SQLite's user_version.
 */
#include "lib/base/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/dbwait.h"
#include "lib/base/error.h"

/* After a transaction as long as this the next of this process comes so much later: whoever else
 * waits gets a turn in between. */
#define LONG_MS 100
#define GIVE_WAY_MS 20

/* Statements that are kept prepared; whoever writes SQL does it with constant text. */
#define IDLE_MAX 64

struct Db {
	sqlite3 *handle;
	GRecMutex lock;
	char *path;
	gint64 patience; /* microseconds */
	gint64 begun; /* the transaction, monotonic; under the lock, as the next */
	gint64 gave_up; /* when somebody last did, after waiting */
	GHashTable *idle; /* SQL -> sqlite3_stmt *, reset, the SQL being the statement's own */
};

struct DbQuery {
	Db *db;
	sqlite3_stmt *statement;
};

/* Whoever stood in line while another one waited in vain has waited long enough. */
static gboolean enter(Db *db, GError **error)
{
	gint64 asked = g_get_monotonic_time();

	g_rec_mutex_lock(&db->lock);
	if (db->gave_up < asked)
		return TRUE;
	g_rec_mutex_unlock(&db->lock);
	g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "%s: locked by another process", db->path);
	return FALSE;
}

static gboolean fail(Db *db, int rc, GError **error)
{
	gboolean full = rc == SQLITE_FULL;

	if ((rc & 0xff) == SQLITE_PROTOCOL)
		db->gave_up = g_get_monotonic_time();
	/* A disk without space shows as an I/O error on writing when SQLite cannot tell. */
	if ((rc & 0xff) == SQLITE_IOERR && sqlite3_system_errno(db->handle) == ENOSPC)
		full = TRUE;
	g_set_error(error, SEALPOST_ERROR, full ? ERROR_DISK_FULL : ERROR_STORE, "%s: %s", db->path,
		    db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc));
	return FALSE;
}

static void finalize(gpointer statement)
{
	sqlite3_finalize(statement);
}

static gboolean execute(Db *db, const char *sql, GError **error)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK || fail(db, rc, error);
}

static gint64 schema_version(Db *db, GError **error)
{
	g_autoptr(DbQuery) query = db_query(db, error, "PRAGMA user_version", "");

	if (!query || !db_next(query, error))
		return -1;
	return db_int(query, 0);
}

static gint64 count_migrations(const char *const *migrations)
{
	gint64 n = 0;

	while (migrations[n])
		n++;
	return n;
}

static gboolean check_version(Db *db, gint64 version, gint64 known, GError **error)
{
	if (version < 0)
		return FALSE;
	if (version <= known)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_STORE,
		    "%s: made by a newer version (schema %" G_GINT64_FORMAT
		    ", known %" G_GINT64_FORMAT ")",
		    db->path, version, known);
	return FALSE;
}

static gboolean migrate(Db *db, const char *const *migrations, GError **error)
{
	gint64 known = count_migrations(migrations);
	gint64 version = schema_version(db, error);

	if (!check_version(db, version, known, error))
		return FALSE;
	if (version == known)
		return TRUE;
	if (!db_begin(db, error))
		return FALSE;
	/* Another process may have done it while we waited for the lock. */
	version = schema_version(db, error);
	gboolean ok = check_version(db, version, known, error);
	for (gint64 i = version; ok && i < known; i++) {
		g_autofree char *mark =
			g_strdup_printf("PRAGMA user_version = %" G_GINT64_FORMAT, i + 1);
		ok = execute(db, migrations[i], error) && execute(db, mark, error);
	}
	if (ok)
		return db_commit(db, error);
	db_rollback(db);
	return FALSE;
}

static Db *connect_to(const char *path, int flags, GError **error)
{
	g_autoptr(Db) db = g_new0(Db, 1);

	g_rec_mutex_init(&db->lock);
	db->path = g_strdup(path);
	db->idle = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, finalize);
	int rc = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_FULLMUTEX, NULL);
	if (rc != SQLITE_OK) {
		fail(db, rc, error);
		return NULL;
	}
	sqlite3_extended_result_codes(db->handle, 1);
	db_wait(db->handle);
	db_set_patience(db, DB_PATIENCE_MS);
	return g_steal_pointer(&db);
}

/* SQLite gives its -wal and -shm files the mode of the database, so that is set before it opens. */
static gboolean create_file(const char *path, gboolean shared, GError **error)
{
	mode_t mode = shared ? 0660 : 0600;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, mode);

	if (fd < 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "%s: %s", path, g_strerror(errno));
		return FALSE;
	}
	struct stat st;
	gboolean ok = fstat(fd, &st) == 0;
	/* Only our own fresh file: the umask may have narrowed it. */
	if (ok && st.st_size == 0 && st.st_uid == geteuid())
		ok = fchmod(fd, mode) == 0;
	int errnum = errno;
	close(fd);
	return ok || error_set_errno(error, errnum, path);
}

Db *db_open(const char *path, const char *const *migrations, gboolean shared, GError **error)
{
	if (!create_file(path, shared, error))
		return NULL;
	g_autoptr(Db) db = connect_to(path, SQLITE_OPEN_READWRITE, error);
	if (!db || !execute(db,
			    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			    "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;",
			    error))
		return NULL;
	if (!migrate(db, migrations, error))
		return NULL;
	return g_steal_pointer(&db);
}

Db *db_open_readonly(const char *path, const char *const *migrations, GError **error)
{
	g_autoptr(Db) db = connect_to(path, SQLITE_OPEN_READONLY, error);

	if (!db)
		return NULL;
	gint64 version = schema_version(db, error);
	if (!check_version(db, version, count_migrations(migrations), error))
		return NULL;
	if (version != count_migrations(migrations)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "%s: not made by this version",
			    path);
		return NULL;
	}
	return g_steal_pointer(&db);
}

void db_close(Db *db)
{
	if (!db)
		return;
	g_hash_table_unref(db->idle);
	sqlite3_close_v2(db->handle);
	g_rec_mutex_clear(&db->lock);
	g_free(db->path);
	g_free(db);
}

void db_set_patience(Db *db, gint64 milliseconds)
{
	db->patience = milliseconds * 1000;
}

/* Shall we ask again for the lock that another process has, to write or to mend what a crash left
 * behind? Then a moment has passed. (What a query of ours has in its way does not go by waiting.) */
static gboolean wait_for_others(int rc, gint64 deadline)
{
	if ((rc & 0xff) != SQLITE_BUSY || rc == SQLITE_BUSY_SNAPSHOT ||
	    g_get_monotonic_time() >= deadline)
		return FALSE;
	g_usleep(DB_ASK_EVERY_MS * 1000);
	return TRUE;
}

/* Without waiting for anybody: the caller does, without the lock. */
static int begin_now(Db *db)
{
	db_wait_for_nobody(db->handle);
	int rc = sqlite3_exec(db->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	db_wait(db->handle);
	return rc;
}

gboolean db_begin(Db *db, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + db->patience;
	g_autoptr(GError) failure = NULL;
	int rc;

	do {
		g_clear_error(&failure);
		if (!enter(db, error))
			return FALSE;
		rc = begin_now(db);
		if (rc == SQLITE_OK) {
			db->begun = g_get_monotonic_time();
			return TRUE;
		}
		fail(db, rc, &failure);
		g_rec_mutex_unlock(&db->lock);
	} while (wait_for_others(rc, deadline));
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}

gboolean db_commit(Db *db, GError **error)
{
	gboolean ok = execute(db, "COMMIT", error);

	if (!ok && !sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	if (g_get_monotonic_time() - db->begun >= LONG_MS * 1000)
		g_usleep(GIVE_WAY_MS * 1000);
	g_rec_mutex_unlock(&db->lock);
	return ok;
}

void db_rollback(Db *db)
{
	/* SQLite may have rolled back already (disk full); a second one only reports that. */
	if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	g_rec_mutex_unlock(&db->lock);
}

gboolean db_forget(Db *db, gboolean *done, GError **error)
{
	g_autoptr(GRecMutexLocker) locker = g_rec_mutex_locker_new(&db->lock);

	db_wait_for_nobody(db->handle);
	int rc =
		sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	db_wait(db->handle);
	*done = rc == SQLITE_OK;
	return *done || (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED ||
	       fail(db, rc, error);
}

static int bind_bytes(sqlite3_stmt *statement, int index, GBytes *bytes)
{
	gsize size = 0;
	const void *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

	if (!bytes)
		return sqlite3_bind_null(statement, index);
	if (size == 0)
		return sqlite3_bind_zeroblob(statement, index, 0);
	return sqlite3_bind_blob64(statement, index, data, size, SQLITE_TRANSIENT);
}

static int bind_all(sqlite3_stmt *statement, const char *types, va_list *values)
{
	int rc = SQLITE_OK;

	for (int i = 0; types[i] && rc == SQLITE_OK; i++) {
		switch (types[i]) {
		case 's':
			rc = sqlite3_bind_text(statement, i + 1, va_arg(*values, const char *), -1,
					       SQLITE_TRANSIENT);
			break;
		case 'i': rc = sqlite3_bind_int64(statement, i + 1, va_arg(*values, gint64)); break;
		case 'b': rc = bind_bytes(statement, i + 1, va_arg(*values, GBytes *)); break;
		default: g_assert_not_reached();
		}
	}
	return rc;
}

/* One that is at hand, or a new one: to parse a query takes longer than to answer it. */
static int take_statement(Db *db, const char *sql, sqlite3_stmt **statement)
{
	gpointer kept = NULL;

	if (!g_hash_table_steal_extended(db->idle, sql, NULL, &kept))
		return sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, statement,
					  NULL);
	*statement = kept;
	return SQLITE_OK;
}

static void give_statement(Db *db, sqlite3_stmt *statement)
{
	const char *sql = statement ? sqlite3_sql(statement) : NULL;

	if (!sql)
		return;
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	if (g_hash_table_size(db->idle) >= IDLE_MAX || g_hash_table_contains(db->idle, sql))
		sqlite3_finalize(statement);
	else
		g_hash_table_insert(db->idle, (gpointer)sql, statement);
}

static DbQuery *prepare(Db *db, GError **error, const char *sql, const char *types, va_list *values)
{
	sqlite3_stmt *statement = NULL;

	if (!enter(db, error))
		return NULL;
	int rc = take_statement(db, sql, &statement);
	if (rc == SQLITE_OK)
		rc = bind_all(statement, types, values);
	if (rc != SQLITE_OK) {
		fail(db, rc, error);
		sqlite3_finalize(statement);
		g_rec_mutex_unlock(&db->lock);
		return NULL;
	}
	DbQuery *query = g_new0(DbQuery, 1);
	query->db = db;
	query->statement = statement;
	return query;
}

DbQuery *db_query(Db *db, GError **error, const char *sql, const char *types, ...)
{
	va_list values;

	va_start(values, types);
	DbQuery *query = prepare(db, error, sql, types, &values);
	va_end(values);
	return query;
}

gboolean db_next(DbQuery *query, GError **error)
{
	int rc = sqlite3_step(query->statement);

	if (rc == SQLITE_ROW)
		return TRUE;
	if (rc != SQLITE_DONE)
		fail(query->db, rc, error);
	return FALSE;
}

gboolean db_row(DbQuery *query, gboolean *there, GError **error)
{
	g_autoptr(GError) failure = NULL;

	if (!query)
		return FALSE;
	*there = db_next(query, &failure);
	if (!failure)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}

const char *db_text(DbQuery *query, int column)
{
	return (const char *)sqlite3_column_text(query->statement, column);
}

gint64 db_int(DbQuery *query, int column)
{
	return sqlite3_column_int64(query->statement, column);
}

GBytes *db_bytes(DbQuery *query, int column)
{
	if (sqlite3_column_type(query->statement, column) == SQLITE_NULL)
		return NULL;
	const void *data = sqlite3_column_blob(query->statement, column);
	return g_bytes_new(data, (gsize)sqlite3_column_bytes(query->statement, column));
}

void db_query_free(DbQuery *query)
{
	if (!query)
		return;
	Db *db = query->db;
	give_statement(db, query->statement);
	g_free(query);
	g_rec_mutex_unlock(&db->lock);
}

/* SQLite's result for a statement whose rows nobody asked for. */
static int run_through(DbQuery *query)
{
	int rc;

	db_wait_for_nobody(query->db->handle);
	do
		rc = sqlite3_step(query->statement);
	while (rc == SQLITE_ROW);
	db_wait(query->db->handle);
	return rc;
}

gboolean db_run(Db *db, int *changed, GError **error, const char *sql, const char *types, ...)
{
	gint64 deadline = g_get_monotonic_time() + db->patience;
	g_autoptr(GError) failure = NULL;
	va_list values;
	int rc;

	do {
		va_start(values, types);
		g_autoptr(DbQuery) query = prepare(db, error, sql, types, &values);
		va_end(values);
		if (!query)
			return FALSE;
		rc = run_through(query);
		if (rc == SQLITE_DONE) {
			if (changed)
				*changed = sqlite3_changes(db->handle);
			return TRUE;
		}
		g_clear_error(&failure);
		fail(db, rc, &failure);
		g_clear_pointer(&query, db_query_free);
	} while (wait_for_others(rc, deadline));
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}
