/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of a message: where they are to the byte, what they say, and what hostile ones do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/mail/headers.h"
#include "tests/unit/mailtext.h"

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static const struct {
	const char *message;
	const char *outline;
} structures[] = {
	{"", "text/plain"},
	{"\r\n", "text/plain"},
	{"Subject: x\r\n\r\nbody", "text/plain"},
	{"Subject: x", "text/plain"},
	{"no header at all\r\nbody", "text/plain"},
	{"Content-Type: TEXT/HTML; charset=x\r\n\r\n", "text/html"},
	{"Content-Type:\r\n\r\n", "text/plain"},
	{"content-type: text/plain\r\n\r\n", "text/plain"},
	{"Content-Type: text\r\n\r\n", "text/plain"},
	{"Content-Type: multipart; boundary=b\r\n\r\n--b\r\n\r\n--b--", "text/plain"},
	{"Content-Type: /x\r\n\r\n", "text/plain"},
	{"Content-Type: \"image/png\"\r\n\r\n", "text/plain"},
	{"Content-Type: image (c) / (d) png; x=y\r\n\r\n", "image/png"},
	{"Content-Type: a/b/c\r\n\r\n", "text/plain"},
	{"Content-Type: ; charset=x\r\n\r\n", "text/plain"},
	{MIXED "--b\r\n\r\none\r\n--b\r\nContent-Type: image/png\r\n\r\ntwo\r\n--b--\r\n",
	 "multipart/mixed(text/plain,image/png)"},
	{MIXED "preamble\r\n--b  \r\n\r\none\r\n--b--\t\r\nepilogue\r\n--b\r\n\r\nno\r\n",
	 "multipart/mixed(text/plain)"},
	{MIXED "--b\n\none\n--b\n\ntwo\n", "multipart/mixed(text/plain,text/plain)"},
	{MIXED "--bb\r\n\r\none\r\n--b x\r\n --b\r\n-b\r\n--b-\r\n", "multipart/mixed"},
	{MIXED, "multipart/mixed"},
	{MIXED "--b", "multipart/mixed(text/plain)"},
	{MIXED "--b\r\n--b\r\n--b--", "multipart/mixed(text/plain,text/plain)"},
	{MIXED "--b\r\nContent-Type: image/png\r\n--b--", "multipart/mixed(image/png)"},
	{"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n", "multipart/mixed"},
	{"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\n----\r\n",
	 "multipart/mixed"},
	{"Content-Type: multipart/mixed; boundary=\"b b \"\r\n\r\n--b b\r\n\r\nx\r\n--b "
	 "b--",
	 "multipart/mixed(text/plain)"},
	{"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: "
	 "x\r\n\r\ny\r\n"
	 "--b\r\nContent-Type: text/plain\r\n\r\nz\r\n--b--",
	 "multipart/digest(message/rfc822(text/plain),text/plain)"},
	{"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n--b--",
	 "multipart/digest(message/rfc822(text/plain))"},
	{"Content-Type: message/rfc822\r\n\r\nContent-Type: text/html\r\n\r\nx",
	 "message/rfc822(text/html)"},
	{"Content-Type: message/rfc822\r\n\r\n", "message/rfc822(text/plain)"},
	{"Content-Type: message/rfc822", "message/rfc822(text/plain)"},
	{"Content-Type: message/rfc822\r\n\r\nFrom x@y Mon\r\nContent-Type: "
	 "text/html\r\n\r\nx",
	 "message/rfc822(text/html)"},
	{"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: "
	 "base64\r\n\r\nU3ViamVjdA==",
	 "message/rfc822"},
	/* an outer boundary ends all that is open inside */
	{"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" MIXED
	 "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; "
	 "boundary=c\r\n\r\n--c\r\n\r\nx\r\n--a\r\n\r\ny\r\n--a--\r\n",
	 "multipart/mixed(multipart/mixed(message/rfc822(multipart/mixed(text/plain))),"
	 "text/plain)"},
	/* the blank line is missing, or not quite blank */
	{"Content-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\nx\r\n--b--\r\n",
	 "multipart/mixed(text/plain)"},
	{"Content-Type: multipart/mixed; boundary=b\r\n \r\n--b\r\n\r\nx\r\n--b--\r\n",
	 "multipart/mixed(text/plain)"},
	{MIXED "--b\r\n \r\nContent-Type: text/html\r\n\r\nx\r\n--b--",
	 "multipart/mixed(text/html)"},
	/* of the root, only fields are header */
	{" \r\nContent-Type: text/html\r\n\r\nx", "text/plain"},
	{"From x@y Mon\r\nContent-Type: text/html\r\n\r\nx", "text/plain"},
	/* the inner of two equal boundaries */
	{MIXED "--b\r\n" MIXED "--b\r\n\r\nx\r\n--b--\r\n--b--\r\n",
	 "multipart/mixed(multipart/mixed(text/plain))"},
	{MIXED "--b\r\n folded first\r\n--b--", "multipart/mixed(text/plain)"},
};

