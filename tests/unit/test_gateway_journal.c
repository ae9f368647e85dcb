/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal and the digest that it goes by: what is a retry, and what is a new message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "lib/base/db.h"

#include "gateway/digest.h"
#include "gateway/head.h"
#include "gateway/journal.h"

typedef struct {
	char *folder, *path;
	Journal *journal;
} Fixture;

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);

	fixture->folder = g_dir_make_tmp("sp-XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "journal.db", NULL);
	fixture->journal = journal_open(fixture->path, NULL);
	*state = fixture;
	return fixture->journal ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	Fixture *fixture = *state;

	journal_close(fixture->journal);
	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
		g_autofree char *path = g_strconcat(fixture->path, endings[i], NULL);

		g_unlink(path);
	}
	g_rmdir(fixture->folder);
	g_free(fixture->path);
	g_free(fixture->folder);
	g_free(fixture);
	return 0;
}

#define TWO ((const char *const[]){"a@x", "b@x", NULL})
#define OTHER_TWO ((const char *const[]){"c@x", "d@x", NULL})

/* How many copies a message that begins now finds; the name of the first recipient's copy. */
static guint found(Journal *journal, const char *digest, gboolean unique,
		   const char *const *recipients, char **key)
{
	g_autoptr(JournalEntry) entry = journal_begin(journal, digest, unique, recipients, NULL);

	assert_non_null(entry);
	if (key)
		*key = g_strdup(journal_key(entry, recipients[0]));
	return g_hash_table_size(entry->done);
}

static void leave(Journal *journal, const char *digest, gboolean unique,
		  const char *const *recipients, gboolean finish)
{
	g_autoptr(JournalEntry) entry = journal_begin(journal, digest, unique, recipients, NULL);

	assert_true(journal_ready(journal, entry, NULL));
	assert_true(journal_add(journal, entry, recipients, "smime", NULL));
	if (finish)
		assert_true(journal_finish(journal, entry, NULL));
}

/* Broken off: what comes again, in whatever grouping, finds its copies. */
static void test_broken_off(void **state)
{
	static const char *const other[] = {"b@x", "c@x", NULL};
	static const char *const all[] = {"a@x", "b@x", "c@x", "d@x", NULL};
	Fixture *fixture = *state;

	for (int unique = 0; unique < 2; unique++) {
		const char *digest = unique ? "u" : "n";

		assert_int_equal(found(fixture->journal, digest, unique, TWO, NULL), 0);
		leave(fixture->journal, digest, unique, TWO, FALSE);
		assert_int_equal(found(fixture->journal, digest, unique, TWO, NULL), 2);
		leave(fixture->journal, digest, unique, other, FALSE);
		journal_close(fixture->journal);
		fixture->journal = journal_open(fixture->path, NULL);
		assert_int_equal(found(fixture->journal, digest, unique, other, NULL), 2);
		assert_int_equal(found(fixture->journal, digest, unique, all, NULL), 3);
	}
	assert_int_equal(found(fixture->journal, "else", TRUE, TWO, NULL), 0);
}

/* The sender's server sends a message in groups: that one of them is finished says nothing of the
 * other, broken off or not heard of. */
static void test_groups(void **state)
{
	Fixture *fixture = *state;

	for (int unique = 0; unique < 2; unique++) {
		const char *digest = unique ? "u" : "n";

		leave(fixture->journal, digest, unique, TWO, FALSE);
		leave(fixture->journal, digest, unique, OTHER_TWO, TRUE);
		assert_int_equal(found(fixture->journal, digest, unique, TWO, NULL), 2);
		leave(fixture->journal, digest, unique, TWO, TRUE);
		assert_int_equal(found(fixture->journal, digest, unique, OTHER_TWO, NULL),
				 unique ? 2 : 0);
	}
}

/* Finished: an equal message is a new one, unless it names itself and comes soon. */
static void test_finished(void **state)
{
	static const char *const swapped[] = {"b@x", "a@x", NULL};
	static const char *const more[] = {"a@x", "c@x", NULL};
	Fixture *fixture = *state;
	g_autofree char *first = NULL, *again = NULL;

	leave(fixture->journal, "n", FALSE, TWO, TRUE);
	assert_int_equal(found(fixture->journal, "n", FALSE, TWO, NULL), 0);
	leave(fixture->journal, "u", TRUE, TWO, TRUE);
	assert_int_equal(found(fixture->journal, "u", TRUE, TWO, &first), 2);
	for (int i = 0; i < 3; i++) {
		g_clear_pointer(&again, g_free);
		leave(fixture->journal, "u", TRUE, swapped, TRUE);
		assert_int_equal(found(fixture->journal, "u", TRUE, TWO, &again), 2);
		assert_string_equal(first, again);
	}
	assert_int_equal(found(fixture->journal, "u", TRUE, more, NULL), 1);
	assert_int_equal(found(fixture->journal, "u", FALSE, TWO, NULL), 0);
}

/* A copy's name is the same at each try, also where nothing left yet, and another one for the next
 * equal message, however long ago that was: by it the portal knows a retry, for months. */
