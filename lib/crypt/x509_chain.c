/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a certificate lead to somebody that we trust (RFC 5280, section 6)? OpenSSL walks the
 * path. Its S/MIME purposes are not used: they refuse EC keys with keyAgreement and
 * anyExtendedKeyUsage, which are right (RFC 8550, section 4.4); cert_flaw() judges the leaf and
 * issuers_allow_mail() the certificates above it.
 */
#include <openssl/err.h>

#include "lib/base/kept.h"
#include "lib/crypt/x509_private.h"

/* Most intermediates of a message or store that are looked at, and longest path. */
#define INTERMEDIATES_MAX 200
#define CHAIN_DEPTH_MAX 16
/* 112 bits: no RSA below 2048, no SHA-1 in any link. */
#define CHAIN_AUTH_LEVEL 2

/* A chain that held is not walked again within such a span of `now` (a link may end in between),
 * and for how many certificates that is remembered. */
#define HELD_SECONDS 60
#define HELD_MAX 10000

struct TrustStore {
	gatomicrefcount references;
	X509_STORE *store;
	gboolean has_crls;
	Kept *held; /* by fingerprint and span, without values */
};

static gboolean add_roots(X509_STORE *store, GPtrArray *roots, GError **error)
{
	for (guint i = 0; roots != NULL && i < roots->len; i++) {
		if (!X509_STORE_add_cert(store, cert_x509(g_ptr_array_index(roots, i)))) {
			crypt_fail(error, ERROR_INTERNAL, "root certificate not taken");
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean add_crls(X509_STORE *store, GPtrArray *crls, GError **error)
{
	for (guint i = 0; crls != NULL && i < crls->len; i++) {
		if (!X509_STORE_add_crl(store, crl_x509(g_ptr_array_index(crls, i)))) {
			crypt_fail(error, ERROR_INTERNAL, "CRL not taken");
			return FALSE;
		}
	}
	return TRUE;
}

TrustStore *trust_store_new(GPtrArray *roots, GPtrArray *crls, GError **error)
{
	g_autoptr(TrustStore) trust = g_new0(TrustStore, 1);

	ERR_clear_error();
	g_atomic_ref_count_init(&trust->references);
	trust->store = X509_STORE_new();
	trust->held = kept_new(HELD_MAX, NULL, NULL);
	trust->has_crls = crls != NULL && crls->len > 0;
	if (trust->store == NULL || !add_roots(trust->store, roots, error) ||
	    !add_crls(trust->store, crls, error))
		return NULL;
	return g_steal_pointer(&trust);
}

TrustStore *trust_store_ref(TrustStore *trust)
{
	g_atomic_ref_count_inc(&trust->references);
	return trust;
}

void trust_store_unref(TrustStore *trust)
{
	if (trust == NULL || !g_atomic_ref_count_dec(&trust->references))
		return;
	X509_STORE_free(trust->store);
	kept_free(trust->held);
	g_free(trust);
}

/* A CRL that we do not have is no reason to refuse, nor one that speaks of other certificates of
 * the issuer; an old one still says who was revoked. */
static int forgive_missing_crls(int ok, X509_STORE_CTX *context)
{
	switch (X509_STORE_CTX_get_error(context)) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID: return 1;
	default: return ok;
	}
}

static ChainResult result_for(int code)
{
	switch (code) {
	case X509_V_OK: return CHAIN_OK;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_REJECTED: return CHAIN_UNTRUSTED;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID: return CHAIN_EXPIRED;
	case X509_V_ERR_CERT_REVOKED: return CHAIN_REVOKED;
	default: return CHAIN_INVALID;
	}
}

/* An issuer restricted to other things (a web server CA) does not vouch for mail. The anchor is
 * exempt: the administrator's trust counts, not its extensions. */
static gboolean issuers_allow_mail(STACK_OF(X509) * path)
{
	for (int i = 1; i < sk_X509_num(path) - 1; i++) {
		X509 *issuer = sk_X509_value(path, i);

		if ((X509_get_extension_flags(issuer) & EXFLAG_XKUSAGE) != 0 &&
		    (X509_get_extended_key_usage(issuer) & (XKU_SMIME | XKU_ANYEKU)) == 0)
			return FALSE;
	}
	return TRUE;
}

/* What a signature should carry of the path: all between leaf and root. */
static GPtrArray *issuers_below_root(STACK_OF(X509) * path)
{
	g_autoptr(GPtrArray) issuers = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);

	for (int i = 1; i < sk_X509_num(path); i++) {
		X509 *issuer = sk_X509_value(path, i);
		Cert *cert;

		if ((X509_get_extension_flags(issuer) & EXFLAG_SS) != 0)
			break;
		cert = cert_from_x509(issuer, NULL);
		if (cert != NULL)
			g_ptr_array_add(issuers, cert);
	}
	return g_steal_pointer(&issuers);
}

static ChainResult walk(X509_STORE_CTX *context, const TrustStore *trust, gint64 now)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
	unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_POLICY_CHECK;

	if (trust->has_crls) {
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
			 X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS;
		X509_STORE_CTX_set_verify_cb(context, forgive_missing_crls);
	}
	X509_VERIFY_PARAM_set_flags(param, flags);
	X509_VERIFY_PARAM_set_time(param, (time_t)now);
	X509_VERIFY_PARAM_set_depth(param, CHAIN_DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, CHAIN_AUTH_LEVEL);
	if (X509_verify_cert(context) == 1)
		return issuers_allow_mail(X509_STORE_CTX_get0_chain(context)) ? CHAIN_OK
									      : CHAIN_INVALID;
	/* OpenSSL keeps the forgiven error; a failure without a code is one all the same. */
	return X509_STORE_CTX_get_error(context) == X509_V_OK
		       ? CHAIN_INVALID
		       : result_for(X509_STORE_CTX_get_error(context));
}

/* Whatever helped it to hold. */
static char *held_name(const Cert *cert, gint64 now)
{
	return g_strdup_printf("%s %" G_GINT64_FORMAT, cert_fingerprint(cert), now / HELD_SECONDS);
}

ChainResult cert_verify_chain(const Cert *cert, const TrustStore *store, GPtrArray *intermediates,
			      gint64 now, GPtrArray **chain)
{
	g_autofree char *name = held_name(cert, now);

	if (chain == NULL && kept_find(store->held, name, NULL))
		return CHAIN_OK;
	g_autoptr(X509Stack) untrusted = cert_stack_new(intermediates, INTERMEDIATES_MAX);
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	ChainResult result = CHAIN_INVALID;

	ERR_clear_error();
	if (context != NULL &&
	    X509_STORE_CTX_init(context, store->store, cert_x509(cert), untrusted))
		result = walk(context, store, now);
	if (result == CHAIN_OK && chain != NULL)
		*chain = issuers_below_root(X509_STORE_CTX_get0_chain(context));
	if (result == CHAIN_OK)
		kept_put(store->held, name, NULL,
			 g_get_monotonic_time() + HELD_SECONDS * G_USEC_PER_SEC);
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return result;
}

const char *chain_result_name(ChainResult result)
{
	switch (result) {
	case CHAIN_OK: return "ok";
	case CHAIN_UNTRUSTED: return "untrusted";
	case CHAIN_EXPIRED: return "expired";
	case CHAIN_REVOKED: return "revoked";
	case CHAIN_INVALID: return "invalid-chain";
	}
	return "unknown";
}