static void test_structure(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(structures); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(MimeTree) tree =
			tree_of(structures[i].message, strlen(structures[i].message), &error);
		g_autoptr(GString) text = g_string_new(NULL);

		if (tree == NULL)
			fail_msg("case %zu: %s", i, error->message);
		outline(mime_root(tree), text);
		if (strcmp(text->str, structures[i].outline) != 0)
			fail_msg("case %zu: %s", i, text->str);
	}
}

static void assert_range(const char *message, Range range, const char *expected)
{
	g_autofree char *actual =
		g_strndup(message + range.start, (gsize)(range.end - range.start));

	assert_string_equal(actual, expected);
}

/* Bytes that a signature covers: up to the line end before the boundary, no further. */
static void test_ranges(void **state)
{
	static const char message[] =
		"Subject: x\r\nContent-Type: multipart/signed; boundary=s\r\n\r\npreamble\r\n"
		"--s\r\n" MIXED
		"pre\r\n--b\r\nX: 1\r\n\r\none\r\n\r\n--b\r\n\r\n--b--\r\nepilogue\r\n"
		"\r\n--s\r\nContent-Type: application/pgp-signature\n\nsig\n--s--\r\nend";
	static const struct {
		const char *number;
		const char *headers;
		const char *content;
	} cases[] = {
		{"1.1", MIXED,
		 "pre\r\n--b\r\nX: 1\r\n\r\none\r\n\r\n--b\r\n\r\n--b--\r\nepilogue\r\n"},
		{"1.1.1", "X: 1\r\n\r\n", "one\r\n"},
		{"1.1.2", "", ""},
		{"1.2", "Content-Type: application/pgp-signature\n\n", "sig"},
	};
	g_autoptr(MimeTree) tree = tree_of(message, strlen(message), NULL);
	MimePart *root = mime_root(tree);

	(void)state;
	assert_range(message, root->headers,
		     "Subject: x\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n");
	assert_int_equal(root->whole.start, 0);
	assert_int_equal(root->whole.end, strlen(message));
	assert_int_equal(root->content.end, strlen(message));
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		MimePart *part = part_at(tree, cases[i].number);
		g_autofree char *whole = g_strconcat(cases[i].headers, cases[i].content, NULL);
		g_autofree char *number = mime_number(part);

		assert_string_equal(number, cases[i].number);
		assert_range(message, part->headers, cases[i].headers);
		assert_range(message, part->content, cases[i].content);
		assert_range(message, part->whole, whole);
	}
}

/* The line end of an empty header block is the boundary's: nothing is left for what is inside. */
static void test_ranges_of_nothing(void **state)
{
	static const char message[] = "Content-Type: multipart/digest; boundary=d\n\n"
				      "--d\nX: y\n\n--d\n\n--d--\n";
	g_autoptr(MimeTree) tree = tree_of(message, strlen(message), NULL);
	MimePart *inner = part_at(tree, "1.1.1");

	(void)state;
	assert_range(message, part_at(tree, "1.1")->whole, "X: y\n");
	assert_range(message, part_at(tree, "1.2")->whole, "");
	assert_range(message, inner->whole, "");
	assert_int_equal(inner->whole.start, inner->parent->whole.end);
}

/* The same over the edges of the chunks that are read at a time. */
static void test_ranges_at_chunk_edges(void **state)
{
	(void)state;
	for (gsize i = 0; i < 2 * 140; i++) {
		/* also behind a line that is longer than a chunk */
		gsize before = (i % 2 + 1) * STREAM_CHUNK - 60 + i / 2;
		g_autoptr(GString) message = g_string_new(MIXED "--b\r\n\r\n");
		g_autoptr(MimeTree) tree = NULL;
		MimePart *part;
		gsize start = message->len;

		g_string_set_size(message, before);
		memset(message->str + start, 'x', before - start);
		g_string_append(message, "\r\n--b\r\nX: y\r\n\r\nz\r\n--b--\r\n");
		tree = tree_of(message->str, message->len, NULL);
		part = part_at(tree, "1.1");
		assert_int_equal(part->content.start, start);
		assert_int_equal(part->content.end, before);
		assert_range(message->str, part_at(tree, "1.2")->whole, "X: y\r\n\r\nz");
	}
}

