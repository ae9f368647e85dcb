/* SPDX-License-Identifier: Apache-2.0
 *
 * What certificates say of themselves, what they may be used for, and whom chains lead to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/x509.h"
#include "tests/unit/x509maker.h"

#define DAY 86400

static gint64 now(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

typedef struct {
	const char *what;
	MakerOrder order;
	CertFlaw encryption, signing;
} FlawCase;

static const FlawCase flaw_cases[] = {
	{"EC for both", {.name = "a", .email = "a@b.example"}, CERT_OK, CERT_OK},
	{"RSA for both", {.name = "a", .algorithm = "rsa2048"}, CERT_OK, CERT_OK},
	{"P-384", {.name = "a", .algorithm = "P-384"}, CERT_OK, CERT_OK},
	{"P-521", {.name = "a", .algorithm = "P-521"}, CERT_OK, CERT_OK},
	{"brainpool", {.name = "a", .algorithm = "brainpoolP256r1"}, CERT_OK, CERT_OK},
	{"no key usage", {.name = "a", .usage = ""}, CERT_OK, CERT_OK},
	{"no extended usage", {.name = "a", .extended = ""}, CERT_OK, CERT_OK},
	{"any extended usage", {.name = "a", .extended = "2.5.29.37.0"}, CERT_OK, CERT_OK},
	{"web server", {.name = "a", .extended = "serverAuth"}, CERT_WRONG_USAGE, CERT_WRONG_USAGE},
	{"signing only", {.name = "a", .signing_only = TRUE}, CERT_WRONG_USAGE, CERT_OK},
	{"nonRepudiation signs",
	 {.name = "a", .usage = "critical,nonRepudiation"},
	 CERT_WRONG_USAGE,
	 CERT_OK},
	{"EC with keyEncipherment only",
	 {.name = "a", .usage = "keyEncipherment"},
	 CERT_WRONG_USAGE,
	 CERT_WRONG_USAGE},
	{"RSA with keyEncipherment only",
	 {.name = "a", .algorithm = "rsa2048", .usage = "keyEncipherment"},
	 CERT_OK,
	 CERT_WRONG_USAGE},
	{"RSA with keyAgreement only",
	 {.name = "a", .algorithm = "rsa2048", .usage = "keyAgreement"},
	 CERT_WRONG_USAGE,
	 CERT_WRONG_USAGE},
	{"expired", {.name = "a", .from = -10, .to = -1}, CERT_EXPIRED, CERT_EXPIRED},
	{"future", {.name = "a", .from = 1, .to = 10}, CERT_NOT_YET_VALID, CERT_NOT_YET_VALID},
	{"RSA 1024", {.name = "a", .algorithm = "rsa1024"}, CERT_WEAK_KEY, CERT_WEAK_KEY},
	{"P-224", {.name = "a", .algorithm = "secp224r1"}, CERT_WEAK_KEY, CERT_WEAK_KEY},
	{"secp256k1", {.name = "a", .algorithm = "secp256k1"}, CERT_WEAK_KEY, CERT_WEAK_KEY},
	{"critical extension that nobody knows",
	 {.name = "a", .other = "1.3.6.1.4.1.99999.1"},
	 CERT_CRITICAL,
	 CERT_CRITICAL},
	{"SHA-1 on itself", {.name = "a", .digest = "SHA1"}, CERT_OK, CERT_OK},
};

static void test_flaws(void **state)
{
	(void)state;
	for (guint i = 0; i < G_N_ELEMENTS(flaw_cases); i++) {
		const FlawCase *c = &flaw_cases[i];
		g_autoptr(Made) made = x509_maker_make(&c->order);
		CertFlaw encryption = cert_flaw(made->cert, CERT_FOR_ENCRYPTION, now());
		CertFlaw signing = cert_flaw(made->cert, CERT_FOR_SIGNING, now());

		if (encryption != c->encryption || signing != c->signing)
			fail_msg("%s: %s, %s", c->what, cert_flaw_name(encryption),
				 cert_flaw_name(signing));
	}
}

static void test_flaws_by_issuer(void **state)
{
	g_autoptr(Made) root =
		x509_maker_make(&(MakerOrder){.name = "root", .ca = TRUE, .algorithm = "rsa2048"});
	g_autoptr(Made) sha1 =
		x509_maker_make(&(MakerOrder){.name = "a", .issuer = root, .digest = "SHA1"});
	g_autoptr(Made) md5 =
		x509_maker_make(&(MakerOrder){.name = "a", .issuer = root, .digest = "MD5"});
	g_autoptr(Made) x25519 =
		x509_maker_make(&(MakerOrder){.name = "a", .issuer = root, .algorithm = "X25519"});

	(void)state;
	assert_int_equal(cert_flaw(sha1->cert, CERT_FOR_SIGNING, now()), CERT_BAD_SIGNATURE);
	assert_int_equal(cert_flaw(md5->cert, CERT_FOR_SIGNING, now()), CERT_BAD_SIGNATURE);
	assert_int_equal(cert_flaw(x25519->cert, CERT_FOR_ENCRYPTION, now()), CERT_UNSUPPORTED_KEY);
}

static void test_time(void **state)
{
	g_autoptr(Made) made = x509_maker_make(&(MakerOrder){.name = "a"});
	gint64 end = cert_not_after(made->cert);

	(void)state;
	assert_true(ABS(cert_not_before(made->cert) - (now() - DAY)) < 60);
	assert_int_equal(cert_flaw(made->cert, CERT_FOR_SIGNING, end), CERT_OK);
	assert_int_equal(cert_flaw(made->cert, CERT_FOR_SIGNING, end + 1), CERT_EXPIRED);
}

typedef struct {
	const char *what;
	MakerOrder order;
	const char *addresses; /* joined by blanks */
	const char *patch; /* stands for "####" in the order: what no configuration can say */
} AddressCase;

