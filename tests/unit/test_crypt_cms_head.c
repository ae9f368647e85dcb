/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of CMS heads: structures of OpenSSL's in DER and BER, hand-made hostile ones, and
 * every way of cutting and bending them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/cms.h>

#include "lib/base/error.h"
#include "lib/crypt/cms.h"
#include "tests/unit/x509maker.h"

typedef struct {
	Made *rsa, *ec;
} World;

static int set_up(void **state)
{
	World *world = g_new0(World, 1);

	world->rsa = x509_maker_make(&(MakerOrder){.name = "rsa", .algorithm = "rsa2048"});
	world->ec = x509_maker_make(&(MakerOrder){.name = "ec"});
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	made_free(world->rsa);
	made_free(world->ec);
	g_free(world);
	return 0;
}

static BIO *content_of(gsize size)
{
	g_autofree char *text = g_strnfill(size, 'c');
	BIO *bio = BIO_new(BIO_s_mem());

	BIO_write(bio, text, (int)size);
	return bio;
}

static GBytes *taken(BIO *bio)
{
	char *data;
	long size = BIO_get_mem_data(bio, &data);
	GBytes *bytes = g_bytes_new(data, (gsize)size);

	BIO_free(bio);
	return bytes;
}

/* What OpenSSL writes: BER with indefinite lengths if streamed, else DER. Takes cms. */
static GBytes *written(CMS_ContentInfo *cms, BIO *content, gboolean stream)
{
	BIO *out = BIO_new(BIO_s_mem());

	assert_non_null(cms);
	if (stream) {
		assert_int_equal(i2d_CMS_bio_stream(out, cms, content, CMS_STREAM | CMS_BINARY), 1);
	} else {
		if (content != NULL)
			assert_int_equal(CMS_final(cms, content, NULL, CMS_BINARY), 1);
		assert_int_equal(i2d_CMS_bio(out, cms), 1);
	}
	BIO_free(content);
	CMS_ContentInfo_free(cms);
	return taken(out);
}

static GBytes *enveloped(const World *world, const EVP_CIPHER *cipher, guint flags)
{
	guint all = CMS_BINARY | CMS_PARTIAL | flags;
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, cipher, all);

	assert_non_null(CMS_add1_recipient_cert(cms, world->rsa->x509, flags));
	assert_non_null(CMS_add1_recipient_cert(cms, world->ec->x509, flags));
	assert_non_null(CMS_add1_recipient_cert(cms, world->rsa->x509, flags));
	return written(cms, content_of(100000), (flags & CMS_STREAM) != 0);
}

static CmsHead *head_of(GBytes *cms, GError **error)
{
	g_autoptr(Source) source = source_new_bytes(cms);

	return cms_head_read(source, error);
}

/* DER sorts what is in a set. */
static guint times(const CmsHead *head, const char *id)
{
	guint count = 0;

	for (guint i = 0; i < head->recipients->len; i++)
		count += g_str_equal(g_ptr_array_index(head->recipients, i), id);
	return count;
}

static void test_enveloped(void **state)
{
	const World *world = *state;
	g_autofree char *rsa = cms_recipient_id(world->rsa->cert);
	g_autofree char *ec = cms_recipient_id(world->ec->cert);
	const struct {
		const EVP_CIPHER *cipher;
		guint flags;
		CmsType type;
	} cases[] = {{EVP_aes_256_cbc(), 0, CMS_ENVELOPED},
		     {EVP_aes_128_cbc(), CMS_STREAM, CMS_ENVELOPED},
		     {EVP_aes_256_gcm(), 0, CMS_AUTH_ENVELOPED},
		     {EVP_aes_256_gcm(), CMS_STREAM, CMS_AUTH_ENVELOPED}};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) cms = enveloped(world, cases[i].cipher, cases[i].flags);
		g_autoptr(GError) error = NULL;
		g_autoptr(CmsHead) head = head_of(cms, &error);

		if (head == NULL)
			fail_msg("%u: %s", i, error->message);
		assert_int_equal(head->type, cases[i].type);
		assert_int_equal(head->recipients->len, 3);
		assert_int_equal(times(head, rsa), 2);
		assert_int_equal(times(head, ec), 1);
		assert_false(head->certs_only);
	}
}

static void test_key_ids(void **state)
{
	const World *world = *state;
	g_autoptr(GBytes) cms = enveloped(world, EVP_aes_256_cbc(), CMS_USE_KEYID);
	g_autoptr(CmsHead) head = head_of(cms, NULL);
	const ASN1_OCTET_STRING *ids[] = {X509_get0_subject_key_id(world->rsa->x509),
					  X509_get0_subject_key_id(world->ec->x509)};

	assert_non_null(head);
	for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
		g_autoptr(GString) expected = g_string_new("ski:");

		for (int k = 0; k < ASN1_STRING_length(ids[i]); k++)
			g_string_append_printf(expected, "%02x", ASN1_STRING_get0_data(ids[i])[k]);
		assert_int_equal(times(head, expected->str), i == 0 ? 2 : 1);
	}
}

