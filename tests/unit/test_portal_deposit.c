/* SPDX-License-Identifier: Apache-2.0
 *
 * deposit.h from the gateway's side: what is stored, for whom it opens, what a retry does, what
 * the notices say and when they are sent. The SMTP client is ours here: it keeps the last mail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>

#include "lib/base/db.h"
#include "lib/base/error.h"
#include "lib/base/masterkey.h"
#include "lib/crypt/seal.h"
#include "lib/mail/smtp.h"
#include "portal/account.h"
#include "portal/deposit.h"
#include "portal/mailer.h"
#include "portal/portaldb.h"
#include "portal/quoted.h"
#include "portal/token.h"
#include "portal/vault.h"

#define SUBJECT "Geheimer Betreff 4711"
#define BODY "Dies ist der Inhalt 0815"

typedef struct {
	char *folder;
	Conf *conf;
	Secret *master;
	Deposits *deposits;
	Db *db; /* a second connection, as the portal has */
} Fixture;

/* What the SMTP client was last called with. Tests run one after the other. */
static struct {
	ErrorCode refuse; /* 0: it takes the mail */
	guint refusals; /* so many times, then `then`; 0: always */
	ErrorCode then;
	guint calls;
	char *sender;
	char *recipient;
	char *ret;
	char *dsn; /* "ENVID NOTIFY ORCPT" */
	GByteArray *headers;
	char *body;
} smtp;

gboolean smtp_send(const SmtpServer *server, const SmtpEnvelope *envelope,
		   const SmtpMessage *message, char **queue_id, GError **error)
{
	g_autoptr(Sink) head = NULL;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) text = sink_new_bytes(bytes, 1024 * 1024);

	(void)queue_id;
	assert_non_null(server->endpoint);
	assert_non_null(server->helo);
	assert_true(server->deadline > g_get_monotonic_time());
	assert_int_equal(envelope->recipient_count, 1);
	smtp.calls++;
	if (smtp.refuse) {
		ErrorCode code = smtp.refuse;

		if (smtp.refusals > 0 && --smtp.refusals == 0)
			smtp.refuse = smtp.then;
		g_set_error(error, SEALPOST_ERROR, code, "RCPT answered by 550%s",
			    code == ERROR_RESUBMIT || code == ERROR_BAD_ADDRESS ? "" : " 5.1.1");
		return FALSE;
	}
	g_free(smtp.sender);
	g_free(smtp.recipient);
	g_free(smtp.ret);
	g_free(smtp.dsn);
	g_free(smtp.body);
	smtp.sender = g_strdup(envelope->sender);
	smtp.recipient = g_strdup(envelope->recipients[0].address);
	smtp.ret = g_strdup(envelope->ret);
	smtp.dsn = g_strjoin(" ", envelope->envid, envelope->recipients[0].notify,
			     envelope->recipients[0].orcpt, NULL);
	g_clear_pointer(&smtp.headers, g_byte_array_unref);
	smtp.headers = g_byte_array_new();
	head = sink_new_bytes(smtp.headers, 1024 * 1024);
	assert_true(headers_write(message->headers, HEADERS_ALL, head, error));
	assert_true(stream_copy(message->body, text, error));
	smtp.body = g_strndup((char *)bytes->data, bytes->len);
	return TRUE;
}

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	g_autofree char *inner = NULL;

	fixture->folder = g_dir_make_tmp("sealpost-deposit-XXXXXX", NULL);
	inner = g_build_filename(fixture->folder, "state", "portal", NULL);
	assert_int_equal(g_mkdir_with_parents(inner, 0700), 0);
	fixture->conf = conf_new_defaults(fixture->folder);
	fixture->master = secret_random(32);
	fixture->deposits = deposits_open(fixture->conf, fixture->master, NULL);
	assert_non_null(fixture->deposits);
	fixture->db = portaldb_open(fixture->conf, NULL);
	assert_non_null(fixture->db);
	smtp.refuse = smtp.then = 0;
	smtp.refusals = smtp.calls = 0;
	*state = fixture;
	return 0;
}

