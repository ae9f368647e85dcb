/* SPDX-License-Identifier: Apache-2.0
 *
 * The master key and what is encrypted under it. A wrapped secret is: version byte, nonce,
 * ciphertext with tag.
 */
#include "lib/base/masterkey.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"

#define WRAP_VERSION 1
#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES

G_STATIC_ASSERT(MASTER_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

gboolean master_key_create(const char *path, GError **error)
{
	g_autoptr(Secret) key = secret_random(MASTER_KEY_SIZE);
	g_autoptr(Secret) text = secret_new(2 * MASTER_KEY_SIZE + 1);
	char *hex = (char *)secret_data(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "%s: %s", path, g_strerror(errno));
		return FALSE;
	}
	sodium_bin2hex(hex, secret_size(text), secret_bytes(key), MASTER_KEY_SIZE);
	hex[2 * MASTER_KEY_SIZE] = '\n';
	gboolean ok =
		write(fd, hex, secret_size(text)) == (gssize)secret_size(text) && fsync(fd) == 0;
	int errnum = errno;
	if (close(fd) == 0 && ok)
		return TRUE;
	unlink(path);
	return error_set_errno(error, errnum, path);
}

Secret *master_key_read(const char *path, GError **error)
{
	g_autoptr(Secret) text = secret_read_passphrase(path, error);
	g_autoptr(Secret) key = secret_new(MASTER_KEY_SIZE);
	gsize length = 0;

	if (!text)
		return NULL;
	if (sodium_hex2bin(secret_data(key), MASTER_KEY_SIZE, (const char *)secret_bytes(text),
			   secret_size(text), NULL, &length, NULL) != 0 ||
	    length != MASTER_KEY_SIZE || secret_size(text) != 2 * MASTER_KEY_SIZE) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "%s: not a master key (%d hex digits)", path, 2 * MASTER_KEY_SIZE);
		return NULL;
	}
	return g_steal_pointer(&key);
}

GBytes *secret_wrap(const Secret *master, const Secret *secret, const char *context)
{
	gsize size = 1 + NONCE + secret_size(secret) + TAG;
	guint8 *out = g_malloc(size);

	g_assert(secret_size(master) == MASTER_KEY_SIZE);
	out[0] = WRAP_VERSION;
	randombytes_buf(out + 1, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		out + 1 + NONCE, NULL, secret_bytes(secret), secret_size(secret),
		(const guint8 *)context, strlen(context), NULL, out + 1, secret_bytes(master));
	return g_bytes_new_take(out, size);
}

Secret *secret_unwrap(const Secret *master, GBytes *wrapped, const char *context, GError **error)
{
	gsize size = 0;
	const guint8 *in = wrapped != NULL ? g_bytes_get_data(wrapped, &size) : NULL;

	g_assert(secret_size(master) == MASTER_KEY_SIZE);
	if (size >= 1 + NONCE + TAG && in[0] == WRAP_VERSION) {
		g_autoptr(Secret) secret = secret_new(size - 1 - NONCE - TAG);
		if (crypto_aead_xchacha20poly1305_ietf_decrypt(
			    secret_data(secret), NULL, NULL, in + 1 + NONCE, size - 1 - NONCE,
			    (const guint8 *)context, strlen(context), in + 1,
			    secret_bytes(master)) == 0)
			return g_steal_pointer(&secret);
	}
	g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "%s: does not open with this master key",
		    context);
	return NULL;
}
