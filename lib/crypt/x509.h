/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 certificates and private keys as values: read, described, judged. Which key belongs to
 * whom and whether it is trusted is the keystore's business; here is what one certificate says
 * and whether a chain holds (RFC 5280, RFC 8550, RFC 8398).
 */
#ifndef SEALPOST_LIB_CRYPT_X509_H
#define SEALPOST_LIB_CRYPT_X509_H

#include "lib/base/secret.h"

typedef struct Cert Cert; /* a certificate; immutable, counted, shared between threads */
typedef struct PrivateKey PrivateKey; /* a handle (EVP_PKEY inside); counted */

/* One certificate from DER bytes. Keeps the original bytes. ERROR_MALFORMED. */
Cert *cert_new(GBytes *der, GError **error);
Cert *cert_ref(Cert *cert);
void cert_unref(Cert *cert);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cert, cert_unref)

GBytes *cert_der(const Cert *cert); /* borrowed */
const char *cert_fingerprint(const Cert *cert); /* SHA-256 of the DER, 64 hex digits, lower case */
const char *cert_subject(const Cert *cert); /* RFC 2253, UTF-8, for people */
const char *cert_issuer(const Cert *cert);
gint64 cert_not_before(const Cert *cert); /* seconds since 1970 */
gint64 cert_not_after(const Cert *cert);
gboolean cert_is_ca(const Cert *cert); /* basicConstraints says so */
gboolean cert_is_self_issued(const Cert *cert);
/* "RSA 3072", "EC P-256", … for people. */
const char *cert_algorithm(const Cert *cert);
/* The addresses that it names, folded (address_fold()): all rfc822Name and SmtpUTF8Mailbox
 * entries, subject emailAddress only if there are none. Entries with NUL or control characters
 * are left out. NULL-terminated, borrowed. */
const char *const *cert_addresses(const Cert *cert);
/* The same ones as the certificate spells them. NULL-terminated, borrowed. */
const char *const *cert_spellings(const Cert *cert);

typedef enum { CERT_FOR_ENCRYPTION, CERT_FOR_SIGNING } CertUse;

/* Why a certificate may not be used, apart from its chain. */
typedef enum {
	CERT_OK,
	CERT_EXPIRED,
	CERT_NOT_YET_VALID,
	CERT_WRONG_USAGE, /* key usage or extended key usage do not allow it */
	CERT_WEAK_KEY, /* RSA below 2048 bits, a curve that is not in use, DSA */
	CERT_UNSUPPORTED_KEY, /* X25519, RSA-PSS only, ML-KEM, … */
	CERT_BAD_SIGNATURE, /* signed with MD5, SHA-1 or in an unknown way; not for self-signed ones */
	CERT_CRITICAL, /* a broken extension, or a critical one that we do not know */
} CertFlaw;
/* Judges a certificate by itself at a time (seconds since 1970). */
CertFlaw cert_flaw(const Cert *cert, CertUse use, gint64 now);
/* "expired", "not-yet-valid", "wrong-usage", "weak-key", …: stable reasons for JSON and log. */
const char *cert_flaw_name(CertFlaw flaw);

/* A list of revoked certificates. Immutable, counted, shared between threads. */
typedef struct Crl Crl;
#define CRL_SIZE_MAX (8 * 1024 * 1024)
/* From DER bytes. ERROR_MALFORMED; ERROR_UNSUPPORTED for a delta CRL and for unknown critical
 * extensions (RFC 5280, section 5.2: such a list must not be relied on). */
Crl *crl_new(GBytes *der, GError **error);
Crl *crl_ref(Crl *crl);
void crl_unref(Crl *crl);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Crl, crl_unref)

GBytes *crl_der(const Crl *crl); /* borrowed */
const char *crl_fingerprint(const Crl *crl); /* SHA-256 of the DER, 64 hex digits, lower case */
/* What it speaks about, 64 hex digits: issuer, the issuer's key, and the part of a divided list. Of
 * two with the same scope the one issued later counts. */