static void remove_folder(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *inner = g_build_filename(path, name, NULL);

		if (g_file_test(inner, G_FILE_TEST_IS_DIR))
			remove_folder(inner);
		else
			g_unlink(inner);
	}
	g_rmdir(path);
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;

	db_close(fixture->db);
	deposits_close(fixture->deposits);
	secret_free(fixture->master);
	conf_unref(fixture->conf);
	remove_folder(fixture->folder);
	g_free(fixture->folder);
	g_free(fixture);
	g_clear_pointer(&smtp.sender, g_free);
	g_clear_pointer(&smtp.recipient, g_free);
	g_clear_pointer(&smtp.ret, g_free);
	g_clear_pointer(&smtp.dsn, g_free);
	g_clear_pointer(&smtp.body, g_free);
	g_clear_pointer(&smtp.headers, g_byte_array_unref);
	return 0;
}

static gboolean put(Fixture *fixture, const char *recipient, const char *digest, DepositLink *link,
		    GError **error)
{
	const char *text = "Subject: " SUBJECT "\r\n\r\n" BODY "\r\n";
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(Source) source = source_new_bytes(bytes);
	Deposit deposit = {
		.recipient = recipient,
		.recipient_spelled = "Otto@Web.example",
		.sender = "alice@firma.example",
		.sender_name = "Alice \"Ä\" Ärmel",
		.subject = SUBJECT,
		.digest = digest,
		.route = "smtp-tls:",
		.envelope = {"Alice+bounces@firma.example", "QQ314", "FAILURE,DELAY",
			     "rfc822;o@x.example"},
		.message = source,
	};

	return deposit_store(fixture->deposits, &deposit, link, error);
}

static gint64 count(Fixture *fixture, const char *sql)
{
	g_autoptr(DbQuery) query = db_query(fixture->db, NULL, sql, "");

	assert_non_null(query);
	assert_true(db_next(query, NULL));
	return db_int(query, 0);
}

static NoticeTally send_all(Fixture *fixture)
{
	NoticeTally tally;

	deposits_send_notices(fixture->deposits, g_get_monotonic_time() + 60 * G_USEC_PER_SEC,
			      &tally, NULL);
	return tally;
}

static char *opened(Fixture *fixture, const VaultMessage *message, const Secret *key,
		    GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, 64 * 1024 * 1024);

	if (!vault_open(fixture->db, message, key, sink, error))
		return NULL;
	return g_strndup((char *)bytes->data, bytes->len);
}

static void link_opens(void **state)
{
	Fixture *fixture = *state;
	g_auto(DepositLink) told = {0};
	g_autofree char *hash = NULL;
	g_autofree char *text = NULL;
	g_autofree char *spelled = NULL;
	g_auto(VaultTexts) texts = {0};
	VaultTexts none;
	g_autoptr(Secret) link = NULL;
	g_autoptr(Secret) other = secret_random(SEAL_KEY_SIZE);
	g_autoptr(Secret) key = NULL;
	g_autoptr(VaultMessage) message = NULL;

	assert_true(put(fixture, "otto@web.example", "d1", &told, NULL));
	assert_true(g_str_has_prefix(told.url, "https://localhost:8443/m/"));
	link = seal_link_parse(strrchr(told.url, '/') + 1);
	assert_non_null(link);
	hash = seal_link_hash(link);
	assert_true(vault_find_link(fixture->db, hash, &message, NULL));
	assert_non_null(message);
	assert_int_equal(message->state, VAULT_WAITING);
	assert_null(message->key_for_account);
	assert_null(seal_open_with_link(message->key_for_link, other, NULL));
	spelled = g_strdup_printf(" %.3s-%s\t", told.code, told.code + 3);
	assert_true(vault_code_is(message, link, told.code));
	assert_true(vault_code_is(message, link, spelled));
	assert_false(vault_code_is(message, other, told.code));
	assert_false(vault_code_is(message, link, told.code + 1));
	assert_false(vault_code_is(message, link, ""));
	key = seal_open_with_link(message->key_for_link, link, NULL);
	assert_non_null(key);
	text = opened(fixture, message, key, NULL);
	assert_string_equal(text, "Subject: " SUBJECT "\r\n\r\n" BODY "\r\n");
	assert_true(vault_texts(message, key, &texts, NULL));
	assert_string_equal(texts.subject, SUBJECT);
	assert_string_equal(texts.sender, "alice@firma.example");
	assert_null(opened(fixture, message, other, NULL));
	assert_false(vault_texts(message, other, &none, NULL));
}

