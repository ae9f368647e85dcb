/* SPDX-License-Identifier: Apache-2.0
 *
 * Entities made fit for signing: what is written, to the byte, and what must not be touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "tests/unit/mailcheck.h"
#include "tests/unit/mailtext.h"

#define TEXT "Content-Type: text/plain; charset=utf-8\r\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n"
#define MIXED2 "Content-Type: multipart/mixed; boundary=c\r\n"
#define SIGNED "Content-Type: multipart/signed; boundary=b\r\n"
#define CTE "Content-Transfer-Encoding: "
#define LINE_60 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"

typedef struct {
	const char *message;
	const char *written; /* NULL: as it is, but for the root's other fields */
} Rewrite;

static const Rewrite rewrites[] = {
	{TEXT "\r\nplain\r\n", NULL},
	{TEXT CTE "base64\r\n\r\nSGVsbG8=\r\n", NULL},
	{"\r\nno fields", NULL},
	{TEXT "\r\n", NULL},
	{"Subject: \xc3\xbc stays out\r\n" TEXT "\r\nx", TEXT "\r\nx"},
	{"Content-Identifier: x400\r\n" TEXT "\r\nx", TEXT "\r\nx"},
	/* labels alone */
	{TEXT CTE "8bit\r\n\r\nplain\r\n", TEXT CTE "7bit\r\n\r\nplain\r\n"},
	{CTE "binary\r\n" TEXT "\r\nplain\r\n", CTE "7bit\r\n" TEXT "\r\nplain\r\n"},
	/* text */
	{TEXT CTE "8bit\r\n\r\nf\xc3\xbcr\r\n", TEXT CTE "quoted-printable\r\n\r\nf=C3=BCr\r\n"},
	{TEXT "\r\nf\xc3\xbcr alle, die es lesen",
	 TEXT CTE "quoted-printable\r\n\r\nf=C3=BCr alle, die es lesen"},
	{TEXT "\r\n\xc3\xbc", TEXT CTE "base64\r\n\r\nw7w=\r\n"},
	{TEXT CTE "quoted-printable\r\n\r\ntrailing \r\n",
	 TEXT CTE "quoted-printable\r\n\r\ntrailing=20\r\n"},
	{TEXT "\r\ntrailing \r\ntab\t\r\n",
	 TEXT CTE "quoted-printable\r\n\r\ntrailing=20\r\ntab=09\r\n"},
	{TEXT "\r\nlast ", TEXT CTE "quoted-printable\r\n\r\nlast=20"},
	{TEXT "\r\nFrom here\r\nFromage\r\n",
	 TEXT CTE "quoted-printable\r\n\r\n=46rom here\r\nFromage\r\n"},
	{TEXT "\r\na=b \r\n-- \r\n", TEXT CTE "quoted-printable\r\n\r\na=3Db=20\r\n=2D-=20\r\n"},
	{TEXT "\r\nbare\nlf and\rcr", TEXT CTE "quoted-printable\r\n\r\nbare=0Alf and=0Dcr"},
	{TEXT "\r\nformat flowed text \r\nwith \r\n",
	 TEXT CTE "quoted-printable\r\n\r\nformat flowed text=20\r\nwith=20\r\n"},
	{TEXT "\r\n\x80" LINE_60 "12345678901234567890\r\n",
	 TEXT CTE "quoted-printable\r\n\r\n=80" LINE_60 "1234567890=\r\n1234567890\r\n"},
	{"Content-Type: text/calendar; METHOD=Request\r\n\r\nSUMMARY:\xc3\xbc \r\n",
	 "Content-Type: text/calendar; METHOD=Request\r\n" CTE
	 "quoted-printable\r\n\r\nSUMMARY:=C3=BC=20\r\n"},
	/* other content */
	{"Content-Type: image/png\r\n" CTE "binary\r\n\r\n\x89PNG\r\n\x1a\n",
	 "Content-Type: image/png\r\n" CTE "base64\r\n\r\niVBORw0KGgo=\r\n"},
	{"Content-Type: image/png\r\n" CTE "base64\r\n\r\niVBO \r\nRw0KGgo",
	 "Content-Type: image/png\r\n" CTE "base64\r\n\r\niVBORw0KGgo=\r\n"},
	{MIXED "\r\nThis is MIME.\r\n--b\r\n\r\none\r\n--b--\r\n",
	 MIXED "\r\n--b\r\n\r\none\r\n--b--\r\n"},
	/* multiparts: text around the parts goes only where something is written anew */
	{MIXED CTE "8bit\r\n\r\npreamble\r\n--b\r\n\r\none\r\n--b\r\n" TEXT
		   "\r\n\xc3\xbc\r\n--b--\r\nepilogue",
	 MIXED CTE "7bit\r\n\r\n--b\r\n\r\none\r\n--b\r\n" TEXT CTE
		   "base64\r\n\r\nw7w=\r\n\r\n--b--\r\n"},
	{MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\n" CTE "8bit\r\n\r\nSubject: \xc3\xbc\r\n"
	       "From: j@x\r\n" TEXT "\r\nend \r\n--b--\r\n",
	 MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\n" CTE
	       "7bit\r\n\r\nSubject: =?UTF-8?Q?=C3=BC?=\r\nFrom: j@x\r\n" TEXT CTE
	       "quoted-printable\r\n\r\nend=20\r\n--b--\r\n"},
	{MIXED "\r\n--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nsigned\r\n"
	       "--s\r\n\r\nsig \r\n--s--\r\n--b--\r\n",
	 MIXED "\r\n--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nsigned\r\n"
	       "--s\r\n" CTE "quoted-printable\r\n\r\nsig=20\r\n--s--\r\n\r\n--b--\r\n"},
	/* fields */
	{"Content-Type: text/plain; \r\n charset=utf-8 \r\n\r\nx",
	 "Content-Type: text/plain;\r\n charset=utf-8\r\n\r\nx"},
	{"Content-Type: text/plain;\r\n \r\n charset=utf-8\r\n\r\nx",
	 "Content-Type: text/plain;\r\n charset=utf-8\r\n\r\nx"},
	{"Content-Type: text/plain; name=\"\xc3\xbc.txt\"\r\n\r\nx",
	 "Content-Type: text/plain;\r\n\tname*=utf-8''%C3%BC.txt\r\n\r\nx"},
	{"Content-Description: \xc3\xbc\r\n\r\nx",
	 "Content-Description: =?UTF-8?Q?=C3=BC?=\r\n\r\nx"},
};

