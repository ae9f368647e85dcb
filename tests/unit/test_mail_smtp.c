/* SPDX-License-Identifier: Apache-2.0
 *
 * The SMTP client against a server thread that answers by a script and keeps what it heard.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/mail/smtp.h"

#define CUT "cut" /* the server closes instead of answering */
#define STALL "stall" /* it says nothing more */

typedef struct {
	const char *greeting; /* NULL: as a friendly server would */
	const char *ehlo;
	const char *mail;
	const char *rcpt;
	const char *second_rcpt;
	const char *data;
	const char *end;
} Script;

typedef struct {
	const Script *script;
	GSocketListener *listener;
	GThread *thread;
	char *folder;
	char *endpoint;
	GString *commands; /* one a line, without CR */
	GString *message; /* as on the wire, with the last dot */
	guint recipients;
} Server;

static const char all_extensions[] =
	"250-fake\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8\r\n";

/* FALSE if the script says to cut off. */
static gboolean answer(GIOStream *stream, const char *scripted, const char *friendly)
{
	GOutputStream *out = g_io_stream_get_output_stream(stream);
	const char *text = scripted != NULL ? scripted : friendly;
	char byte;

	if (strcmp(text, CUT) == 0)
		return FALSE;
	if (strcmp(text, STALL) == 0) {
		while (g_input_stream_read(g_io_stream_get_input_stream(stream), &byte, 1, NULL,
					   NULL) > 0)
			;
		return FALSE;
	}
	return g_output_stream_write_all(out, text, strlen(text), NULL, NULL, NULL);
}

/* Reads the message up to the dot. */
static void hear_message(Server *server, GDataInputStream *in)
{
	while (!g_str_has_suffix(server->message->str, "\r\n.\r\n")) {
		GError *error = NULL;
		guint8 byte = g_data_input_stream_read_byte(in, NULL, &error);

		if (error != NULL) {
			g_error_free(error);
			return;
		}
		g_string_append_c(server->message, (char)byte);
	}
}

static gboolean respond(Server *server, GIOStream *stream, GDataInputStream *in, const char *line)
{
	const Script *script = server->script;

	if (g_str_has_prefix(line, "EHLO"))
		return answer(stream, script->ehlo, all_extensions);
	if (g_str_has_prefix(line, "MAIL"))
		return answer(stream, script->mail, "250 2.1.0 Ok\r\n");
	if (g_str_has_prefix(line, "RCPT"))
		return answer(stream,
			      server->recipients++ == 0 ? script->rcpt : script->second_rcpt,
			      "250 2.1.5 Ok\r\n");
	if (g_str_has_prefix(line, "DATA")) {
		if (!answer(stream, script->data, "354 go\r\n"))
			return FALSE;
		if (script->data != NULL)
			return TRUE;
		hear_message(server, in);
		return answer(stream, script->end, "250 2.0.0 Ok: queued as 4XYZ\r\n");
	}
	answer(stream, NULL, g_str_has_prefix(line, "QUIT") ? "221 bye\r\n" : "250 Ok\r\n");
	return !g_str_has_prefix(line, "QUIT");
}

static gpointer serve(gpointer data)
{
	Server *server = data;
	g_autoptr(GSocketConnection) connection =
		g_socket_listener_accept(server->listener, NULL, NULL, NULL);
	g_autoptr(GDataInputStream) in = NULL;
	char *line;

	if (connection == NULL)
		return NULL;
	in = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
	g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
	if (!answer(G_IO_STREAM(connection), server->script->greeting, "220 fake ESMTP\r\n"))
		return NULL;
	while ((line = g_data_input_stream_read_line(in, NULL, NULL, NULL)) != NULL) {
		gboolean more;

		g_string_append_printf(server->commands, "%s\n", line);
		more = respond(server, G_IO_STREAM(connection), in, line);
		g_free(line);
		if (!more)
			break;
	}
	return NULL;
}

