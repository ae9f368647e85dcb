/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policies.h"

#include <string.h>

#define INTERNAL "internal domains \"firma.example\"\n"

/* What is wrong with the bytes, "" if nothing. */
static char *errors_of(const char *bytes, gssize length)
{
	char *folder = folder_new();
	g_autofree char *path = write_file(folder, "p", bytes, length);
	g_autofree char *list = write_file(folder, "list", "# none\n", -1);
	g_autofree char *bad = write_file(folder, "bad", "a.example\n  b@ # x\n#\n\nc c\n", -1);
	g_autoptr(GError) error = NULL;
	g_autoptr(Policy) policy = policy_load(path, &error);
	char *text = NULL;

	if (!policy)
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG));
	text = policy ? g_strdup("") : without_folder(error->message, folder);
	folder_free(folder);
	return text;
}

static void expect_errors(const char *bytes, gssize length, const char *expected)
{
	g_autofree char *errors = errors_of(bytes, length);

	if (strcmp(errors, expected) != 0)
		fail_msg("%s\n--- gave\n%s\n--- not\n%s", bytes, errors, expected);
}

typedef struct {
	const char *text; /* after `internal domains` in line 1 */
	const char *errors;
} Case;

static void expect_all(const Case *cases, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		g_autofree char *text = g_strconcat(INTERNAL, cases[i].text, NULL);

		expect_errors(text, -1, cases[i].errors);
	}
}

static void test_accepted(void **state)
{
	static const Case cases[] = {
		{"", ""},
		{"# only a comment", ""},
		{"outgoing require smime", ""},
		{"outgoing require smime\r\noutgoing to \"a.example\"\r\n\tprefer pgp\r\n", ""},
		{"  outgoing to \"a\" # one\n\n\t# two\n    prefer pgp\n  internal plain", ""},
		{"outgoing to early prefer pgp\nlist early = \"a\"", ""},
		{"list ärzte-2 = \"praxis.example\"\noutgoing to ärzte-2 require pgp", ""},
		{"outgoing from \"a@firma.example\" not to \"b\", \"*.c\" subject has \"x\", \"y\" "
		 "header \"X-Y\" is \"z\" not header \"Z\" has \"#\" prefer pgp sign remove tag",
		 ""},
		{"outgoing require smime over verified tls, smime over tls, smime, pgp over tls, "
		 "portal over tls, verified tls, tls",
		 ""},
		{"outgoing prefer smime, tls keys from learned sign", ""},
		{"outgoing plain sign\ninternal require smime sign as from sign", ""},
		{"incoming from \"a\" reject\nincoming plain\nrelayed reject \"no\"", ""},
		{"incoming from \"a\" require tls 1.3\nincoming from \"b\" require smime or pgp\n"
		 "incoming from \"c\" require signature require pgp require tls\n"
		 "incoming require pgp or smime",
		 ""},
		{"outgoing reply to encrypted to \"a\" require smime\ninternal not reply to "
		 "encrypted plain",
		 ""},
		{"outgoing not invitation to \"a\" require smime\ninternal invitation plain\n"
		 "copy outgoing invitation to \"a@firma.example\"",
		 ""},
		{"copy outgoing to \"a@firma.example\"\n"
		 "copy internal from \"b\" to \"c\" to \"a@firma.example\"",
		 ""},
		{"outgoing subject has \"\\\"\\\\\" prefer pgp remove tag", ""},
	};
	(void)state;
	expect_all(cases, G_N_ELEMENTS(cases));
}

