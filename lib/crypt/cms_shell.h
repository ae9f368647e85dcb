/* SPDX-License-Identifier: Apache-2.0
 *
 * A CMS structure without its content: OpenSSL parses structures only whole, which costs four
 * times the message in memory. So the shell (recipients, algorithms, certificates, signers) is read
 * by ourselves and put together anew around nothing; OpenSSL parses that, and the content streams
 * by.
 */
#ifndef SEALPOST_LIB_CRYPT_CMS_SHELL_H
#define SEALPOST_LIB_CRYPT_CMS_SHELL_H

#include <openssl/cms.h>

#include "lib/crypt/cms.h"
#include "lib/crypt/cms_ber.h"

/* Most bytes of a shell: recipients, certificates, CRLs. */
#define CMS_SHELL_MAX (4 * 1024 * 1024)

typedef struct {
	BerReader *reader; /* borrowed */
	CmsType type;
	GByteArray *before; /* rebuilt, up to where the content stands */
	GByteArray *after; /* what follows the content */
	BerItem outer, explicit, data, encapsulated; /* the elements that we are in */
	GByteArray *algorithm; /* enveloped: the content cipher's AlgorithmIdentifier */
	GByteArray *digests; /* signed: the SET of digest algorithms */
	GByteArray *certificates; /* signed: the CertificateSet; empty if there is none */
	gboolean has_content;
	BerOctets content; /* then read by ber_octets_read() */
	/* auth-enveloped, after the content: */
	GByteArray *attributes; /* authenticated ones as the cipher saw them; NULL if none */
	GBytes *mac;
} CmsShell;

/* Reads up to the content. NULL with ERROR_MALFORMED, ERROR_TOO_LARGE, ERROR_UNSUPPORTED for types
 * that hold neither a signature nor a ciphertext, or what the source says. */
CmsShell *cms_shell_read(BerReader *reader, GError **error);
/* Goes over what is left of the content and reads what follows it. */
gboolean cms_shell_finish(CmsShell *shell, GError **error);
/* What OpenSSL makes of the rebuilt structure; NULL with ERROR_MALFORMED. Enveloped: may be asked
 * before the content was read. Signed: after cms_shell_finish(); without the certificates. */
CMS_ContentInfo *cms_shell_parse(const CmsShell *shell, GError **error);
/* Signed, after cms_shell_finish(): array of Cert *, its certificates; those that are among known
 * (of Cert *, may be NULL) too are not read again. NULL with ERROR_MALFORMED. */
GPtrArray *cms_shell_certs(const CmsShell *shell, GPtrArray *known, GError **error);
void cms_shell_free(CmsShell *shell);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmsShell, cms_shell_free)

#endif
