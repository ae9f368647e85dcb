/* SPDX-License-Identifier: Apache-2.0
 *
 * What one certificate allows by itself: time, key, usage, signature (RFC 5280 section 4.2,
 * RFC 8550 section 4.4, RFC 8551 section 4). An absent usage extension allows everything; one that is
 * there must name our use.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "lib/crypt/x509_private.h"

#define RSA_BITS_MIN 2048
/* OpenSSL refuses to work with larger ones. */
#define RSA_BITS_MAX 16384

static const char *const known_curves[] = {
	"prime256v1",	   "secp384r1",	      "secp521r1",
	"brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1",
};

/* Curves given by their numbers instead of their name can be forged to collide with a known key
 * (CVE-2020-0601). */
static gboolean has_explicit_curve(EVP_PKEY *key)
{
	int explicit = 0;

	return EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				      &explicit) &&
	       explicit != 0;
}

static CertFlaw judge_key(X509 *x509)
{
	EVP_PKEY *key = X509_get0_pubkey(x509);
	char group[64];

	if (key == NULL)
		return CERT_UNSUPPORTED_KEY;
	if (EVP_PKEY_is_a(key, "RSA")) {
		if (EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
			return CERT_WEAK_KEY;
		return EVP_PKEY_get_bits(key) > RSA_BITS_MAX ? CERT_UNSUPPORTED_KEY : CERT_OK;
	}
	if (EVP_PKEY_is_a(key, "DSA"))
		return CERT_WEAK_KEY;
	if (!EVP_PKEY_is_a(key, "EC") || has_explicit_curve(key) ||
	    !EVP_PKEY_get_group_name(key, group, sizeof group, NULL))
		return CERT_UNSUPPORTED_KEY;
	for (guint i = 0; i < G_N_ELEMENTS(known_curves); i++)
		if (g_str_equal(group, known_curves[i]))
			return CERT_OK;
	return CERT_WEAK_KEY;
}

/* Without a key usage extension X509_get_key_usage() has all bits set. */
static gboolean allows(X509 *x509, CertUse use)
{
	guint32 usage = X509_get_key_usage(x509);
	guint32 extended = X509_get_extended_key_usage(x509);
	guint32 wanted;

	if ((X509_get_extension_flags(x509) & EXFLAG_XKUSAGE) != 0 &&
	    (extended & (XKU_SMIME | XKU_ANYEKU)) == 0)
		return FALSE;
	if (use == CERT_FOR_SIGNING)
		wanted = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
	else if (EVP_PKEY_is_a(X509_get0_pubkey(x509), "EC"))
		wanted = KU_KEY_AGREEMENT;
	else
		wanted = KU_KEY_ENCIPHERMENT;
	return (usage & wanted) != 0;
}

/* By name of what is sound, so that a digest that nobody knew of does not pass. */
static gboolean is_soundly_signed(X509 *x509)
{
	int digest = NID_undef;
	int algorithm = NID_undef;

	if ((X509_get_extension_flags(x509) & EXFLAG_SS) != 0)
		return TRUE; /* its own signature proves nothing and is not relied on */
	if (!X509_get_signature_info(x509, &digest, &algorithm, NULL, NULL))
		return FALSE;
	switch (digest) {
	case NID_sha224:
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
	case NID_sha512_256:
	case NID_sha3_256:
	case NID_sha3_384:
	case NID_sha3_512: return TRUE;
	default: return algorithm == NID_ED25519 || algorithm == NID_ED448;
	}
}

CertFlaw cert_flaw(const Cert *cert, CertUse use, gint64 now)
{
	X509 *x509 = cert_x509(cert);
	CertFlaw key = judge_key(x509);

	ERR_clear_error();
	if (now > cert_not_after(cert))
		return CERT_EXPIRED;
	if (now < cert_not_before(cert))
		return CERT_NOT_YET_VALID;
	if (key != CERT_OK)
		return key;
	if ((X509_get_extension_flags(x509) & (EXFLAG_CRITICAL | EXFLAG_INVALID)) != 0)
		return CERT_CRITICAL;
	if (!allows(x509, use))
		return CERT_WRONG_USAGE;
	if (!is_soundly_signed(x509))
		return CERT_BAD_SIGNATURE;
	return CERT_OK;
}

const char *cert_flaw_name(CertFlaw flaw)
{
	switch (flaw) {
	case CERT_OK: return "ok";
	case CERT_EXPIRED: return "expired";
	case CERT_NOT_YET_VALID: return "not-yet-valid";
	case CERT_WRONG_USAGE: return "wrong-usage";
	case CERT_WEAK_KEY: return "weak-key";
	case CERT_UNSUPPORTED_KEY: return "unsupported-key";
	case CERT_BAD_SIGNATURE: return "weak-signature";
	case CERT_CRITICAL: return "bad-extension";
	}
	return "unknown";
}
