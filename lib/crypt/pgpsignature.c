/* SPDX-License-Identifier: Apache-2.0
 *
 * Signature packets. See pgpsignature.h.
 */
#include "lib/crypt/pgpsignature.h"

#include <string.h>

#include <openssl/evp.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpexpression.h"
#include "lib/crypt/pgplayer.h"
#include "lib/crypt/x509_private.h"

#define SHA512_SIZE 64
#define SIGNATURE_VERSION 4
#define OVER_BINARY 0

struct PgpSignature {
	const PgpSigner *signer;
	EVP_MD_CTX *hash;
};

/* --- who signs --- */

static guint8 algorithm_of(gpgme_subkey_t subkey)
{
	switch ((int)subkey->pubkey_algo) {
	case GPGME_PK_RSA: return PGP_RSA;
	case GPGME_PK_ECDSA: return PGP_ECDSA;
	case GPGME_PK_EDDSA: return g_strcmp0(subkey->curve, "ed25519") == 0 ? PGP_EDDSA : 0;
	default: return 0;
	}
}

static gboolean is_over(gpgme_subkey_t subkey)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	return subkey->revoked || subkey->expired || subkey->disabled || subkey->invalid ||
	       (subkey->expires && subkey->expires <= now);
}

static gboolean may_sign(gpgme_subkey_t subkey)
{
	return subkey->can_sign && subkey->secret && !is_over(subkey);
}

gboolean pgp_signer_choose(const PgpSecretKey *secret, PgpSigner *signer)
{
	gpgme_subkey_t primary = secret->key->subkeys, best = NULL;

	if (secret->key->revoked || secret->key->expired || is_over(primary))
		return FALSE;
	for (gpgme_subkey_t subkey = primary->next; subkey; subkey = subkey->next)
		if (may_sign(subkey) && (!best || subkey->timestamp > best->timestamp))
			best = subkey;
	if (!best && may_sign(primary))
		best = primary;
	if (!best || !best->keygrip || !best->fpr)
		return FALSE;
	signer->keygrip = best->keygrip;
	signer->algorithm = algorithm_of(best);
	return signer->algorithm != 0 && pgp_read_fingerprint(best->fpr, signer->fingerprint);
}

/* --- the signature --- */

static gboolean fail(GError **error)
{
	crypt_fail(error, ERROR_CRYPTO, "OpenPGP signing failed");
	return FALSE;
}

PgpSignature *pgp_signature_new(const PgpSigner *signer, GError **error)
{
	g_autoptr(PgpSignature) signature = g_new0(PgpSignature, 1);

	signature->signer = signer;
	signature->hash = EVP_MD_CTX_new();
	if (!signature->hash || EVP_DigestInit_ex(signature->hash, EVP_sha512(), NULL) != 1) {
		fail(error);
		return NULL;
	}
	return g_steal_pointer(&signature);
}

void pgp_signature_free(PgpSignature *signature)
{
	if (!signature)
		return;
	EVP_MD_CTX_free(signature->hash);
	g_free(signature);
}

static const guint8 *key_id(const PgpSigner *signer)
{
	return signer->fingerprint + PGP_FINGERPRINT - PGP_KEY_ID;
}

gboolean pgp_signature_announce(const PgpSignature *signature, Sink *sink, GError **error)
{
	const PgpSigner *signer = signature->signer;
	guint8 body[4 + PGP_KEY_ID + 1] = {3, OVER_BINARY, PGP_SHA512, signer->algorithm};

	memcpy(body + 4, key_id(signer), PGP_KEY_ID);
	body[4 + PGP_KEY_ID] = 1; /* no further signature is announced */
	return pgp_write_head(sink, PGP_ONE_PASS, sizeof(body), error) &&
	       sink_write(sink, body, sizeof(body), error);
}

gboolean pgp_signature_update(PgpSignature *signature, const void *data, gsize size, GError **error)
{
	return EVP_DigestUpdate(signature->hash, data, size) == 1 || fail(error);
}

