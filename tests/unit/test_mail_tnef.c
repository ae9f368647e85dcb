/* SPDX-License-Identifier: Apache-2.0
 *
 * winmail.dat: its message's class and attachment, and what is cut, too long or not what it seems.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mail/tnef.h"

#define CLASS 0x00078008
#define BEGINS 0x00069002
#define DATA 0x0006800f
#define TITLE 0x00018010

static void append_number(GByteArray *file, guint32 value)
{
	const guint8 bytes[] = {(guint8)value, (guint8)(value >> 8), (guint8)(value >> 16),
				(guint8)(value >> 24)};

	g_byte_array_append(file, bytes, sizeof bytes);
}

static void append(GByteArray *file, guint8 level, guint32 id, const char *data, gsize size)
{
	guint16 sum = 0;

	g_byte_array_append(file, &level, 1);
	append_number(file, id);
	append_number(file, (guint32)size);
	g_byte_array_append(file, (const guint8 *)data, (guint)size);
	for (gsize i = 0; i < size; i++)
		sum = (guint16)(sum + (guint8)data[i]);
	g_byte_array_append(file, (const guint8[]){(guint8)sum, (guint8)(sum >> 8)}, 2);
}

static GByteArray *begin(void)
{
	GByteArray *file = g_byte_array_new();

	append_number(file, 0x223e9f78);
	g_byte_array_append(file, (const guint8 *)"\1", 2);
	append(file, 1, 0x00089006, "\0\0\1", 4);
	append(file, 1, 0x00069007, "\xe4\4\0\0\0\0\0", 8);
	return file;
}

static void add_attachment(GByteArray *file, const char *data)
{
	append(file, 2, BEGINS, "\1\0\xff\xff\xff\xff\0\0\0\0\0\0\0", 14);
	append(file, 2, TITLE, "smime.p7m", 10);
	append(file, 2, DATA, data, strlen(data));
}

static gboolean read_bytes(const guint8 *bytes, gsize size, Tnef *tnef)
{
	g_autoptr(Spool) file = spool_new(NULL, G_MAXINT32);

	assert_true(spool_append(file, bytes, size, NULL));
	return tnef_read(file, tnef);
}

static void test_classes(void **state)
{
	static const struct {
		const char *class, *read;
		gboolean smime;
	} cases[] = {
		{"IPM.Note.SMIME", NULL, TRUE},
		{"IPM.Note.SMIME.MultipartSigned", NULL, TRUE},
		{"ipm.note.smime", NULL, TRUE},
		{"IPM.Custom.SMIME", NULL, TRUE},
		{"IPM.Microsoft Mail.Note", NULL, FALSE},
		{"IPM.Note", NULL, FALSE},
		{"IPM.Note.SMIMETIC", NULL, FALSE},
		{"SMIME", NULL, FALSE},
		{"", "", FALSE},
		{"IPM.Note.SMIME\n", "", FALSE},
		{"IPM.N\xc3\xb6te.SMIME", "", FALSE},
		{"IPM.Note.0123456789.0123456789.0123456789.0123456789.01234567.SMIME",
		 "IPM.Note.0123456789.0123456789.0123456789.0123456789.0123456", FALSE},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GByteArray) file = begin();
		const char *class = cases[i].class;
		Tnef tnef;

		append(file, 1, CLASS, class, strlen(class) + (i % 2));
		assert_true(read_bytes(file->data, file->len, &tnef));
		assert_string_equal(tnef.class, cases[i].read ? cases[i].read : class);
		assert_true(tnef_claims_smime(&tnef) == cases[i].smime);
		assert_int_equal(tnef.attachments, 0);
		assert_true(tnef.data.start == tnef.data.end);
	}
}

static void test_attachments(void **state)
{
	g_autoptr(GByteArray) file = begin();
	Tnef tnef;

	(void)state;
	append(file, 1, CLASS, "IPM.Note.SMIME", 15);
	/* of the message, not of an attachment */
	append(file, 1, BEGINS, "x", 1);
	append(file, 1, DATA, "other", 5);
	add_attachment(file, "content");
	append(file, 2, CLASS, "IPM.Note", 9);
	assert_true(read_bytes(file->data, file->len, &tnef));
	assert_string_equal(tnef.class, "IPM.Note.SMIME");
	assert_int_equal(tnef.attachments, 1);
	assert_int_equal(tnef.data.end - tnef.data.start, 7);
	assert_memory_equal(file->data + tnef.data.start, "content", 7);
	add_attachment(file, "more");
	assert_true(read_bytes(file->data, file->len, &tnef));
	assert_int_equal(tnef.attachments, 2);
	assert_memory_equal(file->data + tnef.data.start, "more", 4);
}

/* What comes before the end counts; nothing is read from behind it. */
static void test_cut(void **state)
{
	g_autoptr(GByteArray) file = begin();
	gsize classed, whole;
	Tnef tnef;

	(void)state;
	append(file, 1, CLASS, "IPM.Note.SMIME", 15);
	classed = file->len;
	add_attachment(file, "content");
	whole = file->len;
	g_byte_array_append(file, (const guint8 *)"garbage behind it", 17);
	for (gsize size = 0; size <= file->len; size++) {
		gboolean read = read_bytes(file->data, size, &tnef);

		assert_true(read == (size >= 6));
		assert_true(tnef_claims_smime(&tnef) == (size >= classed));
		assert_true((tnef.data.end > tnef.data.start) == (size >= whole));
		assert_true(tnef.data.end <= (goffset)size);
	}
}

static void test_malformed(void **state)
{
	Tnef tnef;

	(void)state;
	assert_false(read_bytes((const guint8 *)"PK\3\4aa", 6, &tnef));
	assert_false(read_bytes((const guint8 *)"\x22\x3e\x9f\x78\0\0", 6, &tnef));
	for (guint level = 0; level < 256; level++) {
		g_autoptr(GByteArray) file = begin();

		append(file, (guint8)level, TITLE, "", 0);
		append(file, 1, CLASS, "IPM.Note.SMIME", 15);
		assert_true(read_bytes(file->data, file->len, &tnef));
		assert_true(tnef_claims_smime(&tnef) == (level == 1 || level == 2));
	}
	for (guint32 size = 0xffffff00; size != 0; size++) {
		g_autoptr(GByteArray) file = begin();

		g_byte_array_append(file, (const guint8 *)"\2", 1);
		append_number(file, DATA);
		append_number(file, size);
		g_byte_array_append(file, (const guint8 *)"data", 4);
		assert_true(read_bytes(file->data, file->len, &tnef));
		assert_true(tnef.data.start == tnef.data.end);
	}
}

static void test_many(void **state)
{
	g_autoptr(GByteArray) file = begin();
	Tnef tnef;

	(void)state;
	for (guint i = 0; i < TNEF_ATTRIBUTES_MAX; i++)
		append(file, 2, BEGINS, "", 0);
	append(file, 1, CLASS, "IPM.Note.SMIME", 15);
	assert_true(read_bytes(file->data, file->len, &tnef));
	assert_string_equal(tnef.class, "");
	assert_int_equal(tnef.attachments, TNEF_ATTRIBUTES_MAX - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes), cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_cut),	cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