#define UTF8_MAILBOX "otherName:1.3.6.1.5.5.7.8.9;UTF8:"

static const AddressCase address_cases[] = {
	{"one", {.name = "a", .names = "email:Sofia@SMIME.example"}, "sofia@smime.example"},
	{"all of them",
	 {.name = "a", .names = "email:a@x.example,DNS:y.example,email:b@x.example"},
	 "a@x.example b@x.example"},
	{"subject if there is no other",
	 {.name = "a", .subject_email = "s@x.example"},
	 "s@x.example"},
	{"subject beside DNS names",
	 {.name = "a", .names = "DNS:y.example", .subject_email = "s@x.example"},
	 "s@x.example"},
	{"subject does not add",
	 {.name = "a", .names = "email:a@x.example", .subject_email = "s@x.example"},
	 "a@x.example"},
	{"SmtpUTF8Mailbox",
	 {.name = "a", .names = UTF8_MAILBOX "j####rg@x.example"},
	 "j\xc3\xb6\xc3\xb6rg@x.example",
	 "\xc3\xb6\xc3\xb6"},
	{"IDN domain in UTF-8",
	 {.name = "a", .names = UTF8_MAILBOX "a@b####er.example"},
	 "a@xn--bcher-kva.example",
	 "\xc3\xbc"
	 "ch"},
	{"no UTF-8", {.name = "a", .names = UTF8_MAILBOX "j####rg@x.example"}, "", "\xf6\xf6zz"},
	{"NUL inside",
	 {.name = "a", .names = "email:boss@f.example####@x", .subject_email = "s@x.example"},
	 "",
	 "\0.zz"},
	{"NUL in SmtpUTF8Mailbox",
	 {.name = "a", .names = UTF8_MAILBOX "boss@f.example####@x"},
	 "",
	 "\0.zz"},
	{"line ends", {.name = "a", .names = "email:boss@f.example####"}, "", "\r\nzz"},
	{"UTF-8 in rfc822Name",
	 {.name = "a", .names = "email:j####rg@x.example"},
	 "",
	 "\xc3\xb6\xc3\xb6"},
	{"NUL in the subject", {.name = "a", .subject_email = "s@x.example####"}, "", "\0.zz"},
	{"name is no address", {.name = "a@b.example"}, ""},
	{"twice", {.name = "a", .names = "email:a@x.example,email:A@X.example"}, "a@x.example"},
};

