/* SPDX-License-Identifier: Apache-2.0
 *
 * Public key material of OpenPGP (RFC 4880, section 5.5.2; RFC 6637) as OpenSSL's keys, of the kinds
 * that we work with ourselves. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPMATERIAL_H
#define SEALPOST_LIB_CRYPT_PGPMATERIAL_H

#include <glib.h>
#include <openssl/evp.h>

#define PGP_OID_MAX 10
/* Bytes of a point and of a coordinate, at most. */
#define PGP_POINT_MAX (1 + 2 * 66)
#define PGP_FIELD_MAX 66

typedef struct {
	guint8 oid_size;
	guint8 oid[PGP_OID_MAX];
	const char *name; /* OpenSSL's */
	int native; /* Curve25519, Ed25519: OpenSSL's type of key, whose points are x alone; else 0 */
	gsize point; /* bytes of a point in OpenPGP */
	gsize field; /* of a coordinate */
} PgpCurve;

/* NULL: none of ours. */
const PgpCurve *pgp_curve_find(const guint8 *oid, gsize size);
/* A native curve's point comes with this before its 32 bytes. */
#define PGP_NATIVE_POINT 0x40
/* From a point (curve->point bytes). NULL: it is not on its curve. */
EVP_PKEY *pgp_curve_key(const PgpCurve *curve, const guint8 *point);

/* RSA of 2048 to 8192 bits with a common exponent; all of the material. */
#define PGP_RSA_MAX (8192 / 8)
EVP_PKEY *pgp_rsa_key(const guint8 *material, gsize size);
/* To verify with: RSA, ECDSA, Ed25519. NULL: malformed, or none of ours. */
EVP_PKEY *pgp_signing_key(guint8 algorithm, const guint8 *material, gsize size);

#endif
