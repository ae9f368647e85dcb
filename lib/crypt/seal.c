/* SPDX-License-Identifier: Apache-2.0
 *
 * The portal's sealing. Every key is used for one purpose only: what K, a link's secret or a
 * password's hash encrypts is encrypted under a subkey of it, derived with a label. Each format
 * begins with its version, which is authenticated along with everything else that is stored in
 * the open. What does not authenticate is one error, whatever the reason.
 */
#include "lib/crypt/seal.h"

#include <string.h>

#include <sodium.h>

#include "lib/base/error.h"

#define SEAL_VERSION 1

/* Short texts are padded to full blocks: a subject's length is a hint too. */
#define TEXT_BLOCK 64
/* Largest thing that box() is used for: a text. */
#define BOX_MAX (SEAL_TEXT_MAX + 1024)

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES
#define STREAM_HEADER (1 + crypto_secretstream_xchacha20poly1305_HEADERBYTES)

G_STATIC_ASSERT(SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
G_STATIC_ASSERT(SEAL_KEY_SIZE == crypto_secretstream_xchacha20poly1305_KEYBYTES);
G_STATIC_ASSERT(SEAL_PUBLIC_SIZE == crypto_box_PUBLICKEYBYTES);

/* The key for one purpose: BLAKE2b keyed with the parent, over a label and a context (NULL for
 * none); the label's NUL keeps the two apart. */
static Secret *subkey(const Secret *parent, const char *label, const char *context)
{
	crypto_generichash_state state;
	Secret *key = secret_new(SEAL_KEY_SIZE);

	g_assert(secret_size(parent) == SEAL_KEY_SIZE);
	crypto_generichash_init(&state, secret_bytes(parent), SEAL_KEY_SIZE, SEAL_KEY_SIZE);
	crypto_generichash_update(&state, (const guint8 *)label, strlen(label) + 1);
	if (context)
		crypto_generichash_update(&state, (const guint8 *)context, strlen(context));
	crypto_generichash_final(&state, secret_data(key), SEAL_KEY_SIZE);
	sodium_memzero(&state, sizeof(state));
	return key;
}

static void set_broken(GError **error, const char *what)
{
	g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "%s does not open: wrong key or damaged",
		    what);
}

/* head || nonce || ciphertext and tag; head is authenticated. */
static GBytes *box(const Secret *key, GByteArray *head, const guint8 *plain, gsize size)
{
	gsize front = head->len + NONCE_SIZE;
	guint8 *out = g_malloc(front + size + TAG_SIZE);
	unsigned long long written;

	memcpy(out, head->data, head->len);
	randombytes_buf(out + head->len, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + front, &written, plain, size, head->data,
						   head->len, NULL, out + head->len,
						   secret_bytes(key));
	return g_bytes_new_take(out, front + size + TAG_SIZE);
}

/* What box() made, with a head of that size. NULL if it does not authenticate. */
static Secret *unbox(const Secret *key, GBytes *boxed, gsize head)
{
	gsize size;
	const guint8 *in = g_bytes_get_data(boxed, &size);
	gsize front = head + NONCE_SIZE;
	unsigned long long written;

	if (size <= front + TAG_SIZE || in[0] != SEAL_VERSION || size > BOX_MAX)
		return NULL;
	g_autoptr(Secret) plain = secret_new(size - front - TAG_SIZE);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(secret_data(plain), &written, NULL,
						       in + front, size - front, in, head,
						       in + head, secret_bytes(key)))
		return NULL;
	return g_steal_pointer(&plain);
}

static GByteArray *version_head(void)
{
	const guint8 version = SEAL_VERSION;

	return g_byte_array_append(g_byte_array_new(), &version, 1);
}

/* --- chunks --- */

struct SealWriter {
	Secret *state;
	gboolean done;
};

struct SealReader {
	Secret *state;
	gboolean done;
};

static crypto_secretstream_xchacha20poly1305_state *stream_state(Secret *state)
{
	return (crypto_secretstream_xchacha20poly1305_state *)(void *)secret_data(state);
}