static Cert *patched(const Made *made, const char *patch)
{
	gsize size = g_bytes_get_size(cert_der(made->cert));
	guint8 *der = g_memdup2(g_bytes_get_data(cert_der(made->cert), NULL), size);
	guint8 *at = memmem(der, size, "####", 4);
	g_autoptr(GBytes) bytes = g_bytes_new_take(der, size);

	if (patch == NULL)
		return cert_ref(made->cert);
	assert_non_null(at);
	memcpy(at, patch, 4);
	return cert_new(bytes, NULL);
}

static void test_addresses(void **state)
{
	(void)state;
	for (guint i = 0; i < G_N_ELEMENTS(address_cases); i++) {
		const AddressCase *c = &address_cases[i];
		g_autoptr(Made) made = x509_maker_make(&c->order);
		g_autoptr(Cert) cert = patched(made, c->patch);
		g_autofree char *joined = NULL;

		assert_non_null(cert);
		joined = g_strjoinv(" ", (char **)cert_addresses(cert));
		if (strcmp(joined, c->addresses) != 0)
			fail_msg("%s: \"%s\"", c->what, joined);
	}
}

static void test_description(void **state)
{
	g_autoptr(Made) root = x509_maker_make(&(MakerOrder){.name = "Wurzel", .ca = TRUE});
	g_autoptr(Made) made = x509_maker_make(
		&(MakerOrder){.name = "J\xc3\xb6rg", .issuer = root, .algorithm = "rsa2048"});
	g_autoptr(Made) nameless = x509_maker_make(&(MakerOrder){.name = "", .issuer = root});
	g_autofree char *pem = cert_pem(made->cert);
	g_autoptr(GBytes) file = g_bytes_new(pem, strlen(pem));
	g_autoptr(X509Bundle) bundle = x509_read(file, NULL, NULL);

	(void)state;
	assert_string_equal(cert_subject(made->cert), "CN=J\xc3\xb6rg");
	assert_string_equal(cert_issuer(made->cert), "CN=Wurzel");
	assert_string_equal(cert_subject(nameless->cert), "");
	assert_string_equal(cert_algorithm(made->cert), "RSA 2048");
	assert_string_equal(cert_algorithm(root->cert), "EC P-256");
	assert_int_equal(strlen(cert_fingerprint(made->cert)), 64);
	assert_true(cert_is_ca(root->cert) && !cert_is_ca(made->cert));
	assert_true(cert_is_self_issued(root->cert) && !cert_is_self_issued(made->cert));
	assert_non_null(bundle);
	assert_string_equal(cert_fingerprint(g_ptr_array_index(bundle->certs, 0)),
			    cert_fingerprint(made->cert));
}

static void test_broken(void **state)
{
	g_autoptr(Made) made = x509_maker_make(&(MakerOrder){.name = "a"});
	gsize size;
	const guint8 *der = g_bytes_get_data(cert_der(made->cert), &size);

	(void)state;
	for (gsize cut = 0; cut < size; cut++) {
		g_autoptr(GBytes) bytes = g_bytes_new(der, cut);
		g_autoptr(GError) error = NULL;

		assert_null(cert_new(bytes, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_MALFORMED));
	}
	g_autoptr(GByteArray) longer = g_byte_array_append(g_byte_array_new(), der, (guint)size);
	g_byte_array_append(longer, (const guint8 *)"x", 1);
	g_autoptr(GBytes) bytes = g_bytes_new(longer->data, longer->len);
	assert_null(cert_new(bytes, NULL));
}

static GPtrArray *certs_of(const Made *first, ...)
{
	GPtrArray *certs = g_ptr_array_new();
	va_list more;

	va_start(more, first);
	for (const Made *made = first; made != NULL; made = va_arg(more, const Made *))
		g_ptr_array_add(certs, made->cert);
	va_end(more);
	return certs;
}