/* Over a Unix socket, or over TCP at a free port of 127.0.0.1. */
static Server *server_start(const Script *script, gboolean tcp)
{
	Server *server = g_new0(Server, 1);
	g_autoptr(GSocketAddress) address = NULL;

	server->script = script;
	server->listener = g_socket_listener_new();
	server->commands = g_string_new(NULL);
	server->message = g_string_new(NULL);
	server->folder = g_dir_make_tmp("sealpost-smtp-XXXXXX", NULL);
	if (tcp) {
		guint port = 20000 + (guint)getpid() % 10000;

		while (!g_socket_listener_add_inet_port(server->listener, (guint16)port, NULL,
							NULL))
			assert_true(++port < 32768);
		server->endpoint = g_strdup_printf("inet:127.0.0.1:%u", port);
	} else {
		g_autofree char *path = g_build_filename(server->folder, "socket", NULL);

		address = g_unix_socket_address_new(path);
		assert_true(g_socket_listener_add_address(
			server->listener, address, G_SOCKET_TYPE_STREAM, 0, NULL, NULL, NULL));
		server->endpoint = g_strdup_printf("unix:%s", path);
	}
	server->thread = g_thread_new("server", serve, server);
	return server;
}

/* Waits for the dialogue's end; commands and message can be read then. */
static void server_join(Server *server)
{
	g_thread_join(server->thread);
}

static void server_free(Server *server)
{
	if (g_str_has_prefix(server->endpoint, "unix:"))
		g_unlink(server->endpoint + strlen("unix:"));
	g_rmdir(server->folder);
	g_socket_listener_close(server->listener);
	g_object_unref(server->listener);
	g_string_free(server->commands, TRUE);
	g_string_free(server->message, TRUE);
	g_free(server->folder);
	g_free(server->endpoint);
	g_free(server);
}

static const SmtpRecipient two_recipients[] = {{.address = "bob@x.example"},
					       {.address = "eve@y.example"}};
static const SmtpEnvelope plain_envelope = {
	.sender = "alice@firma.example", .recipients = two_recipients, .recipient_count = 2};

static SmtpServer server_at(const char *endpoint, gint64 seconds)
{
	return (SmtpServer){endpoint, "gw.firma.example",
			    g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND, 0};
}

static gboolean send_text_to(SmtpServer server, const SmtpEnvelope *envelope, const char *body,
			     char **queue_id, GError **error)
{
	g_autoptr(Headers) headers = headers_new();
	g_autoptr(GBytes) bytes = g_bytes_new_static(body, strlen(body));
	g_autoptr(Source) source = source_new_bytes(bytes);
	SmtpMessage message = {headers, source};

	headers_append(headers, "Subject", " a\n\tb", NULL);
	headers_append(headers, ".Dot", " x", NULL);
	return smtp_send(&server, envelope, &message, queue_id, error);
}

static gboolean send_text(const char *endpoint, const SmtpEnvelope *envelope, const char *body,
			  char **queue_id, GError **error)
{
	return send_text_to(server_at(endpoint, 60), envelope, body, queue_id, error);
}

static void check_good(gboolean tcp)
{
	static const Script friendly = {NULL};
	Server *server = server_start(&friendly, tcp);
	g_autofree char *queue_id = NULL;
	g_autoptr(GError) error = NULL;

	if (!send_text(server->endpoint, &plain_envelope, "1\n.\n..2\r\n.3\r4\r\n\r\nend",
		       &queue_id, &error))
		fail_msg("%s", error->message);
	server_join(server);
	assert_string_equal(server->message->str,
			    "Subject: a\r\n\tb\r\n..Dot: x\r\n\r\n"
			    "1\r\n..\r\n...2\r\n..3\r\n4\r\n\r\nend\r\n.\r\n");
	assert_string_equal(queue_id, "2.0.0 Ok: queued as 4XYZ");
	assert_string_equal(server->commands->str,
			    "EHLO gw.firma.example\nMAIL FROM:<alice@firma.example> SIZE=46\n"
			    "RCPT TO:<bob@x.example>\nRCPT TO:<eve@y.example>\nDATA\nQUIT\n");
	server_free(server);
}

static void test_good_unix(void **state)
{
	(void)state;
	check_good(FALSE);
}

static void test_good_tcp(void **state)
{
	(void)state;
	check_good(TRUE);
}