static const Case grammar[] = {
	{"outgoing requier smime",
	 "p:2:10: found \"requier\", expected require, prefer, plain, reject or a "
	 "condition "
	 "(to, from, subject, header, reply, invitation, not) (did you mean \"require\"?)"},
	{"outgoing", "p:2:9: found the end of the sentence, expected require, prefer, "
		     "plain, reject or a "
		     "condition (to, from, subject, header, reply, invitation, not)"},
	{"outgoing to \"a\"\nrequire smime",
	 "p:2:16: found the end of the sentence, expected require, prefer, plain, reject, "
	 "a "
	 "condition (to, from, subject, header, reply, invitation, not) or a comma\n"
	 "p:3:1: found \"require\", expected outgoing, internal, incoming, relayed, copy "
	 "or "
	 "list (a line that continues a rule begins with blanks)"},
	{"outgoin prefer pgp\noutgoing prefer gpg",
	 "p:2:1: found \"outgoin\", expected outgoing, internal, incoming, relayed, copy "
	 "or "
	 "list (did you mean \"outgoing\"?)\n"
	 "p:3:17: found \"gpg\", expected plain, smime, pgp, portal, tls or verified (did "
	 "you mean \"pgp\"?)"},
	{"Outgoing plain", "p:2:1: found \"Outgoing\", expected outgoing, internal, "
			   "incoming, relayed, copy or "
			   "list (did you mean \"outgoing\"?)"},
	{"outgoing require smime,", "p:2:24: found the end of the sentence, expected "
				    "plain, smime, pgp, portal, tls or "
				    "verified"},
	{"outgoing require smime pgp", "p:2:24: found \"pgp\", expected require, over, sign, "
				       "remove, hide, keys, or, a comma or the end of the "
				       "sentence"},
	{"outgoing require smime outgoing plain",
	 "p:2:24: found \"outgoing\", expected require, over, sign, remove, hide, keys, or, a "
	 "comma or the end of "
	 "the "
	 "sentence"},
	{"outgoing require smime over verified",
	 "p:2:37: found the end of the sentence, expected tls"},
	{"outgoing reject \"x\" sign", "p:2:21: found \"sign\", expected the end of the sentence"},
	{"outgoing prefer pgp sign as form",
	 "p:2:29: found \"form\", expected from (did you mean \"from\"?)"},
	{"outgoing from group \"CN=HR,DC=ex\" require smime",
	 "p:2:15: found \"group\", expected the name of a list or a text in \"quotes\" "
	 "(this "
	 "word is kept for a later version)"},
	{"outgoing body has iban require smime",
	 "p:2:10: found \"body\", expected require, prefer, plain, reject or a condition "
	 "(to, "
	 "from, subject, header, reply, invitation, not) (this word is kept for a later version)"},
	{"list to = \"a\"", "p:2:6: found \"to\", expected the name of a list"},
	{"list a \"a\"", "p:2:8: found \"a\", expected from or ="},
	{"internal domain \"a\"",
	 "p:2:10: found \"domain\", expected domains, require, prefer, plain, reject or a "
	 "condition (to, from, subject, header, reply, invitation, not) (did you mean "
	 "\"domains\"?)"},
	{"outgoing header X is \"y\" plain", "p:2:17: found \"X\", expected a text in \"quotes\""},
	{"expect from \"a\" to \"b\": plain",
	 "p:2:1: found \"expect\", expected outgoing, internal, incoming, relayed, copy or "
	 "list"},
	{"outgoing subject has \"0123456789012345678901234567890123456789012\", ,",
	 "p:2:69: found \",\", expected a text in \"quotes\""},
};

static void test_grammar(void **state)
{
	(void)state;
	expect_all(grammar, G_N_ELEMENTS(grammar));
}

static void test_signs(void **state)
{
	static const Case cases[] = {
		{"outgoing to praxis.example plain",
		 "p:2:13: found praxis.example, expected it in quotes: \"praxis.example\""},
		{"outgoing to “praxis.example” plain",
		 "p:2:13: found “, expected a straight quote: \""},
		{"outgoing to 'praxis.example' plain",
		 "p:2:13: found ', expected a straight quote: \""},
		{"outgoing subject has „x“ plain",
		 "p:2:22: found „, expected a straight quote: \""},
		{"outgoing\u00a0plain",
		 "p:2:9: found an invisible character (U+00A0), expected an ordinary blank"},
		{"outgoing \u200bplain",
		 "p:2:10: found an invisible character (U+200B), expected an ordinary blank"},
		{"outgoing; plain", "p:2:9: found ;, which has no meaning here"},
		{"äöü outgoing % plain", "p:2:1: found \"äöü\", expected outgoing, internal, "
					 "incoming, relayed, copy or list"},
		{"outgoing 😀", "p:2:10: found 😀, which has no meaning here"},
		{"outgoing to \"a plain\noutgoing to \"b\\",
		 "p:2:13: found a text that does not end, expected \" on the same line\n"
		 "p:3:13: found a text that does not end, expected \" on the same line"},
		{"outgoing to \"a\\ö\" plain",
		 "p:2:13: found \\ö in a text, expected \\\" for a quote or \\\\ for a backslash"},
	};
	(void)state;
	expect_all(cases, G_N_ELEMENTS(cases));
}

