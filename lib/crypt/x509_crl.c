/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of revoked certificates (RFC 5280, section 5) as values: read and described in crl_new(),
 * then immutable. What they mean for a chain is x509_chain.c.
 */
#include <openssl/err.h>

#include "lib/crypt/x509_private.h"

struct Crl {
	gatomicrefcount references;
	X509_CRL *crl;
	GBytes *der;
	char *fingerprint;
	char *scope;
	char *issuer;
	gint64 issued;
	gint64 next; /* 0: it does not say */
	int entries;
};

/* An extension that path validation would stumble over at every certificate. */
static gboolean has_unknown_extension(X509_CRL *crl)
{
	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
		X509_EXTENSION *extension = X509_CRL_get_ext(crl, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

		if (X509_EXTENSION_get_critical(extension) &&
		    nid != NID_issuing_distribution_point && nid != NID_authority_key_identifier)
			return TRUE;
	}
	return FALSE;
}

static void hash_extension(GChecksum *hash, X509_CRL *crl, int nid)
{
	X509_EXTENSION *extension = X509_CRL_get_ext(crl, X509_CRL_get_ext_by_NID(crl, nid, -1));
	const ASN1_OCTET_STRING *value = extension ? X509_EXTENSION_get_data(extension) : NULL;

	g_checksum_update(hash, (const guint8 *)"/", 1);
	if (value != NULL)
		g_checksum_update(hash, ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
}

/* Issuer, its key and, where a CA has divided its list, the part. */
static char *scope_of(X509_CRL *crl)
{
	g_autoptr(GChecksum) hash = g_checksum_new(G_CHECKSUM_SHA256);
	const unsigned char *name = NULL;
	size_t size = 0;

	if (X509_NAME_get0_der(X509_CRL_get_issuer(crl), &name, &size))
		g_checksum_update(hash, name, (gssize)size);
	hash_extension(hash, crl, NID_authority_key_identifier);
	hash_extension(hash, crl, NID_issuing_distribution_point);
	return g_strdup(g_checksum_get_string(hash));
}

static gboolean describe(Crl *crl, GError **error)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl->crl);

	if (X509_CRL_get_ext_by_NID(crl->crl, NID_delta_crl, -1) >= 0) {
		crypt_fail(error, ERROR_UNSUPPORTED,
			   "a delta CRL holds changes only: the complete CRL is needed");
		return FALSE;
	}
	if (has_unknown_extension(crl->crl)) {
		crypt_fail(error, ERROR_UNSUPPORTED, "CRL with an unknown critical extension");
		return FALSE;
	}
	if (!x509_read_time(X509_CRL_get0_lastUpdate(crl->crl), &crl->issued) ||
	    (next != NULL && !x509_read_time(next, &crl->next))) {
		crypt_fail(error, ERROR_MALFORMED, "CRL without a readable time");
		return FALSE;
	}
	crl->fingerprint = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, crl->der);
	crl->scope = scope_of(crl->crl);
	crl->issuer = x509_name_text(X509_CRL_get_issuer(crl->crl));
	crl->entries = MAX(0, sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl->crl)));
	return TRUE;
}

Crl *crl_new(GBytes *der, GError **error)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(der, &size);
	const guint8 *at = data;
	g_autoptr(Crl) crl = g_new0(Crl, 1);

	ERR_clear_error();
	g_atomic_ref_count_init(&crl->references);
	crl->der = g_bytes_ref(der);
	if (size <= CRL_SIZE_MAX)
		crl->crl = d2i_X509_CRL(NULL, &at, (long)size);
	if (crl->crl == NULL || at != data + size) {
		crypt_fail(error, ERROR_MALFORMED, "not a CRL in DER");
		return NULL;
	}
	return describe(crl, error) ? g_steal_pointer(&crl) : NULL;
}

Crl *crl_ref(Crl *crl)
{
	g_atomic_ref_count_inc(&crl->references);
	return crl;
}

void crl_unref(Crl *crl)
{
	if (crl == NULL || !g_atomic_ref_count_dec(&crl->references))
		return;
	X509_CRL_free(crl->crl);
	g_bytes_unref(crl->der);
	g_free(crl->fingerprint);
	g_free(crl->scope);
	g_free(crl->issuer);
	g_free(crl);
}

X509_CRL *crl_x509(const Crl *crl)
{
	return crl->crl;
}

GBytes *crl_der(const Crl *crl)
{
	return crl->der;
}

const char *crl_fingerprint(const Crl *crl)
{
	return crl->fingerprint;
}

const char *crl_scope(const Crl *crl)
{
	return crl->scope;
}

const char *crl_issuer(const Crl *crl)
{
	return crl->issuer;
}

gint64 crl_issued(const Crl *crl)
{
	return crl->issued;
}

gint64 crl_next(const Crl *crl)
{
	return crl->next;
}

int crl_entries(const Crl *crl)
{
	return crl->entries;
}

gboolean crl_is_from(const Crl *crl, const Cert *authority)
{
	X509 *x509 = cert_x509(authority);
	gboolean named =
		X509_NAME_cmp(X509_CRL_get_issuer(crl->crl), X509_get_subject_name(x509)) == 0;
	gboolean good = named && cert_is_ca(authority) &&
			(X509_get_key_usage(x509) & KU_CRL_SIGN) != 0 &&
			X509_get0_pubkey(x509) != NULL &&
			X509_CRL_verify(crl->crl, X509_get0_pubkey(x509)) == 1;

	ERR_clear_error();
	return good;
}