static void retry_is_the_same(void **state)
{
	Fixture *fixture = *state;
	g_auto(DepositLink) first = {0};
	g_auto(DepositLink) second = {0};

	assert_true(put(fixture, "otto@web.example", "d1", &first, NULL));
	assert_true(put(fixture, "otto@web.example", "d1", &second, NULL));
	assert_non_null(first.url);
	assert_int_equal(strlen(first.code), CODE_DIGITS);
	assert_null(second.url);
	assert_null(second.code);
	assert_int_equal(count(fixture, "SELECT count(*) FROM message"), 1);
	assert_int_equal(count(fixture, "SELECT count(*) FROM notice"), 1);
	assert_true(put(fixture, "vera@web.example", "d1", NULL, NULL));
	assert_true(put(fixture, "otto@web.example", "d2", NULL, NULL));
	assert_int_equal(count(fixture, "SELECT count(*) FROM message"), 3);
}

static void account_gets_no_secret(void **state)
{
	Fixture *fixture = *state;
	char text[] = "ein gutes Passwort";
	g_autoptr(Secret) password = secret_take(text, strlen(text));
	g_autoptr(Account) account = NULL;
	g_autoptr(Secret) private_key = NULL;
	g_autoptr(VaultMessage) message = NULL;
	g_autoptr(Secret) key = NULL;
	g_autofree char *content = NULL;
	g_auto(DepositLink) told = {0};
	gboolean added = FALSE;

	assert_true(account_new("otto@web.example", password, &account, &private_key, NULL));
	assert_true(account_add(fixture->db, account, &added, NULL));
	assert_true(added);
	assert_true(account_add(fixture->db, account, &added, NULL));
	assert_false(added);
	assert_true(put(fixture, "otto@web.example", "d1", &told, NULL));
	assert_null(seal_link_parse(strrchr(told.url, '/') + 1));
	assert_true(vault_find_id(fixture->db, strrchr(told.url, '/') + 1, &message, NULL));
	assert_non_null(message);
	assert_int_equal(message->state, VAULT_KEPT);
	assert_string_equal(told.code, "");
	assert_null(message->code_hash);
	assert_null(message->key_for_link);
	key = seal_open_with_account(message->key_for_account, account->public_key, private_key,
				     NULL);
	assert_non_null(key);
	content = opened(fixture, message, key, NULL);
	assert_non_null(strstr(content, BODY));
}

static void reverse_chunks(Fixture *fixture)
{
	assert_true(db_run(fixture->db, NULL, NULL, "UPDATE chunk SET number = number + 10", ""));
	assert_true(db_run(fixture->db, NULL, NULL, "UPDATE chunk SET number = 12 - number", ""));
}

/* A chunk that is missing, moved or cut off: nothing is taken for the whole message. */
static void damage_is_seen(void **state)
{
	Fixture *fixture = *state;
	const gsize size = 3 * SEAL_CHUNK;
	g_autofree char *big = g_strnfill(size, 'x');
	g_autoptr(GBytes) bytes = g_bytes_new(big, size);
	g_autoptr(Source) source = source_new_bytes(bytes);
	g_autoptr(Secret) link = secret_random(SEAL_KEY_SIZE);
	VaultEntry entry = {"otto@web.example", "d", "s", "a@b.example", "", 1, 2, link,
			    "123456",		NULL};
	g_autoptr(VaultMessage) message = NULL;
	g_autoptr(Secret) key = NULL;
	VaultStored stored = {0};
	g_autofree char *id = NULL;
	g_autofree char *whole = NULL;

	assert_true(vault_store(fixture->db, &entry, source, &stored, NULL));
	id = stored.id;
	assert_int_equal(count(fixture, "SELECT count(*) FROM chunk"), 3);
	assert_true(vault_find_id(fixture->db, id, &message, NULL));
	key = seal_open_with_link(message->key_for_link, link, NULL);
	whole = opened(fixture, message, key, NULL);
	assert_int_equal(strlen(whole), size);
	reverse_chunks(fixture);
	assert_null(opened(fixture, message, key, NULL));
	reverse_chunks(fixture);
	assert_true(db_run(fixture->db, NULL, NULL, "DELETE FROM chunk WHERE number = 2", ""));
	assert_null(opened(fixture, message, key, NULL));
}

