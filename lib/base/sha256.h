/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 over bytes as they come, by OpenSSL: it uses the processor's instructions for it, and whole
 * messages pass here (GLib's GChecksum takes ten times as long).
 */
#ifndef SEALPOST_LIB_BASE_SHA256_H
#define SEALPOST_LIB_BASE_SHA256_H

#include <glib.h>

typedef struct Sha256 Sha256;

Sha256 *sha256_new(void);
void sha256_update(Sha256 *sha256, const void *data, gsize size);
/* Ends it: 64 hex digits, lower case, new string. Nothing more may be added. */
char *sha256_finish(Sha256 *sha256);
void sha256_free(Sha256 *sha256);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sha256, sha256_free)

#endif
