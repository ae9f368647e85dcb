/* SPDX-License-Identifier: Apache-2.0
 *
 * Which fields from inside the protection are delivered outside, and what is said when the two
 * differ (RFC 9788, sections 4.2 to 4.4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/head.h"
#include "gateway/headrestore.h"
#include "gateway/signing.h"

#define OLD HEADRESTORE_OLD
#define CLEAR HEADRESTORE_CLEAR
#define CIPHER HEADRESTORE_CIPHER
#define ENCRYPTED TRUE, TRUE /* and the inside is delivered */
#define OPAQUE FALSE, TRUE /* signed only, unwrapped */
#define KEPT FALSE, FALSE /* clear-signed, stays as it came */

typedef struct {
	const char *outer, *inside;
	HeadrestoreMark mark;
	gboolean decrypted, replaced;
	const char *signer; /* of a good signature; NULL: none */
	const char *subject, *restored; /* "" for none */
	const char *warnings;
} Case;

static const Case cases[] = {
	/* encrypted: the subject, and what else was hidden */
	{"From: a@b\nSubject: [...]\nTo: c@d\n",
	 "From: a@b\nSubject: =?utf-8?q?gr=C3=BC=C3=9F?=\nTo: C <c@d>\nDate: now\n"
	 "HP-Outer: From: a@b\nHP-Outer:\n Subject: [...]\nHP-Outer: To: c@d\n",
	 CIPHER, ENCRYPTED, NULL, "grüß", "To: C <c@d>\nDate: now\n", ""},
	/* the older mark hides without a word, and knows not all fields */
	{"From: a@b\nSubject: ...\nReply-To: e@f\n", "Subject: x\n", OLD, ENCRYPTED, NULL, "x", "",
	 ""},
	/* written by a program: nobody answers by one (RFC 3834), also where only the inside says it */
	{"From: a@b\n", "From: a@b\nAuto-Submitted: auto-replied (away)\nHP-Outer: From: a@b\n",
	 CIPHER, ENCRYPTED, NULL, NULL, "Auto-Submitted: auto-replied (away)\n", ""},
	/* no subject inside: the outer one stays */
	{"From: a@b\nSubject: x\n", "From: a@b\n", OLD, ENCRYPTED, NULL, NULL, "", ""},
	/* the same inside: nothing to do, folded or encoded otherwise */
	{"From: a@b\nSubject: one two\n", "From:\n a@b\nSubject: =?utf-8?q?one_two?=\n", CLEAR,
	 OPAQUE, "a@b", NULL, "", ""},
	/* what only the way, the reader's own program or we may set never comes out */
	{"From: a@b\nSubject: x\n",
	 "From: a@b\nSubject: x\nReceived: from y\nReturn-Path: <e@f>\nDelivered-To: loop\n"
	 "X-Sealpost-Incoming: pgp-signed\nX-Sealpost-Route: tls x\nAuthentication-Results: gw; "
	 "smime=pass\nBcc: e@f\nResent-From: e@f\nSender: e@f\nDKIM-Signature: x\n"
	 "Disposition-Notification-To: e@f\nX-Spam-Flag: NO\nMIME-Version: 2.0\n"
	 "Content-Type: text/plain\nList-Unsubscribe: x\nHP-Outer: From: a@b\n"
	 "HP-Outer: Subject: x\n",
	 CIPHER, ENCRYPTED, NULL, NULL, "", ""},
	/* changed on the way: said, and set right */
	{"From: a@b\nSubject: [list] x\n", "From: a@b\nSubject: x\n", CLEAR, OPAQUE, "a@b", "x", "",
	 "header-changed "},
	{"From: a@b\nSubject: evil\nReply-To: e@f\n",
	 "From: a@b\nSubject: x\nHP-Outer: From: a@b\nHP-Outer: Subject: [...]\n", CIPHER,
	 ENCRYPTED, NULL, "x", "", "header-changed "},
	{"From: a@b\nCc: e@f\n", "From: a@b\n", CLEAR, OPAQUE, "a@b", NULL, "", "header-changed "},
	/* signed only: without a good signature of From the inside is worth nothing */
	{"From: a@b\nSubject: y\n", "From: a@b\nSubject: x\nTo: c@d\n", CLEAR, OPAQUE, NULL, NULL,
	 "", "header-changed "},
	{"From: a@b\nSubject: y\n", "From: a@b\nSubject: x\n", CLEAR, OPAQUE, "e@f", NULL, "",
	 "header-changed "},
	{"From: a@b\nSubject: y\n",
	 "From: a@b\nSubject: x\nHP-Outer: From: a@b\n"
	 "HP-Outer: Subject: y\n",
	 CIPHER, OPAQUE, NULL, NULL, "", ""},
	/* clear-signed, which stays as it came: the subject alone */
	{"From: a@b\nSubject: y\nTo: c@d\n", "From: A <a@b>\nSubject: x\nTo: C <c@d>\n", CLEAR,
	 KEPT, "a@b", "x", "", "header-changed "},
	{"From: a@b\nSubject: y\n", "From: a@b\nSubject: x\n", CLEAR, KEPT, NULL, NULL, "",
	 "header-changed "},
	{"From: e@f\nSubject: x\n", "From: a@b\nSubject: x\n", CLEAR, KEPT, "a@b", NULL, "",
	 "header-changed protected-from-differs "},
	/* From: a name beside the same address */
	{"From: a@b\n", "From: A <A@B>\nHP-Outer: From: a@b\n", CIPHER, ENCRYPTED, NULL, NULL,
	 "From: A <A@B>\n", ""},
	{"From: a@b\n", "From: \"boss@firma.example\" <a@b>\nHP-Outer: From: a@b\n", CIPHER,
	 ENCRYPTED, NULL, NULL, "From: \"boss@firma.example\" <a@b>\n", "forged-display-name "},
	/* another address is as good as its signature */
	{"From: e@f\nSubject: y\n",
	 "From: a@b\nSubject: x\nHP-Outer: From: e@f\nHP-Outer: Subject: y\n", CIPHER, ENCRYPTED,
	 NULL, "x", "", "protected-from-differs "},
	{"From: a@b\n", "From: e@f\nHP-Outer: From: a@b\n", CIPHER, ENCRYPTED, "a@b", NULL, "",
	 "protected-from-differs "},
	{"From: list@f\n", "From: a@b\nHP-Outer: From: list@f\n", CIPHER, ENCRYPTED, "a@b", NULL,
	 "From: a@b\n", ""},
	{"From: a@b\n", "From: a@b\nFrom: e@f\nHP-Outer: From: a@b\n", CIPHER, ENCRYPTED, "e@f",
	 NULL, "", "protected-from-differs "},
	{"From: a@b\nFrom: e@f\n", "From: a@b\nHP-Outer: From: a@b\nHP-Outer: From: e@f\n", CIPHER,
	 ENCRYPTED, NULL, NULL, "", "protected-from-differs "},
	/* bytes that would begin another field, or that no header may hold */
	{"From: a@b\n", "From: a@b\nTo: x\rBcc: e@f\nSubject: x\r\rEvil: y\nHP-Outer: From: a@b\n",
	 CIPHER, ENCRYPTED, NULL, "xEvil: y", "To: x Bcc: e@f\n", ""},
	{"From: a@b\n",
	 "From: a@b\nComments: gr\xc3\xbc\xc3\x9f\nTo: gr\xc3\xbc\xc3\x9f@b\n"
	 "HP-Outer: From: a@b\n",
	 CIPHER, ENCRYPTED, NULL, NULL, "Comments: =?UTF-8?Q?gr=C3=BC=C3=9F?=\n", ""},
};