#define FOR_LEAVING                                                                                \
	"found ways for mail that leaves in an incoming rule, expected what the mail must have: "  \
	"smime, pgp, smime or pgp, signature, tls, tls 1.2, tls 1.3, each after a \"require\" "    \
	"of its own"
#define FOR_INCOMING                                                                               \
	"found what only incoming mail can be asked for (signature, a version of TLS, smime or "   \
	"pgp, a second \"require\"), expected ways separated by commas"
#define SECOND_DEMAND                                                                              \
	"found a second demand of the same kind, expected one: all that a rule requires must "     \
	"hold; either of both is \"require smime or pgp\""

static const Case meaning[] = {
	{"internal domains \"@b.example\", \"FIRMA.example.\", \"a@b\"",
	 "p:2:18: found \"@b.example\", expected an address, a domain or *.domain (did you "
	 "mean \"b.example\"?)\n"
	 "p:2:32: found the domain \"firma.example\" twice, first in line 1\n"
	 "p:2:50: found the address \"a@b\", expected a domain of ours"},
	{"incoming reply to encrypted plain\nrelayed invitation plain\n"
	 "copy incoming invitation to \"a@firma.example\"",
	 "p:2:10: found \"reply to encrypted\" in a rule for incoming mail, expected it for "
	 "outgoing or "
	 "internal mail\n"
	 "p:3:9: found \"invitation\" in a rule for relayed mail, expected it for outgoing or "
	 "internal "
	 "mail\n"
	 "p:4:15: found \"invitation\" in a rule for incoming mail, expected it for outgoing or "
	 "internal "
	 "mail"},
	{"list a = \"x\"\nlist a = \"y\"\noutgoing to a plain",
	 "p:3:6: found a second list \"a\", first in line 2"},
	{"list doctors = \"x\"\noutgoing to docters plain\noutgoing to clients plain",
	 "p:3:13: found \"docters\", expected the name of a list or an address in quotes "
	 "(did "
	 "you mean \"doctors\"?)\n"
	 "p:4:13: found \"clients\", expected the name of a list or an address in quotes"},
	{"list doctors = x\noutgoing to doctors plain",
	 "p:2:16: found \"x\", expected a text in \"quotes\""},
	{"list a from \"list\"\noutgoing to a plain",
	 "p:2:13: found no entry in the file \"list\", expected one at least"},
	{"list a from \"bad\"\noutgoing to a plain",
	 "bad:2:3: found \"b@\", expected an address, a domain or *.domain\n"
	 "bad:5:1: found \"c c\", expected an address, a domain or *.domain"},
	{"list a from \"missing\"\noutgoing to a plain",
	 "missing: cannot be read: No such file or directory"},
	{"outgoing require smime, plain", "p:2:25: found plain as one way of several, "
					  "expected ways that protect: \"prefer\" "
					  "sends as it is where none is possible"},
	{"outgoing prefer tls, verified tls",
	 "p:2:22: found a way that is never tried: one before it is possible whenever this "
	 "one is"},
	{"outgoing prefer pgp, pgp",
	 "p:2:22: found a way that is never tried: one before it is possible whenever this "
	 "one is"},
	{"outgoing prefer verified tls over tls",
	 "p:2:17: found tls over tls, expected tls or verified tls alone"},
	{"outgoing to \"a\" from \"x\" to \"b\" not to \"c\" from \"y\" plain",
	 "p:2:26: found a second \"to\" in one rule, expected one: separate several "
	 "addresses "
	 "by commas\n"
	 "p:2:44: found a second \"from\" in one rule, expected one: separate several "
	 "addresses by commas"},
	{"outgoing require portal keys from learned",
	 "p:2:1: found \"keys from learned\" in a rule without smime and pgp, expected one of "
	 "them: no other way takes a key"},
	{"outgoing prefer pgp keys of learned", "p:2:26: found \"of\", expected from"},
	{"outgoing plain hide subject",
	 "p:2:1: found \"hide subject\" in a rule that never encrypts, expected smime or pgp "
	 "among its ways"},
	{"outgoing require tls, portal sign hide subject",
	 "p:2:1: found \"hide subject\" in a rule that never encrypts, expected smime or pgp "
	 "among its ways"},
	{"outgoing require smime hide tag", "p:2:29: found \"tag\", expected subject"},
	{"outgoing not subject has \"x\" plain remove tag",
	 "p:2:1: found \"remove tag\" in a rule with no \"subject has\", expected one: its "
	 "text is the tag"},
	{"outgoing subject has \"x\" subject has \"y\" plain remove tag",
	 "p:2:1: found \"remove tag\" in a rule with several \"subject has\", expected "
	 "one: "
	 "its text is the tag"},
	{"outgoing subject has \"\" header \"a:\" is \" \" plain",
	 "p:2:22: found an empty text, expected one to look for\n"
	 "p:2:32: found \"a:\", expected the name of a header field without a colon\n"
	 "p:2:40: found an empty text, expected one to look for"},
	{"relayed plain sign\nrelayed require tls",
	 "p:2:1: found a rule that protects or changes relayed mail, expected plain or reject\n"
	 "p:3:1: found a rule that protects or changes relayed mail, expected plain or reject"},
	{"incoming plain sign\nincoming prefer pgp\nincoming require smime, pgp\n"
	 "incoming require smime over tls\nincoming require portal\nincoming require verified tls",
	 "p:2:1: found an incoming rule that changes mail, expected require, plain or reject\n"
	 "p:3:1: found \"prefer\" in an incoming rule, expected require, plain or reject: what "
	 "has arrived can only be asked for, or taken as it is\n"
	 "p:4:1: " FOR_LEAVING "\np:5:1: " FOR_LEAVING "\np:6:1: " FOR_LEAVING
	 "\np:7:1: " FOR_LEAVING},
	{"outgoing require signature\ninternal require tls 1.2\noutgoing require pgp or smime\n"
	 "outgoing require pgp require tls",
	 "p:2:1: " FOR_INCOMING "\np:3:1: " FOR_INCOMING "\np:4:1: " FOR_INCOMING
	 "\np:5:1: " FOR_INCOMING},
	{"incoming require tls 1.1\nincoming require tls require tls 1.2\n"
	 "incoming require smime require pgp",
	 "p:2:22: found tls 1.1, expected tls, tls 1.2 or tls 1.3\n"
	 "p:3:22: " SECOND_DEMAND "\np:4:24: " SECOND_DEMAND},
	{"copy outgoing to \"firma.example\"\ncopy outgoing\ncopy outgoing to \"a@b\", "
	 "\"c@d\"",
	 "p:2:1: found a copy rule without a goal, expected it to end with: to "
	 "\"ADDRESS\"\n"
	 "p:3:1: found a copy rule without a goal, expected it to end with: to "
	 "\"ADDRESS\"\n"
	 "p:4:1: found a copy rule without a goal, expected it to end with: to "
	 "\"ADDRESS\""},
	{"outgoing reject \"中?\"\noutgoing reject \"\"",
	 "p:2:17: found letters in the text of a refusal that have no spelling in ASCII, expected "
	 "none: mail servers pass on only ASCII\n"
	 "p:3:17: found a refusal of 0 bytes, expected 1 to 400"},
};