static char *undo_quoted(const char *text)
{
	GString *out = g_string_new(NULL);

	for (; *text != '\0'; text++) {
		if (*text == '=' && text[1] == '\r') {
			text += 2;
		} else if (*text == '=') {
			g_string_append_c(out, (char)(g_ascii_xdigit_value(text[1]) * 16 +
						      g_ascii_xdigit_value(text[2])));
			text += 2;
		} else if (*text != '\r') {
			g_string_append_c(out, *text);
		}
	}
	return g_string_free(out, FALSE);
}

static void quoted_lines(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"a", "a\r\n"},
		{"a\n\nb\n", "a\r\n\r\nb\r\n"},
		{"a=b \n c\t", "a=3Db=20\r\n c=09\r\n"},
		{"\xc3\xa4", "=C3=A4\r\n"},
	};
	g_autofree char *fits = g_strnfill(76, 'x');
	g_autofree char *whole = quoted_encode(fits);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *encoded = quoted_encode(cases[i][0]);

		assert_string_equal(encoded, cases[i][1]);
	}
	assert_int_equal(strlen(whole), 78);
	/* whatever stands where the line breaks */
	for (gsize length = 60; length < 240; length++) {
		g_autofree char *letters = g_strnfill(length, 'x');
		g_autofree char *text = g_strconcat(letters, "=\xc3\xa4=", letters, "\n", NULL);
		g_autofree char *encoded = quoted_encode(text);
		g_autofree char *decoded = undo_quoted(encoded);
		g_auto(GStrv) lines = g_strsplit(encoded, "\r\n", -1);

		assert_string_equal(decoded, text);
		for (gsize i = 0; lines[i] != NULL; i++)
			assert_true(strlen(lines[i]) <= 76);
	}
}

static void notice_says(void **state)
{
	Fixture *fixture = *state;
	g_auto(DepositLink) told = {0};
	g_autofree char *headers = NULL;
	g_autofree char *texts = NULL;
	g_autofree char *plain_code = NULL;
	g_autofree char *html_code = NULL;

	assert_true(put(fixture, "otto@web.example", "d1", &told, NULL));
	assert_int_equal(send_all(fixture).sent, 1);
	assert_int_equal(count(fixture, "SELECT count(*) FROM notice"), 0);
	assert_string_equal(smtp.sender, "Alice+bounces@firma.example");
	assert_string_equal(smtp.dsn, "QQ314 FAILURE,DELAY rfc822;o@x.example");
	assert_string_equal(smtp.recipient, "Otto@Web.example");
	assert_string_equal(smtp.ret, "HDRS");
	headers = g_strndup((char *)smtp.headers->data, smtp.headers->len);
	assert_non_null(strstr(headers, "To: <Otto@Web.example>\r\n"));
	assert_non_null(strstr(headers, "Reply-To: <alice@firma.example>\r\n"));
	assert_non_null(strstr(headers, "Auto-Submitted: auto-generated\r\n"));
	assert_non_null(strstr(headers, "X-Sealpost-Route: smtp-tls:\r\n"));
	assert_non_null(strstr(headers, "Message-ID: <"));
	assert_non_null(strstr(headers, "f=C3=BCr_Sie_=2F_A_confidential"));
	assert_non_null(strstr(headers, "<sealpost@localhost>"));
	assert_null(strstr(headers, SUBJECT));
	texts = undo_quoted(smtp.body);
	assert_true(g_str_is_ascii(smtp.body));
	assert_non_null(strstr(smtp.body, strrchr(told.url, '/')));
	assert_non_null(strstr(texts, told.url));
	plain_code = g_strdup_printf("\nIhr Code: %.3s %s\n", told.code, told.code + 3);
	html_code = g_strdup_printf(">%.3s %s</strong>", told.code, told.code + 3);
	assert_non_null(strstr(texts, plain_code));
	assert_non_null(strstr(texts, html_code));
	assert_null(strstr(told.url, told.code));
	assert_non_null(strstr(texts, "vertrauliche Nachricht"));
	assert_non_null(strstr(texts, "confidential message"));
	assert_non_null(strstr(texts, "Alice &quot;Ä&quot; Ärmel (alice@firma.example)"));
	assert_null(strstr(texts, SUBJECT));
	assert_null(strstr(texts, "{{"));
}

