/* SPDX-License-Identifier: Apache-2.0
 *
 * Signature packets, read and checked. See pgpverify.h.
 */
#include "lib/crypt/pgpverify.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "lib/crypt/pgpmaterial.h"

#define SIGNATURE_VERSION 4
/* Version, type, algorithm, hash, and how long the hashed subpackets are. */
#define FIXED 6
#define CRITICAL 0x80
#define SIGNATURE_END 3
#define EMBEDDED 32
#define ED25519_SIZE 64

/* --- reading --- */

typedef struct {
	const guint8 *at;
	gsize left;
} Rest;

typedef struct {
	guint8 type;
	gboolean critical;
	const guint8 *data;
	gsize size;
} Subpacket;

static guint32 number(const guint8 *bytes, gsize size)
{
	guint32 value = 0;

	for (gsize i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

static gboolean take(Rest *rest, gsize size, const guint8 **bytes)
{
	if (size > rest->left)
		return FALSE;
	*bytes = rest->at;
	rest->at += size;
	rest->left -= size;
	return TRUE;
}

/* Section 5.2.3.1. */
static gboolean take_subpacket(Rest *rest, Subpacket *subpacket)
{
	const guint8 *bytes, *more;
	gsize size;

	if (!take(rest, 1, &bytes))
		return FALSE;
	size = bytes[0];
	if (size == 255) {
		if (!take(rest, 4, &more))
			return FALSE;
		size = number(more, 4);
	} else if (size >= 192) {
		if (!take(rest, 1, &more))
			return FALSE;
		size = ((size - 192) << 8) + more[0] + 192;
	}
	if (size == 0 || !take(rest, size, &bytes))
		return FALSE;
	subpacket->critical = (bytes[0] & CRITICAL) != 0;
	subpacket->type = bytes[0] & ~CRITICAL;
	subpacket->data = bytes + 1;
	subpacket->size = size - 1;
	return TRUE;
}

/* What is told twice is told the same. */
static gboolean set_name(const guint8 **name, const guint8 *bytes, gsize size)
{
	gboolean same = !*name || memcmp(*name, bytes, size) == 0;

	*name = bytes;
	return same;
}

/* FALSE: not what it is said to be, or told twice. */
static gboolean take_known(PgpSignatureHead *head, const Subpacket *subpacket, gboolean hashed)
{
	const guint8 *data = subpacket->data;
	gsize size = subpacket->size;

	switch (subpacket->type) {
	case PGP_SIGNATURE_TIME:
		if (!hashed || size != 4 || head->created >= 0)
			return FALSE;
		head->created = number(data, 4);
		return TRUE;
	case PGP_ISSUER: return size == PGP_KEY_ID && set_name(&head->issuer, data, size);
	case PGP_ISSUER_FINGERPRINT:
		return hashed && size == 1 + PGP_FINGERPRINT && data[0] == 4 &&
		       set_name(&head->fingerprint, data + 1, PGP_FINGERPRINT);
	case EMBEDDED:
		if (head->embedded)
			return FALSE;
		head->embedded = data;
		head->embedded_size = size;
		return TRUE;
	default: return TRUE;
	}
}

static gboolean changes_meaning(const Subpacket *subpacket)
{
	gboolean known = subpacket->type == PGP_SIGNATURE_TIME || subpacket->type == PGP_ISSUER ||
			 subpacket->type == PGP_ISSUER_FINGERPRINT;

	return subpacket->type == SIGNATURE_END || (subpacket->critical && !known);
}

static gboolean take_area(PgpSignatureHead *head, Rest *rest, gboolean hashed, gboolean strict)
{
	const guint8 *length;
	Rest area;

	if (!take(rest, 2, &length))
		return FALSE;
	area.left = number(length, 2);
	if (!take(rest, area.left, &area.at))
		return FALSE;
	while (area.left > 0) {
		Subpacket subpacket;

		if (!take_subpacket(&area, &subpacket) || (strict && changes_meaning(&subpacket)) ||
		    !take_known(head, &subpacket, hashed))
			return FALSE;
	}
	return TRUE;
}

static gboolean names_agree(const PgpSignatureHead *head)
{
	return !head->issuer || !head->fingerprint ||
	       memcmp(head->issuer, head->fingerprint + PGP_FINGERPRINT - PGP_KEY_ID, PGP_KEY_ID) ==
		       0;
}

gboolean pgp_signature_read(const guint8 *body, gsize size, gboolean strict, PgpSignatureHead *head)
{
	const guint8 *fixed;
	Rest rest = {body, size};

	memset(head, 0, sizeof(*head));
	head->created = -1;
	if (!take(&rest, FIXED - 2, &fixed) || fixed[0] != SIGNATURE_VERSION ||
	    !take_area(head, &rest, TRUE, strict))
		return FALSE;
	head->type = fixed[1];
	head->algorithm = fixed[2];
	head->hash = fixed[3];
	head->hashed = body;
	head->hashed_size = (gsize)(rest.at - body);
	if (!take_area(head, &rest, FALSE, strict) || !take(&rest, 2, &head->start))
		return FALSE;
	head->numbers = rest.at;
	head->numbers_size = rest.left;
	return head->created >= 0 && names_agree(head);
}

/* --- checking --- */

const EVP_MD *pgp_verify_hash(guint8 hash)
{
	switch (hash) {
	case PGP_SHA256: return EVP_sha256();
	case PGP_SHA384: return EVP_sha384();
	case PGP_SHA512: return EVP_sha512();
	default: return NULL;
	}
}

typedef struct {
	const guint8 *bytes;
	gsize size;
} Number;

/* All numbers there are, exactly. */
static gboolean read_numbers(const PgpSignatureHead *head, Number *numbers, gsize count)
{
	const guint8 *at = head->numbers;
	gsize left = head->numbers_size;

	for (gsize i = 0; i < count; i++)
		if (!pgp_take_mpi(&at, &left, &numbers[i].bytes, &numbers[i].size) ||
		    numbers[i].size == 0)
			return FALSE;
	return left == 0;
}

/* With the zeros in front that a number has lost. FALSE: it is too long. */
static gboolean pad(guint8 *room, gsize size, const Number *number)
{
	if (number->size > size)
		return FALSE;
	memset(room, 0, size - number->size);
	memcpy(room + size - number->size, number->bytes, number->size);
	return TRUE;
}

static gboolean rsa_holds(const PgpSignatureHead *head, EVP_PKEY *key, const guint8 *digest,
			  gsize size)
{
	guint8 signature[PGP_RSA_MAX];
	int key_size = EVP_PKEY_get_size(key);
	Number number;

	if (!read_numbers(head, &number, 1) || key_size <= 0 ||
	    (gsize)key_size > sizeof(signature) || !pad(signature, (gsize)key_size, &number))
		return FALSE;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	gboolean good = context && EVP_PKEY_verify_init(context) == 1 &&
			EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
			EVP_PKEY_CTX_set_signature_md(context, pgp_verify_hash(head->hash)) == 1 &&
			EVP_PKEY_verify(context, signature, (gsize)key_size, digest, size) == 1;

	EVP_PKEY_CTX_free(context);
	return good;
}

/* OpenSSL wants the two numbers as a SEQUENCE. New, *size bytes; NULL on failure. */
static guint8 *ecdsa_sequence(const Number numbers[2], int *size)
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(numbers[0].bytes, (int)numbers[0].size, NULL);
	BIGNUM *s = BN_bin2bn(numbers[1].bytes, (int)numbers[1].size, NULL);
	guint8 *der = NULL;

	if (signature && r && s && ECDSA_SIG_set0(signature, r, s) == 1) {
		*size = i2d_ECDSA_SIG(signature, &der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(signature);
	return der;
}

/* As gpg: a hash that is shorter than the curve's numbers is none for it. */
static gboolean ecdsa_holds(const PgpSignatureHead *head, EVP_PKEY *key, const guint8 *digest,
			    gsize size)
{
	Number numbers[2];
	int der_size = 0;
	gsize wanted = MIN(((gsize)EVP_PKEY_get_bits(key) + 7) / 8, 64);

	if (size < wanted || !read_numbers(head, numbers, 2) || numbers[0].size > PGP_FIELD_MAX ||
	    numbers[1].size > PGP_FIELD_MAX)
		return FALSE;
	guint8 *der = ecdsa_sequence(numbers, &der_size);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	gboolean good = der && der_size > 0 && context && EVP_PKEY_verify_init(context) == 1 &&
			EVP_PKEY_verify(context, der, (gsize)der_size, digest, size) == 1;

	EVP_PKEY_CTX_free(context);
	OPENSSL_free(der);
	return good;
}

static gboolean eddsa_holds(const PgpSignatureHead *head, EVP_PKEY *key, const guint8 *digest,
			    gsize size)
{
	guint8 signature[ED25519_SIZE];
	Number numbers[2];

	if (!read_numbers(head, numbers, 2) ||
	    !pad(signature, sizeof(signature) / 2, &numbers[0]) ||
	    !pad(signature + sizeof(signature) / 2, sizeof(signature) / 2, &numbers[1]))
		return FALSE;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	gboolean good = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
			EVP_DigestVerify(context, signature, sizeof(signature), digest, size) == 1;

	EVP_MD_CTX_free(context);
	return good;
}

static gboolean key_holds(const PgpSignatureHead *head, EVP_PKEY *key, const guint8 *digest,
			  gsize size)
{
	int kind = EVP_PKEY_get_base_id(key);

	switch (head->algorithm) {
	case PGP_RSA: return kind == EVP_PKEY_RSA && rsa_holds(head, key, digest, size);
	case PGP_ECDSA: return kind == EVP_PKEY_EC && ecdsa_holds(head, key, digest, size);
	case PGP_EDDSA: return kind == EVP_PKEY_ED25519 && eddsa_holds(head, key, digest, size);
	default: return FALSE;
	}
}

/* The hash ends with the hashed part and how long that is (section 5.2.4). */
gboolean pgp_signature_holds(const PgpSignatureHead *head, EVP_MD_CTX *hash, EVP_PKEY *key)
{
	const guint8 trailer[] = {SIGNATURE_VERSION,
				  0xFF,
				  (guint8)(head->hashed_size >> 24),
				  (guint8)(head->hashed_size >> 16),
				  (guint8)(head->hashed_size >> 8),
				  (guint8)head->hashed_size};
	guint8 digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	gboolean good = EVP_DigestUpdate(hash, head->hashed, head->hashed_size) == 1 &&
			EVP_DigestUpdate(hash, trailer, sizeof(trailer)) == 1 &&
			EVP_DigestFinal_ex(hash, digest, &size) == 1 &&
			memcmp(digest, head->start, 2) == 0 && key_holds(head, key, digest, size);

	ERR_clear_error();
	return good;
}
