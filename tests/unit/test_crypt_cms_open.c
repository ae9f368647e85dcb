/* SPDX-License-Identifier: Apache-2.0
 *
 * Mail that comes in, encrypted and signed by other programs (openssl, gpgsm): opened, verified,
 * and bent in every way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "lib/base/error.h"
#include "lib/crypt/cms.h"
#include "lib/crypt/cms_open.h"
#include "lib/crypt/cms_shell.h"
#include "lib/crypt/cms_verify.h"
#include "tests/unit/pgpmaker.h"
#include "tests/unit/x509maker.h"

#define LIMIT (100 * 1024 * 1024)
#define LARGE (30 * 1024 * 1024)

typedef struct {
	PgpMaker *maker;
	Made *root, *sofia, *erika, *alice, *old, *web, *short_key, *stranger;
	GPtrArray *roots, *revoked;
	TrustStore *store;
} World;

static void keep(World *world, const char *name, const Made *made)
{
	g_autofree char *cert_name = g_strconcat(name, ".pem", NULL);
	g_autofree char *key_name = g_strconcat(name, ".key", NULL);
	g_autofree char *pem = cert_pem(made->cert);
	g_autoptr(GBytes) cert = g_bytes_new(pem, strlen(pem));
	g_autoptr(GBytes) key = made_key_pem(made);

	g_free(pgp_maker_file(world->maker, cert_name, cert));
	g_free(pgp_maker_file(world->maker, key_name, key));
}

static int set_up(void **state)
{
	World *world = g_new0(World, 1);
	g_autofree char *text = g_strnfill(50000, 't');

	world->maker = pgp_maker_new();
	world->root = x509_maker_make(&(MakerOrder){.name = "root", .ca = TRUE});
	world->sofia = x509_maker_make(
		&(MakerOrder){.name = "sofia", .issuer = world->root, .algorithm = "rsa2048"});
	world->erika = x509_maker_make(&(MakerOrder){.name = "erika", .issuer = world->root});
	world->alice = x509_maker_make(
		&(MakerOrder){.name = "alice", .issuer = world->root, .algorithm = "rsa2048"});
	world->old = x509_maker_make(
		&(MakerOrder){.name = "old", .issuer = world->root, .from = -9, .to = -1});
	world->web = x509_maker_make(
		&(MakerOrder){.name = "web", .issuer = world->root, .extended = "serverAuth"});
	world->short_key = x509_maker_make(
		&(MakerOrder){.name = "short", .issuer = world->root, .algorithm = "rsa1024"});
	world->stranger = x509_maker_make(&(MakerOrder){.name = "stranger"});
	world->roots = g_ptr_array_new();
	g_ptr_array_add(world->roots, world->root->cert);
	world->store = trust_store_new(world->roots, NULL, NULL);
	keep(world, "root", world->root);
	keep(world, "sofia", world->sofia);
	keep(world, "erika", world->erika);
	keep(world, "alice", world->alice);
	keep(world, "old", world->old);
	keep(world, "web", world->web);
	keep(world, "short", world->short_key);
	keep(world, "stranger", world->stranger);
	memcpy(text, "Subject: x\r\n\r\n", 14);
	g_autoptr(GBytes) plain = g_bytes_new(text, 50000);
	g_autoptr(GBytes) lines = g_bytes_new_static("one\ntwo\n", 8);
	g_autoptr(GBytes) crlf = g_bytes_new_static("one\r\ntwo\r\n", 10);
	g_free(pgp_maker_file(world->maker, "plain", plain));
	g_free(pgp_maker_file(world->maker, "lf", lines));
	g_free(pgp_maker_file(world->maker, "crlf", crlf));
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	pgp_maker_free(world->maker);
	made_free(world->root);
	made_free(world->sofia);
	made_free(world->erika);
	made_free(world->alice);
	made_free(world->old);
	made_free(world->web);
	made_free(world->short_key);
	made_free(world->stranger);
	g_ptr_array_unref(world->roots);
	trust_store_unref(world->store);
	g_free(world);
	return 0;
}

/* What a command line in the folder writes. */
static GBytes *written_by(const World *world, const char *command)
{
	g_autofree char *line = g_strdup_printf("cd %s && %s", world->maker->folder, command);
	const char *const argv[] = {"sh", "-c", line, NULL};
	GBytes *output = NULL;

	if (pgp_maker_run(argv, NULL, &output) != 0)
		fail_msg("%s", command);
	return output;
}

