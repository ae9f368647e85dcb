/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes CMS structures (RFC 5652, RFC 5083) apart around their content: see cms_shell.h.
 */
#include <string.h>

#include <openssl/err.h>

#include "lib/crypt/cms_private.h"
#include "lib/crypt/cms_shell.h"

/* Longest authentication tag of AES-GCM. */
#define MAC_MAX 16
#define OID_MAX 64

#define SIGNED_DATA "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define ENVELOPED_DATA "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
#define AUTH_ENVELOPED_DATA "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"

static void append(GByteArray *bytes, const void *data, gsize size)
{
	g_byte_array_append(bytes, data, (guint)size);
}

/* Begins an element of indefinite length, which has no length to be worked out. */
static void append_open(GByteArray *bytes, guint8 tag)
{
	append(bytes, (const guint8[]){tag, 0x80}, 2);
}

static void append_close(GByteArray *bytes, guint count)
{
	while (count-- > 0)
		append(bytes, "\0\0", 2);
}

static gboolean copy(const CmsShell *shell, const BerItem *item, GByteArray *bytes, GError **error)
{
	return ber_copy(shell->reader, item, bytes, CMS_SHELL_MAX, error);
}

static CmsType type_of(GBytes *oid)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(oid, &size);

	if (size == sizeof SIGNED_DATA - 1 && memcmp(data, SIGNED_DATA, size) == 0)
		return CMS_SIGNED;
	if (size == sizeof ENVELOPED_DATA - 1 && memcmp(data, ENVELOPED_DATA, size) == 0)
		return CMS_ENVELOPED;
	if (size == sizeof AUTH_ENVELOPED_DATA - 1 && memcmp(data, AUTH_ENVELOPED_DATA, size) == 0)
		return CMS_AUTH_ENVELOPED;
	return CMS_OTHER;
}

/* ContentInfo up to the first element of what it holds. */
static gboolean read_outside(CmsShell *shell, GError **error)
{
	g_autoptr(GBytes) oid = NULL;
	BerItem item;

	if (!ber_expect(shell->reader, NULL, BER_SEQUENCE, &shell->outer, error) ||
	    !ber_expect(shell->reader, &shell->outer, BER_OID, &item, error))
		return FALSE;
	oid = ber_take(shell->reader, &item, OID_MAX, error);
	if (oid == NULL)
		return FALSE;
	shell->type = type_of(oid);
	if (shell->type == CMS_OTHER) {
		g_set_error_literal(error, SEALPOST_ERROR, ERROR_UNSUPPORTED,
				    "CMS of a type that is not opened");
		return FALSE;
	}
	append_open(shell->before, BER_SEQUENCE);
	append(shell->before, (const guint8[]){BER_OID, (guint8)g_bytes_get_size(oid)}, 2);
	append(shell->before, g_bytes_get_data(oid, NULL), g_bytes_get_size(oid));
	append_open(shell->before, BER_CONTEXT_CONSTRUCTED);
	append_open(shell->before, BER_SEQUENCE);
	return ber_expect(shell->reader, &shell->outer, BER_CONTEXT_CONSTRUCTED, &shell->explicit,
			  error) &&
	       ber_expect(shell->reader, &shell->explicit, BER_SEQUENCE, &shell->data, error);
}

/* Copies the children of data up to the first SEQUENCE, which encapsulates the content; its OID
 * is copied too. */
static gboolean read_to_encapsulated(CmsShell *shell, GError **error)
{
	BerItem item;
	guint at;

	for (;;) {
		if (!ber_need(shell->reader, &shell->data, &item, error))
			return FALSE;
		if (item.tag == BER_SEQUENCE)
			break;
		at = shell->before->len;
		if (!copy(shell, &item, shell->before, error))
			return FALSE;
		if (item.tag == BER_SET && shell->type == CMS_SIGNED) {
			g_byte_array_set_size(shell->digests, 0);
			append(shell->digests, shell->before->data + at, shell->before->len - at);
		}
	}
	shell->encapsulated = item;
	append_open(shell->before, BER_SEQUENCE);
	return ber_expect(shell->reader, &shell->encapsulated, BER_OID, &item, error) &&
	       copy(shell, &item, shell->before, error);
}

