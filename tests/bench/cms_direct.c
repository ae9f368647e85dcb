/* SPDX-License-Identifier: Apache-2.0
 *
 * What the cryptography alone costs: signs (SHA-256, multipart/signed) and encrypts (AES-256-CBC) a
 * file N times by plain OpenSSL calls, and prints the CPU milliseconds of each.
 * usage: cms_direct N FILE SIGNER.pem SIGNER-KEY.pem RECIPIENT.pem
 */
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static X509 *read_cert(const char *path)
{
	BIO *in = BIO_new_file(path, "r");
	X509 *cert = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

	BIO_free(in);
	return cert;
}

static EVP_PKEY *read_key(const char *path)
{
	BIO *in = BIO_new_file(path, "r");
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;

	BIO_free(in);
	return key;
}

/* Sign, write the multipart, encrypt, write base64: as a client that has all in memory would. */
static int protect(BIO *content, X509 *signer, EVP_PKEY *key, STACK_OF(X509) * recipients)
{
	const unsigned flags = CMS_STREAM | CMS_BINARY;
	BIO *signed_mime = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_null());
	CMS_ContentInfo *sig = CMS_sign(signer, key, NULL, content, flags | CMS_DETACHED);
	CMS_ContentInfo *env = NULL;
	int ok = sig && BIO_reset(content) >= 0 &&
		 SMIME_write_CMS(signed_mime, sig, content, (int)(flags | CMS_DETACHED)) == 1;

	if (ok)
		env = CMS_encrypt(recipients, signed_mime, EVP_aes_256_cbc(), flags);
	ok = ok && env && SMIME_write_CMS(out, env, signed_mime, (int)flags) == 1;
	CMS_ContentInfo_free(sig);
	CMS_ContentInfo_free(env);
	BIO_free(signed_mime);
	BIO_free(out);
	return ok;
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr,
			"usage: cms_direct N FILE SIGNER.pem SIGNER-KEY.pem RECIPIENT.pem\n");
		return 64;
	}
	long n = strtol(argv[1], NULL, 10);
	X509 *signer = read_cert(argv[3]), *recipient = read_cert(argv[5]);
	EVP_PKEY *key = read_key(argv[4]);
	BIO *content = BIO_new_file(argv[2], "rb");
	STACK_OF(X509) *recipients = sk_X509_new_null();

	if (n < 1 || !signer || !recipient || !key || !content ||
	    !sk_X509_push(recipients, recipient))
		return 66;
	clock_t start = clock();
	for (long i = 0; i < n; i++)
		if (BIO_reset(content) < 0 || !protect(content, signer, key, recipients))
			return 70;
	printf("%.3f\n", (double)(clock() - start) * 1000 / CLOCKS_PER_SEC / n);
	return 0;
}
