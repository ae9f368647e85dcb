/* SPDX-License-Identifier: Apache-2.0
 *
 * From content to armoured ciphertext. See pgplayer.h.
 */
#include "lib/crypt/pgplayer.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "lib/crypt/base64.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/x509_private.h"

/* One part of a packet whose length is not known beforehand: a power of two, 512 or more. */
#define PART_BITS 15
#define PART ((gsize)1 << PART_BITS)
/* The cipher's block, and the random bytes before the content. */
#define BLOCK 16
#define SHA1_SIZE 20

/* --- small forms --- */

static gsize put_length(guint8 *at, guint32 length)
{
	if (length < 192) {
		at[0] = (guint8)length;
		return 1;
	}
	if (length < 8384) {
		at[0] = (guint8)(192 + ((length - 192) >> 8));
		at[1] = (guint8)(length - 192);
		return 2;
	}
	at[0] = 255;
	for (int i = 0; i < 4; i++)
		at[1 + i] = (guint8)(length >> (24 - 8 * i));
	return 5;
}

gboolean pgp_write_head(Sink *sink, guint tag, guint32 length, GError **error)
{
	guint8 head[6] = {(guint8)(0xC0 | tag)};

	return sink_write(sink, head, 1 + put_length(head + 1, length), error);
}

void pgp_append_mpi(GByteArray *bytes, const guint8 *number, gsize size)
{
	while (size > 0 && *number == 0) {
		number++;
		size--;
	}
	guint bits = size > 0 ? (guint)(size - 1) * 8 + g_bit_storage(*number) : 0;
	const guint8 count[] = {(guint8)(bits >> 8), (guint8)bits};

	g_byte_array_append(bytes, count, sizeof(count));
	g_byte_array_append(bytes, number, (guint)size);
}

/* --- armour --- */

struct PgpArmour {
	const char *label;
	Base64 base64;
	guint32 table[PGP_CRC_TABLE];
	guint32 crc;
	gboolean begun;
	Sink *sink;
};

static gboolean begin_armour(PgpArmour *armour, GError **error)
{
	armour->begun = TRUE;
	return sink_print(armour->base64.next, error, "-----BEGIN %s-----\r\n\r\n", armour->label);
}

static gboolean armour_write(void *self, const void *data, gsize size, GError **error)
{
	PgpArmour *armour = self;

	if (!armour->begun && !begin_armour(armour, error))
		return FALSE;
	armour->crc = pgp_crc24(armour->table, armour->crc, data, size);
	return base64_write(&armour->base64, data, size, error);
}

static const SinkClass armour_class = {.write = armour_write};

PgpArmour *pgp_armour_new(const char *label, Sink *next)
{
	PgpArmour *armour = g_new0(PgpArmour, 1);

	armour->label = label;
	armour->base64.next = next;
	pgp_crc24_prepare(armour->table);
	armour->crc = PGP_CRC_INIT;
	armour->sink = sink_new(&armour_class, armour);
	return armour;
}

Sink *pgp_armour_sink(PgpArmour *armour)
{
	return armour->sink;
}

gboolean pgp_armour_finish(PgpArmour *armour, GError **error)
{
	const guint8 sum[] = {(guint8)(armour->crc >> 16), (guint8)(armour->crc >> 8),
			      (guint8)armour->crc};

	if (!base64_finish(&armour->base64, error))
		return FALSE;
	g_autofree char *text = g_base64_encode(sum, sizeof(sum));

	return sink_print(armour->base64.next, error, "=%s\r\n-----END %s-----\r\n", text,
			  armour->label);
}

void pgp_armour_free(PgpArmour *armour)
{
	if (!armour)
		return;
	sink_free(armour->sink);
	g_free(armour);
}

/* --- encryption --- */

struct PgpSeal {
	EVP_CIPHER_CTX *cipher;
	EVP_MD_CTX *mdc;
	Sink *next, *sink;
	gboolean head; /* the packet's tag has been written */
	gsize have;
	guint8 part[PART]; /* ciphertext that waits */
};