static char *write_safe(const char *message, GError **error)
{
	g_autoptr(MimeTree) tree = tree_of(message, strlen(message), NULL);
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, 1024 * 1024);

	if (!mime_write_transport_safe(tree, mime_root(tree), sink, error))
		return NULL;
	return g_strndup((const char *)bytes->data, bytes->len);
}

static void test_rewrites(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rewrites); i++) {
		const Rewrite *rewrite = &rewrites[i];
		const char *expected =
			rewrite->written != NULL ? rewrite->written : rewrite->message;
		g_autofree char *written = write_safe(rewrite->message, NULL);
		g_autofree char *again = written != NULL ? write_safe(written, NULL) : NULL;
		g_autofree char *problem = NULL;
		g_autoptr(MimeTree) tree =
			tree_of(rewrite->message, strlen(rewrite->message), NULL);

		if (g_strcmp0(written, expected) != 0)
			fail_msg("case %zu:\n%s\ninstead of\n%s", i, written, expected);
		assert_string_equal(again, written);
		if (check_rewrite(tree, &problem) != CHECK_GOOD)
			fail_msg("case %zu: %s", i, problem);
	}
}

static void test_is_safe(void **state)
{
	static const struct {
		const char *message;
		gboolean safe;
	} cases[] = {
		{TEXT "\r\nx\r\n", TRUE},
		{"Subject: \xc3\xbc\r\n" TEXT "\r\nx\r\n", TRUE},
		{"Content-Description: \xc3\xbc\r\n" TEXT "\r\nx\r\n", FALSE},
		{TEXT "\r\nx", TRUE},
		{TEXT "\r\nx\n", FALSE},
		{TEXT "\r\nx\r", FALSE},
		{TEXT "\r\nx \r\n", FALSE},
		{TEXT "\r\nx ", FALSE},
		{TEXT "\r\n\x80", FALSE},
		{TEXT "\r\nFrom x\r\n", FALSE},
		{TEXT "\r\n>From x\r\n", TRUE},
		{TEXT CTE "8bit\r\n\r\nx\r\n", FALSE},
		{MIXED "\r\n--b\r\n\r\nx\r\n--b--\r\n", TRUE},
		{MIXED "\r\npreamble\r\n--b\r\n\r\nx\r\n--b--\r\n", FALSE},
		{MIXED "\r\n--b\r\n" MIXED2 "\r\npreamble\r\n--c\r\n\r\nx\r\n--c--\r\n--b--",
		 FALSE},
		{SIGNED "\r\n--b\r\n" MIXED2 "\r\npreamble\r\n--c\r\n\r\nx\r\n--c--\r\n--b--",
		 TRUE},
		{MIXED "\r\n--b\r\n" CTE "binary\r\n\r\nx\r\n--b--\r\n", FALSE},
		{MIXED "\r\n--b\r\nX: \xc3\xbc\r\n\r\nx\r\n--b--\r\n", FALSE},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(MimeTree) tree =
			tree_of(cases[i].message, strlen(cases[i].message), NULL);
		g_autoptr(GError) error = NULL;

		if (mime_is_transport_safe(tree, mime_root(tree), &error) != cases[i].safe)
			fail_msg("case %zu", i);
		assert_null(error);
	}
}

static void test_line_length(void **state)
{
	(void)state;
	for (gsize size = 997; size <= 999; size++) {
		g_autofree char *line = g_strnfill(size, 'x');
		g_autofree char *message = g_strconcat(TEXT "\r\n", line, "\r\n", NULL);
		g_autoptr(MimeTree) tree = tree_of(message, strlen(message), NULL);
		g_autofree char *problem = NULL;

		assert_int_equal(mime_is_transport_safe(tree, mime_root(tree), NULL), size <= 998);
		assert_int_equal(check_rewrite(tree, &problem), CHECK_GOOD);
	}
}

