/* SPDX-License-Identifier: Apache-2.0
 *
 * What the head of a CMS structure says (RFC 5652): its type, and who may open it. The structure
 * is never parsed as a whole; reading stops where the content begins.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/crypt/cms_ber.h"
#include "lib/crypt/cms_private.h"

#define HEAD_MAX (1024 * 1024)
#define RECIPIENTS_MAX 10000
#define OID_MAX 64
/* Serial numbers have 20 octets (RFC 5280, section 4.1.2.2), key identifiers a digest's. */
#define ID_MAX 128
#define NAME_MAX_BYTES (16 * 1024)

static const struct {
	guint8 oid[16];
	gsize size;
	CmsType type;
} types[] = {
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 9, CMS_OTHER}, /* data */
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9, CMS_SIGNED},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 9, CMS_ENVELOPED},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05", 9, CMS_OTHER}, /* digested */
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", 9, CMS_OTHER}, /* encrypted */
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02", 11, CMS_OTHER}, /* authenticated */
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", 11, CMS_COMPRESSED},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", 11, CMS_AUTH_ENVELOPED},
};

static void append_hex(GString *text, GBytes *bytes)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	hex_append(text, data, size);
}

static gboolean read_type(BerReader *reader, const BerItem *outer, CmsType *type, GError **error)
{
	BerItem item;
	g_autoptr(GBytes) oid = NULL;

	if (!ber_expect(reader, outer, BER_OID, &item, error))
		return FALSE;
	oid = ber_take(reader, &item, OID_MAX, error);
	if (oid == NULL)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
		if (g_bytes_get_size(oid) == types[i].size &&
		    memcmp(g_bytes_get_data(oid, NULL), types[i].oid, types[i].size) == 0) {
			*type = types[i].type;
			return TRUE;
		}
	}
	return ber_malformed(error, "not a CMS structure");
}

/* IssuerAndSerialNumber, its head already read. */
static char *read_issuer_serial(BerReader *reader, const BerItem *item, GError **error)
{
	g_autoptr(GString) id = g_string_new(NULL);
	g_autoptr(GBytes) issuer = NULL;
	g_autoptr(GBytes) serial = NULL;
	BerItem child;

	if (!ber_expect(reader, item, BER_SEQUENCE, &child, error))
		return NULL;
	issuer = ber_take_whole(reader, &child, NAME_MAX_BYTES, error);
	if (issuer == NULL || !ber_expect(reader, item, BER_INTEGER, &child, error))
		return NULL;
	serial = ber_take(reader, &child, ID_MAX, error);
	if (serial == NULL || !ber_skip_rest(reader, item, error))
		return NULL;
	append_hex(id, issuer);
	g_string_append_c(id, ':');
	append_hex(id, serial);
	return g_string_free(g_steal_pointer(&id), FALSE);
}

static char *read_key_id(BerReader *reader, const BerItem *item, GError **error)
{
	g_autoptr(GString) id = g_string_new("ski:");
	g_autoptr(GBytes) octets = ber_take(reader, item, ID_MAX, error);

	if (octets == NULL)
		return NULL;
	append_hex(id, octets);
	return g_string_free(g_steal_pointer(&id), FALSE);
}

/* The identifiers of the two kinds of RecipientInfo differ in how they write a key identifier. */
static char *read_recipient_id(BerReader *reader, const BerItem *outer, GError **error)
{
	BerItem item, octets;
	char *id;

	if (!ber_need(reader, outer, &item, error))
		return NULL;
	switch (item.tag) {
	case BER_SEQUENCE: return read_issuer_serial(reader, &item, error);
	case BER_CONTEXT: return read_key_id(reader, &item, error);
	case BER_CONTEXT_CONSTRUCTED: /* RecipientKeyIdentifier */
		if (!ber_expect(reader, &item, BER_OCTETS, &octets, error))
			return NULL;
		id = read_key_id(reader, &octets, error);
		if (id != NULL && !ber_skip_rest(reader, &item, error))
			g_clear_pointer(&id, g_free);
		return id;
	default: ber_malformed(error, "recipient with an unknown identifier"); return NULL;
	}
}

static gboolean add_recipient(GPtrArray *recipients, char *id, GError **error)
{
	if (id == NULL)
		return FALSE;
	g_ptr_array_add(recipients, id);
	if (recipients->len <= RECIPIENTS_MAX)
		return TRUE;
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "too many recipients");
	return FALSE;
}

/* KeyTransRecipientInfo: version, identifier, … */
static gboolean read_transport(BerReader *reader, const BerItem *info, GPtrArray *recipients,
			       GError **error)
{
	BerItem version;

	return ber_expect(reader, info, BER_INTEGER, &version, error) &&
	       ber_skip(reader, &version, error) &&
	       add_recipient(recipients, read_recipient_id(reader, info, error), error) &&
	       ber_skip_rest(reader, info, error);
}

/* KeyAgreeRecipientInfo: version, originator, maybe ukm, algorithm, then one entry for each of
 * those who share it. */
static gboolean read_agreement(BerReader *reader, const BerItem *info, GPtrArray *recipients,
			       GError **error)
{
	BerItem item, entry;
	guint sequences = 0;
	int found;

	for (;;) {
		if (!ber_need(reader, info, &item, error))
			return FALSE;
		if (item.tag == BER_SEQUENCE && ++sequences == 2)
			break; /* behind the algorithm: the entries */
		if (!ber_skip(reader, &item, error))
			return FALSE;
	}
	while ((found = ber_next(reader, &item, &entry, error)) > 0) {
		if (entry.tag != BER_SEQUENCE)
			return ber_malformed(error, "broken key agreement");
		if (!add_recipient(recipients, read_recipient_id(reader, &entry, error), error) ||
		    !ber_skip_rest(reader, &entry, error))
			return FALSE;
	}
	return found == 0 && ber_skip_rest(reader, info, error);
}