/* Of mail that wants no reports: neither does its notice, though somebody can answer to it. */
static void notice_of_automatic_mail(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GBytes) bytes = g_bytes_new_static("x", 1);
	g_autoptr(Source) source = source_new_bytes(bytes);
	Deposit deposit = {
		.recipient = "otto@web.example",
		.recipient_spelled = "otto@web.example",
		.sender = "tickets@firma.example",
		.digest = "d1",
		.envelope = {.sender = ""},
		.message = source,
	};

	assert_true(deposit_store(fixture->deposits, &deposit, NULL, NULL));
	assert_int_equal(send_all(fixture).sent, 1);
	assert_string_equal(smtp.sender, "");
	assert_string_equal(smtp.dsn, "  ");
	g_autofree char *headers = g_strndup((char *)smtp.headers->data, smtp.headers->len);

	assert_non_null(strstr(headers, "Reply-To: <tickets@firma.example>\r\n"));
	assert_non_null(strstr(headers, "Auto-Submitted: auto-generated\r\n"));
}

/* One that waits in the form of the first version (it had no envelope of its own) leaves as it would have. */
static void notice_of_an_older_version(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GVariant) old = g_variant_ref_sink(g_variant_new(
		"(sssssssx)", "Otto@web.example", "alice@firma.example", "Alice", "en", "",
		"https://portal.example/m/old", "<old@firma.example>", (gint64)1));
	g_autofree void *bytes = g_malloc(g_variant_get_size(old));
	g_autoptr(Secret) plain = NULL;
	g_autoptr(GBytes) wrapped = NULL;
	g_autofree char *headers = NULL;
	g_autofree char *texts = NULL;

	g_variant_store(old, bytes);
	plain = secret_take(bytes, g_variant_get_size(old));
	wrapped = secret_wrap(fixture->master, plain, "portal notice 1");
	assert_true(put(fixture, "otto@web.example", "d1", NULL, NULL));
	assert_true(db_run(fixture->db, NULL, NULL,
			   "UPDATE notice SET wrapped = ? WHERE message = 1", "b", wrapped));
	assert_int_equal(send_all(fixture).sent, 1);
	assert_string_equal(smtp.sender, "alice@firma.example");
	assert_string_equal(smtp.recipient, "Otto@web.example");
	assert_string_equal(smtp.dsn, "  ");
	headers = g_strndup((char *)smtp.headers->data, smtp.headers->len);
	assert_non_null(strstr(headers, "Message-ID: <old@firma.example>\r\n"));
	assert_null(strstr(headers, "https:"));
	texts = undo_quoted(smtp.body);
	assert_non_null(strstr(texts, "https://portal.example/m/old"));
}

/* Whatever stands in a Deposit becomes no header field and no recipient of its own. */
static void notice_is_not_injected(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GBytes) bytes = g_bytes_new_static("x", 1);
	g_autoptr(Source) source = source_new_bytes(bytes);
	Deposit deposit = {
		.recipient = "otto@web.example",
		.recipient_spelled = "otto@web.example\r\nBcc: a@evil.example",
		.sender = "alice@firma.example>\r\nBcc: b@evil.example",
		.sender_name = "Alice\"\r\nBcc: c@evil.example\r\n\r\n<script>",
		.subject = "x\r\nBcc: d@evil.example",
		.languages = "en\r\n,xx",
		.digest = "d1",
		.route = "smtp\r\nBcc: e@evil.example",
		.message = source,
	};
	g_autofree char *headers = NULL;
	g_autofree char *texts = NULL;

	assert_true(deposit_store(fixture->deposits, &deposit, NULL, NULL));
	assert_int_equal(send_all(fixture).sent, 1);
	headers = g_strndup((char *)smtp.headers->data, smtp.headers->len);
	assert_null(strstr(headers, "\nBcc:"));
	assert_null(strstr(headers, "\r\n\r\n"));
	texts = undo_quoted(smtp.body);
	assert_null(strstr(strstr(texts, "text/html"), "<script>"));
	assert_null(strstr(texts, "vertrauliche"));
}

