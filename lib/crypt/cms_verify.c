/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures of mail that comes in. The content passes through digests once; then OpenSSL checks
 * each SignerInfo against them. What it leaves out is checked here: that the signed content type
 * is the one we read, how strong the digest is, and who the signer is to us.
 */
#include <string.h>

#include <openssl/err.h>

#include "lib/base/sha256.h"
#include "lib/crypt/cms_attributes.h"
#include "lib/crypt/cms_shell.h"
#include "lib/crypt/cms_verify.h"

#define CMS_MAX ((guint64)4 << 30)
#define VERIFY_CHUNK (16 * 1024)
#define DIGESTS_MAX 8
#define OID_MAX 64

static const char *const result_names[] = {
	[CMS_SIGNATURE_GOOD] = "good",
	[CMS_SIGNATURE_UNTRUSTED] = "untrusted",
	[CMS_SIGNATURE_EXPIRED] = "expired",
	[CMS_SIGNATURE_REVOKED] = "revoked",
	[CMS_SIGNATURE_WRONG_USAGE] = "wrong-usage",
	[CMS_SIGNATURE_WEAK] = "weak",
	[CMS_SIGNATURE_BAD] = "bad",
	[CMS_SIGNATURE_NO_KEY] = "no-key",
	[CMS_SIGNATURE_UNSUPPORTED] = "unsupported",
};

const char *cms_signature_result_name(CmsSignatureResult result)
{
	return result_names[result];
}

static void signature_free(CmsSignature *signature)
{
	cert_unref(signature->signer);
	cert_unref(signature->preferred);
	g_free(signature);
}

void cms_verified_free(CmsVerified *verified)
{
	if (verified == NULL)
		return;
	g_ptr_array_unref(verified->signatures);
	g_ptr_array_unref(verified->certs);
	g_free(verified);
}

static void push_digest(BIO **chain, const EVP_MD *digest)
{
	BIO *bio = digest == NULL ? NULL : BIO_new(BIO_f_md());

	if (bio == NULL)
		return; /* a signer who uses it will not verify */
	BIO_set_md(bio, digest);
	*chain = BIO_push(bio, *chain);
}

/* A chain of the digests that the structure names, over nothing. */
static BIO *digests_new(const CmsShell *shell)
{
	g_autoptr(GBytes) bytes = g_bytes_new(shell->digests->data, shell->digests->len);
	g_autoptr(Source) source = source_new_bytes(bytes);
	g_autoptr(BerReader) reader = ber_reader_new(source, FALSE, shell->digests->len + 1);
	BIO *chain = BIO_new(BIO_s_null());
	BerItem set, algorithm, oid;

	if (!ber_expect(reader, NULL, BER_SET, &set, NULL))
		return chain;
	for (guint i = 0; i < DIGESTS_MAX && ber_next(reader, &set, &algorithm, NULL) == 1; i++) {
		g_autoptr(GByteArray) der = g_byte_array_new();
		const guint8 *at;
		ASN1_OBJECT *object;

		if (!ber_expect(reader, &algorithm, BER_OID, &oid, NULL) ||
		    !ber_copy(reader, &oid, der, OID_MAX, NULL) ||
		    !ber_skip_rest(reader, &algorithm, NULL))
			break;
		at = der->data;
		object = d2i_ASN1_OBJECT(NULL, &at, (long)der->len);
		push_digest(&chain, EVP_get_digestbyobj(object));
		ASN1_OBJECT_free(object);
	}
	return chain;
}

/* What the content begins with, and how long it is. */
typedef struct {
	guint8 start[8];
	guint64 size;
} Seen;

/* What the bytes of one pass go into. */
typedef struct {
	BIO *digests;
	Sha256 *sha256; /* NULL: not wanted */
	Seen *seen; /* NULL: not wanted */
} Pass;

static void see(Seen *seen, const guint8 *data, gsize size)
{
	if (seen->size < sizeof seen->start && size > 0)
		memcpy(seen->start + seen->size, data,
		       MIN(size, sizeof seen->start - (gsize)seen->size));
	seen->size += size;
}

/* Is it what a signer signs who has signed attributes: a SET of them in DER? Without attributes such a
 * signature would hold over it, though nobody signed it as a content (RFC 5652, section 5.4). */
static gboolean is_attributes(const Seen *seen)
{
	const guint8 *at = seen->start;
	guint64 length = at[1];
	gsize head = 2;

	if (seen->size < sizeof seen->start || at[0] != BER_SET)
		return FALSE;
	if (length >= 0x80) {
		head += length & 0x7f;
		if (head >= sizeof seen->start)
			return FALSE;
		length = 0;
		for (gsize i = 2; i < head; i++)
			length = length << 8 | at[i];
	}
	return at[head] == BER_SEQUENCE && seen->size == head + length;
}