/* EncryptedContentInfo goes on with the algorithm, and [0] IMPLICIT OCTET STRING. */
static gboolean read_encrypted(CmsShell *shell, GError **error)
{
	BerItem item;
	int found;

	if (!ber_expect(shell->reader, &shell->encapsulated, BER_SEQUENCE, &item, error) ||
	    !copy(shell, &item, shell->algorithm, error))
		return FALSE;
	append(shell->before, shell->algorithm->data, shell->algorithm->len);
	found = ber_next(shell->reader, &shell->encapsulated, &item, error);
	if (found <= 0)
		return found == 0;
	if (item.tag != BER_CONTEXT && item.tag != BER_CONTEXT_CONSTRUCTED)
		return ber_malformed(error, "encrypted content of an unknown form");
	shell->has_content = TRUE;
	ber_octets_begin(&shell->content, &item);
	return TRUE;
}

/* EncapsulatedContentInfo goes on with [0] EXPLICIT OCTET STRING, or ends: detached. */
static gboolean read_signed(CmsShell *shell, GError **error)
{
	BerItem wrapper, item;
	int found = ber_next(shell->reader, &shell->encapsulated, &wrapper, error);

	if (found <= 0)
		return found == 0;
	if (wrapper.tag != BER_CONTEXT_CONSTRUCTED)
		return ber_malformed(error, "signed content of an unknown form");
	if (!ber_need(shell->reader, &wrapper, &item, error))
		return FALSE;
	/* PKCS#7 of the nineties allowed content that is no OCTET STRING; nobody writes it now. */
	if (item.tag != BER_OCTETS && item.tag != BER_OCTETS_CONSTRUCTED)
		return ber_malformed(error, "signed content that is no OCTET STRING");
	shell->has_content = TRUE;
	/* Closing the wrapper is left to ber_octets_read(): it stands in it as in an outer piece. */
	ber_octets_begin(&shell->content, &wrapper);
	ber_octets_enter(&shell->content, &item);
	return TRUE;
}

CmsShell *cms_shell_read(BerReader *reader, GError **error)
{
	g_autoptr(CmsShell) shell = g_new0(CmsShell, 1);

	shell->reader = reader;
	shell->before = g_byte_array_new();
	shell->after = g_byte_array_new();
	shell->algorithm = g_byte_array_new();
	shell->digests = g_byte_array_new();
	shell->certificates = g_byte_array_new();
	if (!read_outside(shell, error) || !read_to_encapsulated(shell, error))
		return NULL;
	if (!(shell->type == CMS_SIGNED ? read_signed(shell, error) : read_encrypted(shell, error)))
		return NULL;
	return g_steal_pointer(&shell);
}

/* AuthEnvelopedData's tail: [1] authenticated attributes, the mac, [2] other attributes. The
 * cipher saw the attributes under the tag of a SET (RFC 5083, section 2.2). */
static gboolean read_authentication(CmsShell *shell, GError **error)
{
	BerItem item;

	if (!ber_need(shell->reader, &shell->data, &item, error))
		return FALSE;
	if (item.tag == (BER_CONTEXT_CONSTRUCTED | 1)) {
		shell->attributes = g_byte_array_new();
		if (item.indefinite)
			return ber_malformed(error, "authenticated attributes that are not in DER");
		if (!copy(shell, &item, shell->attributes, error) ||
		    !ber_need(shell->reader, &shell->data, &item, error))
			return FALSE;
		shell->attributes->data[0] = BER_SET;
	}
	if (item.tag != BER_OCTETS)
		return ber_malformed(error, "auth-enveloped data without its mac");
	shell->mac = ber_take(shell->reader, &item, MAC_MAX, error);
	return shell->mac != NULL && ber_skip_rest(shell->reader, &shell->data, error);
}

/* SignedData's tail: [0] certificates, [1] CRLs, signers. */
static gboolean copy_rest(CmsShell *shell, GError **error)
{
	BerItem item;
	int found;

	while ((found = ber_next(shell->reader, &shell->data, &item, error)) > 0) {
		gboolean first = shell->certificates->len == 0 && shell->after->len == 0;
		gboolean certs = item.tag == BER_CONTEXT_CONSTRUCTED;

		if (certs && !first)
			return ber_malformed(error, "certificates that are not in their place");
		if (!copy(shell, &item, certs ? shell->certificates : shell->after, error))
			return FALSE;
	}
	return found == 0;
}

/* Behind the content, up to the end of data. */
static gboolean read_tail(CmsShell *shell, GError **error)
{
	switch (shell->type) {
	case CMS_SIGNED: return copy_rest(shell, error);
	case CMS_AUTH_ENVELOPED: return read_authentication(shell, error);
	default: return ber_skip_rest(shell->reader, &shell->data, error);
	}
}

