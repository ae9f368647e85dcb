/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes from a directory or a stranger's mail may be a key with ten thousand signatures that
 * others put on it: they say nothing to us, and gpg would spend minutes on them.
 */
#include "lib/crypt/pgpkeyfile.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgppacket.h"

static const char *const key_labels[] = {"PGP PUBLIC KEY", "PGP PRIVATE KEY", "PGP SECRET KEY",
					 NULL};

/* Subpackets of a signature (RFC 4880, section 5.2.3.1; RFC 9580 for the fingerprint). */
#define ISSUER 16
#define ISSUER_FINGERPRINT 33

void pgp_keyfile_free(PgpKeyFile *file)
{
	if (!file)
		return;
	explicit_bzero(file->packets->data, file->packets->len);
	g_byte_array_unref(file->packets);
	g_free(file);
}

/* --- who made a signature --- */

/* Looks through one area of subpackets for the issuer's key id. */
static gboolean find_issuer(const guint8 *at, gsize size, guint8 issuer[8])
{
	while (size > 0) {
		gsize length = at[0], head = 1;
		if (length >= 192 && length < 255 && size >= 2) {
			length = ((length - 192) << 8) + at[1] + 192;
			head = 2;
		} else if (length == 255 && size >= 5) {
			length =
				(gsize)at[1] << 24 | (gsize)at[2] << 16 | (gsize)at[3] << 8 | at[4];
			head = 5;
		}
		if (length == 0 || length > size - head)
			return FALSE;
		guint type = at[head] & 0x7f;
		if (type == ISSUER && length == 9) {
			memcpy(issuer, at + head + 1, 8);
			return TRUE;
		}
		if (type == ISSUER_FINGERPRINT && length == 22) {
			memcpy(issuer, at + head + 2 + 12, 8);
			return TRUE;
		}
		at += head + length;
		size -= head + length;
	}
	return FALSE;
}

static gsize number16(const guint8 *at)
{
	return (gsize)at[0] << 8 | at[1];
}

/* *type always; FALSE if it does not name its maker. */
static gboolean signature_issuer(const PgpPacket *packet, guint *type, guint8 issuer[8])
{
	const guint8 *body = packet->body;
	gsize size = packet->length;

	*type = 0xff;
	if (size >= 19 && body[0] == 3) {
		*type = body[2];
		memcpy(issuer, body + 7, 8);
		return TRUE;
	}
	if (size < 8 || body[0] != 4)
		return FALSE;
	*type = body[1];
	gsize hashed = number16(body + 4);
	if (hashed > size - 8)
		return FALSE;
	gsize unhashed = number16(body + 6 + hashed);
	if (unhashed > size - 8 - hashed)
		return FALSE;
	return find_issuer(body + 6, hashed, issuer) ||
	       find_issuer(body + 8 + hashed, unhashed, issuer);
}

/* Certifications of user IDs (0x10 to 0x13, 0x30) by anybody but the key itself. */
static gboolean is_foreign(const PgpPacket *packet, const char *own_id)
{
	guint8 issuer[8];
	guint type;

	if (!own_id || !signature_issuer(packet, &type, issuer) ||
	    !((type >= 0x10 && type <= 0x13) || type == 0x30))
		return FALSE;
	g_autofree char *id = pgp_hex(issuer, sizeof(issuer));
	return strcmp(id, own_id) != 0;
}

/* --- the walk --- */

typedef struct {
	PgpKeyFile *file;
	gboolean inside; /* a key that we take */
	gboolean dropping; /* its current component is left out, with its signatures */
	char own_id[17]; /* of the current key; "" if not known */
	gsize start; /* where the current key begins in file->packets */
	guint other_version; /* of a key that was left out; 0: none was */
} Walk;

static gboolean begin_key(Walk *walk, const PgpPacket *packet, GError **error)
{
	guint version = packet->length > 0 ? packet->body[0] : 0;

	walk->dropping = FALSE;
	walk->inside = version == 4;
	if (!walk->inside) {
		walk->other_version = version;
		return TRUE;
	}
	if (++walk->file->keys > PGPKEY_KEYS_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "more than %d keys in a file",
			    PGPKEY_KEYS_MAX);
		return FALSE;
	}
	/* A secret key's own signatures are hard to tell; nobody floods those. */
	g_autofree char *fingerprint = pgp_packet_fingerprint(packet);
	g_strlcpy(walk->own_id, fingerprint ? fingerprint + 24 : "", sizeof(walk->own_id));
	walk->start = walk->file->packets->len;
	walk->file->secret = walk->file->secret || packet->tag == PGP_SECRET_KEY;
	return TRUE;
}

static gboolean wanted(Walk *walk, const PgpPacket *packet)
{
	switch (packet->tag) {
	case PGP_PUBLIC_KEY:
	case PGP_SECRET_KEY:
	case PGP_PUBLIC_SUBKEY:
	case PGP_SECRET_SUBKEY:
	case PGP_USER_ID: walk->dropping = FALSE; return walk->inside;
	case PGP_USER_ATTRIBUTE: walk->dropping = TRUE; return FALSE;
	case PGP_SIGNATURE:
		return walk->inside && !walk->dropping &&
		       !is_foreign(packet, *walk->own_id ? walk->own_id : NULL);
	default: return FALSE;
	}
}

