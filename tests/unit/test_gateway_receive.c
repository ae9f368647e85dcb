/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is trusted, which direction a recipient is, what the envelope keeps, and how nexthops and
 * answers read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/handback.h"
#include "gateway/nexthop.h"
#include "lib/base/error.h"
#include "tests/unit/gatewaymaker.h"

static int set_up(void **state)
{
	*state = make_snapshot("outgoing prefer smime\n", "[gateway]\nmessage_limit = 64K\n");
	return 0;
}

static int tear_down(void **state)
{
	remove_snapshot(*state);
	return 0;
}

static void test_trust(void **state)
{
	static const struct {
		Client client;
		const char *why;
	} table[] = {
		{{.address = (char *)"127.0.0.1", .port = 0}, "local"},
		{{.address = (char *)"::1", .port = 0}, "local"},
		{{.address = (char *)"127.0.0.1", .port = 9}, "network"},
		{{.address = (char *)"127.0.0.2", .port = 9}, "stranger"},
		{{.address = (char *)"192.0.2.77", .port = 9}, "network"},
		{{.address = (char *)"::ffff:192.0.2.77", .port = 9}, "network"},
		{{.address = (char *)"2001:db8::1", .port = 9}, "network"},
		{{.address = (char *)"2001:db9::1", .port = 9}, "stranger"},
		{{.address = (char *)"198.51.100.1", .port = 9}, "stranger"},
		{{.address = (char *)"198.51.100.1", .port = 0}, "stranger"},
		{{.address = NULL, .port = 0}, "stranger"},
		{{.address = (char *)"no address", .port = 0}, "stranger"},
		{{.address = (char *)"198.51.100.1", .port = 9, .sasl_user = (char *)"alice"},
		 "login"},
		{{.address = (char *)"198.51.100.1", .port = 9, .sasl_user = (char *)""},
		 "stranger"},
		{{.address = (char *)"198.51.100.1",
		  .port = 9,
		  .daemon_name = (char *)"submission"},
		 "listener"},
		{{.address = (char *)"198.51.100.1", .port = 9, .daemon_port = (char *)"587"},
		 "listener"},
		{{.address = (char *)"198.51.100.1", .port = 9, .daemon_port = (char *)"25"},
		 "stranger"},
	};
	Snapshot *snapshot = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		const char *why = NULL;
		gboolean trusted = client_is_trusted(&table[i].client, snapshot->trust, &why);

		assert_string_equal(why, table[i].why);
		assert_int_equal(trusted, !g_str_equal(why, "stranger"));
	}
}

static void test_direction(void **state)
{
	static const struct {
		const char *client, *to;
		Direction direction;
	} table[] = {
		{"192.0.2.1", "x@else.example", DIRECTION_OUTGOING},
		{"192.0.2.1", "Bob@FIRMA.example", DIRECTION_INTERNAL},
		{"198.51.100.1", "bob@firma.example", DIRECTION_INCOMING},
		{"198.51.100.1", "x@else.example", DIRECTION_OTHER},
		{"", "x@else.example", DIRECTION_OUTGOING},
		{"192.0.2.1", "Postmaster", DIRECTION_INTERNAL},
		{"198.51.100.1", "postmaster", DIRECTION_INCOMING},
		{"192.0.2.1", "postmaster@else.example", DIRECTION_OUTGOING},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		const char *const to[] = {table[i].to, NULL};
		g_autoptr(Job) job =
			make_job(*state, table[i].client, "alice@firma.example", to, "A: b\n\nx\n");
		const Recipient *recipient = job->recipients->pdata[0];

		assert_int_equal(recipient->direction, table[i].direction);
		assert_true(receive_end(job, NULL));
	}
}

static void test_envelope(void **state)
{
	const char *const mail[] = {"SIZE=100",	   "BODY=8BITMIME", "RET=HDRS",
				    "envid=QQ+3D", "SMTPUTF8",	    NULL};
	const char *const rcpt[] = {"NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;b@x", NULL};
	Client client = {.address = (char *)"192.0.2.1", .port = 5};
	g_autoptr(Job) job = job_new(*state, &client);

	receive_sender(job, "<Alice@Firma.example>", mail);
	receive_recipient(job, "<Bob@x.example>", rcpt, "[mx]:25");
	receive_recipient(job, "<bob@X.example>", NULL, NULL);
	receive_recipient(job, "carl@x.example", NULL, "");
	receive_recipient(job, "dora@x.example", NULL, "[a.example]:26, [b.example]\tc.example ");
	assert_string_equal(job->sender.address, "Alice@Firma.example");
	assert_string_equal(job->sender.folded, "alice@firma.example");
	assert_string_equal(job->sender.body, "8BITMIME");
	assert_string_equal(job->sender.ret, "HDRS");
	assert_string_equal(job->sender.envid, "QQ+3D");
	assert_true(job->sender.smtputf8);
	assert_int_equal(job->recipients->len, 3);
	const Recipient *first = job->recipients->pdata[0];
	const Recipient *second = job->recipients->pdata[1];

	assert_string_equal(first->address, "Bob@x.example");
	assert_string_equal(first->notify, "SUCCESS,DELAY");
	assert_string_equal(first->orcpt, "rfc822;b@x");
	assert_string_equal(first->nexthop, "[mx]:25");
	assert_null(second->nexthop);
	const Recipient *third = job->recipients->pdata[2];

	assert_string_equal(third->nexthop, "[a.example]:26,[b.example],c.example");
	assert_null(job->failure);
}

