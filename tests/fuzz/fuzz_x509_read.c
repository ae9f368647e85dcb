/* SPDX-License-Identifier: Apache-2.0
 *
 * Files with certificates and keys: what is read can be described, judged, and given out again.
 */
#include <string.h>

#include "lib/crypt/x509.h"
#include "tests/fuzz/fuzz.h"

#define SOME_TIME 1800000000

static void check_cert(const Cert *cert, GPtrArray *others)
{
	g_autoptr(GPtrArray) roots = g_ptr_array_new();
	g_autoptr(TrustStore) store = trust_store_new(roots, NULL, NULL);
	g_autoptr(Cert) again = cert_new(cert_der(cert), NULL);
	g_autofree char *pem = cert_pem(cert);

	g_assert_cmpstr(cert_fingerprint(again), ==, cert_fingerprint(cert));
	g_assert_true(g_utf8_validate(cert_subject(cert), -1, NULL));
	g_assert_true(g_utf8_validate(cert_issuer(cert), -1, NULL));
	g_assert_nonnull(cert_algorithm(cert));
	g_assert_true(g_str_has_prefix(pem, "-----BEGIN CERTIFICATE-----"));
	for (const char *const *address = cert_addresses(cert); *address != NULL; address++)
		for (const char *at = *address; *at != '\0'; at++)
			g_assert_true(g_utf8_validate(*address, -1, NULL) && !g_ascii_iscntrl(*at));
	cert_flaw(cert, CERT_FOR_ENCRYPTION, SOME_TIME);
	cert_flaw(cert, CERT_FOR_SIGNING, SOME_TIME);
	g_assert_cmpint(cert_verify_chain(cert, store, others, SOME_TIME, NULL), !=, CHAIN_OK);
}

static void check_key(const PrivateKey *key)
{
	g_autoptr(Secret) secret = private_key_export(key, NULL);

	if (secret != NULL)
		private_key_unref(private_key_import(secret, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) file = g_bytes_new_static(data, size);
	char passphrase[] = "geheim";
	g_autoptr(Secret) secret = secret_take(passphrase, strlen(passphrase));
	const Secret *const secrets[] = {NULL, secret};

	for (guint i = 0; i < G_N_ELEMENTS(secrets); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(X509Bundle) bundle = x509_read(file, secrets[i], &error);

		g_assert_true((bundle == NULL) == (error != NULL));
		for (guint k = 0; bundle != NULL && k < bundle->certs->len; k++)
			check_cert(bundle->certs->pdata[k], bundle->certs);
		for (guint k = 0; bundle != NULL && k < bundle->keys->len; k++)
			check_key(bundle->keys->pdata[k]);
	}
	return 0;
}