static CmsOpened *open_with(const Made *made, GBytes *cms, GByteArray *out, GError **error)
{
	g_autoptr(Source) source = source_new_bytes(cms);
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	CmsKey key = {made->cert, made->key};
	CmsOpened *opened = cms_open(source, FALSE, &key, sink, error);

	assert_int_equal(ERR_peek_error(), 0);
	return opened;
}

#define ENCRYPT "openssl cms -encrypt -binary -outform DER -in plain "

/* The tag, which stands before six zeros, cut to so many bytes, and another length announced for it. */
#define GCM_TAG(bytes, announced)                                                                  \
	ENCRYPT "-aes-256-gcm -stream -out gcm sofia.pem; "                                        \
		"python3 -c \"import sys; d = open('gcm', 'rb').read(); "                          \
		"d = d.replace(bytes([2, 1, 16, 160]), bytes([2, 1, " announced ", 160]), 1); "    \
		"sys.stdout.buffer.write(d[:-24] + bytes([4, " bytes "]) + d[-22:][:" bytes "] "   \
		"+ bytes(6))\""

typedef struct {
	const char *command;
	const char *algorithm;
	gboolean erika, weak, protected;
} OpenCase;

static const OpenCase open_cases[] = {
	{ENCRYPT "-aes-256-cbc sofia.pem", "AES-256-CBC"},
	{ENCRYPT "-aes-192-cbc sofia.pem", "AES-192-CBC"},
	{ENCRYPT "-aes-128-cbc -stream sofia.pem", "AES-128-CBC"},
	{ENCRYPT "-des3 sofia.pem", "DES-EDE3-CBC", .weak = TRUE},
	{ENCRYPT "-aes-256-gcm sofia.pem", "AES-256-GCM", .protected = TRUE},
	{ENCRYPT "-aes-128-gcm -stream sofia.pem", "AES-128-GCM", .protected = TRUE},
	{GCM_TAG("12", "12"), "AES-256-GCM", .protected = TRUE},
	{ENCRYPT "-aes256 -keyid sofia.pem", "AES-256-CBC"},
	{ENCRYPT "-aes256 -recip sofia.pem -keyopt rsa_padding_mode:oaep", "AES-256-CBC"},
	{ENCRYPT "-aes256 -recip sofia.pem -keyopt rsa_padding_mode:oaep "
		 "-keyopt rsa_oaep_md:sha256",
	 "AES-256-CBC"},
	{ENCRYPT "-aes256 erika.pem", "AES-256-CBC", .erika = TRUE},
	{ENCRYPT "-aes-128-gcm -keyid -stream erika.pem", "AES-128-GCM", .erika = TRUE,
	 .protected = TRUE},
	{ENCRYPT "-aes256 -recip erika.pem -keyopt ecdh_kdf_md:sha256", "AES-256-CBC",
	 .erika = TRUE},
	{ENCRYPT "-aes256 alice.pem sofia.pem erika.pem", "AES-256-CBC"},
	{ENCRYPT "-aes256 alice.pem sofia.pem erika.pem", "AES-256-CBC", .erika = TRUE},
	{"for i in 1 2 3 4 5; do gpgconf --homedir maker --launch gpg-agent && break; done; "
	 "gpgsm --homedir maker --batch -q --disable-crl-checks --import sofia.pem root.pem "
	 "2>/dev/null; "
	 "echo $(openssl x509 -in root.pem -noout -fingerprint -sha1 | sed 's/.*=//') S relax "
	 "> maker/trustlist.txt; gpgsm --homedir maker --batch --disable-crl-checks "
	 "--encrypt -r 'CN=sofia' < plain",
	 "AES-128-CBC"},
};

static void test_open(void **state)
{
	const World *world = *state;
	g_autoptr(GBytes) plain = written_by(world, "cat plain");
	g_autofree char *sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, plain);

	for (guint i = 0; i < G_N_ELEMENTS(open_cases); i++) {
		const OpenCase *c = &open_cases[i];
		g_autoptr(GBytes) cms = written_by(world, c->command);
		g_autoptr(GByteArray) out = g_byte_array_new();
		g_autoptr(CmsOpened) opened =
			open_with(c->erika ? world->erika : world->sofia, cms, out, NULL);

		if (opened == NULL || opened->result != CMS_OPENED)
			fail_msg("%s: %d", c->command, opened ? (int)opened->result : -1);
		assert_string_equal(opened->algorithm, c->algorithm);
		assert_string_equal(opened->sha256, sha256);
		assert_int_equal(opened->weak, c->weak);
		assert_int_equal(opened->protected, c->protected);
		assert_int_equal(out->len, g_bytes_get_size(plain));
		assert_memory_equal(out->data, g_bytes_get_data(plain, NULL), out->len);
	}
}