/* Paths that cannot be read: refused where we would have to protect, else none of our business. */
static void test_bad_paths(void **state)
{
	static const char *const paths[] = {"<@a.example:b@x.example>", "<<b@x.example>", "<>",
					    "nodomain", "<b@x\r\n.example>"};

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		const char *const to[] = {paths[i], NULL};
		g_autoptr(GError) error = NULL;
		g_autoptr(Job) ours = make_job(*state, "192.0.2.1", "a@firma.example", to, "\n");
		g_autoptr(Job) foreign = make_job(*state, "198.51.100.1", "a@x", to, "\n");

		assert_false(receive_end(ours, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_BAD_ADDRESS));
		assert_true(receive_end(foreign, NULL));
		/* One of many: the sender is told which, whatever it holds. */
		g_autoptr(Handback) handback = handback_error(error);
		g_autofree char *line = g_strdelimit(g_strdup(paths[i]), "\r\n", ' ');

		assert_true(g_str_has_prefix(error->message, paths[i]) ||
			    strstr(error->message, "<nodomain>") || strstr(error->message, "<>"));
		assert_true(strstr(handback->text, line) != NULL);
	}
}

/* Addresses of ours that an MTA may resolve to somebody outside. */
static void test_routes(void **state)
{
	static const struct {
		const char *path;
		gboolean good;
	} table[] = {
		{"sofia%smime.example@firma.example", FALSE},
		{"smime.example!sofia@firma.example", FALSE},
		{"\"sofia@smime.example\"@firma.example", FALSE},
		{"sofia%a@smime.example", TRUE}, /* their MTA's business, and protected */
		{"bob+tag@firma.example", TRUE},
		{"\"bob\"@firma.example", TRUE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		const char *const to[] = {table[i].path, NULL};
		g_autoptr(GError) error = NULL;
		g_autoptr(Job) ours = make_job(*state, "192.0.2.1", "a@firma.example", to, "\n");
		g_autoptr(Job) foreign = make_job(*state, "198.51.100.1", "a@x", to, "\n");

		assert_int_equal(receive_end(ours, &error), table[i].good);
		if (error)
			assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_BAD_ADDRESS));
		assert_true(receive_end(foreign, NULL));
	}
}

