/* SPDX-License-Identifier: Apache-2.0
 *
 * A certificate as a value: parsed once, described, its addresses collected. Everything is read
 * in cert_new(), so that a Cert can be shared between threads without a lock. Judging it is
 * x509_flaw.c and x509_chain.c.
 */
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "lib/crypt/x509_private.h"
#include "lib/mail/address.h"

/* The largest certificate that we read: post-quantum ones reach 50 kB. */
#define CERT_SIZE_MAX (128 * 1024)
/* More addresses than anybody has; the rest is left out. */
#define CERT_ADDRESSES_MAX 1000

struct Cert {
	gatomicrefcount references;
	X509 *x509;
	GBytes *der;
	char *fingerprint;
	char *subject;
	char *issuer;
	char *algorithm;
	gint64 not_before;
	gint64 not_after;
	GPtrArray *addresses; /* of char *, NULL-terminated */
	GPtrArray *spellings;
};

void crypt_threads_outlive_main(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

void crypt_fail(GError **error, ErrorCode code, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	if (reason != NULL)
		g_set_error(error, SEALPOST_ERROR, code, "%s: %s", what, reason);
	else
		g_set_error_literal(error, SEALPOST_ERROR, code, what);
	ERR_clear_error();
}

gboolean x509_read_time(const ASN1_TIME *time, gint64 *seconds)
{
	struct tm tm;

	if (time == NULL || !ASN1_TIME_to_tm(time, &tm))
		return FALSE;
	*seconds = timegm(&tm);
	return TRUE;
}

char *x509_name_text(const X509_NAME *name)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	long size;

	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
		return g_strdup("(unreadable)");
	size = BIO_get_mem_data(bio, &data);
	return size > 0 ? g_utf8_make_valid(data, size) : g_strdup("");
}

static const char *curve_for_people(const char *group)
{
	if (g_str_equal(group, "prime256v1"))
		return "P-256";
	if (g_str_equal(group, "secp384r1"))
		return "P-384";
	if (g_str_equal(group, "secp521r1"))
		return "P-521";
	return group;
}

static char *algorithm_text(X509 *x509)
{
	EVP_PKEY *key = X509_get0_pubkey(x509);
	const ASN1_OBJECT *oid = NULL;
	char group[64];
	int nid;

	if (key != NULL && EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof group, NULL))
		return g_strdup_printf("EC %s", curve_for_people(group));
	if (key != NULL && EVP_PKEY_get0_type_name(key) != NULL)
		return g_strdup_printf("%s %d", EVP_PKEY_get0_type_name(key),
				       EVP_PKEY_get_bits(key));
	X509_PUBKEY_get0_param((ASN1_OBJECT **)&oid, NULL, NULL, NULL, X509_get_X509_PUBKEY(x509));
	nid = OBJ_obj2nid(oid);
	return g_strdup(nid == NID_undef ? "unknown" : OBJ_nid2sn(nid));
}

/* Takes one address if it is clean: a NUL or a control character inside is somebody's trick to
 * look like another address. */
static void add_address(Cert *cert, const ASN1_STRING *string, gboolean utf8)
{
	const char *data = (const char *)ASN1_STRING_get0_data(string);
	int size = ASN1_STRING_length(string);
	g_autofree char *text = NULL;
	char *folded;

	if (cert->spellings->len >= CERT_ADDRESSES_MAX || size <= 0 || size > ADDRESS_MAX)
		return;
	for (int i = 0; i < size; i++)
		if (g_ascii_iscntrl(data[i]) || data[i] == '\0' || (!utf8 && (data[i] & 0x80) != 0))
			return;
	if (!g_utf8_validate_len(data, (gsize)size, NULL))
		return;
	text = g_strndup(data, (gsize)size);
	folded = address_fold(text);
	if (folded == NULL)
		return;
	g_ptr_array_add(cert->spellings, g_steal_pointer(&text));
	if (!g_ptr_array_find_with_equal_func(cert->addresses, folded, g_str_equal, NULL))
		g_ptr_array_add(cert->addresses, folded);
	else
		g_free(folded);
}

/* The mail addresses among the subject's alternative names. FALSE if there are none at all, not
 * even bad ones: only then the subject may speak. */
static gboolean add_alternative_names(Cert *cert, X509 *x509)
{
	int critical = -1;
	gboolean found = FALSE;
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);

	if (names == NULL)
		return critical != -1; /* unreadable or twice: no address is safe to take */
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_EMAIL) {
			found = TRUE;
			add_address(cert, name->d.rfc822Name, FALSE);
		} else if (name->type == GEN_OTHERNAME &&
			   OBJ_obj2nid(name->d.otherName->type_id) == NID_id_on_SmtpUTF8Mailbox) {
			found = TRUE;
			if (name->d.otherName->value->type == V_ASN1_UTF8STRING)
				add_address(cert, name->d.otherName->value->value.utf8string, TRUE);
		}
	}
	GENERAL_NAMES_free(names);
	return found;
}

static void add_subject_addresses(Cert *cert, X509 *x509)
{
	const X509_NAME *subject = X509_get_subject_name(x509);
	int at = -1;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, at)) >= 0) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, at);

		add_address(cert, X509_NAME_ENTRY_get_data(entry), FALSE);
	}
}

