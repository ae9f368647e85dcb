/* SPDX-License-Identifier: Apache-2.0
 *
 * What the x509*.c and cms*.c files share: the OpenSSL objects inside Cert and PrivateKey, and
 * how a failure of OpenSSL becomes a GError. Not for other folders.
 */
#ifndef SEALPOST_LIB_CRYPT_X509_PRIVATE_H
#define SEALPOST_LIB_CRYPT_X509_PRIVATE_H

#include <openssl/bio.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/base/error.h"
#include "lib/crypt/x509.h"

typedef STACK_OF(X509) X509Stack;
static inline void x509_stack_free(X509Stack *stack)
{
	sk_X509_pop_free(stack, X509_free);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509Stack, x509_stack_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_CRL, X509_CRL_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_SIG, X509_SIG_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS7, PKCS7_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS12, PKCS12_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)

/* Sets error to "WHAT: reason that OpenSSL gave" and empties OpenSSL's error queue, which else
 * would speak to the next job on this thread. */
void crypt_fail(GError **error, ErrorCode code, const char *what);

/* Borrowed. */
X509 *cert_x509(const Cert *cert);
/* A Cert of its DER form. */
Cert *cert_from_x509(const X509 *x509, GError **error);
/* A Cert of the object itself, which must be of the global library context: nothing is read a
 * second time. */
Cert *cert_share_x509(X509 *x509, GError **error);
/* Borrowed. */
X509_CRL *crl_x509(const Crl *crl);
/* FALSE: there is none, or it is unreadable. */
gboolean x509_read_time(const ASN1_TIME *time, gint64 *seconds);
/* RFC 2253 with UTF-8 left readable; control characters come escaped. New string. */
char *x509_name_text(const X509_NAME *name);
/* New reference on each of certs (array of Cert *, may be NULL), at most limit of them. */
X509Stack *cert_stack_new(GPtrArray *certs, guint limit);

/* Borrowed. */
EVP_PKEY *private_key_pkey(const PrivateKey *key);
PrivateKey *private_key_take(EVP_PKEY *pkey);
/* From PKCS#8 as OpenSSL holds it. */
PrivateKey *private_key_from_info(const PKCS8_PRIV_KEY_INFO *info, GError **error);

/* A library context with the legacy provider (RC2, DES, MD4 …) beside the default one, for what
 * others encrypted long ago. The global context stays clean. */
typedef struct {
	OSSL_LIB_CTX *context;
	OSSL_PROVIDER *ordinary, *legacy;
} LegacyContext;
LegacyContext *legacy_context_new(void);
void legacy_context_free(LegacyContext *legacy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LegacyContext, legacy_context_free)

/* Most rounds of a key derivation that a file may ask for: some seconds of work. */
#define X509_ITERATIONS_MAX 5000000
/* Whether a password-based algorithm stays below it. */
gboolean x509_pbe_is_bounded(const X509_ALGOR *algorithm);

/* Certificates and keys of a PKCS#12 structure into bundle. Takes nothing. */
gboolean pkcs12_read(GBytes *file, const Secret *passphrase, X509Bundle *bundle, GError **error);

#endif
