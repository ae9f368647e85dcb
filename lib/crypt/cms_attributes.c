/* SPDX-License-Identifier: Apache-2.0
 *
 * What a signer says of himself in his signed attributes: what he opens (RFC 8551, section 2.5.2)
 * and which certificate others shall encrypt with (section 2.5.3, and Microsoft's older form).
 */
#include "lib/crypt/cms_attributes.h"

#include <string.h>

/* RSAES-OAEP with SHA-256 and MGF1 with SHA-256, as an AlgorithmIdentifier in DER: capabilities
 * are compared byte by byte (RFC 3560, section 3). */
static const guint8 oaep_sha256[] = {
	0x30, 0x38, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07, 0x30, 0x2b,
	0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
	0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d,
	0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
};

X509_ALGOR *cms_oaep_capability(void)
{
	const guint8 *at = oaep_sha256;

	return d2i_X509_ALGOR(NULL, &at, sizeof oaep_sha256);
}

static gboolean is_oaep(const X509_ALGOR *algorithm)
{
	guint8 *der = NULL;
	int length = i2d_X509_ALGOR(algorithm, &der);
	gboolean same =
		length == sizeof oaep_sha256 && memcmp(der, oaep_sha256, sizeof oaep_sha256) == 0;

	OPENSSL_free(der);
	return same;
}

/* S/MIME capabilities are a SEQUENCE of what look like AlgorithmIdentifiers. */
guint cms_capabilities(CMS_SignerInfo *info)
{
	const ASN1_STRING *value = CMS_signed_get0_data_by_OBJ(
		info, OBJ_nid2obj(NID_SMIMECapabilities), -3, V_ASN1_SEQUENCE);
	STACK_OF(X509_ALGOR) *list = NULL;
	guint found = 0;

	if (value != NULL)
		list = ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGORS));
	for (int i = 0; i < sk_X509_ALGOR_num(list); i++) {
		const X509_ALGOR *algorithm = sk_X509_ALGOR_value(list, i);
		const ASN1_OBJECT *oid;

		X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
		if (OBJ_obj2nid(oid) == NID_aes_256_gcm)
			found |= CMS_OPENS_GCM;
		if (is_oaep(algorithm))
			found |= CMS_OPENS_OAEP;
	}
	sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
	return found;
}

/* The one value of a signed attribute; NULL if it is not there exactly once. */
static const ASN1_TYPE *single_value(CMS_SignerInfo *info, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = CMS_signed_get_attr_by_OBJ(info, object, -1);
	gboolean twice = at >= 0 && CMS_signed_get_attr_by_OBJ(info, object, at) >= 0;
	X509_ATTRIBUTE *attribute = at < 0 || twice ? NULL : CMS_signed_get_attr(info, at);

	ASN1_OBJECT_free(object);
	return attribute == NULL || X509_ATTRIBUTE_count(attribute) != 1
		       ? NULL
		       : X509_ATTRIBUTE_get0_type(attribute, 0);
}

/* Is the certificate the one that IssuerAndSerialNumber (DER, under any tag) names? */
static gboolean is_issued_as(const Cert *cert, const ASN1_STRING *der)
{
	g_autofree guint8 *copy =
		g_memdup2(ASN1_STRING_get0_data(der), (gsize)ASN1_STRING_length(der));
	const guint8 *at = copy;
	PKCS7_ISSUER_AND_SERIAL *name;
	gboolean same;

	if (copy == NULL)
		return FALSE;
	copy[0] = V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED;
	name = d2i_PKCS7_ISSUER_AND_SERIAL(NULL, &at, ASN1_STRING_length(der));
	same = name != NULL &&
	       X509_NAME_cmp(name->issuer, X509_get_issuer_name(cert_x509(cert))) == 0 &&
	       ASN1_INTEGER_cmp(name->serial, X509_get0_serialNumber(cert_x509(cert))) == 0;
	PKCS7_ISSUER_AND_SERIAL_free(name);
	return same;
}

/* The choice in SMIMEEncryptionKeyPreference: [0] issuer and serial, [1] RecipientKeyIdentifier,
 * which begins with a SubjectKeyIdentifier, [2] SubjectKeyIdentifier. Short forms only. */
static gboolean is_preferred(const Cert *cert, const ASN1_STRING *choice)
{
	const guint8 *data = ASN1_STRING_get0_data(choice);
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(cert_x509(cert));
	gsize size = (gsize)ASN1_STRING_length(choice);

	if (size > 4 && data[0] == 0xa0)
		return is_issued_as(cert, choice);
	if (size > 4 && data[0] == 0xa1 && data[1] < 0x80 && data[2] == V_ASN1_OCTET_STRING) {
		data += 2;
		size -= 2;
	} else if (size < 2 || data[0] != 0x82) {
		return FALSE;
	}
	return id != NULL && data[1] == ASN1_STRING_length(id) && size >= 2 + (gsize)data[1] &&
	       memcmp(data + 2, ASN1_STRING_get0_data(id), data[1]) == 0;
}

Cert *cms_preferred_cert(CMS_SignerInfo *info, GPtrArray *certs)
{
	const ASN1_TYPE *standard = single_value(info, "1.2.840.113549.1.9.16.2.11");
	const ASN1_TYPE *microsoft = single_value(info, "1.3.6.1.4.1.311.16.4");

	for (guint i = 0; i < certs->len; i++) {
		Cert *cert = certs->pdata[i];

		if (standard != NULL && standard->type == V_ASN1_OTHER
			    ? is_preferred(cert, standard->value.asn1_string)
			    : standard == NULL && microsoft != NULL &&
				      microsoft->type == V_ASN1_SEQUENCE &&
				      is_issued_as(cert, microsoft->value.sequence))
			return cert_ref(cert);
	}
	return NULL;
}