static void test_password_recipient(void **state)
{
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), CMS_BINARY | CMS_PARTIAL);
	guint8 *password = OPENSSL_memdup("x", 1);

	(void)state;
	assert_non_null(
		CMS_add0_recipient_password(cms, -1, NID_undef, NID_undef, password, 1, NULL));
	g_autoptr(GBytes) bytes = written(cms, content_of(10), FALSE);
	g_autoptr(CmsHead) head = head_of(bytes, NULL);
	assert_non_null(head);
	assert_int_equal(head->recipients->len, 1);
	assert_string_equal(g_ptr_array_index(head->recipients, 0), "other:");
}

static void test_signed(void **state)
{
	const World *world = *state;
	X509 *x509 = world->rsa->x509;
	STACK_OF(X509) *more = sk_X509_new_null();
	const struct {
		guint flags;
		gboolean signer;
		gboolean certs_only;
	} cases[] = {{CMS_BINARY, TRUE, FALSE},
		     {CMS_BINARY | CMS_STREAM, TRUE, FALSE},
		     {CMS_BINARY | CMS_DETACHED, TRUE, FALSE},
		     {CMS_BINARY | CMS_DETACHED, FALSE, TRUE}};

	sk_X509_push(more, world->ec->x509);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		gboolean stream = (cases[i].flags & CMS_STREAM) != 0;
		CMS_ContentInfo *cms = CMS_sign(cases[i].signer ? x509 : NULL,
						cases[i].signer ? world->rsa->pkey : NULL, more,
						NULL, cases[i].flags | CMS_PARTIAL);
		g_autoptr(GBytes) bytes =
			written(cms, cases[i].certs_only ? NULL : content_of(100), stream);
		g_autoptr(CmsHead) head = head_of(bytes, NULL);

		assert_non_null(head);
		assert_int_equal(head->type, CMS_SIGNED);
		assert_int_equal(head->certs_only, cases[i].certs_only);
		assert_int_equal(head->recipients->len, 0);
	}
	sk_X509_free(more);
}

static void test_other_types(void **state)
{
	const struct {
		const char *bytes;
		gsize size;
		CmsType type;
	} cases[] = {
		{"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80\x24\x80", 17,
		 CMS_OTHER},
		{"\x30\x80\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09\xa0\x80\x30\x80", 19,
		 CMS_COMPRESSED},
	};

	(void)state;
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new_static(cases[i].bytes, cases[i].size);
		g_autoptr(CmsHead) head = head_of(bytes, NULL);

		assert_non_null(head);
		assert_int_equal(head->type, cases[i].type);
	}
}

static CmsHead *head_of_text(const char *text, gsize size, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, size);
	g_autoptr(Source) source = source_new_bytes(bytes);

	return cms_head_read_base64(source, error);
}

static void test_base64(void **state)
{
	const World *world = *state;
	g_autoptr(GBytes) cms = enveloped(world, EVP_aes_256_cbc(), CMS_STREAM);
	g_autofree char *text = g_base64_encode(g_bytes_get_data(cms, NULL), g_bytes_get_size(cms));
	const struct {
		guint columns;
		const char *end;
	} cases[] = {{64, "\n"}, {76, "\r\n"}, {76, "\r"}, {1, "\n"}, {200000, ""}, {75, " \r\n"}};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) lines = g_string_new(NULL);
		g_autoptr(CmsHead) head = NULL;

		for (const char *at = text; *at != '\0'; at += MIN(cases[i].columns, strlen(at))) {
			g_string_append_len(lines, at, (gssize)MIN(cases[i].columns, strlen(at)));
			g_string_append(lines, cases[i].end);
			if (lines->len > 20000)
				break; /* the head is well before that */
		}
		head = head_of_text(lines->str, lines->len, NULL);
		assert_non_null(head);
		assert_int_equal(head->recipients->len, 3);
	}
	assert_null(head_of_text("", 0, NULL));
	assert_null(head_of_text("Hello, this is text", 19, NULL));
}

static void assert_malformed(const void *data, gsize size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	g_autoptr(GError) error = NULL;

	assert_null(head_of(bytes, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_MALFORMED));
}

#define ENVELOPED "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80\x30\x80\x02\x01\x00"