static void test_empty_body(void **state)
{
	static const Script friendly = {NULL};
	Server *server = server_start(&friendly, FALSE);

	(void)state;
	assert_true(send_text(server->endpoint, &plain_envelope, "", NULL, NULL));
	server_join(server);
	assert_true(g_str_has_suffix(server->message->str, "..Dot: x\r\n\r\n.\r\n"));
	server_free(server);
}

static void test_parameters(void **state)
{
	static const Script friendly = {NULL};
	static const Script bare = {.ehlo = "250 fake\r\n"};
	static const SmtpRecipient recipient = {"j\xc3\xbcrgen@x.example", "SUCCESS,FAILURE",
						"rfc822;j@x.example"};
	SmtpEnvelope envelope = {.sender = "",
				 .body = "8BITMIME",
				 .ret = "HDRS",
				 .envid = "QQ+20314159",
				 .smtputf8 = TRUE,
				 .recipients = &recipient,
				 .recipient_count = 1};
	Server *server = server_start(&friendly, FALSE);
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_true(send_text(server->endpoint, &envelope, "x", NULL, NULL));
	server_join(server);
	assert_non_null(strstr(server->commands->str, "MAIL FROM:<> SIZE=27 BODY=8BITMIME SMTPUTF8 "
						      "RET=HDRS ENVID=QQ+20314159\n"
						      "RCPT TO:<j\xc3\xbcrgen@x.example> "
						      "NOTIFY=SUCCESS,FAILURE "
						      "ORCPT=rfc822;j@x.example\n"));
	server_free(server);

	server = server_start(&bare, FALSE);
	assert_false(send_text(server->endpoint, &envelope, "x", NULL, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_RESUBMIT));
	server_join(server);
	assert_null(strstr(server->commands->str, "MAIL"));
	server_free(server);

	server = server_start(&bare, FALSE);
	envelope.smtputf8 = FALSE;
	assert_true(send_text(server->endpoint, &envelope, "x", NULL, NULL));
	server_join(server);
	assert_non_null(
		strstr(server->commands->str, "MAIL FROM:<>\nRCPT TO:<j\xc3\xbcrgen@x.example>\n"));
	server_free(server);
}

static void test_refusals(void **state)
{
	static const struct {
		Script script;
		const char *text; /* in the error */
		gboolean data; /* whether the message was begun */
		ErrorCode code; /* 0: ERROR_RESUBMIT */
	} cases[] = {
		{{.greeting = "421 4.3.2 full\r\n"}, "421 4.3.2", FALSE},
		{{.greeting = "554 no\r\n"}, "554", FALSE},
		{{.greeting = CUT}, "closed", FALSE},
		{{.greeting = "garbage\r\n"}, "not an SMTP reply", FALSE},
		{{.greeting = "22\r\n"}, "not an SMTP reply", FALSE},
		{{.ehlo = "502 5.5.1 what\r\n"}, "EHLO answered by 502", FALSE},
		{{.ehlo = "250-a\r\n550 b\r\n"}, "not an SMTP reply", FALSE},
		{{.ehlo = CUT}, "closed", FALSE},
		{{.mail = "452 4.3.1 disk\r\n"}, "MAIL answered by 452 4.3.1", FALSE},
		{{.mail = "550 5.7.1 <alice@firma.example> no\r\n"}, "550 5.7.1", FALSE},
		{{.rcpt = "450 4.2.0 grey\r\n"}, "RCPT answered by 450", FALSE},
		{{.second_rcpt = "550 5.1.1 <eve@y.example>\r\n"},
		 "RCPT answered by 550 5.1.1",
		 FALSE,
		 ERROR_UNDELIVERABLE},
		{{.second_rcpt = CUT}, "closed", FALSE},
		{{.data = "451 4.3.0 later\r\n"}, "DATA answered by 451", FALSE},
		{{.data = CUT}, "closed", FALSE},
		{{.end = "451 4.3.0 queue\r\n"}, "end of data answered by 451", TRUE},
		{{.end = "552 5.3.4 too big\r\n"},
		 "end of data answered by 552",
		 TRUE,
		 ERROR_UNDELIVERABLE},
		{{.end = "550 too bad\r\n"},
		 "end of data answered by 550",
		 TRUE,
		 ERROR_UNDELIVERABLE},
		{{.end = "450 4.7.1 later\r\n"}, "end of data answered by 450", TRUE},
		{{.end = "550 5.7.1 virus <a@b>\r\n"},
		 "end of data answered by 550 5.7.1",
		 TRUE,
		 ERROR_REFUSED},
		{{.end = CUT}, "closed", TRUE},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Server *server = server_start(&cases[i].script, FALSE);
		g_autofree char *queue_id = NULL;
		g_autoptr(GError) error = NULL;

		if (send_text(server->endpoint, &plain_envelope, "x", &queue_id, &error))
			fail_msg("case %zu was sent", i);
		server_join(server);
		assert_int_equal(error->code, cases[i].code ? cases[i].code : ERROR_RESUBMIT);
		if (strstr(error->message, cases[i].text) == NULL)
			fail_msg("case %zu: %s", i, error->message);
		assert_null(strchr(error->message, '@'));
		assert_null(queue_id);
		assert_int_equal(server->message->len > 0, cases[i].data);
		if (strstr(cases[i].text, "RCPT") != NULL)
			assert_true(g_str_has_suffix(server->commands->str, "RSET\nQUIT\n"));
		server_free(server);
	}
}

