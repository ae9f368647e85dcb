/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/db.h"
#include "lib/base/error.h"

static const char *const v1[] = {"CREATE TABLE t (a TEXT PRIMARY KEY, n INTEGER, b BLOB);", NULL};
static const char *const v2[] = {"CREATE TABLE t (a TEXT PRIMARY KEY, n INTEGER, b BLOB);",
				 "ALTER TABLE t ADD COLUMN c TEXT;", NULL};
static const char *const broken[] = {"CREATE TABLE t (a TEXT);", "CREATE TABL u;", NULL};

typedef struct {
	char *folder;
	char *path;
} Place;

static int make_place(void **state)
{
	Place *place = g_new0(Place, 1);

	place->folder = g_dir_make_tmp("sealpost-db-XXXXXX", NULL);
	place->path = g_build_filename(place->folder, "t.db", NULL);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	Place *place = *state;

	for (gsize i = 0; i < 3; i++) {
		static const char *const ends[] = {"", "-wal", "-shm"};
		g_autofree char *path = g_strconcat(place->path, ends[i], NULL);
		g_unlink(path);
	}
	g_rmdir(place->folder);
	g_free(place->path);
	g_free(place->folder);
	g_free(place);
	return 0;
}

static gboolean files_hold(const Place *place, const char *text)
{
	static const char *const ends[] = {"", "-wal"};
	gboolean found = FALSE;

	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *path = g_strconcat(place->path, ends[i], NULL);
		g_autofree char *content = NULL;
		gsize size = 0;
		if (g_file_get_contents(path, &content, &size, NULL))
			found = found || memmem(content, size, text, strlen(text));
	}
	return found;
}

static void test_forget(void **state)
{
	static const char secret[] = "what was deleted";
	Place *place = *state;
	g_autoptr(Db) db = db_open(place->path, v1, TRUE, NULL);
	g_autoptr(Db) other = db_open(place->path, v1, TRUE, NULL);
	gboolean done = FALSE;

	assert_true(db_run(db, NULL, NULL, "INSERT INTO t (a) VALUES (?)", "s", secret));
	assert_true(db_run(db, NULL, NULL, "DELETE FROM t", ""));
	assert_true(files_hold(place, secret));
	/* Somebody who writes is not waited for. */
	assert_true(db_begin(other, NULL));
	assert_true(db_forget(db, &done, NULL));
	assert_false(done);
	db_rollback(other);
	assert_true(db_forget(db, &done, NULL));
	assert_true(done);
	assert_false(files_hold(place, secret));
}

static void test_values(void **state)
{
	Place *place = *state;
	g_autoptr(Db) db = db_open(place->path, v1, FALSE, NULL);
	g_autoptr(GBytes) bytes = g_bytes_new("a\0b", 3);
	g_autoptr(GBytes) empty = g_bytes_new(NULL, 0);
	GError *error = NULL;
	int changed = 0;
	struct stat st;

	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(db_run(db, &changed, NULL, "INSERT INTO t VALUES (?, ?, ?)", "sib", "ä'; --",
			   (gint64)1 << 40, bytes));
	assert_int_equal(changed, 1);
	assert_true(db_run(db, NULL, NULL, "INSERT INTO t VALUES (?, ?, ?)", "sib", "b", (gint64)0,
			   empty));
	assert_true(db_run(db, NULL, NULL, "INSERT INTO t VALUES (?, ?, ?)", "sib", "c", (gint64)0,
			   NULL));
	g_autoptr(DbQuery) query =
		db_query(db, NULL, "SELECT a, n, b FROM t WHERE a = ?", "s", "ä'; --");
	assert_true(db_next(query, &error));
	assert_string_equal(db_text(query, 0), "ä'; --");
	assert_int_equal(db_int(query, 1), (gint64)1 << 40);
	g_autoptr(GBytes) back = db_bytes(query, 2);
	assert_true(g_bytes_equal(bytes, back));
	assert_false(db_next(query, &error));
	assert_null(error);
	g_autoptr(DbQuery) nulls = db_query(db, NULL, "SELECT b FROM t WHERE n = 0 ORDER BY a", "");
	assert_true(db_next(nulls, NULL));
	g_autoptr(GBytes) zero = db_bytes(nulls, 0);
	assert_int_equal(g_bytes_get_size(zero), 0);
	assert_true(db_next(nulls, NULL));
	assert_null(db_bytes(nulls, 0));
}

