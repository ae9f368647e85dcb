/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts as encrypted by the client: one ciphertext from end to end and no word around it.
 * Everything else is protected by us, once more if need be.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "lib/crypt/cms.h"

#include "gateway/parse.h"

#include "tests/unit/x509maker.h"

#define PGP_TYPE                                                                                   \
	"MIME-Version: 1.0\nContent-Type: multipart/encrypted; boundary=b;\n"                      \
	" protocol=\"application/pgp-encrypted\"\n\n"
#define MIXED "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
#define CONTROL "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n"
#define DATA "--b\nContent-Type: application/octet-stream\n\n"
#define BEGIN "-----BEGIN PGP MESSAGE-----\n\n"
#define END "-----END PGP MESSAGE-----\n"
/* PKESK, then four octets of SEIPD data */
#define PACKETS "wQ0DASNFZ4mrze8SAAj/0gQBenp6\n"
#define ARMOUR BEGIN PACKETS "=abcd\n" END
#define CLOSE "--b--\n"
#define GOOGLE(text)                                                                               \
	MIXED "--b\nContent-Type: text/plain\n\n" text                                             \
	      "\n--b\nContent-Type: multipart/encrypted; boundary=c\n\n"                           \
	      "--c\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n"                     \
	      "--c\nContent-Type: application/octet-stream\n\n" ARMOUR "--c--\n" CLOSE
#define WORDS "Meet me at noon.\n"

typedef struct {
	const char *name;
	const char *text;
	gboolean encrypted;
} Case;

static const struct {
	const char *name;
	const char *text;
	gboolean invites;
} invitations[] = {
	{"alone", "Content-Type: text/calendar; method=REQUEST\n\nx\n", TRUE},
	{"another case", "Content-Type: Text/Calendar; charset=utf-8;\n Method=\"Request\"\n\nx\n",
	 TRUE},
	{"among forms of a text, in a part",
	 MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nx\n--c\n"
	       "Content-Type: text/calendar; charset=utf-8; method=request\n\nx\n--c--\n" CLOSE,
	 TRUE},
	{"an answer", "Content-Type: text/calendar; method=REPLY\n\nMETHOD:REQUEST\n", FALSE},
	{"no method", "Content-Type: text/calendar\n\nMETHOD:REQUEST\n", FALSE},
	{"another type", "Content-Type: text/plain; method=REQUEST\n\nx\n", FALSE},
	{"in an attached message",
	 MIXED "--b\nContent-Type: message/rfc822\n\n"
	       "Content-Type: text/calendar; method=REQUEST\n\nx\n" CLOSE,
	 FALSE},
	{"a multipart without parts", "Content-Type: multipart/mixed\n\nmethod=REQUEST\n", FALSE},
};