static void refused_notice_waits(void **state)
{
	Fixture *fixture = *state;
	NoticeTally tally;

	assert_true(put(fixture, "otto@web.example", "d1", NULL, NULL));
	smtp.refuse = ERROR_RESUBMIT;
	tally = send_all(fixture);
	assert_int_equal(tally.failed, 1);
	assert_int_equal(tally.sent + tally.refused, 0);
	assert_int_equal(smtp.calls, 1);
	smtp.refuse = 0;
	assert_int_equal(send_all(fixture).sent, 0);
	assert_int_equal(smtp.calls, 1);
	assert_true(db_run(fixture->db, NULL, NULL, "UPDATE notice SET due = 0", ""));
	assert_int_equal(send_all(fixture).sent, 1);
	assert_int_equal(count(fixture, "SELECT count(*) FROM notice"), 0);
	assert_int_equal(count(fixture, "SELECT count(*) FROM event"), 0);
	assert_int_equal(mailer_pause(0), 60);
	assert_int_equal(mailer_pause(1), 120);
	assert_int_equal(mailer_pause(60), 3600);
}

static void damaged_notice_holds_up_nobody(void **state)
{
	Fixture *fixture = *state;
	NoticeTally tally;

	assert_true(put(fixture, "otto@web.example", "d1", NULL, NULL));
	assert_true(put(fixture, "otto@web.example", "d2", NULL, NULL));
	assert_true(db_run(fixture->db, NULL, NULL,
			   "UPDATE notice SET wrapped = x'01', due = 0 WHERE message = 1", ""));
	tally = send_all(fixture);
	assert_int_equal(tally.failed, 1);
	assert_int_equal(tally.sent, 1);
}

static const char *state_of(Fixture *fixture)
{
	g_autoptr(GPtrArray) list = vault_list(fixture->db, NULL, G_MAXINT64, NULL);

	assert_int_equal(list->len, 1);
	return vault_state_name(list->pdata[0]);
}

/* What the MTA refuses for good, or does not take for five days, its sender is told, once. */
static void sender_is_told(void **state)
{
	static const struct {
		ErrorCode refuse;
		const char *status;
	} cases[] = {{ERROR_UNDELIVERABLE, "Status: 5.1.1\r\n"},
		     {ERROR_REFUSED, "Status: 5.1.1\r\n"},
		     {ERROR_BAD_ADDRESS, "Status: 5.1.3\r\n"},
		     {ERROR_RESUBMIT, "Status: 4.4.7\r\n"}};
	Fixture *fixture = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(DepositLink) told = {0};
		g_autofree char *digest = g_strdup_printf("d%zu", i);
		g_autofree char *headers = NULL;
		g_autofree char *texts = NULL;
		NoticeTally tally;

		assert_true(put(fixture, "otto@web.example", digest, &told, NULL));
		assert_string_equal(state_of(fixture), "waiting");
		if (cases[i].refuse == ERROR_RESUBMIT)
			assert_true(db_run(fixture->db, NULL, NULL,
					   "UPDATE notice SET attempts = ?", "i",
					   (gint64)MAILER_ATTEMPTS_MAX - 1));
		smtp.refuse = cases[i].refuse;
		smtp.refusals = 1;
		tally = send_all(fixture);
		assert_int_equal(tally.refused, 1);
		assert_int_equal(tally.sent, 1);
		assert_int_equal(tally.failed, 0);
		assert_string_equal(smtp.sender, "");
		assert_string_equal(smtp.recipient, "Alice+bounces@firma.example");
		headers = g_strndup((char *)smtp.headers->data, smtp.headers->len);
		assert_non_null(strstr(headers, "To: <Alice+bounces@firma.example>\r\n"));
		assert_non_null(strstr(headers, "Auto-Submitted: auto-replied\r\n"));
		assert_non_null(strstr(headers, "multipart/report; report-type=delivery-status;"));
		texts = undo_quoted(smtp.body);
		assert_non_null(strstr(texts, "Otto@Web.example"));
		assert_non_null(strstr(texts, "nicht zustellen"));
		assert_non_null(strstr(texts, "could not be delivered"));
		assert_non_null(strstr(smtp.body, "Original-Envelope-Id: QQ314\r\n"));
		assert_non_null(strstr(smtp.body, "Original-Recipient: rfc822;o@x.example\r\n"
						  "Final-Recipient: rfc822;Otto@Web.example\r\n"
						  "Action: failed\r\n"));
		assert_non_null(strstr(smtp.body, cases[i].status));
		assert_null(strstr(smtp.body, strrchr(told.url, '/') + 1));
		assert_null(strstr(texts, told.code));
		assert_null(strstr(texts, SUBJECT));
		assert_null(strstr(texts, "{{"));
		assert_string_equal(state_of(fixture), "untold");
		assert_int_equal(count(fixture, "SELECT count(*) FROM notice"), 0);
		assert_true(db_run(fixture->db, NULL, NULL, "DELETE FROM message", ""));
	}
}