static void test_transactions(void **state)
{
	Place *place = *state;
	g_autoptr(Db) db = db_open(place->path, v1, FALSE, NULL);
	g_autoptr(GError) error = NULL;

	assert_true(db_begin(db, NULL));
	assert_true(db_run(db, NULL, NULL, "INSERT INTO t (a) VALUES ('x')", ""));
	db_rollback(db);
	assert_true(db_begin(db, NULL));
	assert_true(db_run(db, NULL, NULL, "INSERT INTO t (a) VALUES ('y')", ""));
	assert_false(db_run(db, NULL, &error, "INSERT INTO t (a) VALUES ('y')", ""));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	assert_true(db_commit(db, NULL));
	g_autoptr(DbQuery) query = db_query(db, NULL, "SELECT group_concat(a) FROM t", "");
	assert_true(db_next(query, NULL));
	assert_string_equal(db_text(query, 0), "y");
}

static void test_migrations(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	Db *db = db_open(place->path, v1, FALSE, NULL);

	db_close(db);
	assert_null(db_open_readonly(place->path, v2, &error));
	g_clear_error(&error);
	db = db_open(place->path, v2, FALSE, NULL);
	assert_true(db_run(db, NULL, NULL, "INSERT INTO t (a, c) VALUES ('x', 'y')", ""));
	db_close(db);
	assert_null(db_open(place->path, v1, FALSE, &error)); /* older program, newer file */
	assert_non_null(strstr(error->message, "newer version"));
	db = db_open_readonly(place->path, v2, NULL);
	assert_non_null(db);
	assert_false(db_run(db, NULL, NULL, "DELETE FROM t", ""));
	db_close(db);
}

