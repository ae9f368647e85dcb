/* SPDX-License-Identifier: Apache-2.0
 *
 * From ciphertext to content. See pgpunseal.h.
 */
#include "lib/crypt/pgpunseal.h"

#include <string.h>

#include <gio/gio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/base/error.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/x509_private.h"

#define BLOCK 16
/* Random bytes, the last two of them twice: they tell nothing, whatever they are. */
#define PREFIX (BLOCK + 2)
#define SHA1_SIZE 20
/* The integrity code's packet, at the very end. */
#define CODE (2 + SHA1_SIZE)
#define PADDING_MAX 1024
#define INFLATE_ZIP 1
#define INFLATE_ZLIB 2

static gboolean malformed(GError **error)
{
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_MALFORMED, "no common OpenPGP message");
	return FALSE;
}

static gboolean fail(GError **error)
{
	crypt_fail(error, ERROR_CRYPTO, "OpenPGP decryption failed");
	return FALSE;
}

/* --- the cipher --- */

struct PgpUnseal {
	EVP_CIPHER_CTX *cipher;
	EVP_MD_CTX *mdc;
	Source *body, *source;
	gsize prefix; /* bytes of it that are still to come */
	gsize at, have; /* of plain; the last CODE bytes are held back */
	gboolean end;
	guint8 plain[STREAM_CHUNK + CODE];
};

gsize pgp_cipher_key_size(guint cipher)
{
	switch (cipher) {
	case PGP_CIPHER_AES128: return 16;
	case PGP_CIPHER_AES192: return 24;
	case PGP_CIPHER_AES256: return 32;
	default: return 0;
	}
}

static const EVP_CIPHER *cipher_of(guint cipher)
{
	switch (cipher) {
	case PGP_CIPHER_AES128: return EVP_aes_128_cfb128();
	case PGP_CIPHER_AES192: return EVP_aes_192_cfb128();
	case PGP_CIPHER_AES256: return EVP_aes_256_cfb128();
	default: return NULL;
	}
}

/* Decrypts the next bytes behind those that are held back. */
static gboolean decrypt_more(PgpUnseal *unseal, GError **error)
{
	int made = 0;

	memmove(unseal->plain, unseal->plain + unseal->at, unseal->have - unseal->at);
	unseal->have -= unseal->at;
	unseal->at = 0;
	guint8 *room = unseal->plain + unseal->have;
	gssize got = source_read(unseal->body, room, sizeof(unseal->plain) - unseal->have, error);
	if (got < 0)
		return FALSE;
	unseal->end = got == 0;
	if (got > 0 &&
	    (EVP_DecryptUpdate(unseal->cipher, room, &made, room, (int)got) != 1 || made != got))
		return fail(error);
	unseal->have += (gsize)got;
	return TRUE;
}

static gsize ready(const PgpUnseal *unseal)
{
	gsize there = unseal->have - unseal->at;

	return there > CODE ? there - CODE : 0;
}

static gssize unseal_read(void *self, void *buffer, gsize size, GError **error)
{
	PgpUnseal *unseal = self;

	for (;;) {
		gsize there = ready(unseal);
		gsize step = MIN(there, unseal->prefix > 0 ? unseal->prefix : size);
		const guint8 *from = unseal->plain + unseal->at;

		if (step == 0 && unseal->end)
			return 0;
		if (step == 0) {
			if (!decrypt_more(unseal, error))
				return -1;
			continue;
		}
		if (EVP_DigestUpdate(unseal->mdc, from, step) != 1)
			return fail(error), -1;
		unseal->at += step;
		if (unseal->prefix == 0) {
			memcpy(buffer, from, step);
			return (gssize)step;
		}
		unseal->prefix -= step;
	}
}

static const SourceClass unseal_class = {.read = unseal_read};

PgpUnseal *pgp_unseal_new(guint cipher, const Secret *key, Source *body, GError **error)
{
	static const guint8 zero[BLOCK] = {0};
	const EVP_CIPHER *kind = cipher_of(cipher);
	g_autoptr(PgpUnseal) unseal = g_new(PgpUnseal, 1);

	memset(unseal, 0, offsetof(PgpUnseal, plain));
	unseal->cipher = EVP_CIPHER_CTX_new();
	unseal->mdc = EVP_MD_CTX_new();
	unseal->body = body;
	unseal->prefix = PREFIX;
	unseal->source = source_new(&unseal_class, unseal);
	if (!kind || secret_size(key) != pgp_cipher_key_size(cipher) || !unseal->cipher ||
	    !unseal->mdc ||
	    EVP_DecryptInit_ex2(unseal->cipher, kind, secret_bytes(key), zero, NULL) != 1 ||
	    EVP_DigestInit_ex(unseal->mdc, EVP_sha1(), NULL) != 1) {
		fail(error);
		return NULL;
	}
	return g_steal_pointer(&unseal);
}