static void test_shut(void **state)
{
	const World *world = *state;
	const struct {
		const char *command;
		CmsOpenResult result;
	} cases[] = {
		{ENCRYPT "-aes256 alice.pem", CMS_NO_KEY},
		{ENCRYPT "-aes256 erika.pem", CMS_NO_KEY},
		{ENCRYPT "-aes256 -pwri_password x", CMS_NO_KEY},
		{ENCRYPT "-camellia256 sofia.pem", CMS_UNSUPPORTED},
		{"openssl cms -sign -binary -nodetach -signer alice.pem -inkey alice.key "
		 "-outform DER -in plain",
		 CMS_UNSUPPORTED},
		{"openssl cms -data_create -in plain -outform DER", CMS_UNSUPPORTED},
		{"cat plain", CMS_DAMAGED},
		{"true", CMS_DAMAGED},
		{ENCRYPT "-aes256 sofia.pem | head -c 20000", CMS_DAMAGED},
		{ENCRYPT "-aes-256-gcm -stream sofia.pem | head -c 20000", CMS_DAMAGED},
		{ENCRYPT "-aes256 -stream sofia.pem | head -c -1", CMS_DAMAGED},
		{ENCRYPT "-aes256 sofia.pem -keyid | head -c 400", CMS_DAMAGED},
		/* too short to be no guess, or not as long as it says */
		{GCM_TAG("8", "8"), CMS_DAMAGED},
		{GCM_TAG("1", "1"), CMS_DAMAGED},
		{GCM_TAG("12", "16"), CMS_DAMAGED},
		{GCM_TAG("16", "12"), CMS_DAMAGED},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) cms = written_by(world, cases[i].command);
		g_autoptr(GByteArray) out = g_byte_array_new();
		g_autoptr(CmsOpened) opened = open_with(world->sofia, cms, out, NULL);

		assert_non_null(opened);
		if (opened->result != cases[i].result)
			fail_msg("%s: %d", cases[i].command, (int)opened->result);
		assert_null(opened->sha256);
	}
}

/* GCM: no byte of the structure can change what comes out. (CBC has no such promise.) */
static void test_bent(void **state)
{
	const World *world = *state;
	const char *const commands[] = {"printf 'short text' | openssl cms -encrypt -binary "
					"-outform DER -aes-256-gcm erika.pem",
					"printf 'short text' | openssl cms -encrypt -binary "
					"-outform DER -aes256 erika.pem"};

	for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autoptr(GBytes) cms = written_by(world, commands[i]);
		gsize size = g_bytes_get_size(cms);
		g_autofree guint8 *data = g_memdup2(g_bytes_get_data(cms, NULL), size);

		for (gsize at = 0; at < size; at++) {
			g_autoptr(GByteArray) out = g_byte_array_new();
			g_autoptr(GBytes) bent = NULL;
			g_autoptr(CmsOpened) opened = NULL;

			data[at] ^= (guint8)(1 << (at % 8));
			bent = g_bytes_new(data, size);
			opened = open_with(world->erika, bent, out, NULL);
			assert_non_null(opened);
			if (i == 0 && opened->result == CMS_OPENED &&
			    (out->len != 10 || memcmp(out->data, "short text", 10) != 0))
				fail_msg("byte %zu", at);
			data[at] ^= (guint8)(1 << (at % 8));
		}
	}
}

/* The cipher's identifier replaced: an authenticating one where no tag is, and the other way. */
static void test_cipher_out_of_place(void **state)
{
	const World *world = *state;
	const struct {
		const char *command;
		const char *from, *to;
	} cases[] = {
		{ENCRYPT "-aes256 sofia.pem", "\x60\x86\x48\x01\x65\x03\x04\x01\x2a",
		 "\x60\x86\x48\x01\x65\x03\x04\x01\x2e"},
		{ENCRYPT "-aes-256-gcm sofia.pem", "\x60\x86\x48\x01\x65\x03\x04\x01\x2e",
		 "\x60\x86\x48\x01\x65\x03\x04\x01\x2a"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) cms = written_by(world, cases[i].command);
		gsize size = g_bytes_get_size(cms);
		g_autofree guint8 *data = g_memdup2(g_bytes_get_data(cms, NULL), size);
		guint8 *oid = memmem(data, size, cases[i].from, 9);
		g_autoptr(GByteArray) out = g_byte_array_new();
		g_autoptr(GBytes) bent = NULL;
		g_autoptr(CmsOpened) opened = NULL;

		assert_non_null(oid);
		memcpy(oid, cases[i].to, 9);
		bent = g_bytes_new(data, size);
		opened = open_with(world->sofia, bent, out, NULL);
		assert_int_equal(opened->result, CMS_NO_INTEGRITY);
		assert_int_equal(out->len, 0);
	}
}

