/* SPDX-License-Identifier: Apache-2.0
 *
 * Edits: what they are (a list that the MTA carries out), and what they make of a header block.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/mail/mime.h"

#include "gateway/edits.h"
#include "gateway/head.h"

static Headers *fields(const char *text)
{
	gsize used;
	Headers *headers = head_parse(text, strlen(text), &used, NULL);

	assert_non_null(headers);
	assert_int_equal(used, strlen(text));
	return headers;
}

static char *written(const Headers *headers)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < headers_count(headers); i++)
		g_string_append_printf(text, "%s:%s\n", headers_at(headers, i)->name,
				       headers_at(headers, i)->value);
	return g_string_free(text, FALSE);
}

static char *outline(const GPtrArray *edits)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < edits->len; i++) {
		const Edit *edit = edits->pdata[i];

		if (edit->kind == EDIT_ADD)
			g_string_append_printf(text, "+%s:%s\n", edit->name, edit->value);
		else if (edit->kind == EDIT_CHANGE)
			g_string_append_printf(text, "=%s %u:%s\n", edit->name, edit->nth,
					       edit->value);
		else
			g_string_append_printf(text, "-%s %u\n", edit->name, edit->nth);
	}
	return g_string_free(text, FALSE);
}

/* What the MTA makes of the list, one edit after the other, as measured: a deletion renumbers at
 * once, an index past the end would append. */
static char *carry_out(const Headers *received, const GPtrArray *edits)
{
	g_autoptr(GPtrArray) fields = g_ptr_array_new(); /* of Header *, borrowed */
	g_autoptr(GString) added = g_string_new(NULL);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < headers_count(received); i++)
		g_ptr_array_add(fields, (gpointer)headers_at(received, i));
	for (guint i = 0; i < edits->len; i++) {
		const Edit *edit = edits->pdata[i];
		guint nth = 0;

		if (edit->kind == EDIT_ADD)
			g_string_append_printf(added, "%s:%s\n", edit->name, edit->value);
		for (guint at = 0; edit->kind == EDIT_DELETE && at < fields->len; at++) {
			const Header *header = fields->pdata[at];

			if (g_ascii_strcasecmp(header->name, edit->name) == 0 &&
			    ++nth == edit->nth) {
				g_ptr_array_remove_index(fields, at);
				break;
			}
		}
		if (edit->kind == EDIT_DELETE)
			assert_int_equal(nth, edit->nth);
	}
	for (guint i = 0; i < fields->len; i++) {
		const Header *header = fields->pdata[i];

		g_string_append_printf(text, "%s:%s\n", header->name, header->value);
	}
	g_string_append(text, added->str);
	return g_string_free(text, FALSE);
}

typedef struct {
	const char *received, *content, *route, *tag;
	const char *edits, *result;
} Case;