SealWriter *seal_writer_new(const Secret *key, GBytes **header)
{
	SealWriter *writer = g_new0(SealWriter, 1);
	guint8 *head = g_malloc(STREAM_HEADER);
	g_autoptr(Secret) stream_key = subkey(key, "sealpost message", NULL);

	writer->state = secret_new(sizeof(crypto_secretstream_xchacha20poly1305_state));
	head[0] = SEAL_VERSION;
	crypto_secretstream_xchacha20poly1305_init_push(stream_state(writer->state), head + 1,
							secret_bytes(stream_key));
	*header = g_bytes_new_take(head, STREAM_HEADER);
	return writer;
}

GBytes *seal_writer_chunk(SealWriter *writer, const void *plain, gsize size, gboolean last)
{
	const guint8 version = SEAL_VERSION;
	gsize sealed_size = size + crypto_secretstream_xchacha20poly1305_ABYTES;

	g_assert(size <= SEAL_CHUNK && !writer->done);
	guint8 *sealed = g_malloc(sealed_size);
	crypto_secretstream_xchacha20poly1305_push(
		stream_state(writer->state), sealed, NULL, plain, size, &version, 1,
		last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
		     : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
	writer->done = last;
	return g_bytes_new_take(sealed, sealed_size);
}

void seal_writer_free(SealWriter *writer)
{
	if (!writer)
		return;
	secret_free(writer->state);
	g_free(writer);
}

SealReader *seal_reader_new(const Secret *key, GBytes *header, GError **error)
{
	gsize size;
	const guint8 *head = g_bytes_get_data(header, &size);

	if (size != STREAM_HEADER || head[0] != SEAL_VERSION) {
		set_broken(error, "the sealed message");
		return NULL;
	}
	SealReader *reader = g_new0(SealReader, 1);
	g_autoptr(Secret) stream_key = subkey(key, "sealpost message", NULL);
	reader->state = secret_new(sizeof(crypto_secretstream_xchacha20poly1305_state));
	crypto_secretstream_xchacha20poly1305_init_pull(stream_state(reader->state), head + 1,
							secret_bytes(stream_key));
	return reader;
}

GBytes *seal_reader_chunk(SealReader *reader, GBytes *chunk, gboolean *last, GError **error)
{
	const guint8 version = SEAL_VERSION;
	gsize size;
	const guint8 *sealed = g_bytes_get_data(chunk, &size);
	guint8 tag;

	if (reader->done || size < crypto_secretstream_xchacha20poly1305_ABYTES ||
	    size > SEAL_CHUNK + crypto_secretstream_xchacha20poly1305_ABYTES) {
		set_broken(error, "the sealed message");
		return NULL;
	}
	gsize plain_size = size - crypto_secretstream_xchacha20poly1305_ABYTES;
	g_autofree guint8 *plain = g_malloc(plain_size + 1);
	if (crypto_secretstream_xchacha20poly1305_pull(stream_state(reader->state), plain, NULL,
						       &tag, sealed, size, &version, 1)) {
		/* What follows a damaged chunk is not to be read either. */
		reader->done = TRUE;
		set_broken(error, "the sealed message");
		return NULL;
	}
	reader->done = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	*last = reader->done;
	return g_bytes_new_take(g_steal_pointer(&plain), plain_size);
}

void seal_reader_free(SealReader *reader)
{
	if (!reader)
		return;
	secret_free(reader->state);
	g_free(reader);
}

/* --- texts --- */

/* Its length up to the limit, without half a character at the end. */
static gsize text_size(const char *text)
{
	gsize size = strnlen(text, SEAL_TEXT_MAX + 1);

	if (size <= SEAL_TEXT_MAX)
		return size;
	for (size = SEAL_TEXT_MAX; size > 0 && (text[size] & 0xC0) == 0x80; size--)
		;
	return size;
}

GBytes *seal_text(const Secret *key, const char *context, const char *text)
{
	gsize size = text_size(text);
	gsize padded = (size / TEXT_BLOCK + 1) * TEXT_BLOCK;
	g_autoptr(GByteArray) head = version_head();
	g_autoptr(Secret) text_key = subkey(key, "sealpost text", context);
	g_autoptr(Secret) plain = secret_new(padded);

	memcpy(secret_data(plain), text, size); /* the rest is zero, and ends the text */
	return box(text_key, head, secret_bytes(plain), padded);
}

char *seal_text_open(const Secret *key, const char *context, GBytes *sealed, GError **error)
{
	g_autoptr(Secret) text_key = subkey(key, "sealpost text", context);
	g_autoptr(Secret) plain = unbox(text_key, sealed, 1);

	if (!plain) {
		set_broken(error, "the sealed text");
		return NULL;
	}
	return g_strndup((const char *)secret_bytes(plain), secret_size(plain));
}

/* --- links --- */

/* K alone is what a wrap may hold. */
static Secret *checked_key(Secret *key, const char *what, GError **error)
{
	if (key && secret_size(key) == SEAL_KEY_SIZE)
		return key;
	secret_free(key);
	set_broken(error, what);
	return NULL;
}

GBytes *seal_wrap_for_link(const Secret *key, const Secret *link)
{
	g_autoptr(GByteArray) head = version_head();
	g_autoptr(Secret) wrap_key = subkey(link, "sealpost link", NULL);

	g_assert(secret_size(key) == SEAL_KEY_SIZE);
	return box(wrap_key, head, secret_bytes(key), SEAL_KEY_SIZE);
}

Secret *seal_open_with_link(GBytes *wrapped, const Secret *link, GError **error)
{
	g_autoptr(Secret) wrap_key = subkey(link, "sealpost link", NULL);

	return checked_key(unbox(wrap_key, wrapped, 1), "the link's key", error);
}

char *seal_link_hash(const Secret *link)
{
	g_autoptr(Secret) hash = subkey(link, "sealpost link hash", NULL);
	char *hex = g_malloc(2 * SEAL_KEY_SIZE + 1);

	return sodium_bin2hex(hex, 2 * SEAL_KEY_SIZE + 1, secret_bytes(hash), SEAL_KEY_SIZE);
}

char *seal_link_text(const Secret *link)
{
	const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	gsize size = sodium_base64_ENCODED_LEN(SEAL_KEY_SIZE, variant);

	g_assert(secret_size(link) == SEAL_KEY_SIZE);
	return sodium_bin2base64(g_malloc(size), size, secret_bytes(link), SEAL_KEY_SIZE, variant);
}

Secret *seal_link_parse(const char *text)
{
	const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	gsize length = sodium_base64_ENCODED_LEN(SEAL_KEY_SIZE, variant) - 1;
	g_autoptr(Secret) link = secret_new(SEAL_KEY_SIZE);
	gsize size = 0;

	/* libsodium takes bytes from 0x80 up for letters of the alphabet. */
	if (strnlen(text, length + 1) != length || !g_str_is_ascii(text) ||
	    sodium_base642bin(secret_data(link), SEAL_KEY_SIZE, text, length, NULL, &size, NULL,
			      variant) ||
	    size != SEAL_KEY_SIZE)
		return NULL;
	return g_steal_pointer(&link);
}

/* --- accounts --- */

GBytes *seal_to_account(const Secret *key, GBytes *public_key, GError **error)
{
	gsize size = 1 + SEAL_KEY_SIZE + crypto_box_SEALBYTES;
	g_autofree guint8 *out = g_malloc0(size);

	g_assert(secret_size(key) == SEAL_KEY_SIZE);
	out[0] = SEAL_VERSION;
	/* A point of low order makes no secret. */
	if (public_key == NULL || g_bytes_get_size(public_key) != SEAL_PUBLIC_SIZE ||
	    crypto_box_seal(out + 1, secret_bytes(key), SEAL_KEY_SIZE,
			    g_bytes_get_data(public_key, NULL))) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO,
			    "the account's public key is damaged");
		return NULL;
	}
	return g_bytes_new_take(g_steal_pointer(&out), size);
}