typedef struct {
	Made *root, *stranger, *middle, *web, *leaf, *expired, *below_web, *below_leaf, *self;
	GPtrArray *roots, *between;
	GPtrArray *crls;
} Tree;

static int plant(void **state)
{
	Tree *tree = g_new0(Tree, 1);

	tree->root = x509_maker_make(&(MakerOrder){.name = "root", .ca = TRUE});
	tree->stranger = x509_maker_make(&(MakerOrder){.name = "stranger", .ca = TRUE});
	tree->middle =
		x509_maker_make(&(MakerOrder){.name = "middle", .ca = TRUE, .issuer = tree->root});
	tree->web = x509_maker_make(&(MakerOrder){
		.name = "web", .ca = TRUE, .issuer = tree->root, .extended = "serverAuth"});
	tree->leaf = x509_maker_make(&(MakerOrder){.name = "leaf", .issuer = tree->middle});
	tree->expired = x509_maker_make(
		&(MakerOrder){.name = "old", .issuer = tree->middle, .from = -9, .to = -1});
	tree->below_web = x509_maker_make(&(MakerOrder){.name = "w", .issuer = tree->web});
	tree->below_leaf = x509_maker_make(&(MakerOrder){.name = "x", .issuer = tree->leaf});
	tree->self = x509_maker_make(&(MakerOrder){.name = "self"});
	tree->roots = certs_of(tree->root, tree->self, NULL);
	tree->between = certs_of(tree->middle, tree->web, tree->leaf, tree->stranger, NULL);
	tree->crls = g_ptr_array_new_with_free_func((GDestroyNotify)crl_unref);
	*state = tree;
	return 0;
}

static int fell(void **state)
{
	Tree *tree = *state;

	made_free(tree->root);
	made_free(tree->stranger);
	made_free(tree->middle);
	made_free(tree->web);
	made_free(tree->leaf);
	made_free(tree->expired);
	made_free(tree->below_web);
	made_free(tree->below_leaf);
	made_free(tree->self);
	g_ptr_array_unref(tree->roots);
	g_ptr_array_unref(tree->between);
	g_ptr_array_unref(tree->crls);
	g_free(tree);
	return 0;
}

static void test_chain(void **state)
{
	const Tree *tree = *state;
	g_autoptr(TrustStore) store = trust_store_new(tree->roots, NULL, NULL);
	g_autoptr(GPtrArray) chain = NULL;
	const struct {
		const Made *made;
		GPtrArray *between;
		ChainResult result;
	} cases[] = {
		{tree->leaf, NULL, CHAIN_UNTRUSTED},
		{tree->leaf, tree->between, CHAIN_OK},
		{tree->middle, NULL, CHAIN_OK},
		{tree->stranger, tree->between, CHAIN_UNTRUSTED},
		{tree->expired, tree->between, CHAIN_EXPIRED},
		{tree->below_web, tree->between, CHAIN_INVALID},
		{tree->below_leaf, tree->between, CHAIN_INVALID},
		{tree->self, NULL, CHAIN_OK},
	};

	assert_non_null(store);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		ChainResult result = cert_verify_chain(cases[i].made->cert, store, cases[i].between,
						       now(), NULL);

		if (result != cases[i].result)
			fail_msg("%s: %s", cert_subject(cases[i].made->cert),
				 chain_result_name(result));
	}
	assert_int_equal(cert_verify_chain(tree->leaf->cert, store, tree->between, now(), &chain),
			 CHAIN_OK);
	assert_int_equal(chain->len, 1);
	assert_string_equal(cert_fingerprint(g_ptr_array_index(chain, 0)),
			    cert_fingerprint(tree->middle->cert));
	assert_int_equal(
		cert_verify_chain(tree->leaf->cert, store, tree->between, now() + 400 * DAY, NULL),
		CHAIN_EXPIRED);
}

