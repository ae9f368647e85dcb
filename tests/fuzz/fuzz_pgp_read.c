/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP that comes in, as it is read without gpg: armour, packets, what a known session key opens,
 * what is inside of that, signatures. The first byte says which.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpchecking.h"
#include "lib/crypt/pgpcontent.h"
#include "lib/crypt/pgpdearmour.h"
#include "lib/crypt/pgpexpression.h"
#include "lib/crypt/pgpmaterial.h"
#include "lib/crypt/pgpopened.h"
#include "lib/crypt/pgpread.h"
#include "lib/crypt/pgpsession.h"
#include "lib/crypt/pgpunseal.h"
#include "lib/crypt/pgpverify.h"
#include "tests/fuzz/fuzz.h"

#define OUTPUT_MAX (4 * 1024 * 1024)

static gint64 soon(void)
{
	return g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
}

/* Whatever it is: an end, or an error. */
static void drain(Source *source)
{
	g_autofree guint8 *buffer = g_malloc(STREAM_CHUNK);
	g_autoptr(GError) error = NULL;
	goffset total = 0;
	gssize got = 1;

	while (got > 0 && total < OUTPUT_MAX) {
		got = source_read(source, buffer, STREAM_CHUNK, &error);
		total += MAX(got, 0);
	}
	g_assert_true((got < 0) == (error != NULL));
}

static void walk(Source *source)
{
	g_autoptr(PgpStream) stream = pgp_stream_new(source);
	g_autoptr(GError) error = NULL;
	guint tag;

	while (pgp_stream_next(stream, &tag, &error) && tag != 0) {
		g_autoptr(Source) body = pgp_stream_body(stream);

		g_assert_cmpuint(tag, <, 64);
		drain(body);
	}
}

/* Nobody's keys are at hand: whoever signed is not known. */
static void read_content(Source *bytes)
{
	const PgpOpenJob job = {NULL, NULL, soon()};
	g_autoptr(PgpOpened) opened = pgp_opened_new(NULL);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, OUTPUT_MAX);
	g_autoptr(GError) error = NULL;
	const PgpContent content = {NULL, &job, sink, NULL, opened->signatures};
	gboolean good = pgp_content_read(&content, bytes, &error);

	g_assert_true(good == (error == NULL));
	for (guint i = 0; i < opened->signatures->len; i++) {
		const PgpSignature *signature = opened->signatures->pdata[i];

		g_assert_cmpstr(signature->result, ==, "no-key");
	}
}

static void unseal(Source *bytes)
{
	g_autoptr(Secret) key = secret_new(pgp_cipher_key_size(PGP_CIPHER_AES256));
	g_autoptr(PgpUnseal) unseal = pgp_unseal_new(PGP_CIPHER_AES256, key, bytes, NULL);

	g_assert_nonnull(unseal);
	read_content(pgp_unseal_source(unseal));
	pgp_unseal_finish(unseal, NULL);
}

static void read_message(Source *bytes)
{
	const PgpOpenJob job = {NULL, NULL, soon()};
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, OUTPUT_MAX);

	g_assert_null(pgp_read_message(NULL, &job, bytes, sink, NULL));
}

/* A signature, or a public key's material behind the algorithm: nothing holds. */
static void read_signature(const guint8 *data, gsize size)
{
	PgpSignatureHead head;
	PgpNumber value;
	EVP_PKEY *key = size > 0 ? pgp_signing_key(data[0], data + 1, size - 1) : NULL;

	EVP_PKEY_free(key);
	pgp_expression_value(data, size, &value);
	if (!pgp_signature_read(data, size, TRUE, &head) || !pgp_verify_hash(head.hash))
		return;
	g_assert_cmpint(head.created, >=, 0);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
						      (const guint8 *)"0123456789abcdef"
								      "0123456789abcdef",
						      32);

	g_assert_cmpint(EVP_DigestInit_ex(hash, pgp_verify_hash(head.hash), NULL), ==, 1);
	if (other)
		g_assert_false(pgp_signature_holds(&head, hash, other));
	EVP_PKEY_free(other);
	EVP_MD_CTX_free(hash);
}

static void read_wrapped(const guint8 *data, gsize size)
{
	g_autoptr(GByteArray) body = g_byte_array_new();

	g_byte_array_append(body, data, (guint)size);
	g_autoptr(PgpWrapped) wrapped = pgp_wrapped_new(body);

	if (wrapped)
		pgp_wrapped_names(wrapped, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	g_autoptr(GBytes) bytes = g_bytes_new_static(data + 1, size - 1);
	g_autoptr(Source) source = source_new_bytes(bytes);
	g_autoptr(Source) made = NULL;

	switch (data[0] & 7) {
	case 0:
		made = pgp_dearmour_new(source, "PGP MESSAGE");
		drain(made);
		break;
	case 1: walk(source); break;
	case 2: read_content(source); break;
	case 3: unseal(source); break;
	case 4:
		made = pgp_inflate_new(source, NULL);
		if (made)
			drain(made);
		break;
	case 5: read_message(source); break;
	case 6: read_signature(data + 1, size - 1); break;
	default: read_wrapped(data + 1, size - 1); break;
	}
	return 0;
}
