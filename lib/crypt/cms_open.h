/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens encrypted S/MIME that comes in (RFC 8551, RFC 5083), in constant memory. The plain text
 * goes to the sink while its authenticity is still open: the caller keeps it to itself until the
 * result says CMS_OPENED, and, with CBC, until it parses as MIME.
 */
#ifndef SEALPOST_LIB_CRYPT_CMS_OPEN_H
#define SEALPOST_LIB_CRYPT_CMS_OPEN_H

#include "lib/crypt/x509.h"
#include "lib/mail/stream.h"

typedef enum {
	CMS_OPENED,
	CMS_NO_KEY, /* not for this key */
	CMS_DAMAGED, /* broken, tampered with, or the key did not open it: all look the same */
	CMS_NO_INTEGRITY, /* an authenticating cipher where its tag cannot be */
	CMS_UNSUPPORTED, /* an algorithm that we do not open */
} CmsOpenResult;

typedef struct {
	CmsOpenResult result;
	const char *algorithm; /* "AES-256-CBC", …; NULL if unknown. Static. */
	gboolean weak; /* 3DES */
	gboolean protected; /* the cipher protects against change (GCM) */
	char *sha256; /* hex, of what the cipher gave; NULL unless opened */
} CmsOpened;
void cms_opened_free(CmsOpened *opened);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmsOpened, cms_opened_free)

typedef struct {
	const Cert *cert;
	const PrivateKey *key;
} CmsKey;
/* Whether the recipient of CmsHead.recipients is this certificate, by issuer and serial number or
 * by key identifier. */
gboolean cms_recipient_is(const char *recipient, const Cert *cert);

/* Tries one key, an expired one too. source: CMS in binary or, with base64, as text; must be able
 * to rewind. NULL with error only where reading or writing failed. Nobody outside may see which
 * kind of failure it was, nor how long it took: that opens other people's mail. */
CmsOpened *cms_open(Source *source, gboolean base64, const CmsKey *key, Sink *sink, GError **error);

/* Unfolds compressed data (CMS_COMPRESSED) into sink, at most limit bytes. ERROR_MALFORMED,
 * ERROR_TOO_LARGE, or what source and sink say. */
gboolean cms_decompress(Source *source, gboolean base64, goffset limit, Sink *sink, GError **error);

#endif
