/* SPDX-License-Identifier: Apache-2.0
 *
 * What we protect with S/MIME is opened and verified here by `openssl cms` and by gpgsm, which
 * shares no code with it. The entity must come back byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "lib/base/error.h"
#include "lib/crypt/cms.h"
#include "tests/unit/pgpmaker.h"
#include "tests/unit/x509maker.h"

#define LIMIT (100 * 1024 * 1024)
#define LARGE (30 * 1024 * 1024)

#define ENTITY                                                                                     \
	"Content-Type: text/plain; charset=utf-8\r\n"                                              \
	"Content-Transfer-Encoding: 8bit\r\n"                                                      \
	"\r\n"                                                                                     \
	"Gr\xc3\xbc\xc3\x9f"                                                                       \
	"e, with trailing blanks  \r\n"                                                            \
	"--dashes\r\n"                                                                             \
	"\r\n"

typedef struct {
	PgpMaker *maker;
	Made *root, *middle, *alice, *ec, *p521, *sofia, *erika;
	GPtrArray *chain;
	char *root_file, *sofia_key, *erika_key, *sofia_cert, *erika_cert;
} World;

static char *file_in(World *world, const char *name, const void *data, gsize size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);

	return pgp_maker_file(world->maker, name, bytes);
}

static char *cert_file(World *world, const char *name, const Made *made)
{
	g_autofree char *pem = cert_pem(made->cert);

	return file_in(world, name, pem, strlen(pem));
}

static char *key_file(World *world, const char *name, const Made *made)
{
	g_autoptr(GBytes) pem = made_key_pem(made);

	return pgp_maker_file(world->maker, name, pem);
}

/* gpgsm is called with the passphrase that guards its keys; it reads no modern PKCS#12. */
static int gpgsm(World *world, GBytes **output, const char *first, ...)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autoptr(GBytes) passphrase = g_bytes_new_static("x\n", 2);
	const char *const fixed[] = {"gpgsm",
				     "--homedir",
				     world->maker->home,
				     "--batch",
				     "--disable-crl-checks",
				     "--pinentry-mode",
				     "loopback",
				     "--passphrase-fd",
				     "0",
				     "--status-fd",
				     "2"};
	va_list more;

	for (guint i = 0; i < G_N_ELEMENTS(fixed); i++)
		g_ptr_array_add(argv, (gpointer)fixed[i]);
	va_start(more, first);
	for (const char *word = first; word != NULL; word = va_arg(more, const char *))
		g_ptr_array_add(argv, (gpointer)word);
	va_end(more);
	g_ptr_array_add(argv, NULL);
	return pgp_maker_run((const char *const *)argv->pdata, passphrase, output);
}

/* On a busy machine the agent may take longer than gpgsm waits for it. */
static void start_agent(World *world)
{
	const char *const argv[] = {"gpgconf",	"--homedir", world->maker->home,
				    "--launch", "gpg-agent", NULL};

	for (guint i = 0; i < 20 && pgp_maker_run(argv, NULL, NULL) != 0; i++)
		g_usleep(G_USEC_PER_SEC);
}

static void give_gpgsm_the_root(World *world)
{
	g_autofree char *list = g_build_filename(world->maker->home, "trustlist.txt", NULL);
	g_autofree char *sha1 =
		g_compute_checksum_for_bytes(G_CHECKSUM_SHA1, cert_der(world->root->cert));
	g_autofree char *line = g_strdup_printf("%s S relax\n", sha1);

	assert_true(g_file_set_contents(list, line, -1, NULL));
	assert_int_equal(gpgsm(world, NULL, "--import", world->root_file, NULL), 0);
}

/* gpgsm 2.2 derives a wrong key from one PKCS#12 salt in eighty: where it does not take a bundle, it
 * gets another one. */
static void give_gpgsm_a_key(World *world, const Made *made)
{
	int status = -1;

	for (guint i = 0; i < 5 && status != 0; i++) {
		PKCS12 *pkcs12 = PKCS12_create("x", NULL, made->pkey, made->x509, NULL,
					       NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
					       NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 2048, 0, 0);
		guint8 *der = NULL;
		int size = i2d_PKCS12(pkcs12, &der);
		g_autofree char *file = file_in(world, "key.p12", der, (gsize)size);

		status = gpgsm(world, NULL, "--import", file, NULL);
		OPENSSL_free(der);
		PKCS12_free(pkcs12);
	}
	assert_int_equal(status, 0);
}