static void test_open_limits(void **state)
{
	const World *world = *state;
	g_autoptr(GBytes) cms = written_by(world, ENCRYPT "-aes256 sofia.pem");
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Source) source = source_new_bytes(cms);
	g_autoptr(Sink) sink = sink_new_bytes(out, 20000);
	g_autoptr(GError) error = NULL;
	CmsKey key = {world->sofia->cert, world->sofia->key};

	/* That the spool is full is not the sender's fault. */
	assert_null(cms_open(source, FALSE, &key, sink, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE));
}

/* Elements of indefinite length without anything in them grow what is kept of a structure, too. */
static void test_empty_elements(void **state)
{
	static const guint8 begin[] = {0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
				       0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x80, 0x30,
				       0x80, 0x02, 0x01, 0x01, 0x31, 0x80};
	static const guint8 empty[] = {0x30, 0x80, 0, 0};
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(GError) error = NULL;

	(void)state;
	g_byte_array_append(bytes, begin, sizeof begin);
	while (bytes->len < 2 * CMS_SHELL_MAX)
		g_byte_array_append(bytes, empty, sizeof empty);
	g_autoptr(GBytes) cms = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
	g_autoptr(Source) source = source_new_bytes(cms);
	g_autoptr(BerReader) reader = ber_reader_new(source, FALSE, G_MAXINT64);
	assert_null(cms_shell_read(reader, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE));
}

static void test_recipient_is(void **state)
{
	const World *world = *state;
	const char *const commands[] = {ENCRYPT "-aes256 sofia.pem",
					ENCRYPT "-aes256 -keyid sofia.pem"};

	for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autoptr(GBytes) cms = written_by(world, commands[i]);
		g_autoptr(Source) source = source_new_bytes(cms);
		g_autoptr(CmsHead) head = cms_head_read(source, NULL);

		assert_true(cms_recipient_is(g_ptr_array_index(head->recipients, 0),
					     world->sofia->cert));
		assert_false(cms_recipient_is(g_ptr_array_index(head->recipients, 0),
					      world->alice->cert));
	}
}