static void test_facts(void **state)
{
	static const char message[] =
		"Subject: =?utf-8?q?f=C3=BCr?=\r\n Dich\r\n"
		"Content-Type: Text/Plain; charset=ISO-8859-1;\r\n\tname*=utf-8''%C3%BC.txt; "
		"format=flowed; Method=\"REQUEST\"\r\n"
		"Content-Transfer-Encoding: Quoted-Printable (really)\r\n"
		"Content-Disposition: ATTACHMENT; filename*0=lo; filename*1=ng.txt\r\n\r\n=FC";
	g_autoptr(MimeTree) tree = tree_of(message, strlen(message), NULL);
	MimePart *root = mime_root(tree);
	g_autofree char *subject = mime_header(root, "subject");
	g_autofree char *text = mime_text(tree, root, 100, NULL);

	(void)state;
	assert_string_equal(subject, "f\xc3\xbcr Dich");
	assert_string_equal(root->type, "text/plain");
	assert_string_equal(root->encoding, "quoted-printable");
	assert_string_equal(root->filename, "long.txt");
	assert_true(root->attached);
	assert_string_equal(mime_param(root, "CHARSET"), "ISO-8859-1");
	assert_string_equal(mime_param(root, "method"), "REQUEST");
	assert_null(mime_param(root, "boundary"));
	assert_null(mime_header(root, "From"));
	assert_string_equal(text, "\xc3\xbc");
}

static void test_params(void **state)
{
	static const struct {
		const char *value;
		const char *name;
		const char *param;
	} cases[] = {
		{"a/b; x=y", "x", "y"},
		{"a/b;x=y;z=w", "z", "w"},
		{"a/b (c;x=z) ; (d) X (e) = (f) y (g); z=w", "x", "y"},
		{"a/b; x=\"y;z=w\"", "z", NULL},
		{"a/b; x=\"a\\\"b\\\\\"", "x", "a\"b\\"},
		{"a/b; x=\"open", "x", "open"},
		{"a/b; x=", "x", ""},
		{"a/b; x", "x", NULL},
		{"a/b; =y; x=z", "x", "z"},
		{"a/b; x=1; x=2", "x", "1"},
		{"a/b x=y z=w", "z", "w"},
		{"a/b; x*=utf-8''%C3%BC", "x", "\xc3\xbc"},
		{"a/b; x*=iso-8859-1'de'%FC", "x", "\xc3\xbc"},
		{"a/b; x=1; x*=''2", "x", "2"},
		{"a/b; x*=no%20charset", "x", "no charset"},
		{"a/b; x*1=b; x*0=a; x*3=d", "x", "ab"},
		{"a/b; x*0*=utf-8''%C3; x*1*=%BC; x*2=%20", "x", "\xc3\xbc%20"},
		{"a/b; x*1=b", "x", NULL},
		{"a/b; x*99999999999999999999=b; *=c; **=d; x*z=e", "x", "e"},
		{"a/b; name=my file.txt; x=y", "name", "my file.txt"},
		{"a/b; name=\"=?utf-8?q?=22=3B_x=3Dz?=\"", "x", NULL},
		{"a/b; boundary=\"=?utf-8?q?a?=\"", "boundary", "=?utf-8?q?a?="},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *message =
			g_strdup_printf("Content-Type: %s\r\n\r\n", cases[i].value);
		g_autoptr(MimeTree) tree = tree_of(message, strlen(message), NULL);
		const char *param = mime_param(mime_root(tree), cases[i].name);

		assert_string_equal(mime_root(tree)->type, "a/b");
		if (g_strcmp0(param, cases[i].param) != 0)
			fail_msg("%s: %s", cases[i].value, param);
	}
}

static void test_filename(void **state)
{
	static const char *const cases[][2] = {
		{"Content-Type: a/b; name=\"x.pdf\"", "x.pdf"},
		{"Content-Type: a/b; name=\"=?utf-8?q?=C3=BC.pdf?=\"", "\xc3\xbc.pdf"},
		{"Content-Disposition: inline; filename=\"\xc3\xbc.pdf\"", "\xc3\xbc.pdf"},
		{"Content-Disposition: inline; filename=\"\xfc.pdf\"", "\xc3\xbc.pdf"},
		{"Content-Disposition: inline; filename*=utf-8''a%0D%0Ab", "a  b"},
		{"Content-Disposition: inline", NULL},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *message = g_strconcat(cases[i][0], "\r\n\r\n", NULL);
		g_autoptr(MimeTree) tree = tree_of(message, strlen(message), NULL);

		if (g_strcmp0(mime_root(tree)->filename, cases[i][1]) != 0)
			fail_msg("%s: %s", cases[i][0], mime_root(tree)->filename);
		assert_false(mime_root(tree)->attached);
	}
}