/* What of the packet is hashed: up to the subpackets issuer fingerprint and time. */
static void append_hashed(const PgpSigner *signer, GByteArray *body)
{
	guint32 now = (guint32)(g_get_real_time() / G_USEC_PER_SEC);
	const guint8 time[] = {5,
			       PGP_SIGNATURE_TIME,
			       (guint8)(now >> 24),
			       (guint8)(now >> 16),
			       (guint8)(now >> 8),
			       (guint8)now};
	const guint8 size = 3 + PGP_FINGERPRINT + sizeof(time);
	const guint8 head[] = {SIGNATURE_VERSION,
			       OVER_BINARY,
			       signer->algorithm,
			       PGP_SHA512,
			       0,
			       size,
			       2 + PGP_FINGERPRINT,
			       PGP_ISSUER_FINGERPRINT,
			       4};

	g_byte_array_append(body, head, sizeof(head));
	g_byte_array_append(body, signer->fingerprint, PGP_FINGERPRINT);
	g_byte_array_append(body, time, sizeof(time));
}

static void append_unhashed(const PgpSigner *signer, GByteArray *body)
{
	static const guint8 head[] = {0, 2 + PGP_KEY_ID, 1 + PGP_KEY_ID, PGP_ISSUER};

	g_byte_array_append(body, head, sizeof(head));
	g_byte_array_append(body, key_id(signer), PGP_KEY_ID);
}

/* The hash ends with the hashed part and how long that is (section 5.2.4). */
static gboolean finish_hash(PgpSignature *signature, const GByteArray *body,
			    guint8 digest[SHA512_SIZE])
{
	const guint8 trailer[] = {SIGNATURE_VERSION, 0xFF, 0, 0, (guint8)(body->len >> 8),
				  (guint8)body->len};

	return EVP_DigestUpdate(signature->hash, body->data, body->len) == 1 &&
	       EVP_DigestUpdate(signature->hash, trailer, sizeof(trailer)) == 1 &&
	       EVP_DigestFinal_ex(signature->hash, digest, NULL) == 1;
}

/* The numbers of the agent's answer, in the order of the packet. */
static gboolean append_numbers(const PgpSigner *signer, const GByteArray *answer, GByteArray *body)
{
	static const struct {
		guint8 algorithm;
		const char *name;
		const char *numbers[3];
	} kinds[] = {{PGP_RSA, "rsa", {"s"}},
		     {PGP_ECDSA, "ecdsa", {"r", "s"}},
		     {PGP_EDDSA, "eddsa", {"r", "s"}}};

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		PgpNumber numbers[3];

		if (kinds[i].algorithm != signer->algorithm)
			continue;
		if (!pgp_expression_read(answer->data, answer->len, kinds[i].name, kinds[i].numbers,
					 numbers))
			return FALSE;
		for (gsize n = 0; kinds[i].numbers[n]; n++)
			pgp_append_mpi(body, numbers[n].bytes, numbers[n].size);
		return TRUE;
	}
	return FALSE;
}

gboolean pgp_signature_write(PgpSignature *signature, PgpHome *home, gint64 deadline, Sink *sink,
			     GError **error)
{
	const PgpSigner *signer = signature->signer;
	g_autoptr(GByteArray) body = g_byte_array_new();
	g_autoptr(GByteArray) answer = g_byte_array_new();
	guint8 digest[SHA512_SIZE];

	append_hashed(signer, body);
	if (!finish_hash(signature, body, digest))
		return fail(error);
	append_unhashed(signer, body);
	g_byte_array_append(body, digest, 2);
	const PgpHash hash = {signer->keygrip, PGP_SHA512, digest, sizeof(digest)};

	if (!pgp_agent_sign(home, &hash, deadline, answer, error))
		return FALSE;
	if (!append_numbers(signer, answer, body)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "gpg-agent gave no signature");
		return FALSE;
	}
	return pgp_write_head(sink, PGP_SIGNATURE, body->len, error) &&
	       sink_write(sink, body->data, body->len, error);
}