static int set_up(void **state)
{
	World *world = g_new0(World, 1);

	world->maker = pgp_maker_new();
	world->root = x509_maker_make(&(MakerOrder){.name = "root", .ca = TRUE});
	world->middle =
		x509_maker_make(&(MakerOrder){.name = "middle", .ca = TRUE, .issuer = world->root});
	world->alice = x509_maker_make(&(MakerOrder){.name = "alice",
						     .email = "alice@firma.example",
						     .issuer = world->middle,
						     .algorithm = "rsa2048"});
	world->ec = x509_maker_make(
		&(MakerOrder){.name = "ec", .issuer = world->middle, .algorithm = "P-384"});
	world->p521 = x509_maker_make(
		&(MakerOrder){.name = "p521", .issuer = world->middle, .algorithm = "P-521"});
	world->sofia = x509_maker_make(
		&(MakerOrder){.name = "sofia", .issuer = world->middle, .algorithm = "rsa2048"});
	world->erika = x509_maker_make(&(MakerOrder){.name = "erika", .issuer = world->middle});
	world->chain = g_ptr_array_new();
	g_ptr_array_add(world->chain, world->middle->cert);
	world->root_file = cert_file(world, "root.pem", world->root);
	world->sofia_cert = cert_file(world, "sofia.pem", world->sofia);
	world->erika_cert = cert_file(world, "erika.pem", world->erika);
	world->sofia_key = key_file(world, "sofia.key", world->sofia);
	world->erika_key = key_file(world, "erika.key", world->erika);
	start_agent(world);
	give_gpgsm_the_root(world);
	give_gpgsm_a_key(world, world->sofia);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	pgp_maker_free(world->maker);
	made_free(world->root);
	made_free(world->middle);
	made_free(world->alice);
	made_free(world->ec);
	made_free(world->p521);
	made_free(world->sofia);
	made_free(world->erika);
	g_ptr_array_unref(world->chain);
	g_free(world->root_file);
	g_free(world->sofia_key);
	g_free(world->erika_key);
	g_free(world->sofia_cert);
	g_free(world->erika_cert);
	g_free(world);
	return 0;
}

#define NOW (g_get_real_time() / G_USEC_PER_SEC)

static CmsJob signing_job(const World *world, const Made *signer)
{
	return (CmsJob){.signer = signer->cert,
			.signer_key = signer->key,
			.signer_chain = world->chain,
			.signing_time = NOW};
}

static GPtrArray *recipients(const Made *first, const Made *second)
{
	GPtrArray *certs = g_ptr_array_new();

	g_ptr_array_add(certs, first->cert);
	if (second != NULL)
		g_ptr_array_add(certs, second->cert);
	return certs;
}

typedef gboolean (*Maker)(const CmsJob *job, Source *entity, Sink *sink, GError **error);

/* The new entity. All of what leaves is 7-bit text in short lines with CRLF, but for what the
 * caller gave us to sign. */