static void test_hostile(void **state)
{
	const struct {
		const char *bytes;
		gsize size;
	} cases[] = {
		{"", 0},
		{"\x30", 1},
		{"\x30\x80", 2},
		{"\x30\x80\x00\x00", 4},
		{"\x31\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 13},
		{"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 13}, /* no content */
		{"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x63", 13}, /* unknown type */
		{"\x30\x80\x06\x88\xff\xff\xff\xff\xff\xff\xff\xff", 12},
		{"\x30\x80\x06\x89\xff\xff\xff\xff\xff\xff\xff\xff\xff", 13},
		{"\x30\x05\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 13}, /* longer than it */
		{"\x30\x80\x06\x80\x2a\x00\x00", 7}, /* primitive of indefinite length */
		{ENVELOPED "\x3f\x81\x01\x00", sizeof ENVELOPED + 3},
		{ENVELOPED "\x31\x80\x02\x01\x00", sizeof ENVELOPED + 4},
		{ENVELOPED "\x31\x80\xa9\x00", sizeof ENVELOPED + 3},
		{ENVELOPED "\x31\x80\x30\x80\x02\x01\x00\x00\x00", sizeof ENVELOPED + 8},
		{ENVELOPED "\x31\x80\x30\x80\x02\x01\x00\x80\x84\x7f\xff\xff\xff",
		 sizeof ENVELOPED + 12},
		{ENVELOPED "\x00\x00", sizeof ENVELOPED + 1},
	};

	(void)state;
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_malformed(cases[i].bytes, cases[i].size);
}

/* Nesting without end in what is skipped. */
static void test_deep(void **state)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	(void)state;
	g_byte_array_append(bytes, (const guint8 *)ENVELOPED, sizeof ENVELOPED - 1);
	for (guint i = 0; i < 100000; i++)
		g_byte_array_append(bytes, (const guint8 *)"\xa0\x80", 2);
	assert_malformed(bytes->data, bytes->len);
}

static gssize read_zeros(void *self, void *buffer, gsize size, GError **error)
{
	guint64 *count = self;

	(void)error;
	memset(buffer, 0, size);
	if (*count == 0)
		memcpy(buffer, ENVELOPED "\xa0\x88\x0f\xff\xff\xff\xff\xff\xff\xff", 30);
	*count += size;
	return (gssize)size;
}

static const SourceClass zeros_class = {.read = read_zeros};

/* An endless input is read up to the limit and no further; so is one with endless recipients. */
static void test_endless(void **state)
{
	guint64 count = 0;
	g_autoptr(Source) source = source_new(&zeros_class, &count);
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) many = NULL;
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	(void)state;
	assert_null(cms_head_read(source, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE));
	assert_true(count <= 1024 * 1024 + 4096);
	g_byte_array_append(bytes, (const guint8 *)ENVELOPED "\x31\x80", sizeof ENVELOPED + 1);
	for (guint i = 0; i < 20000; i++)
		g_byte_array_append(bytes, (const guint8 *)"\xa3\x00", 2);
	g_autoptr(GBytes) all = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
	assert_null(head_of(all, &many));
	assert_true(g_error_matches(many, SEALPOST_ERROR, ERROR_TOO_LARGE));
}

/* Cut at each place: an error. Each byte changed: an error or some answer, and no crash. */
static void test_cut_and_bent(void **state)
{
	const World *world = *state;
	const guint flags[] = {0, CMS_STREAM};

	for (guint i = 0; i < G_N_ELEMENTS(flags); i++) {
		g_autoptr(GBytes) cms = enveloped(world, EVP_aes_256_cbc(), flags[i]);
		gsize size = 1400;
		g_autofree guint8 *data = g_memdup2(g_bytes_get_data(cms, NULL), size);

		for (gsize cut = 0; cut < 800; cut++)
			assert_malformed(data, cut);
		for (gsize at = 0; at < size; at++) {
			g_autoptr(GBytes) bent = NULL;
			g_autoptr(GError) error = NULL;
			g_autoptr(CmsHead) head = NULL;
			guint8 kept = data[at];

			data[at] ^= (guint8)(1 + at * 7);
			bent = g_bytes_new(data, size);
			head = head_of(bent, &error);
			assert_true((head == NULL) == (error != NULL));
			data[at] = kept;
		}
	}
}

static gssize read_nothing(void *self, void *buffer, gsize size, GError **error)
{
	(void)self;
	(void)buffer;
	(void)size;
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_IO, "as ordered");
	return -1;
}

static const SourceClass broken_class = {.read = read_nothing};

/* "Cannot read" is not "no CMS". */
static void test_broken_source(void **state)
{
	g_autoptr(Source) source = source_new(&broken_class, NULL);
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_null(cms_head_read(source, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_IO));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enveloped),
		cmocka_unit_test(test_key_ids),
		cmocka_unit_test(test_password_recipient),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_cut_and_bent),
		cmocka_unit_test(test_broken_source),
	};

	return cmocka_run_group_tests_name("cms_head", tests, set_up, tear_down);
}