static const Case cases[] = {
	{"From: a@b\nSubject: x\n", NULL, NULL, NULL, "", "From: a@b\nSubject: x\n"},
	{"X-Sealpost-Route: tls x\nFrom: a@b\nx-sealpost-a:1\nX-SEALPOST-Route: 2\n", NULL, NULL,
	 NULL, "-X-SEALPOST-Route 2\n-x-sealpost-a 1\n-X-Sealpost-Route 1\n", "From: a@b\n"},
	{"From: a@b\nBcc: c@d\nResent-Bcc: e@f\n", NULL, "tls [mx.example]:25", NULL,
	 "-Resent-Bcc 1\n-Bcc 1\n+X-Sealpost-Route: tls [mx.example]:25\n",
	 "From: a@b\nX-Sealpost-Route: tls [mx.example]:25\n"},
	{"Content-Type: text/plain\nFrom: a@b\nContent-Transfer-Encoding: 8bit\n"
	 "To:\n\tfolded@c\n",
	 "Content-Type: application/pkcs7-mime;\n\tname=x\nContent-Transfer-Encoding: base64\n",
	 NULL, NULL,
	 "-Content-Transfer-Encoding 1\n-Content-Type 1\n+MIME-Version: 1.0\n"
	 "+Content-Type: application/pkcs7-mime;\n\tname=x\n+Content-Transfer-Encoding: base64\n",
	 "From: a@b\nTo:\n\tfolded@c\nMIME-Version: 1.0\n"
	 "Content-Type: application/pkcs7-mime;\n\tname=x\nContent-Transfer-Encoding: base64\n"},
	{"MIME-Version: 1.0 (x)\nContent-type: a/b\ncontent-TYPE: c/d\nA: 1\n",
	 "MIME-Version: 1.0\nContent-Type: e/f\n", NULL, NULL,
	 "-content-TYPE 2\n-Content-type 1\n+Content-Type: e/f\n",
	 "MIME-Version: 1.0 (x)\nA: 1\nContent-Type: e/f\n"},
	{"Authentication-Results: gw.firma.example; dkim=pass\n"
	 "Authentication-Results: (hi (there)) GW.firma.example 1; x=y\n"
	 "Authentication-Results: \"gw.firma.example\"; x\n"
	 "Authentication-Results: gw.firma.example.evil; x\n"
	 "Authentication-Results: other; gw.firma.example\n",
	 NULL, NULL, NULL,
	 "-Authentication-Results 3\n-Authentication-Results 2\n-Authentication-Results 1\n",
	 "Authentication-Results: gw.firma.example.evil; x\n"
	 "Authentication-Results: other; gw.firma.example\n"},
	{"Authentication-Results: \xc2\xa0gw.firma.example; smime=pass\n"
	 "Authentication-Results: GW.firma.example/1; smime=pass\n"
	 "Authentication-Results: =?utf-8?q?gw.firma.example?=; smime=pass\n"
	 "Authentication-Results: ((gw.firma.example, x; smime=pass\n"
	 "Authentication-Results: =?utf-8?q?gw=2Efirma=2Eexample?=; smime=pass\n"
	 "Authentication-Results: =?utf-8?b?Z3cuZmlybWEuZXhhbXBsZTsgc21pbWU9cGFzcw==?=\n"
	 "Authentication-Results: other; (gw.firma.example)\n"
	 "Authentication-Results: gw.firma.example-2; smime=pass\n",
	 NULL, NULL, NULL,
	 "-Authentication-Results 6\n-Authentication-Results 5\n-Authentication-Results 4\n"
	 "-Authentication-Results 3\n-Authentication-Results 2\n-Authentication-Results 1\n",
	 "Authentication-Results: other; (gw.firma.example)\n"
	 "Authentication-Results: gw.firma.example-2; smime=pass\n"},
	/* the same, as it may be hidden */
	{"Authentication-Results:\n\tGW.Firma.Example\n\t; smime=pass\n"
	 "AUTHENTICATION-results:(a (b\\) c) \\( )\n \"gw.fir\\ma.example\" (x) 1; smime=pass\n"
	 "Authentication-Results: gw.firma.example(comment)1; smime=pass\n"
	 "authentication-results:gw.firma.example.\n"
	 "Authentication-Results: \"gw.firma.\n example\"; smime=pass\n"
	 "X-SealPost-Incoming: smime-encrypted opened\nX-SEALPOST-:\n\tx\nX-Sealpos: 1\n",
	 NULL, NULL, NULL,
	 "-X-SEALPOST- 1\n-X-SealPost-Incoming 1\n-Authentication-Results 5\n"
	 "-authentication-results 4\n-Authentication-Results 3\n-AUTHENTICATION-results 2\n"
	 "-Authentication-Results 1\n",
	 "X-Sealpos: 1\n"},
};

/* A stranger's Bcc is not ours to take out. */
static void test_foreign_bcc(void **state)
{
	g_autoptr(Headers) received = fields("From: a@b\nBcc: c@d\nX-Sealpost-Route: x\n");
	g_autoptr(GPtrArray) edits = edits_for(received, &(EditWish){.authserv_id = "gw"});
	g_autofree char *list = outline(edits);

	(void)state;
	assert_string_equal(list, "-X-Sealpost-Route 1\n");
}