static void test_long_reply(void **state)
{
	GString *text = g_string_new("250-");
	Script script = {NULL};
	Server *server;

	(void)state;
	for (int i = 0; i < 200; i++)
		g_string_append(text, "x\r\n250-");
	g_string_append(text, "\r\n250 end\r\n");
	script.ehlo = text->str;
	server = server_start(&script, FALSE);
	assert_false(send_text(server->endpoint, &plain_envelope, "x", NULL, NULL));
	server_join(server);
	server_free(server);

	g_string_assign(text, "250 ");
	g_string_set_size(text, 100000);
	memset(text->str + 4, 'x', text->len - 4);
	script.ehlo = text->str;
	server = server_start(&script, FALSE);
	assert_false(send_text(server->endpoint, &plain_envelope, "x", NULL, NULL));
	server_join(server);
	server_free(server);
	g_string_free(text, TRUE);
}

static void test_deadline(void **state)
{
	static const Script scripts[] = {{.greeting = STALL}, {.rcpt = STALL}, {.end = STALL}};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
		Server *server = server_start(&scripts[i], FALSE);
		gint64 start = g_get_monotonic_time();
		g_autoptr(GError) error = NULL;

		assert_false(send_text_to(server_at(server->endpoint, 1), &plain_envelope, "x",
					  NULL, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
		assert_true(g_get_monotonic_time() - start < 10 * G_TIME_SPAN_SECOND);
		server_join(server);
		server_free(server);
	}
}

/* Too late for the answer: the message does not end, so the server has not taken it. */
static void test_answer_time(void **state)
{
	static const Script friendly = {NULL};
	const gint64 minute = 60 * G_TIME_SPAN_SECOND;

	(void)state;
	for (int late = 0; late < 2; late++) {
		Server *server = server_start(&friendly, FALSE);
		g_autoptr(Headers) headers = headers_new();
		g_autoptr(GBytes) bytes = g_bytes_new_static("x", 1);
		g_autoptr(Source) body = source_new_bytes(bytes);
		SmtpServer to = {server->endpoint, "gw", g_get_monotonic_time() + minute,
				 late ? minute : minute / 2};
		SmtpMessage message = {headers, body};
		g_autoptr(GError) error = NULL;

		assert_int_equal(smtp_send(&to, &plain_envelope, &message, NULL, &error), !late);
		assert_int_equal(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT), late);
		server_join(server);
		assert_int_equal(strstr(server->message->str, "\r\n.\r\n") == NULL, late);
		server_free(server);
	}
}

static gssize broken_read(void *self, void *buffer, gsize size, GError **error)
{
	(void)self;
	(void)buffer;
	(void)size;
	g_set_error(error, SEALPOST_ERROR, ERROR_IO, "broken");
	return -1;
}

static goffset broken_length(const void *self)
{
	(void)self;
	return 1;
}