static void test_meaning(void **state)
{
	(void)state;
	expect_all(meaning, G_N_ELEMENTS(meaning));
}

static void test_files(void **state)
{
	static const struct {
		const char *bytes;
		gssize length;
		const char *errors;
	} cases[] = {
		{"", 0,
		 "p:1:1: found no internal domains, expected: internal domains \"OUR.DOMAIN\""},
		{"outgoing plain\0", 15, "p:1:15: found a NUL byte: this is no text file"},
		{"outgoing\n plain\rx", -1,
		 "p:2:7: found a CR without LF: save the file with line ends of Unix or Windows"},
		{"ä\x1b[0m", -1, "p:1:2: found a control character: this is no text file"},
		{"\n\n\xc3\xa4\xff", -1,
		 "p:3:2: found bytes that are not UTF-8: save the file as UTF-8"},
		{"\xef\xbb\xbfoutgoing plain", -1,
		 "p:1:1: found a byte order mark: save the file as UTF-8 without it"},
		{"internal domain \"a\"", -1,
		 "p:1:10: found \"domain\", expected domains, require, prefer, plain, reject or a "
		 "condition (to, from, subject, header, reply, invitation, not) (did you mean "
		 "\"domains\"?)"},
	};
	g_autoptr(GError) error = NULL;

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		expect_errors(cases[i].bytes, cases[i].length, cases[i].errors);
	assert_null(policy_load("/nowhere/p", &error));
	assert_string_equal(error->message,
			    "/nowhere/p: cannot be read: No such file or directory");
	g_clear_error(&error);
	assert_null(policy_load("/dev/zero", &error));
	assert_string_equal(error->message, "/dev/zero: cannot be read: Invalid argument");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted), cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_signs),	 cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
