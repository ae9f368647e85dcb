/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256. See sha256.h.
 */
#include "lib/base/sha256.h"

#include <openssl/evp.h>

#include "lib/base/hex.h"

struct Sha256 {
	EVP_MD_CTX *context;
};

/* OpenSSL fails here for want of memory only, as GLib aborts. */
static void must(int result)
{
	if (result != 1)
		g_error("SHA-256 cannot be computed");
}

Sha256 *sha256_new(void)
{
	Sha256 *sha256 = g_new0(Sha256, 1);

	sha256->context = EVP_MD_CTX_new();
	must(sha256->context && EVP_DigestInit_ex(sha256->context, EVP_sha256(), NULL) == 1);
	return sha256;
}

void sha256_update(Sha256 *sha256, const void *data, gsize size)
{
	must(EVP_DigestUpdate(sha256->context, data, size));
}

char *sha256_finish(Sha256 *sha256)
{
	guint8 sum[EVP_MAX_MD_SIZE];
	guint size = 0;
	GString *text = g_string_sized_new(64);

	must(EVP_DigestFinal_ex(sha256->context, sum, &size));
	hex_append(text, sum, size);
	return g_string_free(text, FALSE);
}

void sha256_free(Sha256 *sha256)
{
	if (!sha256)
		return;
	EVP_MD_CTX_free(sha256->context);
	g_free(sha256);
}