/* A body that cannot be read never ends in the dot that would make half a message a whole one. */
static void test_broken_body(void **state)
{
	static const Script friendly = {NULL};
	static const SourceClass broken_class = {broken_read, NULL, broken_length, NULL};
	Server *server = server_start(&friendly, FALSE);
	g_autoptr(Headers) headers = headers_new();
	g_autoptr(Source) body = source_new(&broken_class, NULL);
	SmtpServer to = server_at(server->endpoint, 60);
	SmtpMessage message = {headers, body};
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_false(smtp_send(&to, &plain_envelope, &message, NULL, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_IO));
	server_join(server);
	assert_null(strstr(server->message->str, "\r\n.\r\n"));
	assert_null(strstr(server->commands->str, "QUIT"));
	server_free(server);
}

static void test_bad_endpoints(void **state)
{
	static const struct {
		const char *endpoint;
		int code;
	} cases[] = {
		{"", ERROR_CONFIG},
		{"inet:", ERROR_CONFIG},
		{"inet:127.0.0.1", ERROR_CONFIG},
		{"inet:127.0.0.1:0", ERROR_CONFIG},
		{"inet:127.0.0.1:99999", ERROR_CONFIG},
		{"inet:mail.example:25", ERROR_CONFIG},
		{"inet:[:25", ERROR_CONFIG},
		{"unix:relative", ERROR_CONFIG},
		{"127.0.0.1:25", ERROR_CONFIG},
		{"unix:/nonexistent/socket", ERROR_RESUBMIT},
		{"inet:127.0.0.1:1", ERROR_RESUBMIT},
		{"inet:[::1]:1", ERROR_RESUBMIT},
		{"inet:localhost:1", ERROR_RESUBMIT},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		assert_false(send_text(cases[i].endpoint, &plain_envelope, "x", NULL, &error));
		if (!g_error_matches(error, SEALPOST_ERROR, cases[i].code))
			fail_msg("%s: %s", cases[i].endpoint, error->message);
		assert_int_equal(smtp_check_endpoint(cases[i].endpoint, NULL),
				 cases[i].code != ERROR_CONFIG);
	}
}

/* Nothing of the envelope may become a command of its own: refused before any connection. */
static void test_injection(void **state)
{
	static const SmtpRecipient good = {.address = "bob@x"};
	static const SmtpRecipient bad[] = {{.address = "bob@x>\r\nRCPT TO:<eve@y"},
					    {.address = "bob@x> NOTIFY=NEVER"},
					    {.address = "<bob@x>"},
					    {.address = ""},
					    {"bob@x", "NEVER\r\nDATA", NULL},
					    {"bob@x", NULL, "rfc822;x y"}};
	static const SmtpEnvelope envelopes[] = {
		{.sender = "a@b>\r\nX", .recipients = &good, .recipient_count = 1},
		{.sender = "a@b", .ret = "A\nB", .recipients = &good, .recipient_count = 1},
		{.sender = "a@b", .envid = "A B", .recipients = &good, .recipient_count = 1},
		{.sender = "a@b", .body = "7BIT X", .recipients = &good, .recipient_count = 1},
		{.sender = "a@b", .recipients = &good, .recipient_count = 0},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(bad) + G_N_ELEMENTS(envelopes); i++) {
		SmtpEnvelope with_bad = {.sender = "a@b", .recipient_count = 1};
		gboolean recipient = i < G_N_ELEMENTS(bad);
		g_autoptr(GError) error = NULL;

		if (recipient)
			with_bad.recipients = &bad[i];
		assert_false(send_text("unix:/nonexistent/socket",
				       recipient ? &with_bad : &envelopes[i - G_N_ELEMENTS(bad)],
				       "x", NULL, &error));
		if (!g_error_matches(error, SEALPOST_ERROR, ERROR_BAD_ADDRESS) &&
		    !g_error_matches(error, SEALPOST_ERROR, ERROR_MALFORMED))
			fail_msg("case %zu: %s", i, error->message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_unix),   cmocka_unit_test(test_good_tcp),
		cmocka_unit_test(test_empty_body),  cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_refusals),    cmocka_unit_test(test_long_reply),
		cmocka_unit_test(test_deadline),    cmocka_unit_test(test_answer_time),
		cmocka_unit_test(test_broken_body), cmocka_unit_test(test_bad_endpoints),
		cmocka_unit_test(test_injection),
	};

	return cmocka_run_group_tests_name("mail smtp", tests, NULL, NULL);
}
