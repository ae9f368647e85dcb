/* SPDX-License-Identifier: Apache-2.0
 *
 * Which parts of a message are shown, which are files, and under what names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/mail/mime.h"
#include "portal/letterhtml.h"
#include "portal/letterlinks.h"
#include "portal/letterparts.h"

/* "{" begins a multipart of that type, "}" ends it; else "type|disposition|name|content-id". */
typedef struct {
	const char *structure;
	const char *expected; /* bodies, then attachments: "1.1 1.2(1.1);1.3=name" */
} Case;

#define TEN "1234567890"

static const Case cases[] = {
	{"text/plain", "1;"},
	{"text/html", "1;"},
	{"application/pdf|attachment|a.pdf", ";1=a.pdf"},
	{"application/pdf", ";1=part-1.pdf"},
	{"text/plain|attachment", ";1=part-1.txt"},
	{"text/plain|inline|notes.txt", ";1=notes.txt"},
	{"{mixed text/plain application/zip|attachment|a.zip }", "1.1;1.2=a.zip"},
	{"{mixed text/plain image/png text/plain }", "1.1 1.3;1.2=part-1.2.png"},
	{"{alternative text/plain text/html }", "1.2(1.1);"},
	{"{alternative text/html text/plain }", "1.1(1.2);"},
	{"{alternative text/plain }", "1.1;"},
	{"{alternative text/plain text/calendar }", "1.1;1.2=part-1.2.ics"},
	{"{alternative text/plain {related text/html image/png||l.png|<l@x> } }", "1.2.1(1.1);"},
	{"{related text/html image/png||l.png|<l@x> image/svg+xml||v.svg|<v@x> }", "1.1;1.3=v.svg"},
	{"{related text/html image/png||l.png }", "1.1;1.2=l.png"},
	{"{mixed image/png|inline|i.png|<i@x> text/plain }", "1.2;1.1=i.png"},
	{"{mixed {alternative text/plain text/html } application/pdf|attachment|a.pdf }",
	 "1.1.2(1.1.1);1.2=a.pdf"},
	{"{signed text/plain application/pkcs7-signature||smime.p7s }", "1.1;1.2=smime.p7s"},
	{"application/x|attachment|../../etc/passwd", ";1=_._.._etc_passwd"},
	{"application/x|attachment|..", ";1=part-1.bin"},
	{"application/x|attachment|...", ";1=part-1.bin"},
	{"application/x|attachment|.bashrc", ";1=_bashrc"},
	{"application/x|attachment|bill.pdf.exe...", ";1=bill.pdf.exe"},
	{"application/x|attachment|a*b?c<d>e.txt", ";1=a_b_c_d_e.txt"},
	/* U+202E turns "fdp.exe" around for the eye; U+200B is not seen at all. */
	{"application/x|attachment|a\xe2\x80\xaeg\xe2\x80\x8bh.exe", ";1=a_g_h.exe"},
	{"application/x|attachment|" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
	 ".pdf",
	 ";1=" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "123456.pdf"},
	{"application/x|attachment|C:\\\\a.txt", ";1=C__a.txt"},
};

static void append_leaf(GString *out, const char *word)
{
	g_auto(GStrv) fields = g_strsplit(word, "|", 4);
	guint count = g_strv_length(fields);

	g_string_append_printf(out, "Content-Type: %s\r\n", fields[0]);
	if (count > 1)
		g_string_append_printf(out, "Content-Disposition: %s",
				       *fields[1] != '\0' ? fields[1] : "inline");
	if (count > 2 && *fields[2] != '\0')
		g_string_append_printf(out, "; filename=\"%s\"", fields[2]);
	if (count > 1)
		g_string_append(out, "\r\n");
	if (count > 3)
		g_string_append_printf(out, "Content-ID: %s\r\n", fields[3]);
	g_string_append(out, "\r\ncontent\r\n");
}

static char *build(const char *structure)
{
	g_auto(GStrv) words = g_strsplit(structure, " ", -1);
	GString *out = g_string_new("Subject: x\r\n");
	int open[8];
	int depth = 0;

	for (int i = 0; words[i] != NULL; i++) {
		if (g_str_equal(words[i], "}")) {
			g_string_append_printf(out, "--b%d--\r\n", open[--depth]);
			continue;
		}
		if (depth > 0)
			g_string_append_printf(out, "--b%d\r\n", open[depth - 1]);
		if (*words[i] == '{') {
			open[depth++] = i;
			g_string_append_printf(out,
					       "Content-Type: multipart/%s; boundary=b%d\r\n\r\n",
					       words[i] + 1, i);
		} else {
			append_leaf(out, words[i]);
		}
	}
	return g_string_free(out, FALSE);
}

static MimeTree *parse(const char *text)
{
	g_autoptr(Spool) spool = spool_new(g_get_tmp_dir(), 1024 * 1024);

	assert_true(spool_append(spool, text, strlen(text), NULL));
	return mime_parse(spool, NULL);
}

