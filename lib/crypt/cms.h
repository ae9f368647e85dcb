/* SPDX-License-Identifier: Apache-2.0
 *
 * S/MIME over OpenSSL's CMS, streaming (RFC 8551, RFC 5652). An entity (content headers, blank
 * line, body) goes in by a Source, what leaves goes out by a Sink; neither is ever held whole.
 */
#ifndef SEALPOST_LIB_CRYPT_CMS_H
#define SEALPOST_LIB_CRYPT_CMS_H

#include "lib/crypt/x509.h"
#include "lib/mail/stream.h"

typedef enum {
	CMS_CIPHER_AES256_CBC, /* EnvelopedData: every client opens it */
	CMS_CIPHER_AES256_GCM, /* AuthEnvelopedData: only for recipients who advertise it */
} CmsCipher;

/* What somebody's program opens beyond what all do; flags, also as they are stored. */
typedef enum {
	CMS_OPENS_GCM = 1, /* AES-256 in AuthEnvelopedData (RFC 5084) */
	CMS_OPENS_OAEP = 2, /* RSAES-OAEP with SHA-256 (RFC 3560) */
} CmsCapability;

typedef struct {
	/* signer: NULL for no signature */
	Cert *signer;
	PrivateKey *signer_key;
	GPtrArray *signer_chain; /* of Cert *: below the root, without the signer; may be NULL */
	gint64 signing_time; /* seconds since 1970 */
	/* recipients: array of Cert *; NULL or empty for no encryption */
	GPtrArray *recipients;
	CmsCipher cipher;
	gboolean oaep; /* RSA recipients by OAEP: only if all of them open it */
} CmsJob;

/* Makes the new entity: its content headers, a blank line, its body, all with CRLF.
 * - signer alone: multipart/signed (SHA-256, SMIMECapabilities, signing time, chain); the first
 *   part is the entity, byte for byte: the caller made it transport-safe;
 * - signer and recipients: the same inside application/pkcs7-mime enveloped-data;
 * - recipients alone: enveloped-data.
 * ERROR_CRYPTO on any failure; then nothing that went into sink may be used. */
gboolean cms_protect(const CmsJob *job, Source *entity, Sink *sink, GError **error);
/* The same as signed-data with the content inside (application/pkcs7-mime signed-data), for
 * entities that may not be re-encoded and are not transport-safe. */
gboolean cms_sign_opaque(const CmsJob *job, Source *entity, Sink *sink, GError **error);

/* What the head of a CMS structure says (BER or DER, before the content). */
typedef enum {
	CMS_OTHER,
	CMS_SIGNED,
	CMS_ENVELOPED,
	CMS_AUTH_ENVELOPED,
	CMS_COMPRESSED,
} CmsType;
typedef struct {
	CmsType type;
	/* For (auth-)enveloped: one string each, hex: "issuer DER:serial" or "ski:…". */
	GPtrArray *recipients;
	gboolean certs_only; /* signed-data without content and signers */
	gboolean has_content; /* signed-data that holds what it signs */
} CmsHead;
void cms_head_free(CmsHead *head);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmsHead, cms_head_free)
/* Reads the head of binary CMS from source, as much as needed and at most 1 MiB of it.
 * ERROR_MALFORMED if it is not CMS. */
CmsHead *cms_head_read(Source *source, GError **error);
/* The same over base64 text (MIME body), line ends of any kind. */
CmsHead *cms_head_read_base64(Source *source, GError **error);
/* Is the whole of source (base64: such text, and nothing else) one (auth-)enveloped structure with
 * its content, complete and with nothing behind it? FALSE also if it cannot be read. */
gboolean cms_is_sealed(Source *source, gboolean base64);
/* The identifier of a certificate in CmsHead.recipients: issuer and serial. New string. */
char *cms_recipient_id(const Cert *cert);

#endif