/* What is signed or encrypted, or must not be encoded, is not changed: refused instead. */
static void test_unsupported(void **state)
{
	static const char *const messages[] = {
		"Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n" TEXT
		"\r\n\xc3\xbc\r\n--s\r\n\r\nsig\r\n--s--\r\n",
		"Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n" TEXT CTE
		"8bit\r\n\r\nx\r\n--s\r\n\r\nsig\r\n--s--\r\n",
		"Content-Type: multipart/encrypted; boundary=s\r\n\r\n--s\r\n\r\nVersion: 1\r\n"
		"--s\r\n\r\nx \r\n--s--\r\n",
		MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: "
		      "multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nx \r\n--s--\r\n--b--\r\n",
		MIXED "\r\nno part \xc3\xbc\r\n",
		"Content-Type: message/partial; id=x\r\n\r\n\xc3\xbc",
		"Content-Type: message/rfc822\r\n" CTE "base64\r\n\r\nSGVsbG8= \r\n",
		"Content-Type: message/rfc822\r\n\r\nFrom: \xc3\xbc@x\r\n\r\nx",
		"Content-Type: message/global\r\n\r\nTo: \xc3\xbc <a@x>\r\n\r\nx",
		TEXT CTE "x-uuencode\r\n\r\nbegin \r\n",
		MIXED "\r\npreamble\r\n--b\r\n" MIXED "\r\n--b\r\n\r\nx\r\n--b--\r\n--b--\r\n",
		TEXT CTE "8bit\x80\r\n\r\nx\r\n",
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(messages); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *written = write_safe(messages[i], &error);

		if (written != NULL || !g_error_matches(error, SEALPOST_ERROR, ERROR_UNSUPPORTED))
			fail_msg("case %zu: %s", i, written);
	}
}

/* A soft break must not put what looks like a boundary at the start of a line. */
static void test_no_new_boundary(void **state)
{
	(void)state;
	for (gsize before = 1; before < 160; before++) {
		g_autofree char *fill = g_strnfill(before, 'x');
		g_autofree char *message = g_strdup_printf(
			MIXED "\r\n--b\r\n" TEXT "\r\n%s--b\r\nFrom \r\n%s--b-- \r\n"
			      "--b--\r\n",
			fill, fill);
		g_autoptr(MimeTree) tree = tree_of(message, strlen(message), NULL);
		g_autofree char *problem = NULL;

		if (check_rewrite(tree, &problem) != CHECK_GOOD)
			fail_msg("%zu: %s", before, problem);
	}
}

/* Random bytes of a kind that hurts, as text and as data. */
static void test_random_content(void **state)
{
	static const char alphabet[] = "a \t\r\n=-F3\xc3\xbc.";
	static const char *const encodings[] = {"8bit", "quoted-printable", "base64", "7bit"};
	g_autoptr(GRand) random = g_rand_new_with_seed(20);

	(void)state;
	for (int round = 0; round < 2000; round++) {
		g_autoptr(GString) message = g_string_new(NULL);
		g_autoptr(MimeTree) tree = NULL;
		g_autofree char *problem = NULL;
		int size = g_rand_int_range(random, 0, round % 20 == 0 ? 200000 : 500);

		g_string_append_printf(message,
				       MIXED "\r\n--b\r\nContent-Type: %s\r\n" CTE "%s\r\n\r\n",
				       round % 2 ? "text/plain" : "a/b", encodings[round / 2 % 4]);
		for (int i = 0; i < size; i++)
			g_string_append_c(message,
					  round % 3 ? alphabet[g_rand_int_range(random, 0, 12)]
						    : (char)g_rand_int_range(random, 0, 256));
		g_string_append(message, "\r\n--b--\r\n");
		tree = tree_of(message->str, message->len, NULL);
		if (check_rewrite(tree, &problem) != CHECK_GOOD)
			fail_msg("round %d: %s", round, problem);
	}
}

static gboolean failing_write(void *self, const void *data, gsize size, GError **error)
{
	(void)self;
	(void)data;
	(void)size;
	g_set_error(error, SEALPOST_ERROR, ERROR_DISK_FULL, "full");
	return FALSE;
}

static void test_sink_fails(void **state)
{
	static const SinkClass failing = {failing_write, NULL};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rewrites); i++) {
		g_autoptr(MimeTree) tree =
			tree_of(rewrites[i].message, strlen(rewrites[i].message), NULL);
		g_autoptr(Sink) sink = sink_new(&failing, NULL);
		g_autoptr(GError) error = NULL;

		assert_false(mime_write_transport_safe(tree, mime_root(tree), sink, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_DISK_FULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewrites),	cmocka_unit_test(test_is_safe),
		cmocka_unit_test(test_line_length),	cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_no_new_boundary), cmocka_unit_test(test_random_content),
		cmocka_unit_test(test_sink_fails),
	};

	return cmocka_run_group_tests_name("mail safe", tests, NULL, NULL);
}