static void test_cases(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *c = &cases[i];
		g_autoptr(Headers) received = fields(c->received);
		g_autoptr(Headers) content = c->content ? fields(c->content) : NULL;
		EditWish wish = {.content = content,
				 .route = c->route,
				 .subject.rule_tag = c->tag,
				 .authserv_id = "gw.firma.example",
				 .hides_bcc = TRUE};
		g_autoptr(GPtrArray) edits = edits_for(received, &wish);
		g_autofree char *list = outline(edits);
		g_autoptr(Headers) applied = edits_apply(received, edits, NULL);
		g_autofree char *result = written(applied);

		assert_string_equal(list, c->edits);
		assert_string_equal(result, c->result);
		g_autofree char *by_mta = carry_out(received, edits);

		assert_string_equal(by_mta, c->result);
	}
}

static void test_tag_in_encoded_word(void **state)
{
	g_autoptr(Headers) received =
		fields("Subject: =?utf-8?b?W1hdIEdyw7zDn2U=?=\nSubject: [X] two\n");
	EditWish wish = {.subject.rule_tag = "[x]"};
	g_autoptr(GPtrArray) edits = edits_for(received, &wish);
	g_autoptr(Headers) applied = edits_apply(received, edits, NULL);
	g_autofree char *first = header_decode(headers_at(applied, 0));

	(void)state;
	assert_int_equal(headers_count(applied), 2);
	assert_string_equal(first, "Gr\303\274\303\237e");
	assert_string_equal(headers_at(applied, 1)->value, " two");
}

/* Many fields are no reason to take as many squared steps. */
static void test_many(void **state)
{
	g_autoptr(Headers) received = headers_new();
	EditWish wish = {.authserv_id = "gw"};
	clock_t start = clock();

	(void)state;
	for (int i = 0; i < HEADERS_MAX; i++)
		headers_append(received, i % 2 ? "X-Sealpost-A" : "X-Other", " v", NULL);
	g_autoptr(GPtrArray) edits = edits_for(received, &wish);
	g_autoptr(Headers) applied = edits_apply(received, edits, NULL);

	assert_int_equal(edits->len, HEADERS_MAX / 2);
	assert_int_equal(headers_count(applied), HEADERS_MAX / 2);
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
}

static void test_head(void **state)
{
	static const struct {
		const char *text;
		gsize size, used;
		guint count;
	} table[] = {
		{"A: 1\r\nB:2\r\n\r\nbody", 17, 13, 2},
		{"A: 1\nB: 2\n more\n\nbody", 22, 17, 2},
		{"", 0, 0, 0},
		{"\r\nbody", 6, 2, 0},
		{"no field\n\n", 10, 0, 0},
		{"A: 1\nnot a field\n", 17, 5, 1},
		{"A: x\0y\n\n", 8, 8, 1},
		{": empty name\n", 13, 0, 0},
		{"A: 1", 4, 4, 1},
		{"A b: 1\n\n", 8, 0, 0},
		{"A : 1\nB\t:2\n\n", 12, 12, 2},
		{" blank\nA: 1\n\n", 13, 0, 0},
		{"\t\nA: 1\n\n", 8, 0, 0},
		{"From a@b Mon Jan 1 00:00\nA: 1\n\n", 31, 0, 0},
		{">From a@b: 1\nA: 1\n\n", 19, 0, 0},
		{"A\0: 1\n\n", 7, 0, 0},
		{"A: 1\n\r\r\nB: 2\n\n", 14, 5, 1},
		{"A: 1\n \nB: 2\n\n", 13, 13, 2},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		gsize used = 99;
		g_autoptr(Headers) headers = head_parse(table[i].text, table[i].size, &used, NULL);

		assert_non_null(headers);
		assert_int_equal(used, table[i].used);
		assert_int_equal(headers_count(headers), table[i].count);
		/* The tree ends the header in the same place. */
		g_autoptr(Spool) spool = spool_new(NULL, SPOOL_MEMORY);

		assert_true(spool_append(spool, table[i].text, table[i].size, NULL));
		g_autoptr(MimeTree) tree = mime_parse(spool, NULL);

		assert_int_equal(mime_root(tree)->headers.end, table[i].used);
	}
}