static void test_limits(void **state)
{
	const char *const to[] = {"b@x.example", NULL};
	g_autofree char *body = g_strnfill(100000, 'x');
	g_autofree char *text = g_strconcat("A: b\n\n", body, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(Job) job = make_job(*state, "192.0.2.1", "a@firma.example", to, text);
	g_autoptr(Job) foreign = make_job(*state, "198.51.100.1", "a@x", to, text);

	assert_false(receive_end(job, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE));
	assert_true(receive_end(foreign, NULL));
}

/* What is too much is named: the message may be small. */
static void test_too_many(void **state)
{
	const char *const to[] = {"x@praxis.example", NULL};

	for (int recipients = 0; recipients < 2; recipients++) {
		g_autoptr(Job) job =
			make_job(*state, "192.0.2.1", "a@firma.example", to, "From: a@x\n\nt\n");
		g_autoptr(GError) error = NULL;

		for (int i = 0; recipients && i < JOB_RECIPIENTS_MAX; i++) {
			g_autofree char *address = g_strdup_printf("r%d@firma.example", i);

			receive_recipient(job, address, NULL, NULL);
		}
		for (int i = 0; !recipients && i < HEADERS_MAX; i++)
			receive_header(job, "X-Field", " y");
		assert_false(receive_end(job, &error));
		Handback *answer = handback_error(error);

		assert_int_equal(answer->verdict, HANDBACK_REJECT);
		assert_non_null(strstr(answer->text, "too many recipients, or too many"));
		handback_free(answer);
	}
}

static void test_nexthop(void **state)
{
	static const struct {
		const char *text, *host;
		guint16 port;
		gboolean mx;
	} table[] = {
		{"[127.0.0.1]:44527", "127.0.0.1", 44527, FALSE},
		{"[Relay.example]", "relay.example", 25, FALSE},
		{"LocalHost:44527", "localhost", 44527, TRUE},
		{"x.example", "x.example", 25, TRUE},
		{"x.example:smtp", "x.example", 25, TRUE},
		{"[IPv6:::1]:26", "::1", 26, FALSE},
		{"", NULL, 0, FALSE},
		{"[open", NULL, 0, FALSE},
		{"x.example:0", NULL, 0, FALSE},
		{"x.example:70000", NULL, 0, FALSE},
		{"a b", NULL, 0, FALSE},
		{"[]:25", NULL, 0, FALSE},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		NextHop hop = {0};
		gboolean good = nexthop_parse(table[i].text, &hop);

		assert_int_equal(good, table[i].host != NULL);
		if (good) {
			assert_string_equal(hop.host, table[i].host);
			assert_int_equal(hop.port, table[i].port);
			assert_int_equal(hop.use_mx, table[i].mx);
		}
		nexthop_clear(&hop);
	}
	assert_true(nexthop_matches("MX.example", "mx.example"));
	assert_true(nexthop_matches("*.example.com", "mx.example.com"));
	assert_true(nexthop_matches("mx1.x.example", "x.example"));
	assert_false(nexthop_matches("evilx.example", "x.example"));
	assert_false(nexthop_matches("*.com", "mx.example.com"));
	assert_false(nexthop_matches("", "x.example"));
}

static void test_reply(void **state)
{
	g_autoptr(GError) no_way =
		g_error_new(SEALPOST_ERROR, ERROR_NO_WAY, "not for <\303\274@x>\r\n250 ok, 100%%");
	g_autoptr(GError) lookup = g_error_new(SEALPOST_ERROR, ERROR_LOOKUP, "ldap.secret:389");
	g_autoptr(GError) foreign = g_error_new(G_FILE_ERROR, G_FILE_ERROR_ACCES, "/secret");
	g_autoptr(Handback) first = handback_error(no_way);
	g_autoptr(Handback) second = handback_error(lookup);
	g_autoptr(Handback) third = handback_error(foreign);
	g_autoptr(Handback) fourth = handback_error(NULL);

	(void)state;
	assert_int_equal(first->verdict, HANDBACK_REJECT);
	assert_int_equal(first->code, 550);
	assert_string_equal(first->enhanced, "5.7.1");
	assert_null(strpbrk(first->text, "\r\n"));
	assert_true(g_str_is_ascii(first->text));
	assert_int_equal(second->verdict, HANDBACK_DEFER);
	assert_string_equal(second->enhanced, "4.4.3");
	assert_null(strstr(second->text, "secret"));
	assert_int_equal(third->verdict, HANDBACK_DEFER);
	assert_null(strstr(third->text, "secret"));
	assert_int_equal(fourth->verdict, HANDBACK_DEFER);
}

/* Who has to be asked for over the network is asked for as soon as the recipient is known, while the data
 * is still coming; nobody else. */
static void test_early_lookups(void **state)
{
	static const char *const to[] = {"b@x.example", "boss@firma.example", NULL};
	Snapshot *snapshot =
		make_snapshot("outgoing prefer smime\n", "[ldap down]\nuri = ldap://127.0.0.1:1\n"
							 "starttls = false\nbase = o=x\n");
	g_autoptr(Job) ours = make_job(snapshot, "192.0.2.1", "a@firma.example", to, "\n");
	g_autoptr(Job) foreign = make_job(snapshot, "198.51.100.1", "a@x", to, "\n");
	g_autoptr(Job) at_hand = make_job(*state, "192.0.2.1", "a@firma.example", to, "\n");

	assert_non_null(((Recipient *)ours->recipients->pdata[0])->lookup);
	assert_null(((Recipient *)ours->recipients->pdata[1])->lookup);
	assert_null(((Recipient *)foreign->recipients->pdata[0])->lookup);
	assert_null(((Recipient *)at_hand->recipients->pdata[0])->lookup);
	remove_snapshot(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trust),	 cmocka_unit_test(test_direction),
		cmocka_unit_test(test_envelope), cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_routes),	 cmocka_unit_test(test_limits),
		cmocka_unit_test(test_too_many), cmocka_unit_test(test_nexthop),
		cmocka_unit_test(test_reply),	 cmocka_unit_test(test_early_lookups),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