static gboolean hash(const Pass *pass, const guint8 *data, gsize size)
{
	gsize written;

	if (pass->seen != NULL)
		see(pass->seen, data, size);
	if (pass->sha256 != NULL)
		sha256_update(pass->sha256, data, size);
	return size == 0 || BIO_write_ex(pass->digests, data, size, &written);
}

/* With CR before each LF that has none. */
static gboolean hash_with_crlf(const Pass *pass, const guint8 *data, gsize size, guint8 *last)
{
	gsize start = 0;

	for (gsize i = 0; i < size; i++) {
		if (data[i] == '\n' && *last != '\r') {
			if (!hash(pass, data + start, i - start) ||
			    !hash(pass, (const guint8 *)"\r", 1))
				return FALSE;
			start = i;
		}
		*last = data[i];
	}
	return hash(pass, data + start, size - start);
}

static gboolean hash_source(const Pass *pass, Source *content, gboolean with_crlf, GError **error)
{
	guint8 buffer[VERIFY_CHUNK];
	guint8 last = 0;
	gssize size;

	while ((size = source_read(content, buffer, sizeof buffer, error)) > 0) {
		if (!(with_crlf ? hash_with_crlf(pass, buffer, (gsize)size, &last)
				: hash(pass, buffer, (gsize)size))) {
			crypt_fail(error, ERROR_CRYPTO, "hashing failed");
			return FALSE;
		}
	}
	return size == 0;
}

/* The content inside, to sink too if it is not NULL. */
static gboolean hash_inside(const Pass *pass, CmsShell *shell, Sink *sink, GError **error)
{
	guint8 buffer[VERIFY_CHUNK];
	gssize size;

	while ((size = ber_octets_read(shell->reader, &shell->content, buffer, sizeof buffer,
				       error)) > 0) {
		if (!hash(pass, buffer, (gsize)size)) {
			crypt_fail(error, ERROR_CRYPTO, "hashing failed");
			return FALSE;
		}
		if (sink != NULL && !sink_write(sink, buffer, (gsize)size, error))
			return FALSE;
	}
	return size == 0;
}

static gboolean content_type_fits(CMS_ContentInfo *cms, CMS_SignerInfo *info)
{
	/* -3: it must be there once, with one value */
	const ASN1_OBJECT *claimed = CMS_signed_get0_data_by_OBJ(
		info, OBJ_nid2obj(NID_pkcs9_contentType), -3, V_ASN1_OBJECT);

	return claimed != NULL && OBJ_cmp(claimed, CMS_get0_eContentType(cms)) == 0;
}

static gboolean holds(CMS_ContentInfo *cms, CMS_SignerInfo *info, const Pass *pass)
{
	if (CMS_signed_get_attr_count(info) >= 0
		    ? !content_type_fits(cms, info) || CMS_SignerInfo_verify(info) != 1
		    : is_attributes(pass->seen))
		return FALSE;
	return CMS_SignerInfo_verify_content(info, pass->digests) == 1;
}

static gboolean is_weak_digest(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	switch (OBJ_obj2nid(oid)) {
	case NID_sha224:
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
	case NID_sha3_256:
	case NID_sha3_384:
	case NID_sha3_512: return FALSE;
	default: return TRUE;
	}
}

/* Who a signer is to us, once the signature holds. */
static CmsSignatureResult judge_signer(const Cert *signer, GPtrArray *certs, const CmsTrust *trust)
{
	CertFlaw flaw = cert_flaw(signer, CERT_FOR_SIGNING, trust->now);

	switch (cert_verify_chain(signer, trust->store, certs, trust->now, NULL)) {
	case CHAIN_REVOKED: return CMS_SIGNATURE_REVOKED;
	case CHAIN_UNTRUSTED:
	case CHAIN_INVALID: return CMS_SIGNATURE_UNTRUSTED;
	case CHAIN_EXPIRED: return CMS_SIGNATURE_EXPIRED;
	case CHAIN_OK: break;
	}
	switch (flaw) {
	case CERT_OK: return CMS_SIGNATURE_GOOD;
	case CERT_EXPIRED:
	case CERT_NOT_YET_VALID: return CMS_SIGNATURE_EXPIRED;
	case CERT_WEAK_KEY:
	case CERT_BAD_SIGNATURE: return CMS_SIGNATURE_WEAK;
	default: return CMS_SIGNATURE_WRONG_USAGE;
	}
}

