/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP's outer form (RFC 4880 sections 4 and 6): packets in memory, and armour. Reads what
 * strangers sent: bounded, no recursion, no trust in any length. For lib/crypt/pgp*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_PGPPACKET_H
#define SEALPOST_LIB_CRYPT_PGPPACKET_H

#include <glib.h>

enum {
	PGP_PKESK = 1,
	PGP_SIGNATURE = 2,
	PGP_SKESK = 3,
	PGP_ONE_PASS = 4,
	PGP_SECRET_KEY = 5,
	PGP_PUBLIC_KEY = 6,
	PGP_SECRET_SUBKEY = 7,
	PGP_COMPRESSED = 8,
	PGP_ENCRYPTED = 9,
	PGP_MARKER = 10,
	PGP_LITERAL = 11,
	PGP_TRUST = 12,
	PGP_USER_ID = 13,
	PGP_PUBLIC_SUBKEY = 14,
	PGP_USER_ATTRIBUTE = 17,
	PGP_ENCRYPTED_MDC = 18,
	PGP_MDC = 19, /* within it */
	PGP_ENCRYPTED_AEAD = 20,
	PGP_PADDING = 21,
};

/* Public key algorithms and hashes (sections 9.1, 9.4; RFC 6637). */
enum {
	PGP_RSA = 1,
	PGP_RSA_ENCRYPT = 2,
	PGP_ECDH = 18,
	PGP_ECDSA = 19,
	PGP_EDDSA = 22,
};
enum {
	PGP_SHA256 = 8,
	PGP_SHA384 = 9,
	PGP_SHA512 = 10,
};

/* Signature subpackets (section 5.2.3.1). */
enum {
	PGP_SIGNATURE_TIME = 2,
	PGP_ISSUER = 16,
	PGP_ISSUER_FINGERPRINT = 33,
};

/* Of a version 4 key; its last bytes are the key id. */
#define PGP_FINGERPRINT 20
#define PGP_KEY_ID 8

typedef struct {
	guint tag;
	const guint8 *start; /* with its header */
	gsize whole;
	const guint8 *body; /* of a packet in several parts: the first part */
	gsize length;
	gboolean partial; /* several parts, or a length that is not told */
} PgpPacket;

typedef struct {
	const guint8 *data;
	gsize size;
	gsize at;
} PgpPackets;

/* The next packet; FALSE at the end (error unset) or where there is none (ERROR_MALFORMED). A
 * packet that is longer than the bytes at hand is the last one, cut: its length is what is there;
 * *cut (may be NULL) tells. */
gboolean pgp_packet_next(PgpPackets *packets, PgpPacket *packet, gboolean *cut, GError **error);

/* The bytes of a key id or fingerprint as gpg writes them: hex digits in upper case. New string. */
char *pgp_hex(const guint8 *bytes, gsize size);
/* The fingerprint of a public key or subkey packet of version 4 as 40 hex digits in upper case;
 * NULL for others. New string. */
char *pgp_packet_fingerprint(const PgpPacket *packet);
/* The public key or subkey packet of that fingerprint, whole, in a public key's bytes. FALSE: none, or
 * without material. */
gboolean pgp_packet_find(GBytes *key, const char *fingerprint, PgpPacket *packet);
/* Where a key's material begins in its packet's body: behind version, time, algorithm. */
#define PGP_MATERIAL_AT 6
/* A multiprecision integer's bytes at *at, of which *left are there; goes on behind it. */
gboolean pgp_take_mpi(const guint8 **at, gsize *left, const guint8 **number, gsize *size);
/* Back to bytes. FALSE: not 40 hex digits. */
gboolean pgp_read_fingerprint(const char *text, guint8 fingerprint[PGP_FINGERPRINT]);
/* The key ids (16 hex digits, upper case) of all version 4 keys and subkeys in a public key's
 * bytes. Array of char *. */
GPtrArray *pgp_key_ids(GBytes *key);

/* Armour's checksum (section 6.1): begins with PGP_CRC_INIT; the table is made first. */
#define PGP_CRC_INIT 0xB704CE
#define PGP_CRC_TABLE (3 * 256)
void pgp_crc24_prepare(guint32 table[PGP_CRC_TABLE]);
guint32 pgp_crc24(const guint32 table[PGP_CRC_TABLE], guint32 crc, const guint8 *bytes, gsize size);

/* Takes the armour off all blocks whose label ("PGP MESSAGE", without BEGIN) begins with one of
 * the labels (NULL-terminated), one after the other; text around them is passed over. NULL if
 * there is no such block. *damaged (may be NULL): a block did not end or its checksum (where it
 * has one) is wrong. */
GByteArray *pgp_dearmor(const guint8 *text, gsize size, const char *const *labels,
			gboolean *damaged);
/* Where an armoured text of that many bytes ends up, at most. */
#define PGP_ARMOR_SIZE(size) ((size) / 3 * 4 + (size) / 48 + 256)
/* Armours into out, which has PGP_ARMOR_SIZE(size) bytes; returns the text's length (a NUL
 * follows). label as in "PGP PUBLIC KEY BLOCK". */
gsize pgp_armor(const char *label, const guint8 *bytes, gsize size, char *out);

#endif