static const Case pgp_cases[] = {
	{"PGP/MIME", PGP_TYPE CONTROL DATA ARMOUR CLOSE, TRUE},
	{"without checksum", PGP_TYPE CONTROL DATA BEGIN PACKETS END CLOSE, TRUE},
	{"with a version",
	 PGP_TYPE CONTROL DATA
	 "-----BEGIN PGP MESSAGE-----\nVersion: GnuPG v2\n\n" PACKETS END CLOSE,
	 TRUE},
	{"with a program's notice",
	 PGP_TYPE "This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)\n" CONTROL DATA
		 ARMOUR CLOSE,
	 TRUE},
	{"text before the parts", PGP_TYPE WORDS CONTROL DATA ARMOUR CLOSE, FALSE},
	{"text behind a notice", PGP_TYPE "This is a secret:\n" WORDS CONTROL DATA ARMOUR CLOSE,
	 FALSE},
	{"text behind the parts", PGP_TYPE CONTROL DATA ARMOUR CLOSE WORDS, FALSE},
	{"text in the control part",
	 PGP_TYPE
	 "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n" WORDS DATA ARMOUR CLOSE,
	 FALSE},
	{"text before the armour", PGP_TYPE CONTROL DATA WORDS ARMOUR CLOSE, FALSE},
	{"text behind the armour", PGP_TYPE CONTROL DATA ARMOUR WORDS CLOSE, FALSE},
	{"text in the armour", PGP_TYPE CONTROL DATA BEGIN PACKETS WORDS END CLOSE, FALSE},
	{"text in the armour's head",
	 PGP_TYPE CONTROL DATA "-----BEGIN PGP MESSAGE-----\n" WORDS "\n" PACKETS END CLOSE, FALSE},
	{"a head, then base64 of text",
	 PGP_TYPE CONTROL DATA BEGIN PACKETS "TWVldCBtZSBhdCBub29uLgo=\n" END CLOSE, FALSE},
	{"cut off", PGP_TYPE CONTROL DATA BEGIN "wQ0DASNFZ4mrze8SAAj/0gQB\n" END CLOSE, FALSE},
	{"never ends", PGP_TYPE CONTROL DATA BEGIN PACKETS CLOSE, FALSE},
	{"two of them", PGP_TYPE CONTROL DATA ARMOUR ARMOUR CLOSE, FALSE},
	{"no session key", PGP_TYPE CONTROL DATA BEGIN "0gQBenp6\n" END CLOSE, FALSE},
	{"plain text", PGP_TYPE CONTROL DATA WORDS CLOSE, FALSE},
	{"a third part",
	 PGP_TYPE CONTROL DATA ARMOUR "--b\nContent-Type: text/plain\n\n" WORDS CLOSE, FALSE},
	{"as Exchange rewrites it",
	 MIXED "--b\nContent-Type: text/plain\n\n\n" CONTROL DATA ARMOUR CLOSE, TRUE},
	{"with its control part in base64",
	 MIXED "--b\nContent-Type: application/pgp-encrypted\n"
	       "Content-Transfer-Encoding: base64\n\nVmVyc2lvbjogMQoK\n" DATA ARMOUR CLOSE,
	 TRUE},
	{"a PIN before it",
	 MIXED "--b\nContent-Type: text/plain\n\n4711\n" CONTROL DATA ARMOUR CLOSE, FALSE},
	{"never closed, the last delimiter opens an empty part",
	 MIXED "--b\nContent-Type: text/plain\n\n\n" CONTROL DATA ARMOUR "--b\n", TRUE},
	{"text in a part behind it",
	 MIXED CONTROL DATA ARMOUR "--b\nContent-Type: text/plain\n\n" WORDS CLOSE, FALSE},
	{"as Google wraps it, behind a signature's delimiter", GOOGLE("-- \n"), TRUE},
	{"wrapped, with a word before it", GOOGLE(WORDS), FALSE},
	{"inline", "Content-Type: text/plain\n\n" ARMOUR, TRUE},
	{"inline with text behind it", "Content-Type: text/plain\n\n" ARMOUR WORDS, FALSE},
	{"inline with text in it", "Content-Type: text/plain\n\n" BEGIN PACKETS WORDS END, FALSE},
};

#define REPORT(param) "MIME-Version: 1.0\nContent-Type: multipart/report; " param "; boundary=b\n\n"
#define PART(type) "--b\nContent-Type: " type "\n\nField: value\n\n"
#define HUMAN PART("text/plain")
#define RECEIPT PART("message/disposition-notification")
#define QUOTED "--b\nContent-Type: message/rfc822\n\nSubject: x\n\ny\n\n"