static char *describe(const LetterParts *parts)
{
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < parts->bodies->len; i++) {
		const LetterPart *part = g_ptr_array_index(parts->bodies, i);

		g_string_append_printf(out, "%s%s", i > 0 ? " " : "", part->number);
		if (part->fallback != NULL)
			g_string_append_printf(out, "(%s)", part->fallback);
	}
	g_string_append_c(out, ';');
	for (guint i = 0; i < parts->attachments->len; i++) {
		const LetterPart *part = g_ptr_array_index(parts->attachments, i);

		g_string_append_printf(out, "%s%s=%s", i > 0 ? " " : "", part->number, part->name);
	}
	return g_string_free(out, FALSE);
}

static void structures(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = build(cases[i].structure);
		g_autoptr(MimeTree) tree = parse(text);
		LetterParts *parts = letterparts_new(tree);
		g_autofree char *found = describe(parts);

		if (!g_str_equal(found, cases[i].expected))
			fail_msg("%s: %s instead of %s", cases[i].structure, found,
				 cases[i].expected);
		letterparts_free(parts);
	}
}

/* More texts than are shown: the rest are files, none is lost. */
static void many_texts(void **state)
{
	g_autoptr(GString) structure = g_string_new("{mixed");
	g_autofree char *text = NULL;
	g_autoptr(MimeTree) tree = NULL;
	LetterParts *parts;

	(void)state;
	for (int i = 0; i < 2 * LETTER_BODIES_MAX; i++)
		g_string_append(structure, " text/plain");
	g_string_append(structure, " }");
	text = build(structure->str);
	tree = parse(text);
	parts = letterparts_new(tree);
	assert_int_equal(parts->bodies->len, LETTER_BODIES_MAX);
	assert_int_equal(parts->attachments->len, LETTER_BODIES_MAX);
	letterparts_free(parts);
	parts = letterparts_new(NULL);
	assert_int_equal(parts->bodies->len + parts->attachments->len, 0);
	letterparts_free(parts);
}

static void elements_that_are_defanged(void **state)
{
	static const char *const html[][2] = {
		{"", ""},
		{"a < b <", "a < b <"},
		{"<p>x</p><style>p{}</style>", "<p>x</p><style>p{}</style>"},
		{"<iframe src=x></iframe>", "<x-iframe src=x></x-iframe>"},
		{"<IFrame/src=x>", "<x-IFrame/src=x>"},
		{"<<iframe>", "<<x-iframe>"},
		{"<frameset><frame>", "<x-frameset><x-frame>"},
		{"<script>1</script>", "<script>1</script>"},
		{"<meta a><link b><base c>", "<x-meta a><x-link b><x-base c>"},
		{"<object><embed>", "<x-object><x-embed>"},
		{"<p title='<iframe>'>", "<p title='<x-iframe>'>"},
		{"<a href=x>", "<a target=_blank rel=noopener  href=x>"},
		{"<A\nhref=x target=_top>", "<A target=_blank rel=noopener \nhref=x target=_top>"},
		{"<a/href=x>", "<a target=_blank rel=noopener /href=x>"},
		{"<area\thref=x>", "<area target=_blank rel=noopener \thref=x>"},
		{"<a target=_blank rel=noopener  href=x>",
		 "<a target=_blank rel=noopener  href=x>"},
		{"<a></a ><abbr x><article x><a", "<a></a ><abbr x><article x><a"},
		{"</", "</"},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(html); i++) {
		g_autofree char *made = letterhtml_defang(html[i][0]);

		assert_string_equal(made, html[i][1]);
	}
}

#define LINK(address)                                                                              \
	"<a target=\"_blank\" rel=\"noopener noreferrer\" href=\"" address "\">" address "</a>"

static void links_in_text(void **state)
{
	static const char *const texts[][2] = {
		{"", ""},
		{"no <b>link</b> & none", "no &lt;b&gt;link&lt;/b&gt; &amp; none"},
		{"https://a.example/", LINK("https://a.example/")},
		{"(see HTTP://a.example/x?y=1&z=2).",
		 "(see " LINK("HTTP://a.example/x?y=1&amp;z=2") ")."},
		{"<https://a.example/>, https://b.example.",
		 "&lt;" LINK("https://a.example/") "&gt;, " LINK("https://b.example") "."},
		{"https://a.example/x_(y)", LINK("https://a.example/x_(y)")},
		{"https://a.example/\"onclick=alert(1)",
		 LINK("https://a.example/") "&quot;onclick=alert(1)"},
		{"https:// http://. xhttps://a.example", "https:// http://. xhttps://a.example"},
		{"javascript:alert(1) data:text/html,x ftp://a",
		 "javascript:alert(1) data:text/html,x ftp://a"},
		{"h\xc3\xa4 https://m\xc3\xbcller.example/\xc3\xa4",
		 "h\xc3\xa4 " LINK("https://m\xc3\xbcller.example/\xc3\xa4")},
	};

	g_autofree char *long_path = g_strnfill(3000, 'a');
	g_autofree char *long_text = g_strconcat("https://", long_path, NULL);
	g_autofree char *still_long = letterlinks_html(long_text);

	(void)state;
	assert_string_equal(still_long, long_text);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *made = letterlinks_html(texts[i][0]);

		assert_string_equal(made, texts[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures),
		cmocka_unit_test(many_texts),
		cmocka_unit_test(elements_that_are_defanged),
		cmocka_unit_test(links_in_text),
	};

	return cmocka_run_group_tests_name("portal_letter", tests, NULL, NULL);
}
