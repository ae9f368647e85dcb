/* SPDX-License-Identifier: Apache-2.0
 *
 * Files with certificates and keys in all the forms that people bring, the broken ones too. The
 * forms are made by the openssl command; old ones of other makers come from the corpus.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "lib/base/error.h"
#include "lib/crypt/x509.h"
#include "tests/unit/pgpmaker.h"
#include "tests/unit/x509maker.h"

typedef struct {
	PgpMaker *maker;
	Made *root, *rsa, *ec;
} World;

static int set_up(void **state)
{
	World *world = g_new0(World, 1);
	const struct {
		const char *name;
		const Made **made;
	} all[] = {{"root", (const Made **)&world->root},
		   {"rsa", (const Made **)&world->rsa},
		   {"ec", (const Made **)&world->ec}};

	world->maker = pgp_maker_new();
	world->root = x509_maker_make(&(MakerOrder){.name = "root", .ca = TRUE});
	world->rsa = x509_maker_make(
		&(MakerOrder){.name = "rsa", .issuer = world->root, .algorithm = "rsa2048"});
	world->ec = x509_maker_make(&(MakerOrder){.name = "ec", .issuer = world->root});
	for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
		g_autofree char *cert_name = g_strconcat(all[i].name, ".pem", NULL);
		g_autofree char *key_name = g_strconcat(all[i].name, ".key", NULL);
		g_autofree char *pem = cert_pem((*all[i].made)->cert);
		g_autoptr(GBytes) cert = g_bytes_new(pem, strlen(pem));
		g_autoptr(GBytes) key = made_key_pem(*all[i].made);

		g_free(pgp_maker_file(world->maker, cert_name, cert));
		g_free(pgp_maker_file(world->maker, key_name, key));
	}
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	pgp_maker_free(world->maker);
	made_free(world->root);
	made_free(world->rsa);
	made_free(world->ec);
	g_free(world);
	return 0;
}

static Secret *secret_of(const char *text)
{
	g_autofree char *copy = g_strdup(text);

	return text == NULL ? NULL : secret_take(copy, strlen(text));
}

/* What a command line in the folder writes. */
static GBytes *written_by(World *world, const char *command)
{
	g_autofree char *line = g_strdup_printf("cd %s && %s", world->maker->folder, command);
	const char *const argv[] = {"sh", "-c", line, NULL};
	GBytes *output = NULL;

	if (pgp_maker_run(argv, NULL, &output) != 0)
		fail_msg("%s", command);
	return output;
}

typedef struct {
	const char *command;
	const char *passphrase;
	guint certs, keys;
} FormCase;

static const FormCase forms[] = {
	{"cat rsa.pem", NULL, 1, 0},
	{"cat rsa.pem ec.pem root.pem", NULL, 3, 0},
	{"echo text before; cat rsa.pem; echo and between; cat rsa.key", NULL, 1, 1},
	{"sed 's/$/\\r/' rsa.pem", NULL, 1, 0},
	{"openssl x509 -in rsa.pem -outform DER", NULL, 1, 0},
	{"openssl x509 -in rsa.pem -trustout", NULL, 1, 0},
	{"openssl crl2pkcs7 -nocrl -certfile rsa.pem -certfile root.pem", NULL, 2, 0},
	{"openssl crl2pkcs7 -nocrl -certfile rsa.pem -outform DER", NULL, 1, 0},
	{"openssl cms -sign -signer rsa.pem -inkey rsa.key -certfile root.pem -outform DER "
	 "-nodetach -in rsa.pem",
	 NULL, 2, 0},
	{"openssl pkey -in rsa.key -outform DER", NULL, 0, 1},
	{"openssl pkey -in ec.key -outform DER", NULL, 0, 1},
	{"openssl rsa -in rsa.key -traditional", NULL, 0, 1},
	{"openssl rsa -in rsa.key -traditional -outform DER", NULL, 0, 1},
	{"openssl ec -in ec.key -outform DER", NULL, 0, 1},
	{"openssl ec -in ec.key; openssl ecparam -name prime256v1", NULL, 0, 1},
	{"openssl rsa -in rsa.key -traditional -aes256 -passout pass:geheim", "geheim", 0, 1},
	{"openssl rsa -in rsa.key -traditional -des3 -passout pass:geheim", "geheim", 0, 1},
	{"openssl pkcs8 -topk8 -in ec.key -passout pass:geheim", "geheim", 0, 1},
	{"openssl pkcs8 -topk8 -in ec.key -outform DER -passout pass:geheim", "geheim", 0, 1},
	{"openssl pkcs8 -topk8 -in rsa.key -scrypt -passout pass:geheim", "geheim", 0, 1},
	{"openssl pkcs8 -topk8 -in rsa.key -v1 PBE-MD5-DES -provider legacy -provider default "
	 "-passout pass:geheim",
	 "geheim", 0, 1},
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -certfile root.pem "
	 "-passout pass:geheim",
	 "geheim", 2, 1},
	{"openssl pkcs12 -export -legacy -in rsa.pem -inkey rsa.key -passout pass:geheim", "geheim",
	 1, 1},
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -keypbe PBE-SHA1-3DES "
	 "-certpbe PBE-SHA1-3DES -macalg sha1 -passout pass:geheim",
	 "geheim", 1, 1},
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout pass:", "", 1, 1},
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout pass:", NULL, 1, 1},
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -keypbe NONE -certpbe NONE -nomac "
	 "-passout pass:",
	 NULL, 1, 1},
	{"openssl pkcs12 -export -in rsa.pem -nokeys -passout pass:geheim", "geheim", 1, 0},
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout pass:geh\xc3\xa4im",
	 "geh\xc3\xa4im", 1, 1},
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout pass:geheim "
	 "| { echo -----BEGIN PKCS12-----; base64; echo -----END PKCS12-----; }",
	 "geheim", 1, 1},
};