static gboolean fail(GError **error)
{
	crypt_fail(error, ERROR_CRYPTO, "OpenPGP encryption failed");
	return FALSE;
}

/* What waits leaves as a part; the last one has a length of the common form. */
static gboolean write_part(PgpSeal *seal, gboolean last, GError **error)
{
	guint8 head[6] = {0xC0 | PGP_ENCRYPTED_MDC};
	gsize tag = seal->head ? 0 : 1, length = 1;

	if (last)
		length = put_length(head + 1, (guint32)seal->have);
	else
		head[1] = 224 + PART_BITS;
	seal->head = TRUE;
	if (!sink_write(seal->next, head + 1 - tag, tag + length, error) ||
	    !sink_write(seal->next, seal->part, seal->have, error))
		return FALSE;
	seal->have = 0;
	return TRUE;
}

static gboolean encrypt(PgpSeal *seal, const guint8 *data, gsize size, GError **error)
{
	while (size > 0) {
		/* A full part leaves only when more comes: the last one must not be partial. */
		if (seal->have == PART && !write_part(seal, FALSE, error))
			return FALSE;
		gsize step = MIN(size, PART - seal->have);
		int made = 0;

		if (EVP_EncryptUpdate(seal->cipher, seal->part + seal->have, &made, data,
				      (int)step) != 1 ||
		    made != (int)step)
			return fail(error);
		seal->have += step;
		data += step;
		size -= step;
	}
	return TRUE;
}

static gboolean seal_write(void *self, const void *data, gsize size, GError **error)
{
	PgpSeal *seal = self;

	if (EVP_DigestUpdate(seal->mdc, data, size) != 1)
		return fail(error);
	return encrypt(seal, data, size, error);
}

static const SinkClass seal_class = {.write = seal_write};

/* Random bytes of which the last two come twice: without them equal content would show. */
static gboolean begin_seal(PgpSeal *seal, const guint8 *key, GError **error)
{
	static const guint8 zero[BLOCK] = {0};
	guint8 prefix[BLOCK + 2];
	gboolean good =
		seal->cipher && seal->mdc && RAND_priv_bytes(prefix, BLOCK) == 1 &&
		EVP_EncryptInit_ex2(seal->cipher, EVP_aes_256_cfb128(), key, zero, NULL) == 1 &&
		EVP_DigestInit_ex(seal->mdc, EVP_sha1(), NULL) == 1;

	if (!good)
		return fail(error);
	seal->part[seal->have++] = 1; /* the packet's version, in clear */
	memcpy(prefix + BLOCK, prefix + BLOCK - 2, 2);
	good = seal_write(seal, prefix, sizeof(prefix), error);
	OPENSSL_cleanse(prefix, sizeof(prefix));
	return good;
}

PgpSeal *pgp_seal_new(const guint8 key[PGP_SESSION_KEY], Sink *next, GError **error)
{
	g_autoptr(PgpSeal) seal = g_new0(PgpSeal, 1);

	seal->cipher = EVP_CIPHER_CTX_new();
	seal->mdc = EVP_MD_CTX_new();
	seal->next = next;
	seal->sink = sink_new(&seal_class, seal);
	return begin_seal(seal, key, error) ? g_steal_pointer(&seal) : NULL;
}

Sink *pgp_seal_sink(PgpSeal *seal)
{
	return seal->sink;
}

/* The modification detection code hashes its own head, too. */
gboolean pgp_seal_finish(PgpSeal *seal, GError **error)
{
	static const guint8 head[] = {0xC0 | PGP_MDC, SHA1_SIZE};
	guint8 sum[SHA1_SIZE];

	if (!seal_write(seal, head, sizeof(head), error))
		return FALSE;
	if (EVP_DigestFinal_ex(seal->mdc, sum, NULL) != 1)
		return fail(error);
	return encrypt(seal, sum, sizeof(sum), error) && write_part(seal, TRUE, error);
}

void pgp_seal_free(PgpSeal *seal)
{
	if (!seal)
		return;
	EVP_CIPHER_CTX_free(seal->cipher);
	EVP_MD_CTX_free(seal->mdc);
	sink_free(seal->sink);
	g_free(seal);
}
