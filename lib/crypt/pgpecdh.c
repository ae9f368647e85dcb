/* SPDX-License-Identifier: Apache-2.0
 *
 * ECDH for session keys. See pgpecdh.h.
 */
#include "lib/crypt/pgpecdh.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "lib/crypt/pgplayer.h"
#include "lib/crypt/pgpmaterial.h"
#include "lib/crypt/pgppacket.h"

#define KDF_PARAMS 4
/* The session key is padded to this, as gpg does: what cipher it is for does not show. */
#define PADDED 40
#define WRAPPED (PADDED + 8)
/* What others make: 16 to 32 bytes of key and three more, padded at will. */
#define WRAPPED_MIN (24 + 8)
#define WRAPPED_MAX 128

struct PgpEcdh {
	const PgpCurve *curve;
	EVP_PKEY *peer;
	guint8 kdf[KDF_PARAMS]; /* length, 1, hash, cipher: as in the key */
	guint8 fingerprint[PGP_FINGERPRINT];
};

static const EVP_MD *kdf_hash(const PgpEcdh *ecdh)
{
	switch (ecdh->kdf[2]) {
	case PGP_SHA256: return EVP_sha256();
	case PGP_SHA384: return EVP_sha384();
	case PGP_SHA512: return EVP_sha512();
	default: return NULL;
	}
}

static const EVP_CIPHER *kdf_cipher(const PgpEcdh *ecdh)
{
	switch (ecdh->kdf[3]) {
	case 7: return EVP_aes_128_wrap();
	case 8: return EVP_aes_192_wrap();
	case PGP_AES256: return EVP_aes_256_wrap();
	default: return NULL;
	}
}

PgpEcdh *pgp_ecdh_read(const guint8 *material, gsize size, const guint8 *fingerprint)
{
	gsize oid = size > 0 ? material[0] : 0;
	const PgpCurve *curve = oid < size ? pgp_curve_find(material + 1, oid) : NULL;

	if (!curve || curve->native == EVP_PKEY_ED25519 ||
	    size != 1 + oid + 2 + curve->point + KDF_PARAMS)
		return NULL;
	const guint8 *at = material + 1 + oid;
	gsize bits = (gsize)at[0] << 8 | at[1];
	const guint8 *point = at + 2, *kdf = point + curve->point;
	PgpEcdh *ecdh = g_new0(PgpEcdh, 1);

	ecdh->curve = curve;
	memcpy(ecdh->kdf, kdf, KDF_PARAMS);
	memcpy(ecdh->fingerprint, fingerprint, PGP_FINGERPRINT);
	if ((bits + 7) / 8 == curve->point && kdf[0] == 3 && kdf[1] == 1 && kdf_hash(ecdh) &&
	    kdf_cipher(ecdh))
		ecdh->peer = pgp_curve_key(curve, point);
	if (ecdh->peer)
		return ecdh;
	pgp_ecdh_free(ecdh);
	return NULL;
}

void pgp_ecdh_free(PgpEcdh *ecdh)
{
	if (!ecdh)
		return;
	EVP_PKEY_free(ecdh->peer);
	g_free(ecdh);
}

gsize pgp_ecdh_point(const PgpEcdh *ecdh)
{
	return ecdh->curve->point;
}

static gboolean append_point(const PgpCurve *curve, EVP_PKEY *key, GByteArray *body)
{
	guint8 point[PGP_POINT_MAX];
	gsize size = 0;
	gboolean good;

	if (curve->native) {
		size = 32;
		point[0] = PGP_NATIVE_POINT;
		good = EVP_PKEY_get_raw_public_key(key, point + 1, &size) == 1;
		size++;
	} else {
		good = EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
						       sizeof(point), &size) == 1;
	}
	if (good && size == curve->point)
		pgp_append_mpi(body, point, size);
	return good && size == curve->point;
}

/* OpenSSL refuses a shared secret of zeros (a point of small order). */
static gboolean derive(EVP_PKEY *own, EVP_PKEY *peer, const PgpCurve *curve, guint8 *shared)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own, NULL);
	gsize size = curve->field;
	gboolean good = context && EVP_PKEY_derive_init(context) == 1 &&
			EVP_PKEY_derive_set_peer(context, peer) == 1 &&
			EVP_PKEY_derive(context, shared, &size) == 1 && size == curve->field;

	EVP_PKEY_CTX_free(context);
	return good;
}

