/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes in: demands of rules against what was found, answers to what arrived encrypted and when
 * they come, and what the MTA's own notices may quote.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "gateway/decide.h"
#include "gateway/demands.h"
#include "gateway/facts.h"
#include "gateway/head.h"
#include "gateway/open.h"
#include "gateway/pipeline.h"
#include "gateway/returned.h"
#include "lib/base/error.h"
#include "tests/unit/gatewaymaker.h"

typedef struct {
	const char *kind, *reason; /* reason NULL: opened */
	gboolean partial;
} Found;

static Opened *found_layers(const Found *layers)
{
	Opened *opened = opened_new();

	for (; layers->kind; layers++) {
		OpenLayer *layer = opened_add_layer(opened, layers->kind);

		layer->opened = layers->reason == NULL;
		layer->reason = layers->reason;
		layer->partial = layers->partial;
	}
	return opened;
}

#define BOTH                                                                                       \
	{                                                                                          \
		TRUE, TRUE, FALSE, 0                                                               \
	}
#define SMIME                                                                                      \
	{                                                                                          \
		TRUE, FALSE, FALSE, 0                                                              \
	}
#define PGP                                                                                        \
	{                                                                                          \
		FALSE, TRUE, FALSE, 0                                                              \
	}

static const struct {
	Found layers[4];
	Demands demands;
	gboolean met;
} encrypted[] = {
	{{{NULL}}, BOTH, FALSE},
	{{{"smime-encrypted", NULL, FALSE}}, BOTH, TRUE},
	{{{"smime-encrypted", NULL, FALSE}}, PGP, FALSE},
	{{{"smime-encrypted", NULL, TRUE}}, SMIME, FALSE},
	{{{"smime-encrypted", "no-key", FALSE}}, SMIME, FALSE},
	{{{"smime-encrypted", "too-deep", FALSE}}, SMIME, FALSE},
	{{{"smime-encrypted", "no-integrity", FALSE}}, SMIME, FALSE},
	/* CBC says nothing of its inside */
	{{{"smime-encrypted", "damaged", FALSE}}, SMIME, TRUE},
	{{{"smime-encrypted", NULL, FALSE}, {"pgp-encrypted", NULL, FALSE}}, PGP, FALSE},
	{{{"smime-auth-encrypted", "damaged", FALSE}}, SMIME, FALSE},
	{{{"smime-auth-encrypted", NULL, FALSE}}, SMIME, TRUE},
	{{{"smime-signed", NULL, FALSE}}, SMIME, FALSE},
	{{{"smime-signed", NULL, FALSE}, {"smime-encrypted", NULL, FALSE}}, SMIME, TRUE},
	{{{"pgp-encrypted", NULL, FALSE}}, BOTH, TRUE},
	{{{"pgp-encrypted", "damaged", FALSE}}, PGP, FALSE},
	{{{"pgp-inline-encrypted", NULL, FALSE}}, PGP, TRUE},
	{{{"pgp-inline-encrypted", NULL, TRUE}}, PGP, FALSE},
	{{{"pgp-signed", NULL, FALSE}}, PGP, FALSE},
};

static void test_encrypted(void **state)
{
	const char *to[] = {"a@firma.example", NULL};
	Snapshot *snapshot = make_snapshot("outgoing plain\n", NULL);
	g_autoptr(Job) job = make_job(snapshot, "203.0.113.1", "x@b", to, "From: x@b\n\nt\n");

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(encrypted); i++) {
		g_autoptr(Opened) opened = found_layers(encrypted[i].layers);
		g_autoptr(GError) error = NULL;
		gboolean met = demands_met(&encrypted[i].demands, job, job->recipients->pdata[0],
					   opened, &error);

		if (met != encrypted[i].met)
			fail_msg("row %d", (int)i);
		assert_true(met == !g_error_matches(error, SEALPOST_ERROR, ERROR_DEMANDED));
	}
	job_free(g_steal_pointer(&job));
	remove_snapshot(snapshot);
}

