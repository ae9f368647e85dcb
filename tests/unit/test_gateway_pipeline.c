/* SPDX-License-Identifier: Apache-2.0
 *
 * What cannot be brought about by mail: a copy that is not made and says no word why, a message whose bytes
 * cannot be read any more, keys that vanish between two tries. The linker puts these functions in the place of
 * the steps' own (--wrap in module.am).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/mail/smtp.h"

#include "gateway/pipeline.h"
#include "tests/unit/gatewaymaker.h"

#define TEXT "From: a@firma.example\nMessage-ID: <1@x>\n\nsecret\n"

/* Which step makes nothing; the others do their work. */
static enum { NOTHING_FAILS, PROTECT_FAILS, PROTECT_ALL_FAILS } failing;

Output *__real_protect(const ProtectJob *order, GError **error);
Output *__wrap_protect(const ProtectJob *order, GError **error);
GPtrArray *__real_protect_all(const Job *job, const Parsed *parsed, const Plan *plan,
			      GHashTable *done, GError **error);
GPtrArray *__wrap_protect_all(const Job *job, const Parsed *parsed, const Plan *plan,
			      GHashTable *done, GError **error);

Output *__wrap_protect(const ProtectJob *order, GError **error)
{
	return failing == PROTECT_FAILS ? NULL : __real_protect(order, error);
}

GPtrArray *__wrap_protect_all(const Job *job, const Parsed *parsed, const Plan *plan,
			      GHashTable *done, GError **error)
{
	GPtrArray *outputs = __real_protect_all(job, parsed, plan, done, error);

	if (outputs && failing == PROTECT_ALL_FAILS) {
		output_free(outputs->pdata[0]);
		outputs->pdata[0] = NULL;
	}
	return outputs;
}

static GString *sent; /* to whom, each behind a blank */

gboolean __wrap_smtp_send(const SmtpServer *server, const SmtpEnvelope *envelope,
			  const SmtpMessage *message, char **queue_id, GError **error);

gboolean __wrap_smtp_send(const SmtpServer *server, const SmtpEnvelope *envelope,
			  const SmtpMessage *message, char **queue_id, GError **error)
{
	(void)server, (void)message, (void)queue_id, (void)error;
	for (gsize i = 0; i < envelope->recipient_count; i++)
		g_string_append_printf(sent, " %s", envelope->recipients[i].address);
	return TRUE;
}

/* One that no rule wants changed: nothing else than an error holds it. */
static Handback *run(const char *client, const char *recipient)
{
	const char *to[] = {recipient, NULL};
	Snapshot *snapshot = make_snapshot("outgoing plain\n", NULL);
	Job *job = make_job(snapshot, client, "a@firma.example", to, TEXT);
	Handback *handback = pipeline_run(job, NULL, NULL);

	job_free(job);
	remove_snapshot(snapshot);
	return handback;
}

static void test_nothing_made(void **state)
{
	static const char *const mail[][2] = {
		{"192.0.2.1", "b@x.example"},
		{"203.0.113.1", "b@firma.example"},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(mail); i++) {
		failing = NOTHING_FAILS;
		g_autoptr(Handback) good = run(mail[i][0], mail[i][1]);
		assert_int_equal(good->verdict, HANDBACK_ACCEPT);
		assert_non_null(good->output);
		for (failing = PROTECT_FAILS; failing <= PROTECT_ALL_FAILS; failing++) {
			g_autoptr(Handback) handback = run(mail[i][0], mail[i][1]);

			assert_int_equal(handback->verdict, HANDBACK_DEFER);
			assert_int_equal(handback->code, 451);
			assert_string_equal(handback->reason, "internal");
			assert_null(handback->output);
		}
	}
}

/* What is in the file of a message that has no name. */
static guint lose_bytes(const char *folder)
{
	char real[PATH_MAX];
	g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
	const char *name;
	guint lost = 0;

	assert_non_null(realpath(folder, real));
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename("/proc/self/fd", name, NULL);
		g_autofree char *file = g_file_read_link(path, NULL);

		if (file && g_str_has_prefix(file, real) && g_str_has_suffix(file, "(deleted)"))
			lost += ftruncate((int)g_ascii_strtoll(name, NULL, 10), 0) == 0;
	}
	return lost;
}

/* Nobody knows then what it is: it neither passes nor is it refused for good. */
static void test_unreadable(void **state)
{
	static const char *const rules[] = {"outgoing plain\n", "incoming require smime or pgp\n"};
	const char *to[] = {"b@firma.example", NULL};
	g_autofree char *filler = g_strnfill((gsize)2 * SPOOL_MEMORY, 'x');
	g_autofree char *text = g_strconcat("From: a@x.example\n\n", filler, "\n", NULL);

	(void)state;
	failing = NOTHING_FAILS;
	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		Snapshot *snapshot = make_snapshot(rules[i], NULL);
		Job *job = make_job(snapshot, "203.0.113.1", "a@x.example", to, text);

		assert_int_equal(lose_bytes(snapshot->spool_folder), 1);
		g_autoptr(Handback) handback = pipeline_run(job, NULL, NULL);
		assert_int_equal(handback->verdict, HANDBACK_DEFER);
		assert_string_equal(handback->reason, "io");
		job_free(job);
		remove_snapshot(snapshot);
	}
}

static const char *const to[] = {"a@x.example", "b@x.example", "c@x.example", NULL};

/* An earlier try of the message has served these. */
static void serve(Snapshot *snapshot, const char *const *addresses)
{
	g_autoptr(Job) job = make_job(snapshot, "192.0.2.1", "a@firma.example", to, TEXT);

	assert_true(receive_end(job, NULL));
	g_autoptr(JournalEntry) entry =
		journal_begin(snapshot->journal, job->digest, job->unique, to, NULL);
	assert_true(journal_ready(snapshot->journal, entry, NULL));
	assert_true(journal_add(snapshot->journal, entry, addresses, "smime", NULL));
}

/* What they lack now who have their copy keeps it from nobody else; who has none is judged as ever. */
static void test_served(void **state)
{
	static const struct {
		const char *served[4];
		const char *sent; /* NULL: refused */
	} table[] = {
		{{NULL}, NULL},
		{{"c@x.example"}, NULL},
		{{"a@x.example"}, NULL},
		{{"a@x.example", "b@x.example"}, " c@x.example"},
		{{"a@x.example", "b@x.example", "c@x.example"}, ""},
	};

	(void)state;
	failing = NOTHING_FAILS;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		Snapshot *snapshot = make_snapshot(
			"outgoing to \"c@x.example\" plain\noutgoing require smime\n", NULL);

		sent = g_string_new(NULL);
		if (*table[i].served)
			serve(snapshot, table[i].served);
		Job *job = make_job(snapshot, "192.0.2.1", "a@firma.example", to, TEXT);
		g_autoptr(Handback) handback = pipeline_run(job, NULL, NULL);

		assert_int_equal(handback->verdict,
				 table[i].sent ? HANDBACK_DISCARD : HANDBACK_REJECT);
		assert_string_equal(sent->str, table[i].sent ? table[i].sent : "");
		g_string_free(sent, TRUE);
		job_free(job);
		remove_snapshot(snapshot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_made),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