Secret *seal_open_with_account(GBytes *sealed, GBytes *public_key, const Secret *private_key,
			       GError **error)
{
	gsize size;
	const guint8 *in = g_bytes_get_data(sealed, &size);
	g_autoptr(Secret) key = secret_new(SEAL_KEY_SIZE);

	if (size != 1 + SEAL_KEY_SIZE + crypto_box_SEALBYTES || in[0] != SEAL_VERSION ||
	    g_bytes_get_size(public_key) != SEAL_PUBLIC_SIZE ||
	    secret_size(private_key) != crypto_box_SECRETKEYBYTES ||
	    crypto_box_seal_open(secret_data(key), in + 1, size - 1,
				 g_bytes_get_data(public_key, NULL), secret_bytes(private_key))) {
		set_broken(error, "the account's copy of the key");
		return NULL;
	}
	return g_steal_pointer(&key);
}

/* The wrapped private key's head, all numbers big-endian: version, passes (4 bytes), memory in
 * KiB (4 bytes), salt. New accounts get these costs; older ones keep theirs. */
#define ARGON_PASSES 3
#define ARGON_MEMORY (64 * 1024)
/* A tampered database shall not make us work without end. */
#define ARGON_PASSES_MAX 16
#define ARGON_MEMORY_MAX (1024 * 1024)
#define ACCOUNT_HEAD (1 + 4 + 4 + crypto_pwhash_SALTBYTES)