/* By the tree alone: words in a text, or a type that the parts do not bear out, make no report. */
static const struct {
	const char *text;
	gboolean report;
} report_cases[] = {
	{REPORT("report-type=disposition-notification") HUMAN RECEIPT CLOSE, TRUE},
	{REPORT("report-type=disposition-notification") HUMAN RECEIPT QUOTED CLOSE, TRUE},
	{REPORT("Report-Type=\"Disposition-Notification\"") HUMAN RECEIPT CLOSE, TRUE},
	{"Content-Type: MULTIPART/Report (a receipt);\n boundary=\"b\";\n"
	 " report-type*=us-ascii''disposition%2Dnotification\n\n" HUMAN RECEIPT CLOSE,
	 TRUE},
	{REPORT("report-type=disposition-notification")
		 HUMAN PART("message/global-disposition-notification") CLOSE,
	 TRUE},
	{REPORT("report-type=delivery-status") HUMAN PART("message/delivery-status") QUOTED CLOSE,
	 TRUE},
	{REPORT("report-type=delivery-status") HUMAN PART("message/global-delivery-status") CLOSE,
	 TRUE},
	{REPORT("report-type=feedback-report") HUMAN PART("message/feedback-report") QUOTED CLOSE,
	 TRUE},
	{REPORT("report-type=tlsrpt") HUMAN PART("application/tlsrpt+gzip") CLOSE, TRUE},
	{REPORT("report-type=tlsrpt") HUMAN PART("application/tlsrpt+json") CLOSE, TRUE},
	/* no report-type, none that is known, another one than the part's */
	{REPORT("x=disposition-notification") HUMAN RECEIPT CLOSE, FALSE},
	{REPORT("report-type=plain") HUMAN PART("text/plain") CLOSE, FALSE},
	{REPORT("report-type=delivery-status") HUMAN RECEIPT CLOSE, FALSE},
	{REPORT("report-type=disposition-notification") HUMAN PART("text/plain") CLOSE, FALSE},
	{REPORT("report-type=disposition-notificationx") HUMAN RECEIPT CLOSE, FALSE},
	/* too few or too many parts, in another order, another root */
	{REPORT("report-type=disposition-notification") RECEIPT CLOSE, FALSE},
	{REPORT("report-type=disposition-notification"), FALSE},
	{REPORT("report-type=disposition-notification") RECEIPT HUMAN CLOSE, FALSE},
	{REPORT("report-type=disposition-notification") HUMAN RECEIPT QUOTED HUMAN CLOSE, FALSE},
	{"Content-Type: multipart/mixed; report-type=disposition-notification; boundary=b\n\n" HUMAN
		 RECEIPT CLOSE,
	 FALSE},
	{"Content-Type: multipart/mixed; boundary=c\n\n--c\n" REPORT(
		 "report-type=disposition-notification") HUMAN RECEIPT CLOSE "--c--\n",
	 FALSE},
	/* words */
	{"Subject: multipart/report\n\n" REPORT("report-type=delivery-status") HUMAN CLOSE, FALSE},
	{"Content-Type: text/plain; x=\"multipart/report\"; report-type=delivery-status\n\n" HUMAN
		 PART("message/delivery-status") CLOSE,
	 FALSE},
};

static Parsed *parsed_from(const char *text)
{
	g_autoptr(Spool) spool = spool_new(NULL, SPOOL_MEMORY);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *crlf = g_strjoinv("\r\n", lines);

	assert_true(spool_append(spool, crlf, strlen(crlf), NULL));
	return parse_message(spool);
}

static void test_reports(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(report_cases); i++) {
		g_autoptr(Parsed) parsed = parsed_from(report_cases[i].text);

		if (parsed->report != report_cases[i].report)
			fail_msg("%d of\n%s", parsed->report, report_cases[i].text);
	}
}

static Layer layer_of(const char *text)
{
	g_autoptr(Parsed) parsed = parsed_from(text);

	return parsed->encrypted;
}

static void test_pgp(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(pgp_cases); i++) {
		const Case *c = &pgp_cases[i];
		Layer layer = layer_of(c->text);

		if (layer != (c->encrypted ? LAYER_PGP : LAYER_NONE))
			fail_msg("%s: %d", c->name, layer);
	}
}

/* A real enveloped-data structure in binary. */
static GBytes *make_ciphertext(void)
{
	MakerOrder order = {.name = "Sofia", .email = "sofia@smime.example"};
	g_autoptr(Made) made = x509_maker_make(&order);
	g_autoptr(GPtrArray) certs = g_ptr_array_new();
	CmsJob job = {.recipients = certs};
	g_autoptr(GBytes) entity = g_bytes_new_static("Content-Type: text/plain\r\n\r\nx\r\n", 31);
	g_autoptr(Source) source = source_new_bytes(entity);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, 65536);
	gsize size;

	g_ptr_array_add(certs, made->cert);
	assert_true(cms_protect(&job, source, sink, NULL));
	g_byte_array_append(out, (const guint8 *)"", 1);
	const char *body = strstr((const char *)out->data, "\r\n\r\n");
	guchar *der = g_base64_decode(body, &size);

	return g_bytes_new_take(der, size);
}

