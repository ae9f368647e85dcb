/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of certificates: makes them, with their keys, when the test runs.
 */
#ifndef SEALPOST_TESTS_UNIT_X509MAKER_H
#define SEALPOST_TESTS_UNIT_X509MAKER_H

#include "lib/crypt/x509.h"

typedef struct Made Made;

struct Made {
	Cert *cert;
	PrivateKey *key;
	gpointer x509, pkey; /* OpenSSL's */
};

typedef struct {
	const char *name; /* CN */
	const char *email; /* rfc822Name; NULL: none */
	const Made *issuer; /* NULL: self-signed */
	const Made *same_key; /* a renewal: the key of that one */
	gboolean ca;
	gboolean signing_only; /* key usage without keyAgreement */
	int from, to; /* days from now; both 0: valid now, for a year */
	const char *algorithm; /* "rsa2048", "rsa1024", a curve, "X25519"; NULL: P-256 */
	const char *digest; /* of the signature; NULL: SHA256 */
	/* In OpenSSL's configuration form, instead of what the above would give; "": none. */
	const char *usage, *extended, *names, *constraints;
	const char *subject_email;
	const char *other; /* OID of an extension that nobody knows, critical */
} MakerOrder;

/* A certificate as ordered. */
Made *x509_maker_make(const MakerOrder *order);
void made_free(Made *made);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Made, made_free)

/* The private key as PEM. */
GBytes *made_key_pem(const Made *made);

/* A CRL of a CA that revokes one certificate (NULL: none). */
Crl *x509_maker_crl(const Made *ca, const Made *revoked);
/* The same as of another day: days from now to when it was issued. */
Crl *x509_maker_crl_of(const Made *ca, const Made *revoked, int day);

#endif