static gboolean read_recipients(BerReader *reader, const BerItem *set, GPtrArray *recipients,
				GError **error)
{
	BerItem info;
	int found;
	gboolean good = TRUE;

	while (good && (found = ber_next(reader, set, &info, error)) != 0) {
		if (found < 0)
			return FALSE;
		switch (info.tag) {
		case BER_SEQUENCE: good = read_transport(reader, &info, recipients, error); break;
		case BER_CONTEXT_CONSTRUCTED | 1:
			good = read_agreement(reader, &info, recipients, error);
			break;
		case BER_CONTEXT_CONSTRUCTED | 2: /* shared key, password, others: count as one */
		case BER_CONTEXT_CONSTRUCTED | 3:
		case BER_CONTEXT_CONSTRUCTED | 4:
			good = ber_skip(reader, &info, error) &&
			       add_recipient(recipients, g_strdup("other:"), error);
			break;
		default: return ber_malformed(error, "recipient of an unknown kind");
		}
	}
	return good;
}

/* EnvelopedData and AuthEnvelopedData: version, maybe originatorInfo, recipientInfos. */
static gboolean read_enveloped(BerReader *reader, const BerItem *data, CmsHead *head,
			       GError **error)
{
	BerItem item;

	if (!ber_expect(reader, data, BER_INTEGER, &item, error) || !ber_skip(reader, &item, error))
		return FALSE;
	if (!ber_need(reader, data, &item, error))
		return FALSE;
	if (item.tag == BER_CONTEXT_CONSTRUCTED &&
	    (!ber_skip(reader, &item, error) || !ber_need(reader, data, &item, error)))
		return FALSE;
	if (item.tag != BER_SET)
		return ber_malformed(error, "enveloped data without recipients");
	return read_recipients(reader, &item, head->recipients, error);
}

/* SignedData is "certificates only" if neither content nor a signer is in it; that shows only
 * behind the certificates. */
static gboolean read_signed(BerReader *reader, const BerItem *data, CmsHead *head, GError **error)
{
	BerItem item, content, signer;
	int found;

	if (!ber_expect(reader, data, BER_INTEGER, &item, error) ||
	    !ber_skip(reader, &item, error) || !ber_expect(reader, data, BER_SET, &item, error) ||
	    !ber_skip(reader, &item, error) ||
	    !ber_expect(reader, data, BER_SEQUENCE, &item, error) ||
	    !ber_expect(reader, &item, BER_OID, &content, error) ||
	    !ber_skip(reader, &content, error))
		return FALSE;
	found = ber_next(reader, &item, &content, error);
	head->has_content = found > 0;
	if (found != 0)
		return found > 0;
	while (ber_need(reader, data, &item, error)) {
		if (item.tag == BER_SET) {
			found = ber_next(reader, &item, &signer, error);
			head->certs_only = found == 0;
			return found >= 0;
		}
		if (!ber_skip(reader, &item, error))
			return FALSE;
	}
	return FALSE;
}

static CmsHead *read_head(BerReader *reader, GError **error)
{
	g_autoptr(CmsHead) head = g_new0(CmsHead, 1);
	BerItem outer, explicit, data;
	gboolean good;

	head->recipients = g_ptr_array_new_with_free_func(g_free);
	if (!ber_expect(reader, NULL, BER_SEQUENCE, &outer, error) ||
	    !read_type(reader, &outer, &head->type, error) ||
	    !ber_expect(reader, &outer, BER_CONTEXT_CONSTRUCTED, &explicit, error))
		return NULL;
	if (head->type == CMS_OTHER)
		return g_steal_pointer(&head);
	if (!ber_expect(reader, &explicit, BER_SEQUENCE, &data, error))
		return NULL;
	if (head->type == CMS_SIGNED)
		good = read_signed(reader, &data, head, error);
	else if (head->type == CMS_COMPRESSED)
		good = TRUE;
	else
		good = read_enveloped(reader, &data, head, error);
	return good ? g_steal_pointer(&head) : NULL;
}

void cms_head_free(CmsHead *head)
{
	if (head == NULL)
		return;
	g_ptr_array_unref(head->recipients);
	g_free(head);
}

CmsHead *cms_head_read(Source *source, GError **error)
{
	g_autoptr(BerReader) reader = ber_reader_new(source, FALSE, HEAD_MAX);

	return read_head(reader, error);
}

CmsHead *cms_head_read_base64(Source *source, GError **error)
{
	g_autoptr(BerReader) reader = ber_reader_new(source, TRUE, HEAD_MAX);

	return read_head(reader, error);
}

char *cms_recipient_id(const Cert *cert)
{
	g_autoptr(GString) id = g_string_new(NULL);
	ASN1_INTEGER *serial = X509_get_serialNumber(cert_x509(cert));
	const guint8 *issuer;
	gsize size;
	guint8 *der = NULL;
	int length = i2d_ASN1_INTEGER(serial, &der);

	if (X509_NAME_get0_der(X509_get_issuer_name(cert_x509(cert)), &issuer, &size))
		hex_append(id, issuer, size);
	g_string_append_c(id, ':');
	if (length > 2) /* tag and length; serial numbers are shorter than 128 octets */
		hex_append(id, der + 2, (gsize)length - 2);
	OPENSSL_free(der);
	return g_string_free(g_steal_pointer(&id), FALSE);
}
