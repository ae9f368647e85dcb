/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging keys: see trust.h.
 */
#include "keystore/trust.h"

#include <string.h>

/* Longest chain that a signature carries. */
#define CHAIN_MAX 8

struct Trust {
	gint refs;
	TrustStore *roots;
	GPtrArray *authorities; /* of Cert * */
};

static void add_all(GPtrArray *into, GPtrArray *certs)
{
	for (guint i = 0; certs && i < certs->len; i++)
		g_ptr_array_add(into, cert_ref(certs->pdata[i]));
}

Trust *trust_new(GPtrArray *system, GPtrArray *authorities, GPtrArray *trusted, GPtrArray *crls,
		 GError **error)
{
	g_autoptr(Trust) trust = g_new0(Trust, 1);
	g_autoptr(GPtrArray) roots = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);

	trust->refs = 1;
	trust->authorities = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);
	add_all(trust->authorities, authorities);
	add_all(roots, system);
	/* No CA, but trusted by itself: an anchor as well (see trust_store_new()). */
	add_all(roots, trusted);
	trust->roots = trust_store_new(roots, crls, error);
	return trust->roots ? g_steal_pointer(&trust) : NULL;
}

Trust *trust_ref(Trust *trust)
{
	g_atomic_int_inc(&trust->refs);
	return trust;
}

void trust_unref(Trust *trust)
{
	if (!trust || !g_atomic_int_dec_and_test(&trust->refs))
		return;
	trust_store_unref(trust->roots);
	g_ptr_array_unref(trust->authorities);
	g_free(trust);
}

static const char *judge_chain(Trust *trust, const Candidate *candidate, gint64 now)
{
	g_autoptr(GPtrArray) more = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);
	add_all(more, candidate->extra);
	add_all(more, trust->authorities);
	ChainResult result = cert_verify_chain(candidate->cert, trust->roots, more, now, NULL);

	return result == CHAIN_OK ? NULL : chain_result_name(result);
}

static const char *judge_cert(Trust *trust, const Candidate *candidate, CertUse use, gint64 now)
{
	CertFlaw flaw = cert_flaw(candidate->cert, use, now);

	if (flaw != CERT_OK)
		return cert_flaw_name(flaw);
	return judge_chain(trust, candidate, now);
}

static const char *judge_pgp(const PgpKey *key, CertUse use, gint64 now)
{
	if (key->revoked)
		return "revoked";
	if (key->expired || (use == CERT_FOR_ENCRYPTION && key->expires && key->expires <= now))
		return "expired";
	if (use == CERT_FOR_ENCRYPTION ? !key->can_encrypt : !key->can_sign)
		return "wrong-usage";
	return NULL;
}

const char *trust_judge(Trust *trust, const Candidate *candidate, const char *address, CertUse use,
			gint64 now)
{
	if (!candidate->cert && !candidate->pgp)
		return "malformed";
	if (address && !candidate->bound && !candidate_names(candidate, address))
		return "address-mismatch";
	if (candidate->pgp)
		return judge_pgp(candidate->pgp, use, now);
	return judge_cert(trust, candidate, use, now);
}

const TrustStore *trust_anchors(const Trust *trust)
{
	return trust->roots;
}

GPtrArray *trust_authorities(const Trust *trust)
{
	return trust->authorities;
}

static Cert *find_issuer(const Trust *trust, const Cert *cert)
{
	for (guint i = 0; i < trust->authorities->len; i++) {
		Cert *issuer = trust->authorities->pdata[i];
		if (g_strcmp0(cert_subject(issuer), cert_issuer(cert)) == 0)
			return issuer;
	}
	return NULL;
}

GPtrArray *trust_chain(const Trust *trust, const Cert *cert)
{
	GPtrArray *chain = NULL;
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	if (cert_verify_chain(cert, trust->roots, trust->authorities, now, &chain) == CHAIN_OK &&
	    chain)
		return chain;
	/* No root of ours: what the store knows is still of use to who does trust it. */
	chain = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);
	for (Cert *issuer = find_issuer(trust, cert);
	     issuer && !cert_is_self_issued(issuer) && chain->len < CHAIN_MAX;
	     issuer = find_issuer(trust, issuer))
		g_ptr_array_add(chain, cert_ref(issuer));
	return chain;
}