/* The same byte by byte, and once more. */
static void assert_pulled(const MimeTree *tree, const GByteArray *wanted)
{
	g_autoptr(Source) source = mime_source(tree, mime_root(tree));
	char byte;

	for (int round = 0; round < 2; round++) {
		for (guint i = 0; i < wanted->len; i++) {
			assert_int_equal(source_read(source, &byte, 1, NULL), 1);
			assert_int_equal((guint8)byte, wanted->data[i]);
		}
		assert_int_equal(source_read(source, &byte, 1, NULL), 0);
		assert_true(source_rewind(source, NULL));
	}
}

static void test_decode(void **state)
{
	static const struct {
		const char *encoding;
		const char *content;
		const char *decoded;
	} cases[] = {
		{"7bit", "a=3D\r\n", "a=3D\r\n"},
		{"x-unknown", "a=3D", "a=3D"},
		{"quoted-printable", "a=3D=\r\nb=\nc=c3=BC =\r\n d", "a=bc\xc3\xbc  d"},
		{"quoted-printable", "a=zz=", "a=zz"},
		{"base64", "SGVs\r\nbG8=\r\n", "Hello"},
		{"base64", "SGVsbG8=SGVsbG8=", "HelloHello"},
		{"base64", "!SG*Vs\n\nbG8", "Hello"},
		{"x-uuencode", "begin 644 x\n%", "begin 644 x\n%"},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *message =
			g_strdup_printf("Content-Transfer-Encoding: %s\r\n\r\n%s",
					cases[i].encoding, cases[i].content);
		g_autoptr(MimeTree) tree = tree_of(message, strlen(message), NULL);
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		g_autoptr(Sink) sink = sink_new_bytes(bytes, 1000);

		assert_true(mime_decode(tree, mime_root(tree), sink, NULL));
		if (bytes->len != strlen(cases[i].decoded) ||
		    memcmp(bytes->data, cases[i].decoded, bytes->len) != 0)
			fail_msg("case %zu: \"%.*s\"", i, (int)bytes->len, bytes->data);
		assert_pulled(tree, bytes);
	}
}

static void test_text(void **state)
{
	static const struct {
		const char *charset;
		const char *content;
		gsize size;
		gsize limit;
		const char *text;
	} cases[] = {
		{"utf-8", "\xc3\xbc", 2, 10, "\xc3\xbc"},
		{"utf-8",
		 "a\xff"
		 "b",
		 3, 10,
		 "a\xef\xbf\xbd"
		 "b"},
		{"us-ascii", "\xc3\xbc", 2, 10, "\xc3\xbc"},
		{"nonsense", "\xfc", 1, 10, "\xc3\xbc"},
		{"windows-1252", "\x80", 1, 10, "\xe2\x82\xac"},
		{"utf-16le", "a\0\xfc\0", 4, 10, "a\xc3\xbc"},
		{"utf-16le", "a\0b", 3, 10, "a\xef\xbf\xbd"},
		{"utf-8", "a\0b", 3, 10, "a b"},
		{"utf-8", "\xc3\xbc\xc3\xbc", 4, 3, "\xc3\xbc"},
		{"utf-8", "abc", 3, 0, ""},
		{"utf-8", "", 0, 10, ""},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) message = g_string_new(NULL);
		g_autoptr(MimeTree) tree = NULL;
		g_autofree char *text = NULL;

		g_string_printf(message, "Content-Type: text/plain; charset=%s\r\n\r\n",
				cases[i].charset);
		g_string_append_len(message, cases[i].content, (gssize)cases[i].size);
		tree = tree_of(message->str, message->len, NULL);
		text = mime_text(tree, mime_root(tree), cases[i].limit, NULL);
		if (strcmp(text, cases[i].text) != 0)
			fail_msg("case %zu: %s", i, text);
	}
}