/* A short key proves nothing, whoever vouches for it and whether it is expired or not. */
static gboolean is_weak_key(EVP_PKEY *key)
{
	return EVP_PKEY_get_security_bits(key) < 112;
}

static CmsSignatureResult judge(CMS_ContentInfo *cms, CMS_SignerInfo *info, const Pass *pass)
{
	EVP_PKEY *key = NULL;
	X509 *signer = NULL;
	X509_ALGOR *digest = NULL;

	CMS_SignerInfo_get0_algs(info, &key, &signer, &digest, NULL);
	if (signer == NULL)
		return CMS_SIGNATURE_NO_KEY;
	if (key == NULL || EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return CMS_SIGNATURE_UNSUPPORTED;
	if (!holds(cms, info, pass))
		return CMS_SIGNATURE_BAD;
	return is_weak_digest(digest) || is_weak_key(key) ? CMS_SIGNATURE_WEAK : CMS_SIGNATURE_GOOD;
}

static gint64 claimed_time(CMS_SignerInfo *info)
{
	int at = CMS_signed_get_attr_by_NID(info, NID_pkcs9_signingTime, -1);
	X509_ATTRIBUTE *attribute = at < 0 ? NULL : CMS_signed_get_attr(info, at);
	const ASN1_TYPE *value = attribute == NULL ? NULL : X509_ATTRIBUTE_get0_type(attribute, 0);
	struct tm tm;

	if (value == NULL ||
	    (value->type != V_ASN1_UTCTIME && value->type != V_ASN1_GENERALIZEDTIME) ||
	    !ASN1_TIME_to_tm(value->value.asn1_string, &tm))
		return 0;
	return timegm(&tm);
}

/* NULL: none of these. */
static Cert *find_cert(GPtrArray *certs, const X509 *x509)
{
	for (guint i = 0; i < certs->len; i++)
		if (cert_x509(certs->pdata[i]) == x509)
			return cert_ref(certs->pdata[i]);
	return NULL;
}

static CmsSignature *describe(CMS_SignerInfo *info, CmsSignatureResult result, GPtrArray *certs,
			      const CmsTrust *trust)
{
	CmsSignature *signature = g_new0(CmsSignature, 1);
	X509 *signer = NULL;

	CMS_SignerInfo_get0_algs(info, NULL, &signer, NULL, NULL);
	signature->signer = signer != NULL ? find_cert(certs, signer) : NULL;
	signature->result = result;
	if (result == CMS_SIGNATURE_GOOD)
		signature->result = signature->signer == NULL
					    ? CMS_SIGNATURE_UNSUPPORTED
					    : judge_signer(signature->signer, certs, trust);
	signature->signing_time = claimed_time(info);
	if (result == CMS_SIGNATURE_GOOD) {
		signature->capabilities = cms_capabilities(info);
		signature->preferred = cms_preferred_cert(info, certs);
	}
	return signature;
}

static guint count_bad(const CmsVerified *verified)
{
	guint count = 0;

	for (guint i = 0; i < verified->signatures->len; i++) {
		const CmsSignature *signature = g_ptr_array_index(verified->signatures, i);

		count += signature->result == CMS_SIGNATURE_BAD;
	}
	return count;
}

static void call_all_bad(const CmsVerified *verified)
{
	for (guint i = 0; i < verified->signatures->len; i++) {
		CmsSignature *signature = g_ptr_array_index(verified->signatures, i);

		signature->result = CMS_SIGNATURE_BAD;
		signature->capabilities = 0;
		g_clear_pointer(&signature->preferred, cert_unref);
	}
}

static void extend(GPtrArray *certs, GPtrArray *more)
{
	if (more != NULL)
		g_ptr_array_extend(certs, more, NULL, NULL);
}

static CmsVerified *judge_all(const CmsShell *shell, const Pass *pass, const CmsTrust *trust,
			      GError **error)
{
	g_autoptr(CMS_ContentInfo) cms = cms_shell_parse(shell, error);
	g_autoptr(GPtrArray) carried = cms ? cms_shell_certs(shell, trust->certs, error) : NULL;
	g_autoptr(GPtrArray) certs = g_ptr_array_new();
	g_autoptr(GPtrArray) signers = g_ptr_array_new(); /* the known ones first */

	if (carried == NULL)
		return NULL;
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);

	if (sk_CMS_SignerInfo_num(infos) > CMS_SIGNERS_MAX) {
		crypt_fail(error, ERROR_TOO_LARGE, "too many signers");
		return NULL;
	}
	extend(certs, carried);
	extend(certs, trust->certs);
	extend(signers, trust->certs);
	extend(signers, carried);
	g_autoptr(X509Stack) stack = cert_stack_new(signers, G_MAXUINT);
	g_autoptr(CmsVerified) verified = g_new0(CmsVerified, 1);

	verified->signatures = g_ptr_array_new_with_free_func((GDestroyNotify)signature_free);
	verified->certs = g_steal_pointer(&carried);
	CMS_set1_signers_certs(cms, stack, CMS_NOINTERN);
	for (int i = 0; i < sk_CMS_SignerInfo_num(infos); i++) {
		CMS_SignerInfo *info = sk_CMS_SignerInfo_value(infos, i);

		g_ptr_array_add(verified->signatures,
				describe(info, judge(cms, info, pass), certs, trust));
	}
	/* Next to a forged signer, a true one may have been lent from another message. */
	if (count_bad(verified) > 0)
		call_all_bad(verified);
	ERR_clear_error();
	return g_steal_pointer(&verified);
}