static void test_forms(void **state)
{
	World *world = *state;

	for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_autoptr(GBytes) file = written_by(world, forms[i].command);
		g_autoptr(Secret) passphrase = secret_of(forms[i].passphrase);
		g_autoptr(GError) error = NULL;
		g_autoptr(X509Bundle) bundle = x509_read(file, passphrase, &error);

		if (bundle == NULL)
			fail_msg("%s: %s", forms[i].command, error->message);
		if (bundle->certs->len != forms[i].certs || bundle->keys->len != forms[i].keys)
			fail_msg("%s: %u certificates, %u keys", forms[i].command,
				 bundle->certs->len, bundle->keys->len);
		if (bundle->certs->len == 1 && bundle->keys->len == 1)
			assert_true(private_key_matches(g_ptr_array_index(bundle->keys, 0),
							g_ptr_array_index(bundle->certs, 0)));
		assert_int_equal(ERR_peek_error(), 0);
	}
	/* The old ciphers were for these files alone. */
	assert_null(EVP_CIPHER_fetch(NULL, "RC2-40-CBC", NULL));
	assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
	ERR_clear_error();
}

typedef struct {
	const char *command;
	const char *passphrase;
	ErrorCode code;
} BadCase;

/* What one wrong passphrase in 256 makes of a traditional key: garbage, its padding right by chance. */
#define LUCKY_PADDING                                                                              \
	"python3 -c \"import base64,hashlib,subprocess\n"                                          \
	"word,iv=b'falsch',bytes(range(16))\n"                                                     \
	"one=hashlib.md5(word+iv[:8]).digest()\n"                                                  \
	"key=one+hashlib.md5(one+word+iv[:8]).digest()\n"                                          \
	"cipher=subprocess.run(['openssl','enc','-aes-256-cbc','-K',key.hex(),'-iv',iv.hex()],"    \
	"input=b'garbage',stdout=subprocess.PIPE).stdout\n"                                        \
	"print('-----BEGIN RSA PRIVATE KEY-----\\nProc-Type: 4,ENCRYPTED')\n"                      \
	"print('DEK-Info: AES-256-CBC,'+iv.hex().upper()+'\\n')\n"                                 \
	"print(base64.encodebytes(cipher).decode()+'-----END RSA PRIVATE KEY-----')\""