/* A NUL is the blank that the tree sees: it does not make another word. */
static void test_head_nul(void **state)
{
	static const char text[] = "A : x\0y\n z\0\n\n";
	gsize used;
	g_autoptr(Headers) headers = head_parse(text, sizeof(text) - 1, &used, NULL);

	(void)state;
	assert_string_equal(headers_at(headers, 0)->name, "A");
	assert_string_equal(headers_at(headers, 0)->value, " x y\n z ");
}

/* A head that is longer than one read; its last line of a read is cut anywhere. */
static void test_long_head(void **state)
{
	(void)state;
	for (int extra = 0; extra < 12; extra++) {
		g_autoptr(GString) text = g_string_new(NULL);
		g_autoptr(Spool) spool = spool_new(NULL, SPOOL_MEMORY);
		Range body = {0, 0};

		g_string_printf(text, "A:%.*s\r\n", extra, "xxxxxxxxxxxx");
		for (int i = 0; i < HEADERS_MAX - 1; i++)
			g_string_append(text, i % 3 ? "X: y\r\n"
						    : "F: \r\n and more of it\r\n"
						      " and more of it\r\n and more of it\r\n");
		gsize length = text->len + 2;

		g_string_append(text, "\r\nbody");
		assert_true(spool_append(spool, text->str, text->len, NULL));
		g_autoptr(Headers) headers = head_read(spool, &body, NULL);

		assert_int_equal(headers_count(headers), HEADERS_MAX);
		assert_int_equal(body.start, length);
	}
}

/* Hiding the subject, and fields that were restored: in their places, too many go, missing come. */
static void test_headers(void **state)
{
	g_autoptr(Headers) received = fields("To: a\nSubject: one\nTo: b\nSUBJECT: two\n"
					     "Thread-Topic: one\nDate: x\nCc: c\n");
	g_autoptr(Headers) restored = fields("to: d\nCc: e\nCc: f\nReferences: r\n");
	EditWish hide = {.hide_subject = TRUE};
	EditWish restore = {.restored = restored, .subject.restored = "gr\u00fc\u00df"};
	g_autoptr(GPtrArray) hiding = edits_for(received, &hide);
	g_autoptr(GPtrArray) restoring = edits_for(received, &restore);
	g_autofree char *list = outline(hiding);
	g_autofree char *other = outline(restoring);

	(void)state;
	assert_string_equal(list, "=Subject 1: [...]\n-Thread-Topic 1\n-SUBJECT 2\n");
	assert_string_equal(other, "=To 1: d\n=Subject 1: =?UTF-8?Q?gr=C3=BC=C3=9F?=\n"
				   "=SUBJECT 2: =?UTF-8?Q?gr=C3=BC=C3=9F?=\n=Cc 1: e\n-To 2\n"
				   "+Cc: f\n+References: r\n");
	g_autoptr(Headers) applied = edits_apply(received, restoring, NULL);
	g_autofree char *text = written(applied);

	assert_string_equal(text, "To: d\nSubject: =?UTF-8?Q?gr=C3=BC=C3=9F?=\n"
				  "SUBJECT: =?UTF-8?Q?gr=C3=BC=C3=9F?=\nThread-Topic: one\n"
				  "Date: x\nCc: e\nCc: f\nReferences: r\n");
}

/* No value has a bare CR, which a reader may take for a line's end. */
static void test_bare_cr(void **state)
{
	g_autoptr(Headers) received = fields("Content-Type: text/plain\nTo: a\n");
	g_autoptr(Headers) content = fields("Content-Type: text/html;\n x\rBcc: e@f\n");
	g_autoptr(Headers) restored = fields("To: b\rc\n");
	EditWish wish = {.content = content, .restored = restored};
	g_autoptr(GPtrArray) edits = edits_for(received, &wish);
	g_autofree char *list = outline(edits);

	(void)state;
	assert_string_equal(list, "=To 1: b c\n-Content-Type 1\n+MIME-Version: 1.0\n"
				  "+Content-Type: text/html;\n x Bcc: e@f\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_foreign_bcc),

		cmocka_unit_test(test_tag_in_encoded_word),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_bare_cr),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_head_nul),
		cmocka_unit_test(test_long_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