/* Repeats a piece of text, with its number for each @, into a message and parses it. */
static MimeTree *parse_repeated(const char *start, const char *piece, guint count, GError **error)
{
	g_autoptr(GString) message = g_string_new(start);

	for (guint i = 0; i < count; i++) {
		for (const char *p = piece; *p != '\0'; p++)
			if (*p == '@')
				g_string_append_printf(message, "%u", i);
			else
				g_string_append_c(message, *p);
	}
	return tree_of(message->str, message->len, error);
}

static void test_limits(void **state)
{
	static const struct {
		const char *start;
		const char *piece;
		guint count;
		int code; /* -1: parsed */
	} cases[] = {
		{"", "Content-Type: multipart/mixed; boundary=b@\r\n\r\n--b@\r\n", 1000,
		 ERROR_TOO_DEEP},
		{"", "Content-Type: multipart/mixed; boundary=b@\r\n\r\n--b@\r\n",
		 MIME_DEPTH_MAX - 1, -1},
		{"", "Content-Type: multipart/mixed; boundary=b@\r\n\r\n--b@\r\n", MIME_DEPTH_MAX,
		 ERROR_TOO_DEEP},
		{"", "Content-Type: message/rfc822\r\n\r\n", 100000, ERROR_TOO_DEEP},
		{MIXED, "--b\r\n\r\nx\r\n", MIME_PARTS_MAX - 1, -1},
		{MIXED, "--b\r\n\r\nx\r\n", MIME_PARTS_MAX, ERROR_TOO_LARGE},
		{"", "X-@: y\r\n", HEADERS_MAX, -1},
		{"", "X-@: y\r\n", HEADERS_MAX + 1, ERROR_TOO_LARGE},
		{"X:", " 0123456789012345678901234567890123456789\r\n", 200000, ERROR_TOO_LARGE},
		{MIXED "--b\r\n\r\n", "--x\r\n", 100000, -1},
		{MIXED "--b\r\n\r\n", "\r\r\n\n\r", 100000, -1},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(MimeTree) tree =
			parse_repeated(cases[i].start, cases[i].piece, cases[i].count, &error);

		if (cases[i].code < 0 ? tree == NULL
				      : !g_error_matches(error, SEALPOST_ERROR, cases[i].code))
			fail_msg("case %zu: %s", i, error ? error->message : "parsed");
	}
}

static void test_long_lines(void **state)
{
	static const char *const starts[] = {"Subject: ",
					     "Content-Type: ",
					     "Content-Type: text/plain; x=\"",
					     "Content-Type: multipart/mixed; boundary=",
					     "Content-Disposition: attachment; filename=",
					     "X",
					     "",
					     "Content-Type: text/plain;",
					     "Subject: =?utf-8?q?",
					     "Content-Transfer-Encoding: "};
	static const char *const fills[] = {"a", ";",	   "=",	   "\"", " ",	 "\\", "\xfc", "(",
					    "?", "a*0=b;", "a=b;", "\r", "'%41", ",",  "<",    "/"};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(starts); i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(fills); j++) {
			g_autoptr(GString) message = g_string_new(starts[i]);
			g_autoptr(MimeTree) tree = NULL;
			g_autofree char *text = NULL;
			clock_t start = clock();

			while (message->len < (j == 0 ? 1024 : 128) * 1024)
				g_string_append(message, fills[j]);
			g_string_append(message, "\r\n\r\nbody");
			tree = tree_of(message->str, message->len, NULL);
			assert_non_null(tree);
			text = mime_text(tree, mime_root(tree), 1000, NULL);
			assert_non_null(text);
			g_free(mime_header(mime_root(tree), "Subject"));
			if (clock() - start > 20 * CLOCKS_PER_SEC)
				fail_msg("slow: %s and %s", starts[i], fills[j]);
		}
	}
}

static void test_nul_bytes(void **state)
{
	static const char message[] = "Subject: a\0b\r\nCon\0tent-Type: x/y\r\n\r\nx\0y";
	g_autoptr(MimeTree) tree = tree_of(message, sizeof(message) - 1, NULL);
	g_autofree char *subject = mime_header(mime_root(tree), "Subject");
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, 1000);

	(void)state;
	assert_string_equal(subject, "a b");
	assert_string_equal(mime_root(tree)->type, "text/plain");
	assert_true(mime_decode(tree, mime_root(tree), sink, NULL));
	assert_true(bytes->len > 3);
	assert_memory_equal(bytes->data + bytes->len - 3, "x\0y", 3);
}

