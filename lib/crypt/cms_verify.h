/* SPDX-License-Identifier: Apache-2.0
 *
 * Verifies S/MIME signatures that come in (RFC 8551, RFC 5652), in constant memory: over the raw
 * bytes of a part, or over the content inside. Each signer is judged by itself, nothing is rounded
 * up. Whether the signer is the sender is not known here.
 */
#ifndef SEALPOST_LIB_CRYPT_CMS_VERIFY_H
#define SEALPOST_LIB_CRYPT_CMS_VERIFY_H

#include "lib/crypt/cms.h"

/* Most signers that are looked at; more make the structure malformed. */
#define CMS_SIGNERS_MAX 20

typedef enum {
	CMS_SIGNATURE_GOOD,
	CMS_SIGNATURE_UNTRUSTED, /* holds, but its certificate leads to nobody we trust */
	CMS_SIGNATURE_EXPIRED, /* … but its certificate or chain is not valid now */
	CMS_SIGNATURE_REVOKED, /* … but its certificate or chain is revoked */
	CMS_SIGNATURE_WRONG_USAGE, /* … but its certificate is not for signing mail */
	CMS_SIGNATURE_WEAK, /* … but with SHA-1, MD5 or a short key it proves nothing */
	CMS_SIGNATURE_BAD, /* does not hold */
	CMS_SIGNATURE_NO_KEY, /* the signer's certificate is not known */
	CMS_SIGNATURE_UNSUPPORTED, /* an algorithm that we do not verify */
} CmsSignatureResult;
const char *cms_signature_result_name(CmsSignatureResult result); /* "good", "untrusted", … */

typedef struct {
	CmsSignatureResult result;
	Cert *signer; /* NULL if not known; says nothing if the result is bad */
	gint64 signing_time; /* as the signer claims; 0 if he does not */
	/* Only if the signature holds: */
	guint capabilities; /* CmsCapability flags that he names */
	Cert *preferred; /* what he wants to be encrypted with, of the certificates at hand; NULL:
			    he does not say */
} CmsSignature;

typedef struct {
	GPtrArray *signatures; /* of CmsSignature *; empty: nobody signed; if one is bad, all are */
	GPtrArray *certs; /* of Cert *: all that the structure carries */
	gboolean with_crlf; /* judged over the content with CRLF line ends, not over its bytes */
} CmsVerified;
void cms_verified_free(CmsVerified *verified);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmsVerified, cms_verified_free)

typedef struct {
	const TrustStore *store;
	GPtrArray *certs; /* of Cert *: known ones (signers, intermediates); may be NULL */
	gint64 now;
} CmsTrust;

/* multipart/signed: signature is the second part's content (base64: as text), content the raw
 * bytes of the first part; where these do not fit, they are tried with CRLF line ends (with_crlf says
 * that this is what fits). A signature
 * that has a content of its own which differs is bad. NULL with ERROR_MALFORMED, ERROR_TOO_LARGE
 * or ERROR_UNSUPPORTED if this is no CMS signature, or with what source or sink say. */
CmsVerified *cms_verify_detached(Source *signature, gboolean base64, Source *content,
				 const CmsTrust *trust, GError **error);
/* Signed-data with its content inside, which goes to sink, good or bad. Same errors;
 * ERROR_MALFORMED too if there is no content. */
CmsVerified *cms_verify_opaque(Source *source, gboolean base64, Sink *sink, const CmsTrust *trust,
			       GError **error);

#endif
