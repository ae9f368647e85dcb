/* SPDX-License-Identifier: Apache-2.0
 *
 * The master key: what private keys and waiting notices are encrypted under while they rest in a
 * database. 32 random bytes, kept as 64 hex digits and a newline in a file of mode 0600 that the
 * service manager hands over.
 */
#ifndef SEALPOST_LIB_BASE_MASTERKEY_H
#define SEALPOST_LIB_BASE_MASTERKEY_H

#include "lib/base/secret.h"

#define MASTER_KEY_SIZE 32

/* Makes a new one; an existing file is never overwritten (ERROR_CONFIG). */
gboolean master_key_create(const char *path, GError **error);
Secret *master_key_read(const char *path, GError **error);

/* Encrypts a secret for rest (XChaCha20-Poly1305, random nonce in front). context (a key's
 * fingerprint, say) is authenticated along: a row that was moved does not open. wrap returns a new
 * GBytes; unwrap returns NULL with ERROR_STORE if anything differs, or wrapped is NULL: it comes from a
 * database. */
GBytes *secret_wrap(const Secret *master, const Secret *secret, const char *context);
Secret *secret_unwrap(const Secret *master, GBytes *wrapped, const char *context, GError **error);

#endif