static gboolean put_for(Fixture *fixture, const char *recipient, DepositEnvelope envelope)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static("x", 1);
	g_autoptr(Source) source = source_new_bytes(bytes);
	Deposit deposit = {
		.recipient = "otto@web.example",
		.recipient_spelled = recipient,
		.sender = "alice@firma.example",
		.digest = "d1",
		.envelope = envelope,
		.message = source,
	};

	return deposit_store(fixture->deposits, &deposit, NULL, NULL);
}

/* RFC 3834 and RFC 3461: nobody who does not want to be; the event is there in any case. */
static void nobody_is_told(void **state)
{
	static const DepositEnvelope envelopes[] = {
		{.sender = ""},
		{"a@firma.example", NULL, "NEVER", NULL},
		{"a@firma.example", NULL, "success,delay", NULL}};
	Fixture *fixture = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(envelopes); i++) {
		NoticeTally tally;

		assert_true(put_for(fixture, "otto@web.example", envelopes[i]));
		smtp.refuse = ERROR_UNDELIVERABLE;
		smtp.refusals = 1;
		tally = send_all(fixture);
		assert_int_equal(tally.refused, 1);
		assert_int_equal(tally.sent + tally.failed, 0);
		assert_string_equal(state_of(fixture), "untold");
		assert_int_equal(count(fixture, "SELECT count(*) FROM notice"), 0);
		assert_true(db_run(fixture->db, NULL, NULL, "DELETE FROM message", ""));
	}
}

/* A report that fails for now waits; one that is refused, too, ends there. */
static void report_is_tried_again(void **state)
{
	Fixture *fixture = *state;
	NoticeTally tally;

	assert_true(put(fixture, "otto@web.example", "d1", NULL, NULL));
	smtp.refuse = ERROR_UNDELIVERABLE;
	smtp.refusals = 1;
	smtp.then = ERROR_RESUBMIT;
	tally = send_all(fixture);
	assert_int_equal(tally.refused, 1);
	assert_int_equal(tally.failed, 1);
	assert_int_equal(count(fixture, "SELECT attempts FROM notice"), 1);
	smtp.refuse = ERROR_UNDELIVERABLE;
	assert_true(db_run(fixture->db, NULL, NULL, "UPDATE notice SET due = 0", ""));
	tally = send_all(fixture);
	assert_int_equal(tally.refused, 1);
	assert_int_equal(tally.failed + tally.sent, 0);
	assert_int_equal(count(fixture, "SELECT count(*) FROM notice"), 0);
	assert_int_equal(count(fixture, "SELECT count(*) FROM event"), 1);
}