/* Takes x509. */
static Cert *describe(X509 *x509, GBytes *der, GError **error)
{
	g_autoptr(Cert) cert = g_new0(Cert, 1);

	/* Fills OpenSSL's cache of extensions; what it thinks of them is asked in cert_flaw(). */
	X509_check_purpose(x509, -1, 0);

	g_atomic_ref_count_init(&cert->references);
	cert->x509 = x509;
	cert->der = g_bytes_ref(der);
	cert->fingerprint = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, der);
	cert->subject = x509_name_text(X509_get_subject_name(x509));
	cert->issuer = x509_name_text(X509_get_issuer_name(x509));
	cert->algorithm = algorithm_text(x509);
	cert->addresses = g_ptr_array_new_with_free_func(g_free);
	cert->spellings = g_ptr_array_new_with_free_func(g_free);
	if (!add_alternative_names(cert, x509))
		add_subject_addresses(cert, x509);
	g_ptr_array_add(cert->addresses, NULL);
	g_ptr_array_add(cert->spellings, NULL);
	if (!x509_read_time(X509_get0_notBefore(x509), &cert->not_before) ||
	    !x509_read_time(X509_get0_notAfter(x509), &cert->not_after)) {
		crypt_fail(error, ERROR_MALFORMED, "certificate without a readable time");
		return NULL;
	}
	ERR_clear_error();
	return g_steal_pointer(&cert);
}

Cert *cert_new(GBytes *der, GError **error)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(der, &size);
	const guint8 *at = data;
	g_autoptr(X509) x509 = NULL;

	ERR_clear_error();
	if (size > CERT_SIZE_MAX) {
		crypt_fail(error, ERROR_MALFORMED, "certificate is too large");
		return NULL;
	}
	x509 = d2i_X509(NULL, &at, (long)size);
	if (x509 == NULL || at != data + size) {
		crypt_fail(error, ERROR_MALFORMED, "not a certificate in DER");
		return NULL;
	}
	return describe(g_steal_pointer(&x509), der, error);
}

static GBytes *der_of(const X509 *x509, GError **error)
{
	guint8 *der = NULL;
	int size = i2d_X509(x509, &der);
	GBytes *bytes;

	if (size < 0 || size > CERT_SIZE_MAX) {
		OPENSSL_free(der);
		crypt_fail(error, ERROR_MALFORMED, "certificate cannot be encoded");
		return NULL;
	}
	bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	return bytes;
}

Cert *cert_from_x509(const X509 *x509, GError **error)
{
	g_autoptr(GBytes) der = der_of(x509, error);

	return der != NULL ? cert_new(der, error) : NULL;
}

Cert *cert_share_x509(X509 *x509, GError **error)
{
	g_autoptr(GBytes) der = der_of(x509, error);

	if (der == NULL)
		return NULL;
	X509_up_ref(x509);
	return describe(x509, der, error);
}

Cert *cert_ref(Cert *cert)
{
	g_atomic_ref_count_inc(&cert->references);
	return cert;
}

void cert_unref(Cert *cert)
{
	if (cert == NULL || !g_atomic_ref_count_dec(&cert->references))
		return;
	X509_free(cert->x509);
	g_bytes_unref(cert->der);
	g_free(cert->fingerprint);
	g_free(cert->subject);
	g_free(cert->issuer);
	g_free(cert->algorithm);
	g_ptr_array_unref(cert->addresses);
	g_ptr_array_unref(cert->spellings);
	g_free(cert);
}

X509 *cert_x509(const Cert *cert)
{
	return cert->x509;
}

X509Stack *cert_stack_new(GPtrArray *certs, guint limit)
{
	X509Stack *stack = sk_X509_new_null();

	for (guint i = 0; certs != NULL && i < certs->len && i < limit; i++) {
		const Cert *cert = g_ptr_array_index(certs, i);

		X509_up_ref(cert->x509);
		sk_X509_push(stack, cert->x509);
	}
	return stack;
}

GBytes *cert_der(const Cert *cert)
{
	return cert->der;
}

const char *cert_fingerprint(const Cert *cert)
{
	return cert->fingerprint;
}

const char *cert_subject(const Cert *cert)
{
	return cert->subject;
}

const char *cert_issuer(const Cert *cert)
{
	return cert->issuer;
}

gint64 cert_not_before(const Cert *cert)
{
	return cert->not_before;
}

gint64 cert_not_after(const Cert *cert)
{
	return cert->not_after;
}

gboolean cert_is_ca(const Cert *cert)
{
	return (X509_get_extension_flags(cert->x509) & EXFLAG_CA) != 0;
}

gboolean cert_is_self_issued(const Cert *cert)
{
	return (X509_get_extension_flags(cert->x509) & EXFLAG_SI) != 0;
}

const char *cert_algorithm(const Cert *cert)
{
	return cert->algorithm;
}

const char *const *cert_addresses(const Cert *cert)
{
	return (const char *const *)cert->addresses->pdata;
}

const char *const *cert_spellings(const Cert *cert)
{
	return (const char *const *)cert->spellings->pdata;
}

char *cert_pem(const Cert *cert)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	long size;

	PEM_write_bio_X509(bio, cert->x509);
	size = BIO_get_mem_data(bio, &data);
	return g_strndup(data, (gsize)size);
}