const char *crl_scope(const Crl *crl);
const char *crl_issuer(const Crl *crl); /* as cert_subject() */
gint64 crl_issued(const Crl *crl); /* seconds since 1970 */
gint64 crl_next(const Crl *crl); /* when there should be a newer one; 0: it does not say */
int crl_entries(const Crl *crl); /* how many certificates it revokes */
/* Whether this CA made it: its name, its right to (cRLSign) and its signature. */
gboolean crl_is_from(const Crl *crl, const Cert *authority);

/* Roots that are trusted, and CRLs. Immutable once handed out; shared between threads. */
typedef struct TrustStore TrustStore;
/* roots and crls: arrays of Cert * / of Crl *; may be NULL. A CRL that is overdue still revokes. */
TrustStore *trust_store_new(GPtrArray *roots, GPtrArray *crls, GError **error);
TrustStore *trust_store_ref(TrustStore *store);
void trust_store_unref(TrustStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrustStore, trust_store_unref)

typedef enum {
	CHAIN_OK,
	CHAIN_UNTRUSTED, /* no chain to a trusted root */
	CHAIN_EXPIRED, /* a link is outside of its time */
	CHAIN_REVOKED,
	CHAIN_INVALID, /* path validation failed: constraints, policies, signatures */
} ChainResult;
/* Validates (RFC 5280, section 6) with intermediates (array of Cert *, may be NULL) at a time. Each
 * certificate of the store is an anchor, whether it is a CA or somebody's own. Says nothing about
 * the use of the leaf: that is cert_flaw().
 * *chain (may be NULL) gets the certificates from the leaf's issuer up to below the root: what a
 * signature should include. Without, a chain that held is taken to hold for the rest of the minute
 * of `now`. */
ChainResult cert_verify_chain(const Cert *cert, const TrustStore *store, GPtrArray *intermediates,
			      gint64 now, GPtrArray **chain);
const char *chain_result_name(ChainResult result); /* "untrusted", "revoked", … */

/* Everything found in a file that someone handed to us. */
typedef struct {
	GPtrArray *certs; /* of Cert * */
	GPtrArray *keys; /* of PrivateKey * */
	GPtrArray *crls; /* of Crl * */
} X509Bundle;
void x509_bundle_free(X509Bundle *bundle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509Bundle, x509_bundle_free)
/* Reads PEM (several blocks, text around them), DER certificate or CRL, PKCS#7 (PEM or DER), PKCS#8 or
 * traditional private key (PEM or DER), PKCS#12 (also with RC2 or 3DES, in a library context of
 * its own). passphrase may be NULL: ERROR_PASSPHRASE if one is needed or it is wrong;
 * ERROR_UNSUPPORTED if this is none of these formats; ERROR_MALFORMED if it is, but broken. */
X509Bundle *x509_read(GBytes *file, const Secret *passphrase, GError **error);

PrivateKey *private_key_ref(PrivateKey *key);
void private_key_unref(PrivateKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PrivateKey, private_key_unref)
/* TRUE if both are for the same public key. */
gboolean cert_shares_key(const Cert *a, const Cert *b);
gboolean private_key_matches(const PrivateKey *key, const Cert *cert);
/* PKCS#8 DER, unencrypted: for secret_wrap(). */
Secret *private_key_export(const PrivateKey *key, GError **error);
PrivateKey *private_key_import(const Secret *pkcs8, GError **error);

/* For a program with threads that outlive main(), before any other call that uses OpenSSL: exit()
 * then leaves OpenSSL's state to them instead of taking it away. */
void crypt_threads_outlive_main(void);

/* PEM of a certificate. New string. */
char *cert_pem(const Cert *cert);
/* A PKCS#12 file (AES-256, PBKDF2) of key, certificate and chain under a passphrase. */
GBytes *pkcs12_write(const PrivateKey *key, const Cert *cert, GPtrArray *chain,
		     const Secret *passphrase, GError **error);

#endif