static const BadCase bad[] = {
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout pass:geheim", NULL,
	 ERROR_PASSPHRASE},
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout pass:geheim", "falsch",
	 ERROR_PASSPHRASE},
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -nomac -passout pass:geheim", "falsch",
	 ERROR_PASSPHRASE},
	{"openssl pkcs8 -topk8 -in ec.key -passout pass:geheim", NULL, ERROR_PASSPHRASE},
	{"openssl pkcs8 -topk8 -in ec.key -passout pass:geheim", "falsch", ERROR_PASSPHRASE},
	{"openssl rsa -in rsa.key -traditional -aes256 -passout pass:geheim", NULL,
	 ERROR_PASSPHRASE},
	{"openssl rsa -in rsa.key -traditional -aes256 -passout pass:geheim", "falsch",
	 ERROR_PASSPHRASE},
	{LUCKY_PADDING, "falsch", ERROR_PASSPHRASE},
	{LUCKY_PADDING, "noch falscher", ERROR_PASSPHRASE},
	{"true", NULL, ERROR_UNSUPPORTED},
	{"echo some text", NULL, ERROR_UNSUPPORTED},
	{"head -c 1000 /dev/zero", NULL, ERROR_UNSUPPORTED},
	{"openssl pkey -in ec.key -pubout", NULL, ERROR_UNSUPPORTED},
	{"echo -----BEGIN PGP PUBLIC KEY BLOCK-----; echo; echo aaaa; "
	 "echo -----END PGP PUBLIC KEY BLOCK-----",
	 NULL, ERROR_UNSUPPORTED},
	{"head -n 5 rsa.pem", NULL, ERROR_MALFORMED},
	{"cat rsa.pem; sed 's/^MII/AAA/' ec.pem | sed s/^MIIB/AAAA/ | sed '2s/./!/'", NULL,
	 ERROR_MALFORMED},
	{"openssl x509 -in rsa.pem -outform DER | head -c 300", NULL, ERROR_MALFORMED},
	{"openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout pass:x | head -c 400", "x",
	 ERROR_MALFORMED},
	{"openssl crl2pkcs7 -nocrl -certfile rsa.pem -outform DER | head -c 400", NULL,
	 ERROR_MALFORMED},
	{"openssl pkey -in rsa.key -outform DER | head -c 400", NULL, ERROR_MALFORMED},
};

static void test_refusals(void **state)
{
	World *world = *state;

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GBytes) file = written_by(world, bad[i].command);
		g_autoptr(Secret) passphrase = secret_of(bad[i].passphrase);
		g_autoptr(GError) error = NULL;

		if (x509_read(file, passphrase, &error) != NULL)
			fail_msg("%s: was read", bad[i].command);
		if (!g_error_matches(error, SEALPOST_ERROR, bad[i].code))
			fail_msg("%s: %s", bad[i].command, error->message);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

/* A key derivation that would run for hours is refused at once: the number of rounds in files
 * made with 65537 is patched to one far above the limit. */
static void test_endless_derivation(void **state)
{
	World *world = *state;
	const char *const commands[] = {
		"openssl pkcs8 -topk8 -in ec.key -iter 65537 -passout pass:x -outform DER",
		"openssl pkcs8 -topk8 -in ec.key -v1 PBE-SHA1-3DES -iter 65537 -passout pass:x "
		"-outform DER",
		"openssl pkcs12 -export -in ec.pem -inkey ec.key -iter 65537 -nomac -passout "
		"pass:x",
		"openssl pkcs12 -export -in ec.pem -inkey ec.key -iter 65537 -passout pass:x",
	};
	g_autoptr(Secret) passphrase = secret_of("x");

	for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autoptr(GBytes) sane = written_by(world, commands[i]);
		gsize size = g_bytes_get_size(sane);
		g_autofree guint8 *data = g_memdup2(g_bytes_get_data(sane, NULL), size);
		guint8 *rounds =
			NULL; /* the last ones: of the checksum, which comes first to be tried */
		g_autoptr(GError) error = NULL;

		for (gsize at = 0; at + 5 <= size; at++)
			if (memcmp(data + at, "\x02\x03\x01\x00\x01", 5) == 0)
				rounds = data + at;
		if (rounds == NULL)
			fail_msg("%s: no rounds", commands[i]);
		rounds[2] = 0x7f;
		g_autoptr(GBytes) slow = g_bytes_new(data, size);
		assert_null(x509_read(slow, passphrase, &error));
		if (!g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE))
			fail_msg("%s: %s", commands[i], error->message);
	}
}

static void test_export(void **state)
{
	World *world = *state;
	const Made *const pairs[] = {world->rsa, world->ec};
	g_autoptr(GPtrArray) chain = g_ptr_array_new();
	g_autoptr(Secret) passphrase = secret_of("geheim");

	g_ptr_array_add(chain, world->root->cert);
	for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autoptr(Secret) pkcs8 = private_key_export(pairs[i]->key, NULL);
		g_autoptr(PrivateKey) again = private_key_import(pkcs8, NULL);
		g_autoptr(GBytes) pkcs12 =
			pkcs12_write(pairs[i]->key, pairs[i]->cert, chain, passphrase, NULL);
		g_autoptr(X509Bundle) bundle = x509_read(pkcs12, passphrase, NULL);

		assert_non_null(again);
		assert_true(private_key_matches(again, pairs[i]->cert));
		assert_false(private_key_matches(again, pairs[1 - i]->cert));
		assert_non_null(bundle);
		assert_int_equal(bundle->certs->len, 2);
		assert_true(
			private_key_matches(g_ptr_array_index(bundle->keys, 0), pairs[i]->cert));
		secret_data(pkcs8)[0] ^= 1;
		assert_null(private_key_import(pkcs8, NULL));
	}
}