static void report_is_not_injected(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *headers = NULL;

	assert_true(
		put_for(fixture, "otto\xc3\xb6@web.example\r\nBcc: a@evil.example",
			(DepositEnvelope){"a@x.example\r\nBcc: b@evil.example", "1+0D+0ABcc:+20c",
					  "FAILURE", "rfc822;o+0D+0AAction: delivered"}));
	smtp.refuse = ERROR_UNDELIVERABLE;
	smtp.refusals = 1;
	assert_int_equal(send_all(fixture).sent, 1);
	headers = g_strndup((char *)smtp.headers->data, smtp.headers->len);
	assert_null(strstr(headers, "\nBcc:"));
	assert_null(strstr(headers, "\r\n\r\n"));
	assert_true(g_str_is_ascii(smtp.body));
	assert_null(strstr(smtp.body, "\nBcc:"));
	assert_null(strstr(smtp.body, "Action: delivered\r\n\r\nF"));
	assert_non_null(strstr(smtp.body, "Final-Recipient: utf-8;otto\\x{F6}@web.example\\x{D}"));
}

/* The status stands in the database, where the portal can write. */
static void report_has_a_status_alone(void **state)
{
	static const char *const refused[] = {"5.1.1\r\nAction: delivered", "5.1.1\n", "5.1.1 x",
					      "", "2.1.5"};
	Fixture *fixture = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autofree char *digest = g_strdup_printf("d%zu", i);

		assert_true(put(fixture, "otto@web.example", digest, NULL, NULL));
		assert_true(db_run(fixture->db, NULL, NULL, "UPDATE notice SET refused = ?", "s",
				   refused[i]));
		assert_int_equal(send_all(fixture).sent, 1);
		assert_non_null(strstr(smtp.body, "\r\nStatus: 5.0.0\r\n"));
		assert_null(strstr(smtp.body, "Action: delivered"));
	}
}

static gboolean file_holds(const char *path, const char *needle)
{
	g_autofree char *text = NULL;
	gsize size;

	assert_true(g_file_get_contents(path, &text, &size, NULL));
	return g_strstr_len(text, -1, needle) != NULL || memmem(text, size, needle, strlen(needle));
}

static void nothing_in_the_clear(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *folder = g_build_filename(fixture->folder, "state", "portal", NULL);
	g_auto(DepositLink) told = {0};
	g_autoptr(GDir) dir = NULL;
	const char *name;
	guint files = 0;

	assert_true(put(fixture, "otto@web.example", "d1-digest", &told, NULL));
	dir = g_dir_open(folder, 0, NULL);
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		assert_false(file_holds(path, SUBJECT));
		assert_false(file_holds(path, BODY));
		assert_false(file_holds(path, "alice@firma.example"));
		assert_false(file_holds(path, "d1-digest"));
		assert_false(file_holds(path, strrchr(told.url, '/') + 1));
		assert_false(file_holds(path, told.code));
		files++;
	}
	assert_true(files >= 1);
}

static void expiry_takes_all(void **state)
{
	Fixture *fixture = *state;
	int expired = 0;

	assert_true(put(fixture, "otto@web.example", "d1", NULL, NULL));
	assert_true(vault_expire(fixture->db, portaldb_now(), &expired, NULL));
	assert_int_equal(expired, 0);
	assert_true(vault_expire(fixture->db, portaldb_now() + 91 * 86400, &expired, NULL));
	assert_int_equal(expired, 1);
	assert_int_equal(count(fixture, "SELECT count(*) FROM chunk"), 0);
	assert_int_equal(count(fixture, "SELECT count(*) FROM notice"), 0);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(link_opens),
		WITH_STORE(retry_is_the_same),
		WITH_STORE(account_gets_no_secret),
		WITH_STORE(damage_is_seen),
		cmocka_unit_test(quoted_lines),
		WITH_STORE(notice_says),
		WITH_STORE(notice_of_automatic_mail),
		WITH_STORE(notice_of_an_older_version),
		WITH_STORE(notice_is_not_injected),
		WITH_STORE(refused_notice_waits),
		WITH_STORE(damaged_notice_holds_up_nobody),
		WITH_STORE(sender_is_told),
		WITH_STORE(nobody_is_told),
		WITH_STORE(report_is_tried_again),
		WITH_STORE(report_is_not_injected),
		WITH_STORE(report_has_a_status_alone),
		WITH_STORE(nothing_in_the_clear),
		WITH_STORE(expiry_takes_all),
	};

	return cmocka_run_group_tests_name("portal_deposit", tests, NULL, NULL);
}