Source *pgp_unseal_source(PgpUnseal *unseal)
{
	return unseal->source;
}

/* It hashes its own head, too. */
gboolean pgp_unseal_finish(PgpUnseal *unseal, GError **error)
{
	static const guint8 head[] = {0xC0 | PGP_MDC, SHA1_SIZE};
	const guint8 *code = unseal->plain + unseal->at;
	guint8 sum[SHA1_SIZE];

	if (!unseal->end || unseal->have - unseal->at != CODE || unseal->prefix > 0)
		return malformed(error);
	if (EVP_DigestUpdate(unseal->mdc, code, sizeof(head)) != 1 ||
	    EVP_DigestFinal_ex(unseal->mdc, sum, NULL) != 1)
		return fail(error);
	return (memcmp(code, head, sizeof(head)) == 0 &&
		CRYPTO_memcmp(code + sizeof(head), sum, SHA1_SIZE) == 0) ||
	       malformed(error);
}

void pgp_unseal_free(PgpUnseal *unseal)
{
	if (!unseal)
		return;
	EVP_CIPHER_CTX_free(unseal->cipher);
	EVP_MD_CTX_free(unseal->mdc);
	source_free(unseal->source);
	g_free(unseal);
}

/* --- compression --- */

typedef struct {
	Source *body;
	GConverter *converter;
	gboolean end; /* of the body */
	gboolean finished; /* the stream says that it is whole */
	gsize at, have; /* of in */
	guint8 in[STREAM_CHUNK];
} Inflate;

static gboolean read_more(Inflate *self, GError **error)
{
	gssize got = source_read(self->body, self->in, sizeof(self->in), error);

	if (got < 0)
		return FALSE;
	self->at = 0;
	self->have = (gsize)got;
	self->end = got == 0;
	return TRUE;
}

/* What stands behind the stream's end is padding: Sequoia hides a message's length so. gpg reads over
 * a little of it. */
static gssize finish(Inflate *self, GError **error)
{
	gsize passed = self->have - self->at;

	while (!self->end && passed <= PADDING_MAX) {
		if (!read_more(self, error))
			return -1;
		passed += self->have;
	}
	return passed <= PADDING_MAX ? 0 : (malformed(error), -1);
}

static gssize inflate_read(void *data, void *buffer, gsize size, GError **error)
{
	Inflate *self = data;

	while (!self->finished) {
		g_autoptr(GError) failure = NULL;
		gsize taken = 0, made = 0;
		GConverterFlags flags = self->end ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS;
		GConverterResult result = g_converter_convert(self->converter, self->in + self->at,
							      self->have - self->at, buffer, size,
							      flags, &taken, &made, &failure);
		gboolean hungry = g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT);

		if (result == G_CONVERTER_ERROR && (!hungry || self->end || self->at < self->have))
			return malformed(error), -1;
		self->at += taken;
		self->finished = result == G_CONVERTER_FINISHED;
		if (made > 0)
			return (gssize)made;
		if (!self->finished && self->at == self->have && !read_more(self, error))
			return -1;
	}
	return finish(self, error);
}

static void inflate_destroy(void *data)
{
	Inflate *self = data;

	g_object_unref(self->converter);
	g_free(self);
}

static const SourceClass inflate_class = {.read = inflate_read, .destroy = inflate_destroy};

Source *pgp_inflate_new(Source *body, GError **error)
{
	guint8 algorithm = 0;
	gssize got = source_read(body, &algorithm, 1, error);

	if (got < 0)
		return NULL;
	if (got == 0 || (algorithm != INFLATE_ZIP && algorithm != INFLATE_ZLIB)) {
		malformed(error);
		return NULL;
	}
	Inflate *self = g_new(Inflate, 1);

	memset(self, 0, offsetof(Inflate, in));
	self->body = body;
	self->converter = G_CONVERTER(
		g_zlib_decompressor_new(algorithm == INFLATE_ZIP ? G_ZLIB_COMPRESSOR_FORMAT_RAW
								 : G_ZLIB_COMPRESSOR_FORMAT_ZLIB));
	return source_new(&inflate_class, self);
}