static void test_names(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *first = NULL, *retried = NULL, *second = NULL, *third = NULL;
	g_autoptr(JournalEntry) entry = journal_begin(fixture->journal, "n", FALSE, TWO, NULL);
	gint64 later = g_get_real_time() / G_USEC_PER_SEC + (JOURNAL_DAYS + 1) * 24 * 60 * 60;

	assert_true(journal_ready(fixture->journal, entry, NULL));
	first = g_strdup(journal_key(entry, "a@x"));
	assert_int_equal(found(fixture->journal, "n", FALSE, TWO, &retried), 0);
	assert_string_equal(first, retried);
	leave(fixture->journal, "n", FALSE, TWO, TRUE);
	found(fixture->journal, "n", FALSE, TWO, &second);
	assert_string_not_equal(first, second);
	assert_true(journal_expire(fixture->journal, later, NULL));
	found(fixture->journal, "n", FALSE, TWO, &third);
	assert_string_not_equal(first, third);
	assert_null(journal_key(entry, "z@x"));
}

/* It says beforehand that it cannot be written, and that it can changes nothing. */
static void test_ready(void **state)
{
	Fixture *fixture = *state;
	/* As many as the journal has: none is run. */
	static const char *const migrations[] = {"", "", NULL};
	g_autoptr(Db) other = db_open(fixture->path, migrations, FALSE, NULL);

	assert_non_null(other);
	g_autoptr(JournalEntry) entry = journal_begin(fixture->journal, "r", TRUE, TWO, NULL);
	assert_true(journal_ready(fixture->journal, entry, NULL));
	assert_true(journal_ready(fixture->journal, entry, NULL));
	assert_int_equal(found(fixture->journal, "r", TRUE, TWO, NULL), 0);
	assert_true(db_begin(other, NULL));
	assert_false(journal_ready(fixture->journal, entry, NULL));
	db_rollback(other);
	assert_true(journal_ready(fixture->journal, entry, NULL));
}

/* One of the first version, that noted other things. */
static void test_old_journal(void **state)
{
	static const char *const first[] = {"CREATE TABLE copy (key TEXT, recipient TEXT); CREATE "
					    "TABLE finished (digest TEXT);",
					    NULL};
	Fixture *fixture = *state;

	journal_close(fixture->journal);
	g_unlink(fixture->path);
	db_close(db_open(fixture->path, first, FALSE, NULL));
	fixture->journal = journal_open(fixture->path, NULL);
	leave(fixture->journal, "o", TRUE, TWO, FALSE);
	assert_int_equal(found(fixture->journal, "o", TRUE, TWO, NULL), 2);
}

static void test_expiry(void **state)
{
	Fixture *fixture = *state;
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	gint64 day = 24 * 60 * 60;

	leave(fixture->journal, "d", TRUE, TWO, FALSE);
	assert_true(journal_expire(fixture->journal, now + (JOURNAL_DAYS - 1) * day, NULL));
	assert_int_equal(found(fixture->journal, "d", TRUE, TWO, NULL), 2);
	assert_true(journal_expire(fixture->journal, now + (JOURNAL_DAYS + 1) * day, NULL));
	assert_int_equal(found(fixture->journal, "d", TRUE, TWO, NULL), 0);
}

static char *digest(const char *sender, const char *text, const char *queue_id, gboolean *unique)
{
	g_autoptr(Sha256) sha256 = sha256_new();
	gsize used;
	g_autoptr(Headers) headers = head_parse(text, strlen(text), &used, NULL);

	*unique = digest_head(sha256, sender, headers, "mx.firma.example", queue_id);
	return sha256_finish(sha256);
}

#define BARE "From: a@x\nSubject: s\n"

static void test_digest(void **state)
{
	static const struct {
		const char *one, *other;
		gboolean same, unique;
	} table[] = {
		{BARE, BARE, TRUE, FALSE},
		{BARE "Message-Id: <Q1@mx.firma.example>\nDate: 1\n",
		 BARE "Message-Id: <Q2@mx.firma.example>\nDate: 2\n", TRUE, FALSE},
		{BARE "Message-Id: <2026.Q1@mx.firma.example>\nDate: 1\nFrom: a@x\n",
		 BARE "Message-Id: <2027.Q2@mx.firma.example>\nDate: 2\nFrom: a@x\n", TRUE, FALSE},
		{"Message-ID: <1@x>\n" BARE "Date: 1\n", "Message-ID: <1@x>\n" BARE "Date: 2\n",
		 TRUE, TRUE},
		{"Message-ID: <1@x>\n" BARE, "Message-ID: <2@x>\n" BARE, FALSE, TRUE},
		{"Date: 1\n" BARE, "Date: 2\n" BARE, FALSE, FALSE},
		{"A: b\nC: d\n", "A: b\nC:  d\n", FALSE, FALSE},
		{"A: bC\n", "A: b\nC:\n", FALSE, FALSE},
		{"Message-ID: <Q1@mx.firma.example.evil>\n",
		 "Message-ID: <Q2@mx.firma.example.evil>\n", FALSE, TRUE},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		gboolean unique_one, unique_other;
		g_autofree char *one = digest("s@x", table[i].one, "Q1", &unique_one);
		g_autofree char *other = digest("s@x", table[i].other, "Q2", &unique_other);

		assert_int_equal(g_str_equal(one, other), table[i].same);
		assert_int_equal(unique_one, table[i].unique);
		assert_int_equal(unique_other, table[i].unique);
	}
	gboolean unique;
	g_autofree char *mine = digest("s@x", BARE, "Q1", &unique);
	g_autofree char *yours = digest("t@x", BARE, "Q1", &unique);

	assert_string_not_equal(mine, yours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_broken_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_groups, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_finished, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ready, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_old_journal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_expiry, set_up, tear_down),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