static GBytes *make(Maker maker, const CmsJob *job, const char *entity)
{
	g_autoptr(GBytes) bytes = g_bytes_new(entity, strlen(entity));
	g_autoptr(Source) source = source_new_bytes(bytes);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	g_autoptr(GError) error = NULL;

	if (!maker(job, source, sink, &error))
		fail_msg("%s", error->message);
	assert_int_equal(ERR_peek_error(), 0);
	for (guint i = 0, column = 0; i < out->len; i++) {
		assert_true(out->data[i] != '\n' || (i > 0 && out->data[i - 1] == '\r'));
		column = out->data[i] == '\n' ? 0 : column + 1;
		assert_true(column <= 80);
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

static GBytes *between(GBytes *text, const char *start, const char *end)
{
	gsize size;
	const char *data = g_bytes_get_data(text, &size);
	const char *from = memmem(data, size, start, strlen(start));
	const char *to;

	assert_non_null(from);
	from += strlen(start);
	to = memmem(from, size - (gsize)(from - data), end, strlen(end));
	assert_non_null(to);
	return g_bytes_new_from_bytes(text, (gsize)(from - data), (gsize)(to - from));
}

static char *text_of(GBytes *bytes)
{
	return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void assert_text(GBytes *bytes, const char *expected)
{
	assert_int_equal(g_bytes_get_size(bytes), strlen(expected));
	assert_memory_equal(g_bytes_get_data(bytes, NULL), expected, strlen(expected));
}

/* The DER behind base64 text. */
static GBytes *decoded(GBytes *base64)
{
	g_autofree char *text = text_of(base64);
	gsize size;
	guchar *der = g_base64_decode(text, &size);

	return g_bytes_new_take(der, size);
}

/* The body of an application/pkcs7-mime entity, decoded, after a look at its header fields. */
static GBytes *pkcs7_body(GBytes *entity, const char *smime_type)
{
	g_autofree char *head =
		g_strdup_printf("Content-Type: application/pkcs7-mime; smime-type=%s;\r\n"
				"\tname=\"smime.p7m\"\r\n"
				"Content-Transfer-Encoding: base64\r\n"
				"Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n",
				smime_type);
	gsize size;
	const char *data = g_bytes_get_data(entity, &size);
	g_autoptr(GBytes) body = NULL;

	assert_true(size > strlen(head) && memcmp(data, head, strlen(head)) == 0);
	body = g_bytes_new_from_bytes(entity, strlen(head), size - strlen(head));
	return decoded(body);
}

typedef struct {
	GBytes *part, *signature;
} Signed;

static Signed take_apart(GBytes *entity, const char *micalg)
{
	g_autofree char *head = g_strdup_printf(
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
		"\tmicalg=%s; boundary=\"",
		micalg);
	g_autoptr(GBytes) boundary = between(entity, head, "\"\r\n\r\n");
	g_autofree char *text = text_of(boundary);
	g_autofree char *first = g_strdup_printf("\"\r\n\r\n--%s\r\n", text);
	g_autofree char *next = g_strdup_printf("\r\n--%s\r\n", text);
	g_autofree char *second =
		g_strdup_printf("\r\n--%s\r\n"
				"Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
				"Content-Transfer-Encoding: base64\r\n"
				"Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n",
				text);
	g_autofree char *last = g_strdup_printf("\r\n--%s--\r\n", text);
	g_autoptr(GBytes) rest = between(entity, first, last);
	g_autoptr(GBytes) base64 = between(entity, second, last);
	Signed both = {.part = between(entity, first, next), .signature = decoded(base64)};

	assert_true(memcmp(g_bytes_get_data(entity, NULL), head, strlen(head)) == 0);
	return both;
}

static void signed_clear(Signed *both)
{
	g_bytes_unref(both->part);
	g_bytes_unref(both->signature);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Signed, signed_clear)

static int openssl_verify(World *world, const Signed *both, GBytes **output)
{
	g_autofree char *part = pgp_maker_file(world->maker, "part", both->part);
	g_autofree char *signature = pgp_maker_file(world->maker, "signature", both->signature);
	const char *const argv[] = {"openssl",	"cms", "-verify", "-binary", "-inform",
				    "DER",	"-in", signature, "-CAfile", world->root_file,
				    "-content", part,  NULL};

	return pgp_maker_run(argv, NULL, output);
}

static int gpgsm_verify(World *world, const Signed *both)
{
	g_autofree char *part = pgp_maker_file(world->maker, "part", both->part);
	g_autofree char *signature = pgp_maker_file(world->maker, "signature", both->signature);

	return gpgsm(world, NULL, "--verify", signature, part, NULL);
}

/* Both programs accept it, over exactly this entity. */
static void assert_signed(World *world, GBytes *entity, const char *micalg, const char *expected)
{
	g_auto(Signed) both = take_apart(entity, micalg);
	g_autoptr(GBytes) verified = NULL;

	assert_text(both.part, expected);
	assert_int_equal(openssl_verify(world, &both, &verified), 0);
	assert_text(verified, expected);
	assert_int_equal(gpgsm_verify(world, &both), 0);
}

static GBytes *openssl_decrypt(World *world, GBytes *cms, const char *cert, const char *key)
{
	g_autofree char *file = pgp_maker_file(world->maker, "cms", cms);
	const char *const argv[] = {"openssl", "cms", "-decrypt", "-binary", "-inform",
				    "DER",     "-in", file,	  "-recip",  cert,
				    "-inkey",  key,   NULL};
	GBytes *output = NULL;

	assert_int_equal(pgp_maker_run(argv, NULL, &output), 0);
	return output;
}

static GBytes *gpgsm_decrypt(World *world, GBytes *cms)
{
	g_autofree char *file = pgp_maker_file(world->maker, "cms", cms);
	GBytes *output = NULL;

	assert_int_equal(gpgsm(world, &output, "--decrypt", file, NULL), 0);
	return output;
}

static char *openssl_print(World *world, GBytes *cms)
{
	g_autofree char *file = pgp_maker_file(world->maker, "cms", cms);
	const char *const argv[] = {"openssl", "cms", "-cmsout", "-print", "-noout",
				    "-inform", "DER", "-in",	 file,	   NULL};
	g_autoptr(GBytes) output = NULL;

	assert_int_equal(pgp_maker_run(argv, NULL, &output), 0);
	return text_of(output);
}

static void test_sign(void **state)
{
	World *world = *state;
	CmsJob job = signing_job(world, world->alice);
	g_autoptr(GBytes) entity = make(cms_protect, &job, ENTITY);
	g_auto(Signed) both = take_apart(entity, "sha-256");
	g_autofree char *printed = openssl_print(world, both.signature);
	const char *const wanted[] = {"object: contentType",
				      "object: messageDigest",
				      "object: signingTime",
				      "object: S/MIME Capabilities",
				      "aes-256-cbc",
				      "aes-128-gcm",
				      "algorithm: sha256",
				      "algorithm: rsaEncryption",
				      "d.issuerAndSerialNumber:",
				      "subject: CN=middle"};
	const char *const unwanted[] = {
		"rc2", "des", "ccm", "camellia", "idea", "subject: CN=root", "eContent: \n  0000"};

	assert_signed(world, entity, "sha-256", ENTITY);
	for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (strstr(printed, wanted[i]) == NULL)
			fail_msg("no \"%s\" in %s", wanted[i], printed);
	for (guint i = 0; i < G_N_ELEMENTS(unwanted); i++)
		if (strstr(printed, unwanted[i]) != NULL)
			fail_msg("\"%s\" in %s", unwanted[i], printed);
}

static void test_sign_with_curves(void **state)
{
	World *world = *state;
	CmsJob job = signing_job(world, world->ec);
	g_autoptr(GBytes) p384 = make(cms_protect, &job, ENTITY);

	assert_signed(world, p384, "sha-384", ENTITY);
	job = signing_job(world, world->p521);
	g_autoptr(GBytes) p521 = make(cms_protect, &job, ENTITY);
	g_auto(Signed) both = take_apart(p521, "sha-512");
	assert_int_equal(openssl_verify(world, &both, NULL), 0); /* gpgsm: "Internal error" */
	job = signing_job(world, world->erika);
	g_autoptr(GBytes) p256 = make(cms_protect, &job, ENTITY);
	assert_signed(world, p256, "sha-256", ENTITY);
}

static void test_tampering(void **state)
{
	World *world = *state;
	CmsJob job = signing_job(world, world->alice);
	g_autoptr(GBytes) entity = make(cms_protect, &job, ENTITY);
	g_auto(Signed) both = take_apart(entity, "sha-256");
	g_autofree char *text = text_of(both.part);

	text[strlen(text) - 10] ^= 1;
	g_bytes_unref(both.part);
	both.part = g_bytes_new(text, strlen(text));
	assert_int_not_equal(openssl_verify(world, &both, NULL), 0);
	assert_int_not_equal(gpgsm_verify(world, &both), 0);
}

static void test_encrypt(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) both = recipients(world->sofia, world->erika);
	CmsJob job = {.recipients = both};
	g_autoptr(GBytes) entity = make(cms_protect, &job, ENTITY);
	g_autoptr(GBytes) cms = pkcs7_body(entity, "enveloped-data");
	g_autoptr(GBytes) sofia = openssl_decrypt(world, cms, world->sofia_cert, world->sofia_key);
	g_autoptr(GBytes) erika = openssl_decrypt(world, cms, world->erika_cert, world->erika_key);
	g_autoptr(GBytes) other = gpgsm_decrypt(world, cms);
	g_autofree char *printed = openssl_print(world, cms);

	assert_text(sofia, ENTITY);
	assert_text(erika, ENTITY);
	assert_text(other, ENTITY);
	assert_non_null(strstr(printed, "aes-256-cbc"));
	assert_non_null(strstr(printed, "algorithm: rsaEncryption"));
	assert_non_null(strstr(printed, "dhSinglePass-stdDH-sha256kdf-scheme"));
	assert_non_null(strstr(printed, "d.issuerAndSerialNumber:"));
	assert_null(strstr(printed, "sha1"));
}

static void test_encrypt_gcm(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) both = recipients(world->sofia, world->erika);
	CmsJob job = {.recipients = both, .cipher = CMS_CIPHER_AES256_GCM, .oaep = TRUE};
	g_autoptr(GBytes) entity = make(cms_protect, &job, ENTITY);
	g_autoptr(GBytes) cms = pkcs7_body(entity, "authEnveloped-data");
	g_autoptr(GBytes) sofia = openssl_decrypt(world, cms, world->sofia_cert, world->sofia_key);
	g_autofree char *printed = openssl_print(world, cms);

	assert_text(sofia, ENTITY);
	assert_non_null(strstr(printed, "aes-256-gcm"));
	assert_non_null(strstr(printed, "algorithm: rsaesOaep"));
	assert_null(strstr(printed, "sha1"));
}

static void test_sign_and_encrypt(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) one = recipients(world->sofia, NULL);
	CmsJob job = signing_job(world, world->alice);

	job.recipients = one;
	g_autoptr(GBytes) entity = make(cms_protect, &job, ENTITY);
	g_autoptr(GBytes) cms = pkcs7_body(entity, "enveloped-data");
	g_autoptr(GBytes) inner = gpgsm_decrypt(world, cms);
	g_autoptr(GBytes) same = openssl_decrypt(world, cms, world->sofia_cert, world->sofia_key);
	assert_true(g_bytes_equal(inner, same));
	assert_signed(world, inner, "sha-256", ENTITY);
}