static void put_number(guint8 *at, guint32 value)
{
	value = GUINT32_TO_BE(value);
	memcpy(at, &value, sizeof(value));
}

static guint32 get_number(const guint8 *at)
{
	guint32 value;

	memcpy(&value, at, sizeof(value));
	return GUINT32_FROM_BE(value);
}

/* The wrapping key of a password, by the costs and salt in a checked head. */
static Secret *password_key(const Secret *password, const guint8 *head, GError **error)
{
	g_autoptr(Secret) key = secret_new(SEAL_KEY_SIZE);

	if (crypto_pwhash(secret_data(key), SEAL_KEY_SIZE, (const char *)secret_bytes(password),
			  secret_size(password), head + 9, get_number(head + 1),
			  (gsize)get_number(head + 5) * 1024, crypto_pwhash_ALG_ARGON2ID13)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_BUSY,
			    "no memory to compute a password's hash");
		return NULL;
	}
	return subkey(key, "sealpost account", NULL);
}

GBytes *seal_account_wrap(const Secret *private_key, const Secret *password, GError **error)
{
	g_autoptr(GByteArray) head = g_byte_array_set_size(g_byte_array_new(), ACCOUNT_HEAD);

	head->data[0] = SEAL_VERSION;
	put_number(head->data + 1, ARGON_PASSES);
	put_number(head->data + 5, ARGON_MEMORY);
	randombytes_buf(head->data + 9, crypto_pwhash_SALTBYTES);
	g_autoptr(Secret) key = password_key(password, head->data, error);
	return key ? box(key, head, secret_bytes(private_key), secret_size(private_key)) : NULL;
}

gboolean seal_account_new(const Secret *password, SealAccount *account, Secret **private_key,
			  GError **error)
{
	guint8 public_key[SEAL_PUBLIC_SIZE];
	g_autoptr(Secret) secret = secret_new(crypto_box_SECRETKEYBYTES);

	crypto_box_keypair(public_key, secret_data(secret));
	g_autoptr(GBytes) wrapped = seal_account_wrap(secret, password, error);
	if (!wrapped)
		return FALSE;
	account->public_key = g_bytes_new(public_key, sizeof(public_key));
	account->wrapped_private = g_steal_pointer(&wrapped);
	*private_key = g_steal_pointer(&secret);
	return TRUE;
}

Secret *seal_account_open(GBytes *wrapped_private, const Secret *password, GError **error)
{
	gsize size;
	const guint8 *head = g_bytes_get_data(wrapped_private, &size);

	if (size < ACCOUNT_HEAD || head[0] != SEAL_VERSION || get_number(head + 1) < 1 ||
	    get_number(head + 1) > ARGON_PASSES_MAX || get_number(head + 5) < 8 ||
	    get_number(head + 5) > ARGON_MEMORY_MAX) {
		set_broken(error, "the account's private key");
		return NULL;
	}
	g_autoptr(Secret) key = password_key(password, head, error);
	if (!key)
		return NULL;
	Secret *secret = unbox(key, wrapped_private, ACCOUNT_HEAD);
	if (!secret)
		g_set_error(error, SEALPOST_ERROR, ERROR_PASSPHRASE, "wrong password");
	return secret;
}
