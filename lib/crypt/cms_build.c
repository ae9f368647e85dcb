/* SPDX-License-Identifier: Apache-2.0
 *
 * CMS structures before their content: who signs and how, who may open (RFC 5652, RFC 8551,
 * RFC 5753). Algorithms are those that every client of today reads.
 */
#include <openssl/ec.h>
#include <openssl/err.h>

#include <openssl/rsa.h>

#include "lib/crypt/cms_attributes.h"

/* What our incoming side opens, best first (RFC 8551, section 2.5.2). OpenSSL's own list would
 * invite RC2 and DES. */
static const int capabilities[] = {
	NID_aes_256_gcm, NID_aes_128_gcm, NID_aes_256_cbc, NID_aes_192_cbc, NID_aes_128_cbc,
};

/* A digest as strong as the curve; SHA-256 for all RSA keys. */
static int digest_for(const CmsJob *job)
{
	EVP_PKEY *key = private_key_pkey(job->signer_key);

	if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_bits(key) <= 256)
		return NID_sha256;
	return EVP_PKEY_get_bits(key) <= 384 ? NID_sha384 : NID_sha512;
}

const char *cms_build_micalg(const CmsJob *job)
{
	switch (digest_for(job)) {
	case NID_sha384: return "sha-384";
	case NID_sha512: return "sha-512";
	default: return "sha-256";
	}
}

static gboolean add_capabilities(CMS_SignerInfo *signer)
{
	STACK_OF(X509_ALGOR) *list = NULL;
	X509_ALGOR *oaep = cms_oaep_capability();
	gboolean good = TRUE;

	for (guint i = 0; good && i < G_N_ELEMENTS(capabilities); i++)
		good = CMS_add_simple_smimecap(&list, capabilities[i], -1) == 1;
	good = good && oaep != NULL && sk_X509_ALGOR_push(list, oaep) > 0;
	if (!good)
		X509_ALGOR_free(oaep);
	good = good && CMS_add_smimecap(signer, list) == 1;
	sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
	return good;
}

static gboolean add_signing_time(CMS_SignerInfo *signer, gint64 seconds)
{
	ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)seconds);
	gboolean good =
		time != NULL && CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime,
							    ASN1_STRING_type(time), time, -1) == 1;

	ASN1_TIME_free(time);
	return good;
}

static gboolean add_signer(CMS_ContentInfo *cms, const CmsJob *job)
{
	const EVP_MD *digest = EVP_get_digestbynid(digest_for(job));
	CMS_SignerInfo *signer =
		CMS_add1_signer(cms, cert_x509(job->signer), private_key_pkey(job->signer_key),
				digest, CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP);

	if (signer == NULL || !add_capabilities(signer) ||
	    !add_signing_time(signer, job->signing_time))
		return FALSE;
	for (guint i = 0; job->signer_chain != NULL && i < job->signer_chain->len; i++) {
		const Cert *cert = g_ptr_array_index(job->signer_chain, i);

		if (g_bytes_equal(cert_der(cert), cert_der(job->signer)))
			continue; /* OpenSSL refuses to take one twice */
		if (CMS_add1_cert(cms, cert_x509(cert)) != 1)
			return FALSE;
	}
	return TRUE;
}

CMS_ContentInfo *cms_build_signed(const CmsJob *job, gboolean detached, GError **error)
{
	unsigned flags = CMS_PARTIAL | CMS_BINARY | (detached ? CMS_DETACHED : 0);
	g_autoptr(CMS_ContentInfo) cms = CMS_sign(NULL, NULL, NULL, NULL, flags);

	if (cms == NULL || !add_signer(cms, job)) {
		crypt_fail(error, ERROR_CRYPTO, "S/MIME signature cannot be prepared");
		return NULL;
	}
	return g_steal_pointer(&cms);
}

/* The parameters that CMS_OPENS_OAEP names. */
static gboolean set_oaep(CMS_RecipientInfo *info)
{
	EVP_PKEY_CTX *context = CMS_RecipientInfo_get0_pkey_ctx(info);

	return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1;
}

static gboolean add_recipient(CMS_ContentInfo *cms, const Cert *cert, gboolean oaep)
{
	CMS_RecipientInfo *info = CMS_add1_recipient_cert(cms, cert_x509(cert), CMS_KEY_PARAM);

	if (info == NULL)
		return FALSE;
	if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_AGREE)
		/* OpenSSL's default for deriving the key is SHA-1. */
		return EVP_PKEY_CTX_set_ecdh_kdf_md(CMS_RecipientInfo_get0_pkey_ctx(info),
						    EVP_sha256()) == 1;
	return CMS_RecipientInfo_type(info) == CMS_RECIPINFO_TRANS && (!oaep || set_oaep(info));
}

CMS_ContentInfo *cms_build_enveloped(const CmsJob *job, GError **error)
{
	const EVP_CIPHER *cipher =
		job->cipher == CMS_CIPHER_AES256_GCM ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
	g_autoptr(CMS_ContentInfo) cms = CMS_encrypt(NULL, NULL, cipher, CMS_PARTIAL | CMS_BINARY);
	gboolean good = cms != NULL;

	for (guint i = 0; good && i < job->recipients->len; i++)
		good = add_recipient(cms, g_ptr_array_index(job->recipients, i), job->oaep);
	if (!good) {
		crypt_fail(error, ERROR_CRYPTO, "S/MIME encryption cannot be prepared");
		return NULL;
	}
	return g_steal_pointer(&cms);
}