/* What held is remembered: for that minute, that certificate and that store. */
static void test_held(void **state)
{
	const Tree *tree = *state;
	g_autoptr(TrustStore) store = trust_store_new(tree->roots, NULL, NULL);
	g_autoptr(TrustStore) other = trust_store_new(tree->roots, NULL, NULL);
	const Cert *leaf = tree->leaf->cert;
	gint64 start = now() / 60 * 60;

	assert_int_equal(cert_verify_chain(leaf, store, tree->between, start, NULL), CHAIN_OK);
	assert_int_equal(cert_verify_chain(leaf, store, NULL, start + 59, NULL), CHAIN_OK);
	assert_int_equal(cert_verify_chain(leaf, store, NULL, start + 60, NULL), CHAIN_UNTRUSTED);
	assert_int_equal(cert_verify_chain(leaf, other, NULL, start, NULL), CHAIN_UNTRUSTED);
	assert_int_equal(
		cert_verify_chain(tree->below_leaf->cert, store, tree->between, start, NULL),
		CHAIN_INVALID);
}

/* A certificate that the administrator trusts by itself: it alone, not what hangs below it. */
static void test_trusted_leaf(void **state)
{
	const Tree *tree = *state;
	g_autoptr(GPtrArray) only = certs_of(tree->leaf, NULL);
	g_autoptr(TrustStore) store = trust_store_new(only, NULL, NULL);

	assert_int_equal(cert_verify_chain(tree->leaf->cert, store, NULL, now(), NULL), CHAIN_OK);
	assert_int_equal(cert_verify_chain(tree->below_leaf->cert, store, NULL, now(), NULL),
			 CHAIN_INVALID);
	assert_int_equal(cert_verify_chain(tree->expired->cert, store, tree->between, now(), NULL),
			 CHAIN_UNTRUSTED);
}

static void test_weak_links(void **state)
{
	const Tree *tree = *state;
	g_autoptr(Made) weak = x509_maker_make(&(MakerOrder){
		.name = "weak", .ca = TRUE, .issuer = tree->root, .algorithm = "rsa1024"});
	g_autoptr(Made) below = x509_maker_make(&(MakerOrder){.name = "b", .issuer = weak});
	g_autoptr(Made) sha1 = x509_maker_make(
		&(MakerOrder){.name = "sha1", .ca = TRUE, .issuer = tree->root, .digest = "SHA1"});
	g_autoptr(Made) under = x509_maker_make(&(MakerOrder){.name = "u", .issuer = sha1});
	g_autoptr(GPtrArray) between = certs_of(weak, sha1, NULL);
	g_autoptr(TrustStore) store = trust_store_new(tree->roots, NULL, NULL);

	assert_int_equal(cert_verify_chain(below->cert, store, between, now(), NULL),
			 CHAIN_INVALID);
	assert_int_equal(cert_verify_chain(under->cert, store, between, now(), NULL),
			 CHAIN_INVALID);
}

/* A CA that may vouch for one domain only. */
static void test_name_constraints(void **state)
{
	const Tree *tree = *state;
	g_autoptr(Made) firm = x509_maker_make(
		&(MakerOrder){.name = "firm",
			      .ca = TRUE,
			      .issuer = tree->root,
			      .constraints = "critical,permitted;email:firma.example"});
	g_autoptr(Made) inside = x509_maker_make(
		&(MakerOrder){.name = "i", .email = "a@firma.example", .issuer = firm});
	g_autoptr(Made) outside = x509_maker_make(
		&(MakerOrder){.name = "o", .email = "boss@bank.example", .issuer = firm});
	g_autoptr(Made) by_subject = x509_maker_make(
		&(MakerOrder){.name = "s", .subject_email = "boss@bank.example", .issuer = firm});
	g_autoptr(GPtrArray) between = certs_of(firm, NULL);
	g_autoptr(TrustStore) store = trust_store_new(tree->roots, NULL, NULL);

	assert_int_equal(cert_verify_chain(inside->cert, store, between, now(), NULL), CHAIN_OK);
	assert_int_equal(cert_verify_chain(outside->cert, store, between, now(), NULL),
			 CHAIN_INVALID);
	assert_int_equal(cert_verify_chain(by_subject->cert, store, between, now(), NULL),
			 CHAIN_INVALID);
}