/* Our PKCS#12 is what openssl reads, and not openable without the passphrase. */
static void test_export_read_by_openssl(void **state)
{
	World *world = *state;
	g_autoptr(Secret) passphrase = secret_of("geheim");
	g_autoptr(GBytes) pkcs12 =
		pkcs12_write(world->rsa->key, world->rsa->cert, NULL, passphrase, NULL);
	g_autofree char *file = pgp_maker_file(world->maker, "ours.p12", pkcs12);
	g_autoptr(GBytes) listing = written_by(
		world, "openssl pkcs12 -in ours.p12 -passin pass:geheim -info -nodes 2>&1");
	g_autofree char *text =
		g_strndup(g_bytes_get_data(listing, NULL), g_bytes_get_size(listing));

	assert_non_null(strstr(text, "AES-256-CBC"));
	assert_non_null(strstr(text, "-----BEGIN PRIVATE KEY-----"));
	assert_null(x509_read(pkcs12, NULL, NULL));
}

typedef struct {
	const char *path, *passphrase, *open, *open_by, *note;
} CorpusLine;

static Secret *passphrase_for(const CorpusLine *line)
{
	if (g_str_equal(line->passphrase, "-") || g_str_equal(line->passphrase, "?"))
		return NULL;
	return secret_of(g_str_equal(line->passphrase, "(empty)") ? "" : line->passphrase);
}

/* TRUE if it did as the manifest says. */
static gboolean as_observed(const char *folder, const CorpusLine *line)
{
	g_autofree char *path = g_build_filename(folder, line->path, NULL);
	g_autoptr(Secret) passphrase = passphrase_for(line);
	g_autoptr(GError) error = NULL;
	g_autoptr(X509Bundle) bundle = NULL;
	g_autoptr(GBytes) bytes = NULL;
	gboolean expected = !g_str_equal(line->open, "no") &&
			    !g_str_equal(line->open_by, "gpgsm") &&
			    strstr(line->note, "openssl cannot read") == NULL;
	char *data;
	gsize size;

	if (!g_file_get_contents(path, &data, &size, NULL))
		return FALSE;
	bytes = g_bytes_new_take(data, size);
	bundle = x509_read(bytes, passphrase, &error);
	/* A CRL under a certificate's label; a DSA key without its parameters, which a Cert may
	 * have: no answer is wrong there. */
	if (strstr(line->note, "openssl cannot read") != NULL)
		return TRUE;
	if ((bundle != NULL) != expected)
		print_error("# %s: %s\n", line->path, bundle ? "read" : error->message);
	return (bundle != NULL) == expected;
}

/* The corpus's folder and manifest; FALSE if there is none. */
static gboolean find_corpus(char **folder, char **manifest)
{
	const char *given = g_getenv("SEALPOST_CORPUS");
	g_autofree char *beside =
		g_build_filename(g_getenv("srcdir"), "..", "shared", "corpus", NULL);
	g_autofree char *path = g_build_filename(given ? given : beside, "manifest.tsv", NULL);

	if (!g_file_get_contents(path, manifest, NULL, NULL))
		return FALSE;
	*folder = g_strdup(given ? given : beside);
	return TRUE;
}

static void test_corpus(void **state)
{
	g_autofree char *folder = NULL;
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	guint seen = 0, wrong = 0;

	(void)state;
	if (!find_corpus(&folder, &text)) {
		print_message("# no corpus: its certificates and keys are left out\n");
		return;
	}
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) f = g_strsplit(*line, "\t", -1);

		if (g_strv_length(f) < 13 ||
		    !(g_str_equal(f[2], "certificate") || g_str_equal(f[2], "pkcs12") ||
		      g_str_equal(f[2], "private-key")))
			continue;
		seen++;
		if (!as_observed(folder, &(CorpusLine){f[0], f[5], f[6], f[7], f[12]}))
			wrong++;
	}
	assert_true(seen > 0);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_endless_derivation),
		cmocka_unit_test(test_export),
		cmocka_unit_test(test_export_read_by_openssl),
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests_name("x509_read", tests, set_up, tear_down);
}