static gboolean take_packet(Walk *walk, const PgpPacket *packet, GError **error)
{
	if ((packet->tag == PGP_PUBLIC_KEY || packet->tag == PGP_SECRET_KEY) &&
	    !begin_key(walk, packet, error))
		return FALSE;
	if (!wanted(walk, packet))
		return TRUE;
	g_byte_array_append(walk->file->packets, packet->start, (guint)packet->whole);
	if (walk->file->packets->len - walk->start <= PGPKEY_MAX)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "a key of more than %d bytes",
		    PGPKEY_MAX);
	return FALSE;
}

/* Nobody writes keys in pieces; where one without an end begins, nothing can follow. */
static gboolean is_cut(const Walk *walk, const PgpPacket *packet)
{
	return packet->partial &&
	       (walk->inside || packet->tag == PGP_PUBLIC_KEY || packet->tag == PGP_SECRET_KEY);
}

static PgpKeyFile *walk_packets(const guint8 *data, gsize size, GError **error)
{
	PgpPackets packets = {data, size, 0};
	g_autoptr(PgpKeyFile) file = g_new0(PgpKeyFile, 1);
	Walk walk = {.file = file};
	GError *failure = NULL;
	PgpPacket packet;
	gboolean cut;

	/* Never moved while it grows: no copies of secrets are left behind. */
	file->packets = g_byte_array_sized_new((guint)size + 1);
	while (pgp_packet_next(&packets, &packet, &cut, &failure)) {
		if (cut || is_cut(&walk, &packet)) {
			g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED, "a key is cut off");
			return NULL;
		}
		if (!take_packet(&walk, &packet, error))
			return NULL;
	}
	if (failure) {
		g_propagate_error(error, failure);
		return NULL;
	}
	if (file->keys > 0)
		return g_steal_pointer(&file);
	if (walk.other_version)
		g_set_error(error, SEALPOST_ERROR, ERROR_UNSUPPORTED,
			    "an OpenPGP key of version %u; only version 4 can be used",
			    walk.other_version);
	else
		g_set_error(error, SEALPOST_ERROR, ERROR_UNSUPPORTED, "no OpenPGP key in it");
	return NULL;
}

/* Whether these bytes begin with a packet that a file of keys may begin with. */
static gboolean is_binary(const guint8 *data, gsize size)
{
	PgpPackets packets = {data, size, 0};
	PgpPacket packet;

	if (!pgp_packet_next(&packets, &packet, NULL, NULL))
		return FALSE;
	return packet.tag == PGP_PUBLIC_KEY || packet.tag == PGP_SECRET_KEY ||
	       packet.tag == PGP_MARKER || packet.tag == PGP_SIGNATURE;
}

/* Base64 without armour around it, as directories and Autocrypt have it; NULL if it is none. */
static GByteArray *bare_base64(const guint8 *text, gsize size)
{
	g_autoptr(GByteArray) out = g_byte_array_sized_new((guint)(size / 4 * 3 + 4));
	gint state = 0;
	guint save = 0;

	for (gsize i = 0; i < size; i++) {
		if (!g_ascii_isalnum(text[i]) && !g_ascii_isspace(text[i]) &&
		    !(text[i] && strchr("+/=", text[i])))
			return NULL;
	}
	g_byte_array_set_size(out, (guint)(size / 4 * 3 + 4));
	gsize length = g_base64_decode_step((const char *)text, size, out->data, &state, &save);
	g_byte_array_set_size(out, (guint)length);
	return is_binary(out->data, length) ? g_steal_pointer(&out) : NULL;
}

/* Text that holds keys, as packets. */
static GByteArray *decode_text(const guint8 *text, gsize size, GError **error)
{
	gboolean damaged = FALSE;
	g_autoptr(GByteArray) binary = pgp_dearmor(text, size, key_labels, &damaged);

	if (!binary)
		binary = bare_base64(text, size);
	else if (damaged)
		g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED, "its armour is damaged");
	if (!binary)
		g_set_error(error, SEALPOST_ERROR, ERROR_UNSUPPORTED, "no OpenPGP key in it");
	return damaged ? NULL : g_steal_pointer(&binary);
}

PgpKeyFile *pgp_keyfile_read(GBytes *file, GError **error)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(file, &size);

	if (size > PGPKEY_FILE_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "a file of more than %d bytes",
			    PGPKEY_FILE_MAX);
		return NULL;
	}
	if (is_binary(data, size))
		return walk_packets(data, size, error);
	g_autoptr(GByteArray) binary = decode_text(data, size, error);
	if (!binary)
		return NULL;
	PgpKeyFile *keys = walk_packets(binary->data, binary->len, error);
	explicit_bzero(binary->data, binary->len);
	return keys;
}