/* A migration that fails in the middle leaves nothing of itself behind. */
static void test_broken_migration(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;

	assert_null(db_open(place->path, broken, FALSE, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	Db *db = db_open(place->path, v1, FALSE, NULL);
	assert_non_null(db);
	db_close(db);
}

static void test_not_a_database(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;

	assert_null(db_open_readonly(place->path, v1, &error));
	g_clear_error(&error);
	assert_true(
		g_file_set_contents(place->path, "this is no database, but long enough", -1, NULL));
	assert_null(db_open(place->path, v1, FALSE, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	g_unlink(place->path);
}

/* The file may grow no further: the insert fails as "disk full", what was there stays. */
static void test_disk_full(void **state)
{
	Place *place = *state;
	g_autoptr(Db) db = db_open(place->path, v1, FALSE, NULL);
	g_autofree guint8 *block = g_malloc0(1 << 20);
	g_autoptr(GBytes) bytes = g_bytes_new(block, 1 << 20);
	g_autoptr(GError) error = NULL;
	struct rlimit before, tight;

	assert_true(db_run(db, NULL, NULL, "INSERT INTO t (a) VALUES ('kept')", ""));
	assert_true(db_run(db, NULL, NULL, "PRAGMA max_page_count = 30", ""));
	assert_false(
		db_run(db, NULL, &error, "INSERT INTO t (a, b) VALUES ('big', ?)", "b", bytes));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_DISK_FULL));
	g_clear_error(&error);

	assert_true(db_run(db, NULL, NULL, "PRAGMA max_page_count = 100000", ""));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	tight = before;
	tight.rlim_cur = 256 * 1024;
	setrlimit(RLIMIT_FSIZE, &tight);
	gboolean took =
		db_run(db, NULL, &error, "INSERT INTO t (a, b) VALUES ('big', ?)", "b", bytes);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_false(took);
	g_autoptr(DbQuery) query = db_query(db, NULL, "SELECT group_concat(a) FROM t", "");
	assert_true(db_next(query, NULL));
	assert_string_equal(db_text(query, 0), "kept");
}

static gpointer add_many(gpointer data)
{
	for (int i = 0; i < 200; i++) {
		assert_true(db_begin(data, NULL));
		assert_true(db_run(data, NULL, NULL, "UPDATE t SET n = n + 1", ""));
		assert_true(db_commit(data, NULL));
	}
	return NULL;
}

static void test_threads(void **state)
{
	Place *place = *state;
	g_autoptr(Db) db = db_open(place->path, v1, FALSE, NULL);
	GThread *threads[4];

	assert_true(db_run(db, NULL, NULL, "PRAGMA synchronous = OFF", ""));
	assert_true(db_run(db, NULL, NULL, "INSERT INTO t (a, n) VALUES ('x', 0)", ""));
	for (int i = 0; i < 4; i++)
		threads[i] = g_thread_new("add", add_many, db);
	for (int i = 0; i < 4; i++)
		g_thread_join(threads[i]);
	g_autoptr(DbQuery) query = db_query(db, NULL, "SELECT n FROM t", "");
	assert_true(db_next(query, NULL));
	assert_int_equal(db_int(query, 0), 800);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

static gpointer add_one(gpointer data)
{
	return GINT_TO_POINTER(db_run(data, NULL, NULL, "INSERT INTO t (n) VALUES (1)", ""));
}

static gpointer add_in_transaction(gpointer data)
{
	gboolean ok = db_begin(data, NULL) &&
		      db_run(data, NULL, NULL, "INSERT INTO t (n) VALUES (2)", "");

	return GINT_TO_POINTER(ok && db_commit(data, NULL));
}

/* The other connection stands for another process. */
static void test_waiting(void **state)
{
	static const GThreadFunc writers[] = {add_one, add_in_transaction};
	const Place *place = *state;
	g_autoptr(Db) db = db_open(place->path, v1, TRUE, NULL);
	g_autoptr(Db) other = db_open(place->path, v1, TRUE, NULL);

	assert_non_null(db);
	assert_non_null(other);
	db_set_patience(db, 60000);
	for (gsize i = 0; i < G_N_ELEMENTS(writers); i++) {
		GThread *thread;

		assert_true(db_begin(other, NULL));
		thread = g_thread_new("writer", writers[i], db);
		g_usleep(200000); /* it waits by now; if not, the test is only easier */
		{
			g_autoptr(DbQuery) query = db_query(db, NULL, "SELECT count(*) FROM t", "");

			assert_non_null(query); /* a reader is let in, or this hangs for a minute */
			assert_true(db_next(query, NULL));
			assert_int_equal(db_int(query, 0), i);
		}
		assert_true(db_commit(other, NULL));
		assert_true(GPOINTER_TO_INT(g_thread_join(thread)));
	}
}

static void test_no_patience(void **state)
{
	const Place *place = *state;
	g_autoptr(Db) db = db_open(place->path, v1, TRUE, NULL);
	g_autoptr(Db) other = db_open(place->path, v1, TRUE, NULL);
	g_autoptr(GError) error = NULL;

	db_set_patience(db, 20);
	assert_true(db_begin(other, NULL));
	assert_false(db_begin(db, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	g_clear_error(&error);
	assert_false(db_run(db, NULL, &error, "INSERT INTO t (n) VALUES (1)", ""));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	db_rollback(other);
	assert_non_null(add_one(db));
	assert_non_null(add_in_transaction(db));
}

/* Bytes of SQLite's -shm file: the index's two headers, and the locks for writing, copying back and
 * recovery (www.sqlite.org/walformat.html). */
#define SHM_HEADERS 96
#define SHM_LOCKS 120

/* Another process. */
typedef struct {
	off_t locks; /* how many of them it has, from the one for writing on */
	gboolean mends; /* the index, as after a crash */
	int milliseconds; /* until it ends; -1: when end is closed */
	pid_t pid;
	int end;
} Other;

static void run_other(const Other *other, const char *shm, int ready, int end)
{
	struct flock lock = {.l_type = F_WRLCK, .l_start = SHM_LOCKS, .l_len = other->locks};
	struct pollfd polled = {.fd = end, .events = POLLIN};
	const char none[SHM_HEADERS] = {0};
	int fd = open(shm, O_RDWR);

	if (fcntl(fd, F_SETLK, &lock) != 0 ||
	    (other->mends && pwrite(fd, none, sizeof none, 0) != sizeof none) ||
	    write(ready, "", 1) != 1)
		_exit(1);
	poll(&polled, 1, other->milliseconds);
	_exit(0);
}

static void start_other(Other *other, const Place *place)
{
	g_autofree char *shm = g_strconcat(place->path, "-shm", NULL);
	int ready[2], end[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	other->end = end[1];
	other->pid = fork();
	if (other->pid == 0) {
		close(end[1]);
		run_other(other, shm, ready[1], end[0]);
	}
	close(ready[1]);
	close(end[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static void end_other(const Other *other)
{
	int status;

	close(other->end);
	assert_int_equal(waitpid(other->pid, &status, 0), other->pid);
	assert_int_equal(status, 0);
}

static void test_recovery(void **state)
{
	static const GThreadFunc writers[] = {add_one, add_in_transaction};
	const Place *place = *state;
	g_autoptr(Db) db = db_open(place->path, v1, TRUE, NULL);
	Other other = {.locks = 3, .mends = TRUE, .milliseconds = 200};

	assert_non_null(db);
	db_set_patience(db, 60000);
	for (gsize i = 0; i < G_N_ELEMENTS(writers); i++) {
		start_other(&other, place);
		assert_non_null(writers[i](db));
		end_other(&other);
	}
}

#define IN_LINE 30

/* SQLite alone would have each of them wait for ten seconds, one after the other. */
static void test_locked_out(void **state)
{
	const Place *place = *state;
	g_autoptr(Db) db = db_open(place->path, v1, TRUE, NULL);
	g_autoptr(Db) readonly = db_open_readonly(place->path, v1, NULL);
	g_autoptr(GError) error = NULL;
	GThread *threads[IN_LINE];
	Other other = {.locks = 8, .milliseconds = -1};

	start_other(&other, place);
	gint64 before = g_get_monotonic_time();

	assert_false(db_run(readonly, NULL, &error, "SELECT count(*) FROM t", ""));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_STORE));
	assert_null(db_open(place->path, v1, TRUE, NULL));
	assert_true(g_get_monotonic_time() - before < 15 * G_USEC_PER_SEC);
	before = g_get_monotonic_time();
	for (gsize i = 0; i < IN_LINE; i++)
		threads[i] = g_thread_new("line", i % 2 ? add_one : add_in_transaction, db);
	for (gsize i = 0; i < IN_LINE; i++)
		assert_null(g_thread_join(threads[i]));
	assert_true(g_get_monotonic_time() - before < IN_LINE * G_USEC_PER_SEC);
	end_other(&other);
	assert_non_null(add_one(db));
	assert_non_null(add_in_transaction(db));
}

#define LONG_ONES 10

typedef struct {
	Db *db;
	int done; /* atomic */
} Hog;

/* One long transaction after the other: who waits for them still gets a turn in between. */
static gpointer hog(gpointer data)
{
	Hog *self = data;

	for (int i = 0; i < LONG_ONES; i++) {
		if (!db_begin(self->db, NULL))
			return NULL;
		g_usleep(150000);
		db_commit(self->db, NULL);
		g_atomic_int_inc(&self->done);
	}
	return self;
}

static void test_turns(void **state)
{
	const Place *place = *state;
	g_autoptr(Db) db = db_open(place->path, v1, TRUE, NULL);
	g_autoptr(Db) other = db_open(place->path, v1, TRUE, NULL);
	Hog self = {.db = other};
	GThread *thread;

	db_set_patience(db, 60000);
	thread = g_thread_new("hog", hog, &self);
	g_usleep(50000);
	assert_non_null(add_one(db));
	assert_true(g_atomic_int_get(&self.done) < LONG_ONES);
	assert_non_null(g_thread_join(thread));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(test_forget),
		PLACED(test_values),
		PLACED(test_transactions),
		PLACED(test_migrations),
		PLACED(test_broken_migration),
		PLACED(test_not_a_database),
		PLACED(test_disk_full),
		PLACED(test_threads),
		PLACED(test_waiting),
		PLACED(test_no_patience),
		PLACED(test_recovery),
		PLACED(test_locked_out),
		PLACED(test_turns),
	};

	return cmocka_run_group_tests_name("base_db", tests, NULL, NULL);
}
