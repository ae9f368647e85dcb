/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets in memory: locked, guarded, wiped when freed (libsodium). A Secret is never formatted,
 * never logged, never an argument or an environment variable of a program.
 */
#ifndef SEALPOST_LIB_BASE_SECRET_H
#define SEALPOST_LIB_BASE_SECRET_H

#include <glib.h>

/* Largest secret: private keys in any form, passphrases. */
#define SECRET_MAX (256 * 1024)

typedef struct Secret Secret;

/* A zeroed secret of size bytes. Aborts when no memory can be locked away for it (our bug or the
 * machine's end, not an input). */
Secret *secret_new(gsize size);

/* A copy of size bytes at data; the caller's copy is wiped. */
Secret *secret_take(void *data, gsize size);

/* A secret of size random bytes. */
Secret *secret_random(gsize size);

/* Wipes and frees; NULL is fine. */
void secret_free(Secret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Secret, secret_free)

guint8 *secret_data(Secret *secret);
const guint8 *secret_bytes(const Secret *secret);
gsize secret_size(const Secret *secret);

/* Compared in constant time (for equal sizes). */
gboolean secret_equal(const Secret *a, const Secret *b);

/* Where systemd puts its credentials. */
#define SECRET_CREDENTIALS "/run/credentials/"

/* Reads a whole file of at most SECRET_MAX bytes. With private_only, the file must belong to the
 * caller or root, unless the caller is root, and give group and others no access (a credential's
 * group may read): else ERROR_CONFIG, with the mode named. NULL on error. */
Secret *secret_read_file(const char *path, gboolean private_only, GError **error);

/* The first line of a passphrase file, without its line end. Same check as above. */
Secret *secret_read_passphrase(const char *path, GError **error);

/* Asks on the terminal without echo. ERROR_PASSPHRASE where there is no terminal. */
Secret *secret_ask(const char *prompt, GError **error);

#endif