static Layer layer_of_smime(const guint8 *der, gsize size, const char *inside, const char *behind)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	g_byte_array_append(bytes, der, (guint)size);
	g_byte_array_append(bytes, (const guint8 *)inside, (guint)strlen(inside));
	g_autofree char *base64 = g_base64_encode(bytes->data, bytes->len);
	g_autoptr(GString) lines = g_string_new(base64);

	for (gsize at = 76; at < lines->len; at += 77)
		g_string_insert_c(lines, (gssize)at, '\n');
	g_autofree char *text =
		g_strconcat("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n"
			    "Content-Transfer-Encoding: base64\n\n",
			    lines->str, "\n", behind, NULL);

	return layer_of(text);
}

static void test_smime(void **state)
{
	g_autoptr(GBytes) bytes = make_ciphertext();
	gsize size;
	const guint8 *der = g_bytes_get_data(bytes, &size);

	(void)state;
	assert_int_equal(layer_of_smime(der, size, "", ""), LAYER_SMIME);
	assert_int_equal(layer_of_smime(der, size, "", "\n\n"), LAYER_SMIME);
	assert_int_equal(layer_of_smime(der, size, "", WORDS), LAYER_NONE);
	assert_int_equal(layer_of_smime(der, size, "", "====\n" WORDS), LAYER_NONE);
	assert_int_equal(layer_of_smime(der, size, WORDS, ""), LAYER_NONE);
	assert_int_equal(layer_of_smime(der, size - 1, "", ""), LAYER_NONE);
	assert_int_equal(layer_of_smime(der, size / 2, WORDS, ""), LAYER_NONE);
	assert_int_equal(layer_of_smime(der, 0, WORDS, ""), LAYER_NONE);
}

/* A large ciphertext in another encoding is one on a full disk, too. */
static void test_full_disk(void **state)
{
	static const guint8 front[] = {0xc1, 0x0d, 0x03, 1,    2,    3,	   4, 5, 6, 7, 8,
				       0x12, 0,	   8,	 0xff, 0xd2, 0xff, 0, 8, 0, 0, 1};
	const struct rlimit nothing = {0, RLIM_INFINITY};
	struct rlimit before;
	gsize size = sizeof(front) + 512 * 1024 - 1;
	g_autofree guint8 *bytes = g_malloc0(size);

	(void)state;
	memcpy(bytes, front, sizeof(front));
	g_autofree char *base64 = g_base64_encode(bytes, size);
	g_autofree char *text =
		g_strconcat(PGP_TYPE CONTROL "--b\nContent-Transfer-Encoding: base64\n"
					     "Content-Type: application/octet-stream\n\n",
			    base64, "\n" CLOSE, NULL);
	g_autoptr(Spool) message = spool_new(NULL, G_MAXINT64);

	assert_true(spool_append(message, text, strlen(text), NULL));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &nothing), 0);
	g_autoptr(Parsed) parsed = parse_message(message);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(parsed->encrypted, LAYER_PGP);
}

static void test_invitations(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(invitations); i++) {
		g_autoptr(Parsed) parsed = parsed_from(invitations[i].text);

		assert_non_null(parsed->tree);
		if (parse_is_invitation(parsed->tree) != invitations[i].invites)
			fail_msg("%s", invitations[i].name);
	}
	assert_false(parse_is_invitation(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pgp),	  cmocka_unit_test(test_smime),
		cmocka_unit_test(test_full_disk), cmocka_unit_test(test_invitations),
		cmocka_unit_test(test_reports),
	};

	return cmocka_run_group_tests_name("gateway/parse", tests, NULL, NULL);
}