static GBytes *openssl_verify_opaque(World *world, GBytes *cms)
{
	g_autofree char *file = pgp_maker_file(world->maker, "opaque", cms);
	const char *const argv[] = {"openssl", "cms", "-verify", "-binary",	   "-inform", "DER",
				    "-in",     file,  "-CAfile", world->root_file, NULL};
	GBytes *output = NULL;

	assert_int_equal(pgp_maker_run(argv, NULL, &output), 0);
	return output;
}

static void test_opaque(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) one = recipients(world->sofia, NULL);
	CmsJob job = signing_job(world, world->alice);
	g_autoptr(GBytes) entity = make(cms_sign_opaque, &job, ENTITY);
	g_autoptr(GBytes) cms = pkcs7_body(entity, "signed-data");
	g_autoptr(GBytes) content = openssl_verify_opaque(world, cms);
	g_autofree char *file = pgp_maker_file(world->maker, "opaque", cms);

	assert_text(content, ENTITY);
	assert_int_equal(gpgsm(world, NULL, "--verify", file, NULL), 0);
	job.recipients = one;
	g_autoptr(GBytes) sealed = make(cms_sign_opaque, &job, ENTITY);
	g_autoptr(GBytes) outer = pkcs7_body(sealed, "enveloped-data");
	g_autoptr(GBytes) inner = gpgsm_decrypt(world, outer);
	g_autoptr(GBytes) inner_cms = pkcs7_body(inner, "signed-data");
	g_autoptr(GBytes) again = openssl_verify_opaque(world, inner_cms);
	assert_text(again, ENTITY);
}