static void test_crls(void **state)
{
	const Tree *tree = *state;
	g_autoptr(TrustStore) store = NULL;
	g_autoptr(GBytes) garbage = g_bytes_new_static("no CRL", 6);

	/* The CRL of the leaf's issuer is there, the root's is missing: no failure. */
	g_ptr_array_add(tree->crls, x509_maker_crl(tree->middle, tree->leaf));
	store = trust_store_new(tree->roots, tree->crls, NULL);
	assert_int_equal(cert_verify_chain(tree->leaf->cert, store, tree->between, now(), NULL),
			 CHAIN_REVOKED);
	assert_int_equal(cert_verify_chain(tree->middle->cert, store, NULL, now(), NULL), CHAIN_OK);
	/* Overdue, it still says who was revoked. */
	assert_int_equal(
		cert_verify_chain(tree->leaf->cert, store, tree->between, now() + 5 * DAY, NULL),
		CHAIN_REVOKED);
	/* A revoked issuer. */
	g_ptr_array_remove_index(tree->crls, 0);
	g_ptr_array_add(tree->crls, x509_maker_crl(tree->root, tree->middle));
	trust_store_unref(store);
	store = trust_store_new(tree->roots, tree->crls, NULL);
	assert_int_equal(cert_verify_chain(tree->leaf->cert, store, tree->between, now(), NULL),
			 CHAIN_REVOKED);
	assert_null(crl_new(garbage, NULL));
}

static void test_crl(void **state)
{
	const Tree *tree = *state;
	g_autoptr(Made) twin = x509_maker_make(&(MakerOrder){.name = "middle", .ca = TRUE});
	g_autoptr(Made) silent = x509_maker_make(
		&(MakerOrder){.name = "Silent", .ca = TRUE, .usage = "critical,keyCertSign"});
	g_autoptr(Crl) crl = x509_maker_crl(tree->middle, tree->leaf);
	g_autoptr(Crl) later = x509_maker_crl_of(tree->middle, NULL, 0);
	g_autoptr(Crl) other = x509_maker_crl(tree->root, NULL);
	g_autoptr(Crl) unfit = x509_maker_crl(silent, NULL);

	assert_string_equal(crl_issuer(crl), cert_subject(tree->middle->cert));
	assert_int_equal(crl_entries(crl), 1);
	assert_int_equal(crl_entries(later), 0);
	assert_true(crl_next(crl) > now() && crl_issued(later) > crl_issued(crl));
	assert_string_equal(crl_scope(crl), crl_scope(later));
	assert_string_not_equal(crl_scope(crl), crl_scope(other));
	assert_true(crl_is_from(crl, tree->middle->cert));
	assert_false(crl_is_from(crl, tree->root->cert));
	/* Another key under the same name; a CA that may not issue CRLs. */
	assert_string_equal(cert_subject(twin->cert), cert_subject(tree->middle->cert));
	assert_false(crl_is_from(crl, twin->cert));
	assert_false(crl_is_from(unfit, silent->cert));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flaws),
		cmocka_unit_test(test_flaws_by_issuer),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_description),
		cmocka_unit_test(test_broken),
		cmocka_unit_test_setup_teardown(test_chain, plant, fell),
		cmocka_unit_test_setup_teardown(test_held, plant, fell),
		cmocka_unit_test_setup_teardown(test_trusted_leaf, plant, fell),
		cmocka_unit_test_setup_teardown(test_weak_links, plant, fell),
		cmocka_unit_test_setup_teardown(test_name_constraints, plant, fell),
		cmocka_unit_test_setup_teardown(test_crls, plant, fell),
		cmocka_unit_test_setup_teardown(test_crl, plant, fell),
	};

	return cmocka_run_group_tests_name("x509", tests, NULL, NULL);
}