gboolean cms_shell_finish(CmsShell *shell, GError **error)
{
	guint8 scratch[4096];
	gssize size = 0;

	while (shell->has_content && (size = ber_octets_read(shell->reader, &shell->content,
							     scratch, sizeof scratch, error)) > 0)
		continue;
	if (size < 0)
		return FALSE;
	/* Where the content was absent, its end has been read with it. */
	if (shell->has_content && !ber_skip_rest(shell->reader, &shell->encapsulated, error))
		return FALSE;
	return read_tail(shell, error) && ber_skip_rest(shell->reader, &shell->explicit, error) &&
	       ber_skip_rest(shell->reader, &shell->outer, error);
}

CMS_ContentInfo *cms_shell_parse(const CmsShell *shell, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	CMS_ContentInfo *cms;
	const guint8 *at;

	append(bytes, shell->before->data, shell->before->len);
	if (shell->type != CMS_SIGNED)
		append(bytes, "\x80\0", 2); /* no content */
	append_close(bytes, 1);
	if (shell->type == CMS_SIGNED)
		append(bytes, shell->after->data, shell->after->len);
	if (shell->type == CMS_AUTH_ENVELOPED)
		append(bytes, "\x04\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18); /* set later */
	append_close(bytes, 3);
	at = bytes->data;
	cms = d2i_CMS_ContentInfo(NULL, &at, (long)bytes->len);
	if (cms == NULL)
		crypt_fail(error, ERROR_MALFORMED, "broken CMS structure");
	return cms;
}

static Cert *find_known(GPtrArray *known, const GByteArray *der)
{
	for (guint i = 0; known != NULL && i < known->len; i++) {
		Cert *cert = g_ptr_array_index(known, i);
		gsize size;
		const guint8 *data = g_bytes_get_data(cert_der(cert), &size);

		if (size == der->len && memcmp(data, der->data, size) == 0)
			return cert_ref(cert);
	}
	return NULL;
}

/* Certificates that OpenSSL reads and we do not are left out. To read one, its key above all, takes
 * longer than all the rest of the structure. */
static gboolean add_cert(GPtrArray *certs, GPtrArray *known, const GByteArray *der, GError **error)
{
	Cert *cert = find_known(known, der);
	const guint8 *at = der->data;
	g_autoptr(X509) x509 = cert == NULL ? d2i_X509(NULL, &at, (long)der->len) : NULL;

	if (cert == NULL && x509 == NULL) {
		crypt_fail(error, ERROR_MALFORMED, "broken certificate in a CMS structure");
		return FALSE;
	}
	if (cert == NULL)
		cert = cert_share_x509(x509, NULL);
	if (cert != NULL)
		g_ptr_array_add(certs, cert);
	return TRUE;
}

GPtrArray *cms_shell_certs(const CmsShell *shell, GPtrArray *known, GError **error)
{
	g_autoptr(GPtrArray) certs = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);
	g_autoptr(GBytes) bytes = g_bytes_new(shell->certificates->data, shell->certificates->len);
	g_autoptr(Source) source = source_new_bytes(bytes);
	g_autoptr(BerReader) reader = ber_reader_new(source, FALSE, CMS_SHELL_MAX);
	BerItem set, item;
	int found;

	if (shell->certificates->len == 0)
		return g_steal_pointer(&certs);
	if (!ber_expect(reader, NULL, BER_CONTEXT_CONSTRUCTED, &set, error))
		return NULL;
	while ((found = ber_next(reader, &set, &item, error)) > 0) {
		g_autoptr(GByteArray) der = g_byte_array_new();

		if (!ber_copy(reader, &item, der, CMS_SHELL_MAX, error) ||
		    /* others are attribute certificates, and what was never used */
		    (item.tag == BER_SEQUENCE && !add_cert(certs, known, der, error)))
			return NULL;
	}
	return found == 0 ? g_steal_pointer(&certs) : NULL;
}

void cms_shell_free(CmsShell *shell)
{
	if (shell == NULL)
		return;
	g_byte_array_unref(shell->before);
	g_byte_array_unref(shell->after);
	g_byte_array_unref(shell->algorithm);
	g_byte_array_unref(shell->digests);
	g_byte_array_unref(shell->certificates);
	if (shell->attributes != NULL)
		g_byte_array_unref(shell->attributes);
	g_clear_pointer(&shell->mac, g_bytes_unref);
	g_free(shell);
}
