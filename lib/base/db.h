/* SPDX-License-Identifier: Apache-2.0
 *
 * The database behind the keystore, the journal and the portal: SQLite (WAL, full sync). One Db is
 * one connection; it may be used by several threads, one at a time: a statement or a
 * transaction holds the connection until it is finished. Whoever is locked out by another process
 * fails after two seconds at most, and with him all who stood in line behind him. Every failure is ERROR_STORE, a full
 * disk ERROR_DISK_FULL; "no row" is a result, not an error.
 */
#ifndef SEALPOST_LIB_BASE_DB_H
#define SEALPOST_LIB_BASE_DB_H

#include <glib.h>

typedef struct Db Db;
typedef struct DbQuery DbQuery;

/* Opens or creates the file (mode 0600, or 0660 with shared: two programs of one group use it)
 * and brings its schema up to date: migrations[i] is a script of SQL that leads from version i
 * to i + 1; NULL ends the list. A file of a newer version is refused. */
Db *db_open(const char *path, const char *const *migrations, gboolean shared, GError **error);
/* The same without ever writing: ERROR_STORE if the file does not exist or is of another
 * version. */
Db *db_open_readonly(const char *path, const char *const *migrations, GError **error);
void db_close(Db *db);
/* How long a writer waits for another process that writes, instead of two seconds; threads of this
 * process that only read are not held up by that. Before the Db is shared between threads. */
void db_set_patience(Db *db, gint64 milliseconds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Db, db_close)

/* A transaction (BEGIN IMMEDIATE). The calling thread owns the connection until commit or
 * rollback; queries in between are part of it. */
gboolean db_begin(Db *db, GError **error);
gboolean db_commit(Db *db, GError **error);
void db_rollback(Db *db);

/* Takes what was deleted out of the files: secure_delete wipes it in the database, but its old form
 * stays in the write-ahead log until that is emptied. Waits for nobody: *done tells. */
gboolean db_forget(Db *db, gboolean *done, GError **error);

/* A prepared query with its parameters, in the order of the '?'s: types is one letter each, 's'
 * (const char *, may be NULL), 'i' (gint64), 'b' (GBytes *, may be NULL). The caller's thread
 * owns the connection until db_query_free(). NULL on error. Values are copied. */
DbQuery *db_query(Db *db, GError **error, const char *sql, const char *types, ...);
/* TRUE: a row is there. FALSE: none left (error unset) or a failure (error set). */
gboolean db_next(DbQuery *query, GError **error);
/* For a query of at most one row, or of the first one: *there tells whether it is; FALSE is a
 * failure only. A query that is NULL has failed already. */
gboolean db_row(DbQuery *query, gboolean *there, GError **error);
/* Columns of the current row, from 0. Strings and bytes are borrowed until the next call. */
const char *db_text(DbQuery *query, int column);
gint64 db_int(DbQuery *query, int column);
GBytes *db_bytes(DbQuery *query, int column); /* a new reference, a copy; NULL for NULL */
void db_query_free(DbQuery *query);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DbQuery, db_query_free)

/* A statement without rows: prepare, bind, step, done. changed (may be NULL) gets the number of
 * rows that it changed. */
gboolean db_run(Db *db, int *changed, GError **error, const char *sql, const char *types, ...);

#endif