static Headers *parse(const char *text)
{
	gsize used = 0;
	Headers *headers = head_parse(text, strlen(text), &used, NULL);

	assert_non_null(headers);
	return headers;
}

static char *print(const Headers *headers)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < headers_count(headers); i++) {
		const Header *header = headers_at(headers, i);

		assert_null(strchr(header->value, '\r'));
		g_string_append_printf(text, "%s:%s\n", header->name, header->value);
	}
	return g_string_free(text, FALSE);
}

static Opened *found(const Case *c, const char *from)
{
	Opened *opened = opened_new();

	opened->decrypted = c->decrypted;
	if (c->replaced)
		opened->entity = spool_new(NULL, 1);
	if (c->signer) {
		OpenSignature *signature = opened_add_signature(opened, "smime", "good");

		signature->signer = g_strdup(c->signer);
		signature->matches_from = g_strcmp0(c->signer, from) == 0;
	}
	return opened;
}

static void check(const Case *c)
{
	const char *reason;
	g_autoptr(Headers) outer = parse(c->outer);
	g_autoptr(Headers) inside = parse(c->inside);
	g_autofree char *from = signing_only_from(outer, &reason);
	g_autoptr(Opened) opened = found(c, from);
	HeadrestoreJob job = {outer, inside, from, c->mark};
	g_autoptr(GString) warnings = g_string_new(NULL);

	headrestore(opened, &job);
	g_autofree char *restored = print(opened->restored);

	for (guint i = 0; i < opened->warnings->len; i++)
		g_string_append_printf(warnings, "%s ", (char *)opened->warnings->pdata[i]);
	assert_string_equal(restored, c->restored);
	assert_string_equal(warnings->str, c->warnings);
	assert_string_equal(opened->subject ? opened->subject : "(none)",
			    c->subject ? c->subject : "(none)");
	/* A signature is From's only if the From that is delivered is its signer's. */
	for (guint i = 0; i < opened->signatures->len; i++) {
		const OpenSignature *signature = opened->signatures->pdata[i];
		const Headers *shown =
			headers_find(opened->restored, "From", 0) ? opened->restored : outer;
		g_autofree char *delivered = signing_only_from(shown, &reason);

		assert_int_equal(signature->matches_from,
				 g_strcmp0(signature->signer, delivered) == 0);
	}
}

