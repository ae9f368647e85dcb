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
#include "lib/crypt/cms.h"

#include "gateway/handback.h"
#include "gateway/protect.h"
#include "gateway/resubmit.h"
#include "tests/unit/gatewaymaker.h"
#include "tests/unit/pgpmaker.h"
#include "tests/unit/x509maker.h"

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

/* expected: "110" for outputs of the first two. */
static void assert_outputs(const GPtrArray *outputs, const char *expected)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < outputs->len; i++)
		g_string_append_c(text, outputs->pdata[i] ? '1' : '0');
	assert_string_equal(text->str, expected);
}

static void assert_made(const Job *job, const Parsed *parsed, const Plan *plan, const char *done,
			const char *expected)
{
	g_autoptr(GHashTable) table = done_by(done);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) outputs = protect_all(job, parsed, plan, table, &error);

	assert_null(error);
	assert_outputs(outputs, expected);
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
		assert_made(job, NULL, plan, table[i].done, table[i].expected);
	}
}

/* An archive's copy is made before the others: what it cannot have, nobody gets. */
static void test_copy_first(void **state)
{
	g_autoptr(Job) job = make_job(*state, "192.0.2.1", "a@firma.example", to, MAIL);
	g_autoptr(Plan) plan = make_plan(job);
	const PlanVariant *last = plan->variants->pdata[2];

	((Recipient *)((PlanRecipient *)last->recipients->pdata[0])->recipient)->copy = TRUE;
	job->deadline = 1;
	assert_made(job, NULL, plan, NULL, "001");
	assert_made(job, NULL, plan, "c@x.example", "100");
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

static gboolean deposit_for_all(const Job *job, JournalEntry *entry, GError **error)
{
	PlanVariant variant = {.way = WAY_PORTAL};
	Output output = {.edits = g_ptr_array_new()};
	PortalJob work = {job, &variant, &output, entry};
	gboolean done = protect_portal(&work, job->recipients, error);

	g_ptr_array_unref(output.edits);
	return done;
}

/* A deposit costs what the message is large: the next try goes on behind those that are done. */
static void test_deposits(void **state)
{
	Snapshot *snapshot = *state;
	g_autoptr(Job) job = make_job(snapshot, "192.0.2.1", "a@firma.example", to, MAIL);
	g_autoptr(JournalEntry) entry = journal_begin(snapshot->journal, "other", TRUE, to, NULL);
	g_autoptr(GError) error = NULL;

	job->deadline = 1;
	assert_false(deposit_for_all(job, entry, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	job->deadline = g_get_monotonic_time() + G_TIME_SPAN_HOUR;
	assert_true(deposit_for_all(job, entry, NULL));
}

/* Another one's message: it holds the store until it is told to go on, or half a minute. */
enum { SLOW_BEGINS, SLOW_HOLDS, SLOW_ENDS };
static gint slow;

static gssize slow_read(void *self, void *buffer, gsize size, GError **error)
{
	(void)self, (void)buffer, (void)size, (void)error;
	g_atomic_int_compare_and_exchange(&slow, SLOW_BEGINS, SLOW_HOLDS);
	for (int i = 0; i < 3000 && g_atomic_int_get(&slow) == SLOW_HOLDS; i++)
		g_usleep(10000);
	return 0;
}

static gboolean slow_rewind(void *self, GError **error)
{
	(void)self, (void)error;
	return TRUE;
}

static goffset slow_length(const void *self)
{
	(void)self;
	return 0;
}

static gpointer deposit_slowly(gpointer data)
{
	static const SourceClass class = {slow_read, slow_rewind, slow_length, NULL};
	Snapshot *snapshot = data;
	g_autoptr(Source) source = source_new(&class, NULL);
	Deposit deposit = {.recipient = "z@x.example",
			   .recipient_spelled = "z@x.example",
			   .digest = "slow",
			   .message = source};

	return GINT_TO_POINTER(deposit_store(snapshot->deposits, &deposit, NULL, NULL));
}

/* Whatever others put into the store: the answer comes in time. */
static void test_deposit_turn(void **state)
{
	Snapshot *snapshot = *state;
	g_autoptr(Job) job = make_job(snapshot, "192.0.2.1", "a@firma.example", to, MAIL);
	g_autoptr(JournalEntry) entry = journal_begin(snapshot->journal, "turn", TRUE, to, NULL);
	g_autoptr(GError) error = NULL;
	GThread *other = g_thread_new("other", deposit_slowly, snapshot);

	while (g_atomic_int_get(&slow) == SLOW_BEGINS)
		g_usleep(1000);
	job->deadline = g_get_monotonic_time() + (gint64)10 * G_USEC_PER_SEC;
	assert_false(deposit_for_all(job, entry, &error));
	assert_true(g_get_monotonic_time() < job->deadline);
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	assert_int_equal(error_info(error)->smtp, 451);
	g_atomic_int_set(&slow, SLOW_ENDS);
	job->deadline = g_get_monotonic_time() + G_TIME_SPAN_HOUR;
	assert_true(deposit_for_all(job, entry, NULL));
	assert_true(GPOINTER_TO_INT(g_thread_join(other)));
}

/* A plan's variant for the people with these letters, each of whom has the key of that place. */
static Plan *plan_of(const char *letters, Key *keys)
{
	Plan *plan = plan_new();
	PlanVariant *variant = g_new0(PlanVariant, 1);

	variant->recipients = g_ptr_array_new();
	g_ptr_array_add(plan->variants, variant);
	for (; *letters; letters++) {
		PlanRecipient *outcome = plan_add_recipient(plan, NULL);

		outcome->key = &keys[*letters - 'a'];
		g_ptr_array_add(variant->recipients, outcome);
	}
	return plan;
}

static Spool *spool_of(const char *text)
{
	Spool *spool = spool_new(NULL, 1 << 20);

	assert_true(spool_append(spool, text, strlen(text), NULL));
	return spool;
}

typedef gboolean (*Check)(Spool *output, const PlanVariant *variant, GError **error);

static void assert_checked(Check check, Spool *output, const char *letters, Key *keys,
			   gboolean right)
{
	g_autoptr(Plan) plan = plan_of(letters, keys);
	g_autoptr(GError) error = NULL;

	if (check(output, plan->variants->pdata[0], &error) != right)
		fail_msg("\"%s\": %s", letters, right ? error->message : "taken");
	if (!right)
		assert_non_null(error);
}

/* What was made for one set of keys is for no other: none too many, none too few, none at all. */
static void test_smime_check(void **state)
{
	Key keys[3] = {{0}};
	Made *made[3];
	g_autoptr(GPtrArray) certs = g_ptr_array_new();
	CmsJob job = {.recipients = certs};
	g_autoptr(GBytes) entity = g_bytes_new_static("Content-Type: text/plain\r\n\r\nx\r\n", 31);
	g_autoptr(Source) source = source_new_bytes(entity);
	g_autoptr(Spool) output = spool_new(NULL, 1 << 20);
	g_autoptr(Spool) plain = spool_of("Content-Type: text/plain\r\n\r\nx\r\n");
	g_autoptr(Spool) signature = spool_new(NULL, 1 << 20);
	g_autoptr(Sink) sink = spool_sink(output), signed_sink = spool_sink(signature);

	(void)state;
	for (int i = 0; i < 3; i++) {
		made[i] = x509_maker_make(&(MakerOrder){.name = "x", .email = "x@x.example"});
		keys[i].cert = made[i]->cert;
	}
	g_ptr_array_add(certs, made[0]->cert);
	g_ptr_array_add(certs, made[1]->cert);
	assert_true(cms_protect(&job, source, sink, NULL));
	assert_checked(protect_smime_check, output, "ab", keys, TRUE);
	assert_checked(protect_smime_check, output, "ba", keys, TRUE);
	assert_checked(protect_smime_check, output, "aab", keys, TRUE);
	assert_checked(protect_smime_check, output, "a", keys, FALSE);
	assert_checked(protect_smime_check, output, "b", keys, FALSE);
	assert_checked(protect_smime_check, output, "abc", keys, FALSE);
	assert_checked(protect_smime_check, output, "ac", keys, FALSE);
	assert_checked(protect_smime_check, output, "", keys, FALSE);
	assert_checked(protect_smime_check, plain, "ab", keys, FALSE);
	job = (CmsJob){.signer = made[0]->cert, .signer_key = made[0]->key};
	assert_true(source_rewind(source, NULL) &&
		    cms_sign_opaque(&job, source, signed_sink, NULL));
	assert_checked(protect_smime_check, signature, "a", keys, FALSE);
	for (int i = 0; i < 3; i++)
		made_free(made[i]);
}

#define PGP_HEAD                                                                                   \
	"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n"                             \
	"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--b\r\n"                 \
	"Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n"
#define PGP_TAIL "\r\n-----END PGP MESSAGE-----\r\n\r\n--b--\r\n"

/* Session keys for these ids (PKESK), then a packet of data. */
static Spool *pgp_output(const char *const *ids, guint8 data_tag)
{
	static const guint8 rest[] = {18, 0, 8, 0xff};
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	for (; *ids; ids++) {
		g_byte_array_append(bytes, (const guint8[]){0xc1, 13, 3}, 3);
		for (int i = 0; i < 8; i++) {
			guint8 byte = (guint8)(g_ascii_xdigit_value((*ids)[2 * i]) * 16 +
					       g_ascii_xdigit_value((*ids)[2 * i + 1]));
			g_byte_array_append(bytes, &byte, 1);
		}
		g_byte_array_append(bytes, rest, sizeof rest);
	}
	g_byte_array_append(bytes, (const guint8[]){0xc0 | data_tag, 4, 1, 'z', 'z', 'z'}, 6);
	g_autofree char *base64 = g_base64_encode(bytes->data, bytes->len);
	g_autofree char *text = g_strconcat(PGP_HEAD, base64, PGP_TAIL, NULL);

	return spool_of(text);
}

static void test_pgp_check(void **state)
{
	static const char *const ids[] = {"0123456789ABCDEF", "1123456789ABCDEF",
					  "2123456789ABCDEF", NULL};
	/* c has two subkeys that encrypt */
	const char *const of[][3] = {{ids[0]}, {ids[1]}, {ids[2], "3123456789ABCDEF"}};
	const char *const two[] = {ids[0], ids[1], NULL};
	Key keys[3] = {{0}};
	g_autoptr(Spool) output = pgp_output(two, 18), all = pgp_output(ids, 18);
	g_autoptr(Spool) weak = pgp_output(two, 9),
			 empty = spool_of("Content-Type: text/plain\r\n\r\n");

	(void)state;
	for (int i = 0; i < 3; i++)
		keys[i].pgp_encryption_ids = (char **)of[i];
	assert_checked(protect_pgp_check, output, "ab", keys, TRUE);
	assert_checked(protect_pgp_check, all, "cba", keys, TRUE);
	assert_checked(protect_pgp_check, output, "a", keys, FALSE);
	assert_checked(protect_pgp_check, output, "abc", keys, FALSE);
	assert_checked(protect_pgp_check, output, "bc", keys, FALSE);
	assert_checked(protect_pgp_check, all, "ab", keys, FALSE);
	assert_checked(protect_pgp_check, weak, "ab", keys, FALSE);
	assert_checked(protect_pgp_check, empty, "ab", keys, FALSE);
}

/* gpg encrypts to another key than the plan says: nothing is made of it. */
static void test_wrong_key(void **state)
{
	Snapshot *snapshot = *state;
	PgpMaker *maker = pgp_maker_new();
	g_autofree char *id = pgp_maker_key(maker, "a@x.example", "future-default");
	g_autoptr(GBytes) file = pgp_maker_public(maker, id);
	g_autoptr(GPtrArray) found = pgpkey_read(file, NULL, maker->folder, 0, NULL);
	const PgpKey *pgp = found->pdata[0];
	static const char *const others[] = {"0123456789ABCDEF", NULL};
	g_autoptr(Job) job = make_job(snapshot, "192.0.2.1", "a@firma.example", to, MAIL);
	g_autoptr(Parsed) parsed = parse_message(job->message);

	job->deadline = g_get_monotonic_time() + G_TIME_SPAN_HOUR;
	for (int right = 0; right < 2; right++) {
		Key key = {.type = KEY_PGP, .pgp = pgp->bytes};
		g_autoptr(Plan) plan = plan_of("a", &key);
		PlanVariant *variant = plan->variants->pdata[0];
		g_autoptr(GError) error = NULL;

		key.pgp_encryption_ids = right ? pgp->encryption_ids : (char **)others;
		variant->way = WAY_PGP;
		const ProtectJob order = {.job = job,
					  .parsed = parsed,
					  .plan = plan,
					  .variant = variant,
					  .deadline = job->deadline};
		g_autoptr(Output) output = protect(&order, &error);

		if (right)
			assert_non_null(output);
		else
			assert_true(!output &&
				    g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO));
	}
	pgp_maker_free(maker);
}

/* All three are signed; nobody is asked who may. */
static Plan *make_signed_plan(const Job *job, const Made *made)
{
	Plan *plan = make_plan(job);

	plan->smime_signer = g_new0(SmimeSigner, 1);
	plan->smime_signer->cert = cert_ref(made->cert);
	plan->smime_signer->key = private_key_ref(made->key);
	plan->smime_signer->chain = g_ptr_array_new();
	for (guint i = 0; i < plan->variants->len; i++)
		((PlanVariant *)plan->variants->pdata[i])->sign = SIGN_SMIME;
	return plan;
}

/* One that the time does not suffice for: by our own work it never will, by waiting it may. */
static void test_costly(void **state)
{
	static const struct {
		gint64 time; /* microseconds, of which half are for computing */
		gint64 left;
		gboolean preview;
		int code; /* -1: made */
	} table[] = {
		{G_TIME_SPAN_HOUR, G_TIME_SPAN_HOUR, FALSE, -1},
		{2, -1, FALSE, ERROR_TOO_COSTLY},
		{2, -1, TRUE, ERROR_TOO_COSTLY},
		{G_TIME_SPAN_HOUR, -1, FALSE, ERROR_TIMEOUT},
		{G_TIME_SPAN_HOUR, -1, TRUE, ERROR_TIMEOUT},
	};
	const MakerOrder order = {.name = "a", .email = "a@firma.example"};
	g_autoptr(Made) made = x509_maker_make(&order);

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(Job) job = make_job(*state, "192.0.2.1", "a@firma.example", to, MAIL);
		g_autoptr(Plan) plan = make_signed_plan(job, made);
		g_autoptr(Parsed) parsed = parse_message(job->message);
		g_autoptr(GError) error = NULL;

		job->deadline = g_get_monotonic_time() + table[i].left;
		job->started = job->deadline - table[i].time;
		job->preview = table[i].preview;
		g_autoptr(GPtrArray) outputs = protect_all(job, parsed, plan, NULL, &error);

		assert_int_equal(error ? error->code : -1, table[i].code);
		assert_int_equal(outputs != NULL, table[i].code == -1);
		if (!error)
			continue;
		Handback *answer = handback_error(error);

		assert_int_equal(answer->verdict,
				 table[i].code == ERROR_TIMEOUT ? HANDBACK_DEFER : HANDBACK_REJECT);
		handback_free(answer);
	}
}

/* A further one that is late is left out, for the others leave. No machine signs that much in half of
 * that time. A busy one may not even make the first: then the time is over for all. */
static void test_late(void **state)
{
	const MakerOrder order = {.name = "a", .email = "a@firma.example"};
	g_autoptr(Made) made = x509_maker_make(&order);
	g_autofree char *body = g_strnfill(32 * 1024 * 1024, 'x');
	g_autofree char *text = g_strconcat(MAIL, body, NULL);
	g_autoptr(Job) job = make_job(*state, "192.0.2.1", "a@firma.example", to, text);
	g_autoptr(Plan) plan = make_signed_plan(job, made);
	g_autoptr(Parsed) parsed = parse_message(job->message);
	PlanVariant *first = plan->variants->pdata[0];

	first->sign = SIGN_NONE;
	for (guint tries = 0; tries < 100; tries++) {
		g_autoptr(GError) error = NULL;

		job->started = g_get_monotonic_time();
		job->deadline = job->started + 20000;
		g_autoptr(GPtrArray) outputs = protect_all(job, parsed, plan, NULL, &error);

		if (outputs) {
			assert_outputs(outputs, "100");
			return;
		}
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	}
	fail_msg("the first was never made");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),	     cmocka_unit_test(test_copy_first),
		cmocka_unit_test(test_not_made),     cmocka_unit_test(test_deposits),
		cmocka_unit_test(test_deposit_turn), cmocka_unit_test(test_smime_check),
		cmocka_unit_test(test_pgp_check),    cmocka_unit_test(test_wrong_key),
		cmocka_unit_test(test_costly),	     cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
