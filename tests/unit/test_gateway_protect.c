/* SPDX-License-Identifier: Apache-2.0
 *
 * The outputs of a message with many variants: all of them, or as many as there is time for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/error.h"

#include "gateway/protect.h"
#include "gateway/resubmit.h"
#include "tests/unit/gatewaymaker.h"

#define MAIL "From: a@firma.example\nMessage-ID: <1@x>\n\nx\n"

static const char *const to[] = {"a@x.example", "b@x.example", "c@x.example", NULL};

static int set_up(void **state)
{
	*state = make_snapshot("outgoing plain\n", NULL);
	return 0;
}

static int tear_down(void **state)
{
	remove_snapshot(*state);
	return 0;
}

/* As it is, to each by another route: a variant each. */
static Plan *make_plan(const Job *job)
{
	Plan *plan = plan_new();

	for (guint i = 0; i < job->recipients->len; i++) {
		PlanRecipient *outcome = plan_add_recipient(plan, job->recipients->pdata[i]);

		outcome->transport = TRANSPORT_TLS;
		outcome->nexthop = outcome->recipient->address;
	}
	plan_group(plan);
	assert_int_equal(plan->variants->len, 3);
	return plan;
}

static GHashTable *done_by(const char *address)
{
	GHashTable *done = g_hash_table_new(g_str_hash, g_str_equal);

	if (address)
		g_hash_table_add(done, (gpointer)address);
	return done;
}

/* "110" for outputs of the first two. New string. */
static char *made(const Job *job, const Plan *plan, const char *done)
{
	g_autoptr(GHashTable) table = done_by(done);
	g_autoptr(GPtrArray) outputs = protect_all(job, NULL, plan, table, NULL);
	GString *text = g_string_new(NULL);

	assert_non_null(outputs);
	for (guint i = 0; i < outputs->len; i++)
		g_string_append_c(text, outputs->pdata[i] ? '1' : '0');
	return g_string_free(text, FALSE);
}

/* Where the time is over, each try still makes one more; a stranger's and explain's are whole. */
static void test_time(void **state)
{
	static const struct {
		const char *client, *done;
		gboolean late, preview;
		const char *expected;
	} table[] = {
		{"192.0.2.1", NULL, FALSE, FALSE, "111"},
		{"192.0.2.1", "a@x.example", FALSE, FALSE, "011"},
		{"192.0.2.1", NULL, TRUE, FALSE, "100"},
		{"192.0.2.1", "a@x.example", TRUE, FALSE, "010"},
		{"192.0.2.1", NULL, TRUE, TRUE, "111"},
		{"198.51.100.1", NULL, TRUE, FALSE, "111"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(Job) job = make_job(*state, table[i].client, "a@firma.example", to, MAIL);
		g_autoptr(Plan) plan = make_plan(job);

		job->deadline = table[i].late ? 1 : g_get_monotonic_time() + G_TIME_SPAN_HOUR;
		job->preview = table[i].preview;
		g_autofree char *got = made(job, plan, table[i].done);

		assert_string_equal(got, table[i].expected);
	}
}

/* What was not made does not leave, and who has it already is no reason to stop. */
static void test_not_made(void **state)
{
	Snapshot *snapshot = *state;
	g_autoptr(Job) job = make_job(snapshot, "192.0.2.1", "a@firma.example", to, MAIL);
	g_autoptr(Plan) plan = make_plan(job);
	g_autoptr(JournalEntry) entry = journal_begin(snapshot->journal, "digest", TRUE, to, NULL);
	Resubmission resubmission = {job, entry};
	g_autoptr(GError) error = NULL;

	assert_false(resubmit_variant(&resubmission, plan->variants->pdata[0], NULL, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	g_hash_table_add(entry->done, g_strdup("a@x.example"));
	assert_true(resubmit_variant(&resubmission, plan->variants->pdata[0], NULL, NULL));
}

/* A deposit costs what the message is large: the next try goes on behind those that are done. */
static void test_deposits(void **state)
{
	Snapshot *snapshot = *state;
	g_autoptr(Job) job = make_job(snapshot, "192.0.2.1", "a@firma.example", to, MAIL);
	g_autoptr(JournalEntry) entry = journal_begin(snapshot->journal, "other", TRUE, to, NULL);
	PlanVariant variant = {.way = WAY_PORTAL};
	Output output = {.edits = g_ptr_array_new()};
	PortalJob work = {job, &variant, &output, entry};
	g_autoptr(GError) error = NULL;

	job->deadline = 1;
	assert_false(protect_portal(&work, job->recipients, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	job->deadline = g_get_monotonic_time() + G_TIME_SPAN_HOUR;
	assert_true(protect_portal(&work, job->recipients, NULL));
	g_ptr_array_unref(output.edits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_not_made),
		cmocka_unit_test(test_deposits),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