static long resident_kilobytes(void)
{
	g_autofree char *text = NULL;
	const char *second;

	assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
	second = strchr(text, ' ');
	return (long)g_ascii_strtoull(second, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Counts what comes, and how much memory is in use meanwhile. */
typedef struct {
	gsize count;
	long most;
} Counter;

static gboolean count(void *self, const void *data, gsize size, GError **error)
{
	Counter *counter = self;

	(void)data;
	(void)error;
	if ((counter->count >> 20) != ((counter->count + size) >> 20))
		counter->most = MAX(counter->most, resident_kilobytes());
	counter->count += size;
	return TRUE;
}

static const SinkClass counter_class = {.write = count};

static void test_large(void **state)
{
	const World *world = *state;
	const char *const commands[] = {
		"head -c 30M /dev/zero | openssl cms -encrypt -binary -stream -outform DER -aes256 "
		"sofia.pem",
		"head -c 30M /dev/zero | openssl cms -encrypt -binary -stream -outform DER "
		"-aes-256-gcm sofia.pem",
		"head -c 30M /dev/zero | openssl cms -sign -binary -nodetach -stream -outform DER "
		"-signer alice.pem -inkey alice.key"};

	for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autoptr(GBytes) cms = written_by(world, commands[i]);
		g_autoptr(Source) source = source_new_bytes(cms);
		Counter counter = {0};
		g_autoptr(Sink) sink = sink_new(&counter_class, &counter);
		CmsKey key = {world->sofia->cert, world->sofia->key};
		CmsTrust trust = {world->store, NULL, g_get_real_time() / G_USEC_PER_SEC};
		long before = resident_kilobytes();

		if (i < 2) {
			g_autoptr(CmsOpened) opened = cms_open(source, FALSE, &key, sink, NULL);
			assert_int_equal(opened->result, CMS_OPENED);
		} else {
			g_autoptr(CmsVerified) verified =
				cms_verify_opaque(source, FALSE, sink, &trust, NULL);
			assert_int_equal(verified->signatures->len, 1);
		}
		assert_int_equal(counter.count, LARGE);
		assert_true(counter.most > 0);
#ifndef __SANITIZE_ADDRESS__
		assert_true(counter.most - before < 4096);
#else
		(void)before;
#endif
	}
}

#define SIGN "openssl cms -sign -binary -outform DER -in crlf "

/* A SET with a SEQUENCE in it, as signed attributes are, and a text that begins like one. */
#define ATTRIBUTES                                                                                 \
	"printf '1\\202\\1\\64\\060\\202\\1\\60' >set; head -c 304 /dev/zero >>set; (cat set; "    \
	"echo) >text; "
#define SIGN_ATTRIBUTES                                                                            \
	ATTRIBUTES "openssl cms -sign -binary -outform DER -signer alice.pem -inkey alice.key "

typedef struct {
	const char *signature, *content;
	const char *results; /* joined by commas */
} VerifyCase;

static const VerifyCase verify_cases[] = {
	{SIGN "-signer alice.pem -inkey alice.key", "cat crlf", "good"},
	{SIGN "-signer alice.pem -inkey alice.key -stream", "cat crlf", "good"},
	{SIGN "-signer alice.pem -inkey alice.key -noattr", "cat crlf", "good"},
	{SIGN "-signer alice.pem -inkey alice.key -keyid", "cat crlf", "good"},
	{SIGN "-signer alice.pem -inkey alice.key -md sha512", "cat crlf", "good"},
	{SIGN "-signer alice.pem -inkey alice.key -keyopt rsa_padding_mode:pss", "cat crlf",
	 "good"},
	{SIGN "-signer erika.pem -inkey erika.key", "cat crlf", "good"},
	{SIGN "-signer alice.pem -inkey alice.key -nodetach", "cat crlf", "good"},
	{SIGN "-signer alice.pem -inkey alice.key -signer erika.pem -inkey erika.key", "cat crlf",
	 "good,good"},
	/* as it stands, with CRLF, and otherwise */
	{SIGN "-signer alice.pem -inkey alice.key", "cat lf", "good"},
	{SIGN "-signer alice.pem -inkey alice.key -in lf", "cat lf", "good"},
	{SIGN "-signer alice.pem -inkey alice.key -in lf", "cat crlf", "bad"},
	{SIGN "-signer alice.pem -inkey alice.key", "printf 'one\\r\\ntwo!\\r\\n'", "bad"},
	{SIGN "-signer alice.pem -inkey alice.key", "true", "bad"},
	/* a content inside that is another one */
	{SIGN "-signer alice.pem -inkey alice.key -nodetach", "cat plain", "bad"},
	{SIGN "-signer alice.pem -inkey alice.key -nodetach -in lf", "cat lf", "good"},
	{SIGN "-signer alice.pem -inkey alice.key -md sha1", "cat crlf", "weak"},
	{SIGN "-signer alice.pem -inkey alice.key -md md5", "cat crlf", "weak"},
	{SIGN "-signer short.pem -inkey short.key", "cat crlf", "weak"},
	{SIGN "-signer stranger.pem -inkey stranger.key", "cat crlf", "untrusted"},
	{SIGN "-signer old.pem -inkey old.key", "cat crlf", "expired"},
	{SIGN "-signer web.pem -inkey web.key", "cat crlf", "wrong-usage"},
	{SIGN "-signer alice.pem -inkey alice.key -nocerts", "cat crlf", "no-key"},
	{"openssl crl2pkcs7 -nocrl -certfile alice.pem -outform DER", "cat crlf", ""},
	/* attributes that were signed are no content that was */
	{SIGN_ATTRIBUTES "-in set -noattr", "cat set", "bad"},
	{SIGN_ATTRIBUTES "-in text -noattr", "cat text", "good"},
	{SIGN_ATTRIBUTES "-in set", "cat set", "good"},
	/* signed as a content of another type than it is given out for */
	{SIGN "-signer alice.pem -inkey alice.key -econtent_type 1.2.840.113549.1.7.9", "cat crlf",
	 "good"},
	{SIGN "-signer alice.pem -inkey alice.key -econtent_type 1.2.840.113549.1.7.9 -out one; "
	      "python3 -c \"import sys; d = open('one', 'rb').read(); "
	      "oid = bytes([42, 134, 72, 134, 247, 13, 1, 7]); "
	      "sys.stdout.buffer.write(d.replace(oid + bytes([9]), oid + bytes([1]), 1))\"",
	 "cat crlf", "bad"},
	/* one of two signers lies */
	{SIGN
	 "-signer erika.pem -inkey erika.key -out one; openssl cms -resign -inform DER -in one "
	 "-signer alice.pem -inkey alice.key -binary -outform DER -out two; "
	 "python3 -c \"d=bytearray(open('two','rb').read()); d[-1]^=1; "
	 "open('two','wb').write(d)\"; cat two",
	 "cat crlf", "bad,bad"},
};

static char *results_of(const CmsVerified *verified)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < verified->signatures->len; i++) {
		const CmsSignature *signature = g_ptr_array_index(verified->signatures, i);

		g_string_append_printf(text, "%s%s", i > 0 ? "," : "",
				       cms_signature_result_name(signature->result));
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_verify(void **state)
{
	const World *world = *state;
	CmsTrust trust = {world->store, NULL, g_get_real_time() / G_USEC_PER_SEC};

	for (guint i = 0; i < G_N_ELEMENTS(verify_cases); i++) {
		const VerifyCase *c = &verify_cases[i];
		g_autoptr(GBytes) cms = written_by(world, c->signature);
		g_autoptr(GBytes) content = written_by(world, c->content);
		g_autoptr(Source) signature = source_new_bytes(cms);
		g_autoptr(Source) source = source_new_bytes(content);
		g_autoptr(GError) error = NULL;
		g_autoptr(CmsVerified) verified =
			cms_verify_detached(signature, FALSE, source, &trust, &error);
		g_autofree char *results = NULL;

		if (verified == NULL)
			fail_msg("%s: %s", c->signature, error->message);
		results = results_of(verified);
		if (!g_str_equal(results, c->results))
			fail_msg("%s | %s: %s", c->signature, c->content, results);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static void test_known_certs(void **state)
{
	const World *world = *state;
	g_autoptr(GPtrArray) known = g_ptr_array_new();
	CmsTrust trust = {world->store, known, g_get_real_time() / G_USEC_PER_SEC};
	g_autoptr(GBytes) cms =
		written_by(world, SIGN "-signer alice.pem -inkey alice.key -nocerts");
	g_autoptr(GBytes) content = written_by(world, "cat crlf");
	g_autoptr(Source) signature = source_new_bytes(cms);
	g_autoptr(Source) source = source_new_bytes(content);
	g_autoptr(CmsVerified) verified = NULL;
	const CmsSignature *first;

	g_ptr_array_add(known, world->erika->cert);
	g_ptr_array_add(known, world->alice->cert);
	verified = cms_verify_detached(signature, FALSE, source, &trust, NULL);
	assert_int_equal(verified->signatures->len, 1);
	first = g_ptr_array_index(verified->signatures, 0);
	assert_int_equal(first->result, CMS_SIGNATURE_GOOD);
	assert_string_equal(cert_fingerprint(first->signer), cert_fingerprint(world->alice->cert));
	assert_true(ABS(first->signing_time - trust.now) < 600);
	assert_int_equal(verified->certs->len, 0);
}

static void test_revoked(void **state)
{
	const World *world = *state;
	g_autoptr(GPtrArray) crls = g_ptr_array_new_with_free_func((GDestroyNotify)crl_unref);
	g_autoptr(TrustStore) store = NULL;
	g_autoptr(GBytes) cms = written_by(world, SIGN "-signer alice.pem -inkey alice.key");
	g_autoptr(GBytes) content = written_by(world, "cat crlf");
	g_autoptr(Source) signature = source_new_bytes(cms);
	g_autoptr(Source) source = source_new_bytes(content);
	g_autoptr(CmsVerified) verified = NULL;
	g_autofree char *results = NULL;

	g_ptr_array_add(crls, x509_maker_crl(world->root, world->alice));
	store = trust_store_new(world->roots, crls, NULL);
	CmsTrust trust = {store, NULL, g_get_real_time() / G_USEC_PER_SEC};
	verified = cms_verify_detached(signature, FALSE, source, &trust, NULL);
	results = results_of(verified);
	assert_string_equal(results, "revoked");
}

/* Our own output is what our incoming side reads: capabilities, too. */
static void test_ours(void **state)
{
	const World *world = *state;
	g_autoptr(GPtrArray) recipients = g_ptr_array_new();
	CmsJob job = {.signer = world->alice->cert,
		      .signer_key = world->alice->key,
		      .signing_time = 1800000000,
		      .recipients = recipients};
	const CmsCipher ciphers[] = {CMS_CIPHER_AES256_CBC, CMS_CIPHER_AES256_GCM};
	CmsTrust trust = {world->store, NULL, g_get_real_time() / G_USEC_PER_SEC};
	CmsKey key = {world->erika->cert, world->erika->key};

	g_ptr_array_add(recipients, world->sofia->cert);
	g_ptr_array_add(recipients, world->erika->cert);
	for (guint i = 0; i < G_N_ELEMENTS(ciphers); i++) {
		g_autoptr(GBytes) entity = g_bytes_new_static("\r\nbody\r\n", 8);
		g_autoptr(Source) from = source_new_bytes(entity);
		g_autoptr(GByteArray) sealed = g_byte_array_new();
		g_autoptr(Sink) to = sink_new_bytes(sealed, LIMIT);
		g_autoptr(GByteArray) inner = g_byte_array_new();
		g_autoptr(Sink) inner_sink = sink_new_bytes(inner, LIMIT);
		g_autoptr(GByteArray) text = g_byte_array_new();
		g_autoptr(Sink) text_sink = sink_new_bytes(text, LIMIT);

		job.cipher = ciphers[i];
		job.oaep = ciphers[i] == CMS_CIPHER_AES256_GCM;
		assert_true(cms_sign_opaque(&job, from, to, NULL));
		const char *body = g_strstr_len((char *)sealed->data, sealed->len, "\r\n\r\n");
		g_autoptr(GBytes) base64 =
			g_bytes_new(body, sealed->len - (gsize)(body - (char *)sealed->data));
		g_autoptr(Source) outer = source_new_bytes(base64);
		g_autoptr(CmsOpened) opened = cms_open(outer, TRUE, &key, inner_sink, NULL);
		assert_int_equal(opened->result, CMS_OPENED);
		body = g_strstr_len((char *)inner->data, inner->len, "\r\n\r\n");
		g_autoptr(GBytes) inner_base64 =
			g_bytes_new(body, inner->len - (gsize)(body - (char *)inner->data));
		g_autoptr(Source) middle = source_new_bytes(inner_base64);
		g_autoptr(CmsVerified) verified =
			cms_verify_opaque(middle, TRUE, text_sink, &trust, NULL);
		const CmsSignature *signature = g_ptr_array_index(verified->signatures, 0);
		assert_int_equal(signature->result, CMS_SIGNATURE_GOOD);
		assert_int_equal(signature->signing_time, 1800000000);
		assert_int_equal(signature->capabilities, CMS_OPENS_GCM | CMS_OPENS_OAEP);
		assert_int_equal(text->len, 8);
		assert_memory_equal(text->data, "\r\nbody\r\n", 8);
	}
}

typedef struct {
	const World *world;
	guint good;
} Worker;

/* Protects and opens with what all threads share. */
static gpointer work(gpointer data)
{
	Worker *worker = data;
	const World *world = worker->world;
	g_autoptr(GPtrArray) recipients = g_ptr_array_new();
	CmsJob job = {.signer = world->alice->cert,
		      .signer_key = world->alice->key,
		      .signing_time = 1800000000,
		      .recipients = recipients};
	CmsKey key = {world->sofia->cert, world->sofia->key};
	CmsTrust trust = {world->store, NULL, g_get_real_time() / G_USEC_PER_SEC};

	g_ptr_array_add(recipients, world->sofia->cert);
	for (guint round = 0; round < 20; round++) {
		g_autoptr(GBytes) entity = g_bytes_new_static("\r\nbody\r\n", 8);
		g_autoptr(Source) from = source_new_bytes(entity);
		g_autoptr(GByteArray) sealed = g_byte_array_new();
		g_autoptr(Sink) to = sink_new_bytes(sealed, LIMIT);
		g_autoptr(GByteArray) inner = g_byte_array_new();
		g_autoptr(Sink) inner_sink = sink_new_bytes(inner, LIMIT);

		if (!cms_sign_opaque(&job, from, to, NULL))
			continue;
		g_byte_array_append(sealed, (const guint8 *)"", 1);
		const char *body = strstr((char *)sealed->data, "\r\n\r\n");
		g_autoptr(GBytes) base64 = g_bytes_new(body, strlen(body));
		g_autoptr(Source) outer = source_new_bytes(base64);
		g_autoptr(CmsOpened) opened = cms_open(outer, TRUE, &key, inner_sink, NULL);
		worker->good += opened->result == CMS_OPENED &&
				cert_verify_chain(world->alice->cert, world->store, NULL, trust.now,
						  NULL) == CHAIN_OK;
	}
	return NULL;
}

static void test_threads(void **state)
{
	Worker workers[6];
	GThread *threads[G_N_ELEMENTS(workers)];

	for (guint i = 0; i < G_N_ELEMENTS(workers); i++) {
		workers[i] = (Worker){*state, 0};
		threads[i] = g_thread_new("worker", work, &workers[i]);
	}
	for (guint i = 0; i < G_N_ELEMENTS(workers); i++) {
		g_thread_join(threads[i]);
		assert_int_equal(workers[i].good, 20);
	}
}

/* An empty set of certificates before the one that the signer is in. */
#define TWO_SETS                                                                                   \
	SIGN "-signer alice.pem -inkey alice.key -stream -out one; "                               \
	     "openssl x509 -in alice.pem -outform DER -out two; "                                  \
	     "python3 -c \"import sys; d, c = open('one', 'rb').read(), open('two', "              \
	     "'rb').read(); "                                                                      \
	     "at = d.index(c) - 4; "                                                               \
	     "sys.stdout.buffer.write(d[:at] + bytes([160, 0]) + d[at:])\""

static void test_not_signatures(void **state)
{
	const World *world = *state;
	const char *const commands[] = {"cat plain", "true", ENCRYPT "-aes256 sofia.pem",
					SIGN "-signer alice.pem -inkey alice.key | head -c 900",
					TWO_SETS};
	CmsTrust trust = {world->store, NULL, 0};

	for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autoptr(GBytes) cms = written_by(world, commands[i]);
		g_autoptr(Source) signature = source_new_bytes(cms);
		g_autoptr(Source) content = source_new_bytes(cms);
		g_autoptr(GError) error = NULL;

		assert_null(cms_verify_detached(signature, FALSE, content, &trust, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_MALFORMED));
	}
}

/* Written by hand, since openssl comes without zlib: BER, the content in pieces of 1000 bytes. */
#define COMPRESS(more)                                                                             \
	"python3 -c \"import sys,zlib\n"                                                           \
	"c=zlib.compress(open('plain','rb').read())\n" more                                        \
	"p=b''.join(b'\\x04\\x82'+len(c[i:i+1000]).to_bytes(2,'big')+c[i:i+1000] "                 \
	"for i in range(0,len(c),1000))\n"                                                         \
	"h=bytes.fromhex\n"                                                                        \
	"sys.stdout.buffer.write(h('3080060b2a864886f70d0109100109a0803080020100300d"              \
	"060b2a864886f70d0109100308308006092a864886f70d010701a0802480')+p+bytes(14))\""

static void test_compressed(void **state)
{
	const World *world = *state;
	const struct {
		const char *command;
		goffset limit;
		int code; /* -1: good */
	} cases[] = {
		{COMPRESS(""), 50000, -1},
		{COMPRESS(""), 49999, ERROR_TOO_LARGE},
		{COMPRESS("c=zlib.compress(bytes(100000000))\n"), 1000000, ERROR_TOO_LARGE},
		{COMPRESS("c=c[:-2]\n"), 50000, ERROR_MALFORMED},
		{COMPRESS("c=b''\n"), 50000, ERROR_MALFORMED},
		{COMPRESS("c=c[:20]+c\n"), 50000, ERROR_MALFORMED},
		{"cat plain", 50000, ERROR_MALFORMED},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) cms = written_by(world, cases[i].command);
		g_autoptr(Source) source = source_new_bytes(cms);
		g_autoptr(GByteArray) out = g_byte_array_new();
		g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
		g_autoptr(GError) error = NULL;
		gboolean good = cms_decompress(source, FALSE, cases[i].limit, sink, &error);

		if (good != (cases[i].code < 0) ||
		    (!good && !g_error_matches(error, SEALPOST_ERROR, cases[i].code)))
			fail_msg("%u: %s", i, error ? error->message : "good");
		if (good)
			assert_int_equal(out->len, 50000);
		assert_true((goffset)out->len <= cases[i].limit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),	       cmocka_unit_test(test_shut),
		cmocka_unit_test(test_bent),	       cmocka_unit_test(test_cipher_out_of_place),
		cmocka_unit_test(test_open_limits),    cmocka_unit_test(test_recipient_is),
		cmocka_unit_test(test_large),	       cmocka_unit_test(test_verify),
		cmocka_unit_test(test_known_certs),    cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_ours),	       cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_threads),	       cmocka_unit_test(test_not_signatures),
		cmocka_unit_test(test_empty_elements),
	};

	return cmocka_run_group_tests_name("cms_open", tests, set_up, tear_down);
}