static void test_empty(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) one = recipients(world->sofia, NULL);
	CmsJob signing = signing_job(world, world->alice);
	CmsJob cbc = {.recipients = one};
	CmsJob gcm = {.recipients = one, .cipher = CMS_CIPHER_AES256_GCM};
	g_autoptr(GBytes) signed_entity = make(cms_protect, &signing, "");
	g_autoptr(GBytes) cbc_entity = make(cms_protect, &cbc, "");
	g_autoptr(GBytes) gcm_entity = make(cms_protect, &gcm, "");
	g_autoptr(GBytes) opaque_entity = make(cms_sign_opaque, &signing, "");
	g_autoptr(GBytes) cbc_cms = pkcs7_body(cbc_entity, "enveloped-data");
	g_autoptr(GBytes) gcm_cms = pkcs7_body(gcm_entity, "authEnveloped-data");
	g_autoptr(GBytes) opaque_cms = pkcs7_body(opaque_entity, "signed-data");
	g_autoptr(GBytes) from_cbc = gpgsm_decrypt(world, cbc_cms);
	g_autoptr(GBytes) from_gcm =
		openssl_decrypt(world, gcm_cms, world->sofia_cert, world->sofia_key);
	g_autoptr(GBytes) from_opaque = openssl_verify_opaque(world, opaque_cms);

	assert_signed(world, signed_entity, "sha-256", "");
	assert_text(from_cbc, "");
	assert_text(from_gcm, "");
	assert_text(from_opaque, "");
}