static void test_cases(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		check(&cases[i]);
}

/* A part of the message signed by From speaks for that part alone. */
static void test_partial_signature(void **state)
{
	Case c = {.signer = "a@b", .replaced = TRUE};
	g_autoptr(Headers) outer = parse("From: a@b\nSubject: y\n");
	g_autoptr(Headers) inside = parse("From: a@b\nSubject: x\n");
	g_autoptr(Opened) opened = found(&c, "a@b");
	HeadrestoreJob job = {outer, inside, "a@b", HEADRESTORE_CLEAR};

	(void)state;
	((OpenSignature *)opened->signatures->pdata[0])->partial = TRUE;
	headrestore(opened, &job);
	assert_null(opened->subject);
}

/* A broken signature is nobody's, whatever name it bears. */
static void test_broken_signature(void **state)
{
	Case c = {.signer = "a@b", .decrypted = TRUE, .replaced = TRUE};
	g_autoptr(Headers) outer = parse("From: list@f\n");
	g_autoptr(Headers) inside = parse("From: a@b\n");
	g_autoptr(Opened) opened = found(&c, "list@f");
	HeadrestoreJob job = {outer, inside, "list@f", HEADRESTORE_CLEAR};
	OpenSignature *broken = opened_add_signature(opened, "smime", "bad");

	(void)state;
	broken->signer = g_strdup("a@b");
	headrestore(opened, &job);
	assert_true(((OpenSignature *)opened->signatures->pdata[0])->matches_from);
	assert_false(broken->matches_from);
}

/* As many fields as a header may have are looked at in no time. */
static void test_many(void **state)
{
	Case c = {.decrypted = TRUE, .replaced = TRUE};
	g_autoptr(Headers) outer = headers_new();
	g_autoptr(Headers) inside = headers_new();
	g_autoptr(Opened) opened = found(&c, "a@b");
	HeadrestoreJob job = {outer, inside, "a@b", HEADRESTORE_CLEAR};
	clock_t start = clock();

	(void)state;
	for (guint i = 0; i < HEADERS_MAX; i++) {
		assert_true(headers_append(outer, "Keywords", " k", NULL));
		assert_true(headers_append(inside, "Keywords", " k", NULL));
	}
	headrestore(opened, &job);
	assert_int_equal(headers_count(opened->restored), HEADRESTORE_FIELDS_MAX);
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
}

static void test_limits(void **state)
{
	Case c = {.decrypted = TRUE, .replaced = TRUE};
	g_autoptr(Headers) outer = parse("From: a@b\nTo: c@d\nSubject: x\n");
	g_autoptr(Headers) inside = headers_new();
	g_autoptr(Opened) opened = found(&c, "a@b");
	HeadrestoreJob job = {outer, inside, "a@b", HEADRESTORE_OLD};
	g_autofree char *large = g_strnfill(HEADRESTORE_VALUE_MAX + 1, 'x');

	(void)state;
	assert_true(headers_append(inside, "To", large, NULL));
	assert_true(headers_append(inside, "Subject", large, NULL));
	for (guint i = 0; i < 2 * HEADRESTORE_FIELDS_MAX; i++)
		assert_true(headers_append(inside, "Keywords", " k", NULL));
	headrestore(opened, &job);
	assert_null(opened->subject);
	assert_null(headers_find(opened->restored, "To", 0));
	assert_int_equal(headers_count(opened->restored), HEADRESTORE_FIELDS_MAX);
}

static void test_marks(void **state)
{
	(void)state;
	assert_int_equal(headrestore_mark("Cipher", NULL), HEADRESTORE_CIPHER);
	assert_int_equal(headrestore_mark("clear", "v1"), HEADRESTORE_CLEAR);
	assert_int_equal(headrestore_mark("", "V1"), HEADRESTORE_OLD);
	assert_int_equal(headrestore_mark("x", "v2"), HEADRESTORE_NONE);
	assert_int_equal(headrestore_mark(NULL, NULL), HEADRESTORE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_partial_signature),
		cmocka_unit_test(test_broken_signature),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