/* Section 7: one round of the hash is enough for each of the ciphers. */
static gboolean derive_kek(const PgpEcdh *ecdh, const guint8 *shared, guint8 kek[EVP_MAX_MD_SIZE])
{
	static const guint8 count[] = {0, 0, 0, 1};
	static const guint8 algorithm = PGP_ECDH;
	static const char nobody[] = "Anonymous Sender    ";
	const PgpCurve *curve = ecdh->curve;
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	gboolean good = hash && EVP_DigestInit_ex(hash, kdf_hash(ecdh), NULL) == 1 &&
			EVP_DigestUpdate(hash, count, sizeof(count)) == 1 &&
			EVP_DigestUpdate(hash, shared, curve->field) == 1 &&
			EVP_DigestUpdate(hash, &curve->oid_size, 1) == 1 &&
			EVP_DigestUpdate(hash, curve->oid, curve->oid_size) == 1 &&
			EVP_DigestUpdate(hash, &algorithm, 1) == 1 &&
			EVP_DigestUpdate(hash, ecdh->kdf, KDF_PARAMS) == 1 &&
			EVP_DigestUpdate(hash, nobody, strlen(nobody)) == 1 &&
			EVP_DigestUpdate(hash, ecdh->fingerprint, PGP_FINGERPRINT) == 1 &&
			EVP_DigestFinal_ex(hash, kek, NULL) == 1;

	EVP_MD_CTX_free(hash);
	return good;
}

static gboolean wrap(const EVP_CIPHER *cipher, const guint8 *kek, const Secret *session,
		     guint8 wrapped[WRAPPED])
{
	guint8 padded[PADDED];
	gsize size = secret_size(session);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int made = 0;

	g_assert(size < PADDED);
	memcpy(padded, secret_bytes(session), size);
	memset(padded + size, (int)(PADDED - size), PADDED - size);
	if (context)
		EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	gboolean good = context && EVP_EncryptInit_ex2(context, cipher, kek, NULL, NULL) == 1 &&
			EVP_EncryptUpdate(context, wrapped, &made, padded, PADDED) == 1 &&
			made == WRAPPED;

	EVP_CIPHER_CTX_free(context);
	OPENSSL_cleanse(padded, sizeof(padded));
	return good;
}

gboolean pgp_ecdh_append(const PgpEcdh *ecdh, const Secret *session, GByteArray *body)
{
	const PgpCurve *curve = ecdh->curve;
	EVP_PKEY *own = curve->native ? EVP_PKEY_Q_keygen(NULL, NULL, "X25519")
				      : EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve->name);
	guint8 shared[PGP_FIELD_MAX], kek[EVP_MAX_MD_SIZE], wrapped[WRAPPED];
	const guint8 size = WRAPPED;
	gboolean good =
		own && derive(own, ecdh->peer, curve, shared) && derive_kek(ecdh, shared, kek) &&
		wrap(kdf_cipher(ecdh), kek, session, wrapped) && append_point(curve, own, body);

	OPENSSL_cleanse(shared, sizeof(shared));
	OPENSSL_cleanse(kek, sizeof(kek));
	EVP_PKEY_free(own);
	if (good) {
		g_byte_array_append(body, &size, 1);
		g_byte_array_append(body, wrapped, WRAPPED);
	}
	return good;
}

/* The x of a point: behind 04 and before y; of Curve25519 it is all there is, with or without the
 * byte that goes before it. */
static const guint8 *shared_secret(const PgpCurve *curve, const guint8 *point, gsize size)
{
	if (curve->native && size == curve->field)
		return point;
	if (size != curve->point || point[0] != (curve->native ? PGP_NATIVE_POINT : 4))
		return NULL;
	return point + 1;
}

/* Bytes of padding, each of which says how many they are. 0: there is none. */
static gsize padding_of(const guint8 *padded, gsize size)
{
	gsize count = padded[size - 1];

	if (count == 0 || count >= size)
		return 0;
	for (gsize i = size - count; i < size; i++)
		if (padded[i] != count)
			return 0;
	return count;
}

static Secret *unwrap(const EVP_CIPHER *cipher, const guint8 *kek, const guint8 *wrapped,
		      gsize size)
{
	g_autoptr(Secret) padded = secret_new(size); /* eight bytes more than needed */
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int made = 0;

	if (context)
		EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	gboolean good =
		context && EVP_DecryptInit_ex2(context, cipher, kek, NULL, NULL) == 1 &&
		EVP_DecryptUpdate(context, secret_data(padded), &made, wrapped, (int)size) == 1 &&
		made == (int)size - 8;
	gsize padding = good ? padding_of(secret_bytes(padded), (gsize)made) : 0;

	EVP_CIPHER_CTX_free(context);
	return padding ? secret_take(secret_data(padded), (gsize)made - padding) : NULL;
}

Secret *pgp_ecdh_open(const PgpEcdh *ecdh, const guint8 *shared, gsize shared_size,
		      const guint8 *wrapped, gsize size)
{
	const guint8 *secret = shared_secret(ecdh->curve, shared, shared_size);
	guint8 kek[EVP_MAX_MD_SIZE];

	if (!secret || size < WRAPPED_MIN || size > WRAPPED_MAX || size % 8 != 0)
		return NULL;
	Secret *session =
		derive_kek(ecdh, secret, kek) ? unwrap(kdf_cipher(ecdh), kek, wrapped, size) : NULL;

	OPENSSL_cleanse(kek, sizeof(kek));
	ERR_clear_error();
	return session;
}