#define TYPE(type) "Content-Type: " type "\r\n\r\nx"
#define PARTS(before, behind)                                                                      \
	"Content-Type: multipart/signed; boundary=b\r\n\r\n" before                                \
	"--b\r\n\r\none\r\n--bb\r\n--b\r\n\r\n"                                                    \
	"two" behind

/* As programs write it. */
static const char *const strict[] = {
	"\r\nx",
	"Subject: x\r\n\r\n",
	TYPE("text/plain"),
	TYPE("TEXT/plain; charset=utf-8; format=flowed;"),
	TYPE("text/plain;\r\n\tcharset = \"utf-8\" ;\r\n name=\"gr\xc3\xbc\xc3\x9f.txt\""),
	TYPE("multipart/signed; protocol=application/pgp-signature; boundary=a=_b/c:d"),
	TYPE("image/png; name*0*=utf-8''a; name*1=b; charset=x\r\nContent-Transfer-Encoding: "
	     "BASE64"),
	PARTS("", ""),
	PARTS("This is signed.\r\n", "\r\n--b--\r\n-- \r\na list's footer\r\n"),
};

/* What one program takes for one thing, and another for another. */
static const char *const ambiguous[] = {
	"no header\r\n",
	" first\r\n\r\n",
	"Subject: x\r\nno field\r\nContent-Type: text/html\r\n\r\n",
	"Subject : x\r\n\r\n",
	"Subject: x\rContent-Type: text/html\r\n\r\n",
	"Subject: no end",
	TYPE("text/plain\r\nContent-Type: text/html"),
	TYPE("text/plain\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64"),
	TYPE("text/plain\r\nContent-Transfer-Encoding: 7bit base64"),
	TYPE("text/plain\r\nContent-Transfer-Encoding: x-uuencode"),
	TYPE("text/plain text/html; boundary=b"),
	TYPE("text/plain (; boundary=c)"),
	TYPE("\"text/plain\""),
	TYPE("multipart/signed; boundary=b; boundary=c"),
	TYPE("multipart/signed; boundary=b; Boundary=c"),
	TYPE("multipart/signed; boundary*0=b"),
	TYPE("multipart/signed; boundary=b; boundary*=us-ascii''c"),
	TYPE("multipart/signed; boundary=\"b\\c\""),
	TYPE("multipart/signed; boundary=\"b"),
	TYPE("multipart/signed; boundary=b c"),
	TYPE("multipart/signed; x; boundary=b"),
	"Content-Transfer-Encoding: base64\r\n" PARTS("", ""),
	PARTS("--bx\r\nContent-Type: text/html\r\n\r\nwords\r\n", ""),
	PARTS("--B\r\nContent-Type: text/html\r\n\r\nwords\r\n", ""),
	PARTS("--b\rContent-Type: text/html\r\rwords\r\n", ""),
	PARTS("words\r--b\rwords\r\n", ""),
	PARTS("", "\r\n--bx\r\n\r\nwords"),
	PARTS("", "\r\n--b--\r\n--b\r\n\r\nwords"),
	PARTS("", "\r\n--b--\r\nwords\r--b\r\rwords"),
};

static void test_strict(void **state)
{
	static const char nul[] = PARTS("--b\0x\r\nwords\r\n", "");
	g_autoptr(MimeTree) tree = tree_of(nul, sizeof(nul) - 1, NULL);

	(void)state;
	assert_false(mime_is_strict(tree, mime_root(tree)));
	for (guint i = 0; i < G_N_ELEMENTS(strict); i++) {
		g_autoptr(MimeTree) good = tree_of(strict[i], strlen(strict[i]), NULL);

		if (!mime_is_strict(good, mime_root(good)))
			fail_msg("not strict: %s", strict[i]);
	}
	for (guint i = 0; i < G_N_ELEMENTS(ambiguous); i++) {
		g_autoptr(MimeTree) bad = tree_of(ambiguous[i], strlen(ambiguous[i]), NULL);

		if (mime_is_strict(bad, mime_root(bad)))
			fail_msg("strict: %s", ambiguous[i]);
	}
}

static void test_boundary_new(void **state)
{
	g_autofree char *one = mime_boundary_new();
	g_autofree char *two = mime_boundary_new();

	(void)state;
	assert_string_not_equal(one, two);
	assert_true(g_str_has_prefix(one, "=_"));
	assert_int_equal(strlen(one), 34);
	mime_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_ranges_of_nothing),
		cmocka_unit_test(test_ranges_at_chunk_edges),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_filename),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_nul_bytes),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_boundary_new),
	};

	return cmocka_run_group_tests_name("mail mime", tests, NULL, NULL);
}