typedef struct {
	CmsShell *shell;
	/* SHA-256 of the content that the signature carries itself, NULL if it carries none. Other
	 * programs might show that one: it must be the same. */
	const char *inside;
	Source *content;
	const CmsTrust *trust;
} Detached;

static CmsVerified *verify_over(const Detached *detached, gboolean with_crlf, GError **error)
{
	g_autoptr(BIO) digests = digests_new(detached->shell);
	g_autoptr(Sha256) sha256 = sha256_new();
	Seen seen = {0};
	const Pass pass = {digests, sha256, &seen};
	CmsVerified *verified;

	if (!hash_source(&pass, detached->content, with_crlf, error))
		return NULL;
	verified = judge_all(detached->shell, &pass, detached->trust, error);
	g_autofree char *sum = sha256_finish(sha256);

	if (verified == NULL)
		return NULL;
	verified->with_crlf = with_crlf;
	if (detached->inside != NULL && !g_str_equal(detached->inside, sum))
		call_all_bad(verified);
	return verified;
}

/* What a detached signature is, all of it read. */
static CmsShell *read_signature(BerReader *reader, char **inside, GError **error)
{
	g_autoptr(CmsShell) shell = cms_shell_read(reader, error);
	g_autoptr(Sha256) sha256 = sha256_new();
	g_autoptr(BIO) nowhere = BIO_new(BIO_s_null());

	if (shell == NULL)
		return NULL;
	if (shell->type != CMS_SIGNED) {
		ber_malformed(error, "not a signature");
		return NULL;
	}
	if (shell->has_content && !hash_inside(&(Pass){nowhere, sha256, NULL}, shell, NULL, error))
		return NULL;
	if (shell->has_content)
		*inside = sha256_finish(sha256);
	return cms_shell_finish(shell, error) ? g_steal_pointer(&shell) : NULL;
}

CmsVerified *cms_verify_detached(Source *signature, gboolean base64, Source *content,
				 const CmsTrust *trust, GError **error)
{
	g_autoptr(BerReader) reader = ber_reader_new(signature, base64, CMS_SHELL_MAX);
	g_autofree char *inside = NULL;
	g_autoptr(CmsShell) shell = NULL;
	g_autoptr(CmsVerified) raw = NULL;
	CmsVerified *with_crlf;
	Detached detached;

	ERR_clear_error();
	shell = read_signature(reader, &inside, error);
	if (shell == NULL)
		return NULL;
	detached = (Detached){shell, inside, content, trust};
	raw = verify_over(&detached, FALSE, error);
	if (raw == NULL || count_bad(raw) == 0)
		return g_steal_pointer(&raw);
	if (!source_rewind(content, error))
		return NULL;
	with_crlf = verify_over(&detached, TRUE, error);
	if (with_crlf == NULL || count_bad(with_crlf) < count_bad(raw))
		return with_crlf;
	cms_verified_free(with_crlf);
	return g_steal_pointer(&raw);
}

CmsVerified *cms_verify_opaque(Source *source, gboolean base64, Sink *sink, const CmsTrust *trust,
			       GError **error)
{
	g_autoptr(BerReader) reader = ber_reader_new(source, base64, CMS_MAX);
	g_autoptr(CmsShell) shell = NULL;
	g_autoptr(BIO) digests = NULL;
	Seen seen = {0};

	ERR_clear_error();
	shell = cms_shell_read(reader, error);
	if (shell == NULL)
		return NULL;
	if (shell->type != CMS_SIGNED || !shell->has_content) {
		crypt_fail(error, ERROR_MALFORMED, "no signed content");
		return NULL;
	}
	digests = digests_new(shell);
	const Pass pass = {digests, NULL, &seen};

	if (!hash_inside(&pass, shell, sink, error) || !cms_shell_finish(shell, error))
		return NULL;
	return judge_all(shell, &pass, trust, error);
}