/* Recipients as the plan has them, read back without a key. */
static void test_recipients_read_back(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) both = recipients(world->sofia, world->erika);
	const CmsCipher ciphers[] = {CMS_CIPHER_AES256_CBC, CMS_CIPHER_AES256_GCM};
	g_autofree char *sofia = cms_recipient_id(world->sofia->cert);
	g_autofree char *erika = cms_recipient_id(world->erika->cert);

	for (guint i = 0; i < G_N_ELEMENTS(ciphers); i++) {
		CmsJob job = {.recipients = both, .cipher = ciphers[i]};
		g_autoptr(GBytes) entity = make(cms_protect, &job, ENTITY);
		g_autoptr(GBytes) cms =
			pkcs7_body(entity, i == 0 ? "enveloped-data" : "authEnveloped-data");
		g_autoptr(Source) source = source_new_bytes(cms);
		g_autoptr(CmsHead) head = cms_head_read(source, NULL);

		assert_non_null(head);
		assert_int_equal(head->type, i == 0 ? CMS_ENVELOPED : CMS_AUTH_ENVELOPED);
		assert_int_equal(head->recipients->len, 2);
		assert_string_equal(g_ptr_array_index(head->recipients, 0), sofia);
		assert_string_equal(g_ptr_array_index(head->recipients, 1), erika);
	}
}

static void test_refusals(void **state)
{
	World *world = *state;
	g_autoptr(Made) x25519 = x509_maker_make(
		&(MakerOrder){.name = "x", .issuer = world->root, .algorithm = "X25519"});
	g_autoptr(GPtrArray) bad = recipients(world->sofia, x25519);
	CmsJob strange = {.recipients = bad};
	CmsJob no_pair = signing_job(world, world->alice);
	CmsJob *const jobs[] = {&strange, &no_pair};

	no_pair.signer_key = world->sofia->key;
	for (guint i = 0; i < G_N_ELEMENTS(jobs); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new_static(ENTITY, strlen(ENTITY));
		g_autoptr(Source) source = source_new_bytes(bytes);
		g_autoptr(GByteArray) out = g_byte_array_new();
		g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
		g_autoptr(GError) error = NULL;

		assert_false(cms_protect(jobs[i], source, sink, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO));
		assert_int_equal(ERR_peek_error(), 0);
		assert_int_equal(out->len, 0);
	}
}