static void test_signed(void **state)
{
	static const struct {
		const char *result;
		gboolean matches_from, partial, outside, loose, met;
	} table[] = {
		{"good", TRUE, FALSE, FALSE, FALSE, TRUE},
		{"good", FALSE, FALSE, FALSE, FALSE, FALSE},
		{"good", TRUE, TRUE, FALSE, FALSE, FALSE},
		{"good", TRUE, FALSE, TRUE, FALSE, FALSE},
		{"good", TRUE, FALSE, FALSE, TRUE, FALSE},
		{"untrusted", TRUE, FALSE, FALSE, FALSE, FALSE},
		{"expired", TRUE, FALSE, FALSE, FALSE, FALSE},
		{"bad", TRUE, FALSE, FALSE, FALSE, FALSE},
	};
	const Demands demands = {FALSE, FALSE, TRUE, 0};
	const char *to[] = {"a@firma.example", NULL};
	Snapshot *snapshot = make_snapshot("outgoing plain\n", NULL);
	g_autoptr(Job) job = make_job(snapshot, "203.0.113.1", "x@b", to, "From: x@b\n\nt\n");

	(void)state;
	assert_false(demands_met(&demands, job, job->recipients->pdata[0], NULL, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(Opened) opened = opened_new();
		OpenSignature *signature = opened_add_signature(opened, "smime", table[i].result);

		signature->matches_from = table[i].matches_from;
		signature->partial = table[i].partial;
		signature->outside = table[i].outside;
		signature->loose = table[i].loose;
		if (demands_met(&demands, job, job->recipients->pdata[0], opened, NULL) !=
		    table[i].met)
			fail_msg("row %d", (int)i);
	}
	job_free(g_steal_pointer(&job));
	remove_snapshot(snapshot);
}

static void test_tls(void **state)
{
	static const struct {
		const char *version;
		guint tls;
	} table[] = {
		{NULL, 0},
		{"", 0},
		{"SSLv3", 0},
		{"TLSv1", 10},
		{"TLSv1.1", 11},
		{"TLSv1.2", TLS_1_2},
		{"TLSv1.3", TLS_1_3},
		{"TLSv2", 20},
		{"unknown", 0},
		{"tlsv1.3", 0},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		Client client = {.tls_version = (char *)table[i].version};

		assert_int_equal(client_tls(&client), table[i].tls);
	}
}

static Headers *header(const char *text)
{
	gsize used = 0;

	return head_parse(text, strlen(text), &used, NULL);
}

static gboolean answers(Threads *threads, const char *text)
{
	g_autoptr(Headers) headers = header(text);
	gboolean found = FALSE;

	assert_true(threads_answers(threads, headers, &found, NULL));
	return found;
}

static void test_threads(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("sp-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "t.db", NULL);
	g_autoptr(Headers) first = header("From: a@b\nMessage-ID: (x) <one@x> \n\n");
	g_autoptr(Headers) bare = header("Message-ID: bare x\n\n");
	g_autoptr(GString) many = g_string_new("References:");
	const char *argv[] = {"rm", "-rf", folder, NULL};

	(void)state;
	g_autoptr(Threads) none = threads_open_readonly(path, NULL);
	assert_false(answers(none, "In-Reply-To: <one@x>\n\n"));
	g_autoptr(Threads) threads = threads_open(path, NULL);
	assert_true(threads_note(threads, first, NULL));
	assert_true(threads_note(threads, first, NULL));
	assert_true(answers(threads, "In-Reply-To: <one@x>\n\n"));
	assert_true(answers(threads, "references: <zero@x>\n\t<one@x>\n <two@x>\n\n"));
	assert_true(answers(threads, "In-Reply-To: your mail <one@x> of today\n\n"));
	assert_false(answers(threads, "Message-ID: <one@x>\nIn-Reply-To: <ONE@x>\n\n"));
	assert_false(answers(threads, "In-Reply-To: <one@xx>\nReferences: <oone@x>\n\n"));
	/* brackets that are left out on one side */
	assert_true(answers(threads, "In-Reply-To: one@x\n\n"));
	assert_true(answers(threads, "References: <zero@x> one@x\n\n"));
	assert_true(threads_note(threads, bare, NULL));
	assert_true(answers(threads, "In-Reply-To: <bare x>\n\n"));
	assert_true(answers(threads, "In-Reply-To:\n bare x\n\n"));
	assert_false(answers(threads, "In-Reply-To: bare\n\n"));
	/* who answers stands last; a flood in front changes nothing */
	for (int i = 0; i < 2 * THREADS_IDS_MAX; i++)
		g_string_append_printf(many, " <%d@x>\n", i);
	g_string_append(many, " <one@x>\n\n");
	assert_true(answers(threads, many->str));
	g_autoptr(Threads) reader = threads_open_readonly(path, NULL);
	assert_true(answers(reader, "In-Reply-To: <one@x>\n\n"));
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	assert_true(threads_expire(threads, now, NULL));
	assert_true(answers(threads, "In-Reply-To: <one@x>\n\n"));
	assert_true(
		threads_expire(threads, now + (THREADS_DAYS + 1) * G_GINT64_CONSTANT(86400), NULL));
	assert_false(answers(threads, "In-Reply-To: <one@x>\n\n"));
	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
		     NULL);
}

/* Does a message with this From meet a rule for bank.example? */
static gboolean is_from_bank(Snapshot *snapshot, const char *from)
{
	const char *to[] = {"a@firma.example", NULL};
	g_autofree char *text = g_strdup_printf("From: %s\n\nt\n", from);
	g_autoptr(Job) job = make_job(snapshot, "203.0.113.1", "x@b.example", to, text);
	g_auto(Facts) facts = {0};

	assert_true(facts_init(&facts, job, job->sender.folded, NULL));
	g_autoptr(PolicyDecision) decision = facts_ask(&facts, job->recipients->pdata[0]);

	return decision->verdict == VERDICT_REJECT;
}

/* However it is written, what people may read as an address of the bank counts as one. */
static void test_claimed(void **state)
{
	static const char *const banks[] = {
		"a@bank.example",
		"x@y.example, A <a@BANK.example>",
		"x@y.example\nFrom: a@bank.example",
		"Alice alice@bank.example",
		"Alice alice@bank.example <x@y.example>",
		"Alice (alice@bank.example",
		"Alice \"alice\"@bank.example",
		"<x@y.example> [alice@bank.example]",
		"a@b.example@bank.example",
	};
	static const char *const others[] = {
		"a@bank.example.org", "\"a@bank.example\" <x@y.example>", "Alice a@ bankxexample",
		"@", "x@y.example (a@bank.example)"};
	Snapshot *snapshot = make_snapshot("incoming from \"bank.example\" reject\n", NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(banks); i++)
		if (!is_from_bank(snapshot, banks[i]))
			fail_msg("%s", banks[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		if (is_from_bank(snapshot, others[i]))
			fail_msg("%s", others[i]);
	remove_snapshot(snapshot);
}

/* times addresses, each there twice. */
static gboolean takes_many(const char *rules, int times, GError **error)
{
	const char *to[] = {"a@firma.example", NULL};
	Snapshot *snapshot = make_snapshot(rules, NULL);
	g_autoptr(GString) text = g_string_new("");

	for (int i = 0; i < 2 * times; i++)
		g_string_append_printf(text, "From: x%d@b.example\n", i % times);
	g_string_append(text, "\nt\n");
	Job *job = make_job(snapshot, "203.0.113.1", "x@b", to, text->str);
	Facts facts;
	gboolean taken = facts_init(&facts, job, job->sender.folded, error);

	facts_clear(&facts);
	job_free(job);
	remove_snapshot(snapshot);
	return taken;
}

static void test_claimed_many(void **state)
{
	const char *rules = "incoming from \"bank.example\" reject\n";
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_true(takes_many(rules, FACTS_CLAIMED_MAX, NULL));
	assert_false(takes_many(rules, FACTS_CLAIMED_MAX + 1, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_MALFORMED));
	assert_true(takes_many("incoming subject has \"x\" reject\n", FACTS_CLAIMED_MAX + 1, NULL));
}

/* The time is over: by our own work, it stays shut; by waiting, it is tried again. */
static void test_too_costly(void **state)
{
	static const struct {
		gint64 computed; /* microseconds, of a time of two seconds */
		gboolean shut;
	} table[] = {{0, FALSE}, {500000, FALSE}, {1100000, TRUE}, {9000000, TRUE}};
	const char *to[] = {"a@firma.example", NULL};
	Snapshot *snapshot = make_snapshot("outgoing plain\n", NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(Job) job =
			make_job(snapshot, "203.0.113.1", "x@b", to, "From: x@b\nFrom: y@b\n\nt\n");
		g_autoptr(GError) error = NULL;

		assert_true(receive_end(job, NULL));
		job->deadline = g_get_monotonic_time();
		job->started = job->deadline - 2 * G_USEC_PER_SEC;
		job->cpu_started = job_cpu() - table[i].computed;
		g_autoptr(Parsed) parsed = parse_message(job->message);
		g_autoptr(Opened) opened = open_message(job, parsed, to[0], &error);

		assert_true(!opened == !table[i].shut);
		if (!opened) {
			assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
			continue;
		}
		const OpenLayer *layer = opened->layers->pdata[0];

		assert_false(layer->opened);
		assert_string_equal(layer->reason, "too-large");
		assert_null(opened->entity);
		assert_false(
			demands_met(&(Demands)BOTH, job, job->recipients->pdata[0], opened, NULL));
		assert_string_equal(opened->warnings->pdata[0], "several-from");
	}
	remove_snapshot(snapshot);
}

#define NOTICE(type, quoted)                                                                       \
	"From: MAILER-DAEMON@x\nContent-Type: multipart/report; boundary=b\n\n--b\n\nwords\n--b\n" \
	"Content-Type: message/delivery-status\n\nAction: failed\n\n--b\nContent-Type: " type      \
	"\n\n" quoted "\n--b--\n"
#define OPENED "X-Sealpost-Incoming: smime-signed opened;\n\tpgp-encrypted opened\n"

static char *read_body(const Output *output)
{
	gsize size = (gsize)output->body_range.end;
	char *body = g_malloc0(size + 1);

	assert_int_equal(spool_read_all(output->body, 0, body, size, NULL), size);
	return body;
}

/* Nothing secret is left of it, and all that a notice is for. */
static void check_cut(const Output *output)
{
	g_autofree char *body = read_body(output);

	assert_null(strstr(body, "secret"));
	assert_non_null(strstr(body, "words"));
	assert_non_null(strstr(body, "Action: failed"));
	assert_non_null(strstr(body, "Message-ID: <kept>"));
	assert_non_null(strstr(body, "\r\n--b--"));
}

static void test_returned(void **state)
{
	static const struct {
		const char *text;
		gboolean cut; /* else it passes */
	} table[] = {
		{NOTICE("text/rfc822-headers", OPENED "Subject: secret\nMessage-ID: <kept>\n"),
		 TRUE},
		{NOTICE("message/rfc822",
			"Message-ID: <kept>\nSubject: secret\n" OPENED "\nsecret\n"),
		 TRUE},
		{NOTICE("message/global-headers", OPENED "Message-ID: <kept>\nX: secret\n"), TRUE},
		{NOTICE("message/rfc822", "Subject: secret\n\n" OPENED), FALSE},
		{NOTICE("message/rfc822",
			"X-Sealpost-Incoming: smime-encrypted shut (no-key)\nSubject: secret\n\nx"),
		 FALSE},
		{"From: x\n\nsecret, no report\n", FALSE},
	};
	const char *to[] = {"x@b", NULL};
	Snapshot *snapshot = make_snapshot("outgoing plain\n", NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(Job) job = make_job(snapshot, CLIENT_RETURNED, "", to, table[i].text);
		g_autoptr(Output) output = returned_output(job, NULL);

		assert_non_null(output);
		assert_int_equal(output->edits->len, 0);
		if (!output->body != !table[i].cut)
			fail_msg("row %d", (int)i);
		if (!output->body)
			continue;
		check_cut(output);
	}
	remove_snapshot(snapshot);
}

#define PART(type, text) "--c\nContent-Type: " type "\n\n" text "\n"
#define MIXED(parts) "Content-Type: multipart/mixed; boundary=c\n\n" parts "--c--\n"
#define REPORT(quoted)                                                                             \
	PART("multipart/report; boundary=b",                                                       \
	     "--b\n\nwords\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n\n--b\n" \
	     "Content-Type: message/rfc822\n\n" quoted "\n--b--\n")
#define FOOTER PART("text/plain", "a footer")
#define QUOTE OPENED "Subject: secret\nMessage-ID: <kept>\n\nsecret"

/* What an inner server's report quotes of a message that was opened does not leave in the clear, whatever
 * form it has or another server has given it; what people send is theirs. */
static void test_reported(void **state)
{
	static const struct {
		const char *sender, *text;
		enum { PASSES, CUT, REFUSED } result;
	} table[] = {
		{"", "From: x\n" MIXED(REPORT(QUOTE) FOOTER), CUT},
		{"a@firma.example", "From: x\n" MIXED(FOOTER REPORT(QUOTE)), CUT},
		{"", "From: x\n" MIXED(REPORT("Message-ID: <kept>\n\nx") FOOTER), PASSES},
		{"", "From: x\n\nwords\n--- The message:\n" QUOTE "\n", REFUSED},
		{"", "From: x\n\n> " QUOTE "\n", REFUSED},
		{"", "From: x\n" MIXED(FOOTER PART("message/rfc822", QUOTE)), REFUSED},
		{"", "From: x\n" MIXED(FOOTER PART("message/rfc822", MIXED(REPORT(QUOTE)))),
		 REFUSED},
		{"", "From: x\nX-Sealpost-Incoming: pgp-encrypted opened\n\nsecret\n", PASSES},
		{"", "From: x\n\nX-Sealpost-Incoming: pgp-encrypted shut\n", PASSES},
		{"a@firma.example", "From: x\n" MIXED(FOOTER PART("message/rfc822", QUOTE)),
		 PASSES},
	};
	const char *to[] = {"x@b", NULL};
	Snapshot *snapshot = make_snapshot("outgoing plain\n", NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(Job) job =
			make_job(snapshot, "192.0.2.1", table[i].sender, to, table[i].text);
		g_autoptr(Handback) handback = pipeline_run(job, NULL, NULL);
		const Output *output = handback->output;

		if (!output != (table[i].result == REFUSED) ||
		    (output && !output->body != (table[i].result == PASSES)))
			fail_msg("row %d", (int)i);
		if (!output)
			assert_int_equal(handback->code, 550);
		else if (output->body)
			check_cut(output);
	}
	remove_snapshot(snapshot);
}

/* A message as deep as may be, or deeper, must not be one whose notice waits for ever. */
static void test_returned_deep(void **state)
{
	const char *to[] = {"x@b", NULL};
	Snapshot *snapshot = make_snapshot("outgoing plain\n", NULL);

	(void)state;
	for (int depth = MIME_DEPTH_MAX - 5; depth < 2 * MIME_DEPTH_MAX; depth++) {
		g_autoptr(GString) inside = g_string_new("Message-ID: <kept>\n" OPENED);

		for (int i = 0; i < depth; i++)
			g_string_append_printf(
				inside, "Content-Type: multipart/mixed; boundary=c%d\n\n--c%d\n", i,
				i);
		g_string_append(inside, "\nsecret");
		g_autofree char *text =
			g_strdup_printf(NOTICE("message/rfc822", "%s"), inside->str);
		g_autoptr(Job) job = make_job(snapshot, CLIENT_RETURNED, "", to, text);
		g_autoptr(Output) output = returned_output(job, NULL);

		assert_non_null(output);
		assert_non_null(output->body);
		check_cut(output);
	}
	remove_snapshot(snapshot);
}

/* Over message_limit: what was kept of it goes, cut before what it quotes, and with an end. */
static void test_returned_large(void **state)
{
#define SIGNED "X-Sealpost-Incoming: smime-signed opened\n"
#define STATUS "From: x\nContent-Type: multipart/report; boundary=b\n\n--b\n\nwords\n--b\n"
	static const struct {
		const char *head;
		const char *kept; /* of it, besides what every notice keeps; NULL: nothing secret */
	} table[] = {
		{OPENED "Subject: secret\nMessage-ID: <kept>\n\n", NULL},
		{SIGNED "Subject: secret\nMessage-ID: <kept>\n\n", "Subject: secret"},
		/* longer than the limit: it may say at its end that it was opened */
		{SIGNED "Message-ID: <kept>\nSubject: secret\nX:", NULL},
	};
	const char *to[] = {"x@b", NULL};
	Snapshot *snapshot = make_snapshot("outgoing plain\n", "[gateway]\nmessage_limit = 64K\n");
	g_autofree char *filler = g_strnfill(600, 'x');
	g_autoptr(GString) lines = g_string_new(NULL);

	(void)state;
	while (lines->len < 80000)
		g_string_append_printf(lines, " %s secret-word\n", filler);
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autofree char *text = g_strconcat(
			STATUS "Content-Type: message/delivery-status\n\nAction: failed\n\n--b\n"
			       "Content-Type: message/rfc822\n\n",
			table[i].head, lines->str, "--b--\n", NULL);
		g_autoptr(Job) job = make_job(snapshot, CLIENT_RETURNED, "", to, text);
		g_autoptr(Output) output = returned_output(job, NULL);

		assert_true(job->too_large);
		assert_non_null(output->body);
		g_autofree char *body = read_body(output);
		assert_null(strstr(body, "secret-word"));
		if (table[i].kept)
			assert_non_null(strstr(body, table[i].kept));
		else
			check_cut(output);
		assert_true(g_str_has_suffix(body, "\r\n--b--\r\n"));
	}
	/* Its own words are too many. */
	g_autofree char *text = g_strconcat(STATUS "Action: failed\n\n", lines->str, NULL);
	g_autoptr(Job) job = make_job(snapshot, CLIENT_RETURNED, "", to, text);
	g_autoptr(Output) output = returned_output(job, NULL);
	g_autofree char *body = read_body(output);

	assert_non_null(strstr(body, "Action: failed"));
	assert_true(g_str_has_suffix(body, "\r\n--b--\r\n"));
	remove_snapshot(snapshot);
}

/* Over message_limit it is never split, so all get the same: the note that it was not looked into only if it
 * is for ours alone. */
static void test_too_large(void **state)
{
	static const char *const mixed[] = {"a@firma.example", "x@else.example", NULL};
	static const char *const ours[] = {"a@firma.example", "b@firma.example", NULL};
	Snapshot *snapshot = make_snapshot("outgoing plain\n", NULL);

	(void)state;
	for (guint i = 0; i < 2; i++) {
		g_autoptr(Job) job = make_job(snapshot, "203.0.113.1", "x@b", i ? ours : mixed,
					      "From: x@b\n\nt\n");

		job->too_large = TRUE;
		g_autoptr(Plan) plan = decide_incoming(job, NULL);

		assert_null(plan->error);
		assert_int_equal(plan->variants->len, 1);
		assert_int_equal(((PlanVariant *)plan->variants->pdata[0])->opened != NULL, i == 1);
	}
	remove_snapshot(snapshot);
}

/* Cuts the spool file that was made last: it has no name, but a descriptor. */
static void cut_spool(void)
{
	for (int fd = 1023; fd > 2; fd--) {
		g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
		g_autofree char *name = g_file_read_link(link, NULL);

		if (!name || !strstr(name, "(deleted)") || strstr(name, "memfd"))
			continue;
		assert_int_equal(ftruncate(fd, 1000), 0);
		return;
	}
	fail_msg("no spool file");
}

/* A disk that fails is no reason to deliver as it came what might have been opened. */
static void test_unreadable(void **state)
{
	const char *to[] = {"a@firma.example", NULL};
	Snapshot *snapshot = make_snapshot("outgoing plain\n", NULL);
	g_autofree char *body = g_strnfill(2 * SPOOL_MEMORY, 'x');
	g_autofree char *text = g_strconcat("From: x@b\n\n", body, "\n", NULL);
	Job *job = make_job(snapshot, "203.0.113.1", "x@b", to, text);
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_true(receive_end(job, NULL));
	g_autoptr(Parsed) parsed = parse_message(job->message);

	assert_non_null(parsed->tree);
	cut_spool();
	assert_null(open_message(job, parsed, to[0], &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_IO));
	job_free(job);
	remove_snapshot(snapshot);
}

typedef struct {
	gint64 beat, now, pause; /* milliseconds; the message came at 1000, its time is 9000 */
} Beat;

static const Beat beats[] = {
	{0, 1100, 0},	    {250, 1000, 250},	{250, 1249, 1},	    {250, 1250, 250},
	{6500, 3000, 4500}, {6500, 7501, 3499}, {6500, 9000, 2000}, {6500, 11000, 0},
	{6500, 12000, 0},   {1000, 9999, 1},	{1000, 10500, 500}, {3000, 10500, 500},
};

/* On the beat, but never later than a second after the message's time. */
static void test_beat(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(beats); i++) {
		const Job job = {.started = 1000 * 1000, .deadline = 10000 * 1000};
		const Handback handback = {.beat = beats[i].beat * 1000};

		assert_int_equal(pipeline_pause(&job, &handback, beats[i].now * 1000),
				 beats[i].pause * 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beat),	      cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_signed),	      cmocka_unit_test(test_tls),
		cmocka_unit_test(test_threads),	      cmocka_unit_test(test_returned),
		cmocka_unit_test(test_returned_deep), cmocka_unit_test(test_claimed),
		cmocka_unit_test(test_claimed_many),  cmocka_unit_test(test_returned_large),
		cmocka_unit_test(test_too_costly),    cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_reported),      cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