/* However late the sink fails, it never looks like success. */
static void test_failing_sink(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) one = recipients(world->erika, NULL);
	const CmsJob jobs[] = {{.recipients = one},
			       {.recipients = one, .cipher = CMS_CIPHER_AES256_GCM},
			       signing_job(world, world->erika)};
	g_autofree char *long_entity = g_strnfill(40000, 'x');
	const Maker makers[] = {cms_protect, cms_protect, cms_protect, cms_sign_opaque};

	for (guint i = 0; i < G_N_ELEMENTS(makers); i++) {
		const CmsJob *job = &jobs[MIN(i, 2)];
		g_autoptr(GBytes) bytes = g_bytes_new(long_entity, i == 2 ? 60 : 40000);
		gsize limit = 0;
		gboolean good = FALSE;

		while (!good) {
			g_autoptr(Source) source = source_new_bytes(bytes);
			g_autoptr(GByteArray) out = g_byte_array_new();
			g_autoptr(Sink) sink = sink_new_bytes(out, limit);
			g_autoptr(GError) error = NULL;

			good = makers[i](job, source, sink, &error);
			if (!good)
				assert_true(
					g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE));
			limit += limit > 55000 || i == 2 ? 7 : 499;
		}
		assert_true(limit > (i == 2 ? 1000 : 54000));
	}
}

typedef struct {
	gint64 left;
	gint64 fail_at; /* what is left when it fails */
} Made_up;

static gssize made_up_read(void *self, void *buffer, gsize size, GError **error)
{
	Made_up *source = self;

	if (source->left <= source->fail_at) {
		g_set_error_literal(error, SEALPOST_ERROR, ERROR_IO, "as ordered");
		return -1;
	}
	size = (gsize)MIN((gint64)size, source->left);
	memset(buffer, 'a' + (int)(source->left % 23), size);
	source->left -= (gint64)size;
	return (gssize)size;
}

static goffset made_up_length(const void *self)
{
	return ((const Made_up *)self)->left;
}

static const SourceClass made_up_class = {.read = made_up_read, .length = made_up_length};

static void test_failing_source(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) one = recipients(world->erika, NULL);
	CmsJob job = signing_job(world, world->alice);
	Made_up made_up = {.left = 200000, .fail_at = 1000};
	g_autoptr(Source) source = source_new(&made_up_class, &made_up);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	g_autoptr(GError) error = NULL;

	job.recipients = one;
	assert_false(cms_protect(&job, source, sink, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_IO));
}

static gboolean count(void *self, const void *data, gsize size, GError **error)
{
	(void)data;
	(void)error;
	*(gsize *)self += size;
	return TRUE;
}

static const SinkClass counter_class = {.write = count};

static long peak_kilobytes(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void test_large(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) one = recipients(world->sofia, NULL);
	const Maker makers[] = {cms_protect, cms_sign_opaque};

	for (guint i = 0; i < G_N_ELEMENTS(makers); i++) {
		CmsJob job = signing_job(world, world->alice);
		Made_up made_up = {.left = LARGE, .fail_at = -1};
		g_autoptr(Source) source = source_new(&made_up_class, &made_up);
		gsize written = 0;
		g_autoptr(Sink) sink = sink_new(&counter_class, &written);
		long before = peak_kilobytes();

		made_up.fail_at = -1;
		job.recipients = one;
		assert_true(makers[i](&job, source, sink, NULL));
		assert_true(written > (gsize)LARGE / 3 * 4);
#ifndef __SANITIZE_ADDRESS__
		assert_true(peak_kilobytes() - before < 4096);
#else
		(void)before;
#endif
	}
}

static void test_large_comes_back(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) one = recipients(world->sofia, NULL);
	CmsJob job = {.recipients = one};
	g_autofree char *entity = g_strnfill(LARGE, 'z');

	entity[LARGE / 2] = 'y';
	g_autoptr(GBytes) out = make(cms_protect, &job, entity);
	g_autoptr(GBytes) cms = pkcs7_body(out, "enveloped-data");
	g_autoptr(GBytes) back = openssl_decrypt(world, cms, world->sofia_cert, world->sofia_key);
	assert_text(back, entity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_sign_with_curves),
		cmocka_unit_test(test_tampering),
		cmocka_unit_test(test_encrypt),
		cmocka_unit_test(test_encrypt_gcm),
		cmocka_unit_test(test_sign_and_encrypt),
		cmocka_unit_test(test_opaque),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_recipients_read_back),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_failing_sink),
		cmocka_unit_test(test_failing_source),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_large_comes_back),
	};

	return cmocka_run_group_tests_name("cms", tests, set_up, tear_down);
}
