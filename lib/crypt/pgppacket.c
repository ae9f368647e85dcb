/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk over OpenPGP packets, old and new form (RFC 4880, section 4.2).
 */
#include "lib/crypt/pgppacket.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

/* The bytes at hand. */
typedef struct {
	const guint8 *at;
	gsize left;
} Bytes;

static gboolean take_number(Bytes *bytes, guint size, gsize *number)
{
	if (bytes->left < size)
		return FALSE;
	*number = 0;
	for (guint i = 0; i < size; i++)
		*number = *number << 8 | bytes->at[i];
	bytes->at += size;
	bytes->left -= size;
	return TRUE;
}

/* A length of the new form; *partial: more parts follow this one. */
static gboolean take_length(Bytes *bytes, gsize *length, gboolean *partial)
{
	gsize first, second;

	*partial = FALSE;
	if (!take_number(bytes, 1, &first))
		return FALSE;
	if (first < 192) {
		*length = first;
		return TRUE;
	}
	if (first < 224) {
		if (!take_number(bytes, 1, &second))
			return FALSE;
		*length = ((first - 192) << 8) + second + 192;
		return TRUE;
	}
	if (first == 255)
		return take_number(bytes, 4, length);
	*partial = TRUE;
	*length = (gsize)1 << (first & 31);
	return TRUE;
}

static gboolean take_old_header(Bytes *bytes, guint first, PgpPacket *packet)
{
	guint kind = first & 3;

	packet->tag = (first >> 2) & 15;
	packet->partial = kind == 3;
	if (kind < 3)
		return take_number(bytes, 1u << kind, &packet->length);
	packet->length = bytes->left; /* up to the end, wherever that is */
	return TRUE;
}

static gboolean take_header(Bytes *bytes, PgpPacket *packet)
{
	gsize first;

	if (!take_number(bytes, 1, &first) || !(first & 0x80))
		return FALSE;
	if (!(first & 0x40))
		return take_old_header(bytes, (guint)first, packet);
	packet->tag = first & 63;
	return take_length(bytes, &packet->length, &packet->partial);
}

/* Over the parts after the first. FALSE: they go beyond the bytes at hand. */
static gboolean skip_parts(Bytes *bytes)
{
	gboolean more = TRUE;

	while (more) {
		gsize length;
		if (!take_length(bytes, &length, &more) || length > bytes->left)
			return FALSE;
		bytes->at += length;
		bytes->left -= length;
	}
	return TRUE;
}

gboolean pgp_packet_next(PgpPackets *packets, PgpPacket *packet, gboolean *cut, GError **error)
{
	gboolean short_of = FALSE;

	if (packets->at >= packets->size)
		return FALSE;
	Bytes bytes = {packets->data + packets->at, packets->size - packets->at};
	const guint8 *end = packets->data + packets->size;
	memset(packet, 0, sizeof(*packet));
	packet->start = bytes.at;
	if (!take_header(&bytes, packet) || packet->tag == 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED, "not an OpenPGP packet");
		return FALSE;
	}
	packet->body = bytes.at;
	if (packet->length > bytes.left) {
		packet->length = bytes.left;
		short_of = TRUE;
	}
	bytes.at += packet->length;
	bytes.left -= packet->length;
	/* Of old form and without a length it has no further parts: it goes up to the end. */
	if (packet->partial && !short_of && (packet->start[0] & 0x40) && !skip_parts(&bytes))
		short_of = TRUE;
	packet->whole = (gsize)((short_of ? end : bytes.at) - packet->start);
	packets->at += packet->whole;
	if (cut)
		*cut = short_of;
	return TRUE;
}

char *pgp_hex(const guint8 *bytes, gsize size)
{
	GString *text = g_string_new(NULL);

	hex_append(text, bytes, size);
	g_string_ascii_up(text);
	return g_string_free(text, FALSE);
}

char *pgp_packet_fingerprint(const PgpPacket *packet)
{
	const guint8 head[] = {0x99, (guint8)(packet->length >> 8), (guint8)packet->length};
	gboolean is_key = packet->tag == PGP_PUBLIC_KEY || packet->tag == PGP_PUBLIC_SUBKEY;

	if (!is_key || packet->partial || packet->length < 6 || packet->length > 0xFFFF ||
	    packet->body[0] != 4)
		return NULL;
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
	g_checksum_update(sum, head, sizeof(head));
	g_checksum_update(sum, packet->body, (gssize)packet->length);
	return g_ascii_strup(g_checksum_get_string(sum), -1);
}

gboolean pgp_packet_find(GBytes *key, const char *fingerprint, PgpPacket *packet)
{
	PgpPackets packets = {0};
	gboolean cut;

	packets.data = g_bytes_get_data(key, &packets.size);
	while (pgp_packet_next(&packets, packet, &cut, NULL) && !cut) {
		g_autofree char *own = pgp_packet_fingerprint(packet);

		if (own && g_ascii_strcasecmp(own, fingerprint) == 0)
			return packet->length > PGP_MATERIAL_AT;
	}
	return FALSE;
}

gboolean pgp_take_mpi(const guint8 **at, gsize *left, const guint8 **number, gsize *size)
{
	if (*left < 2)
		return FALSE;
	*size = (((gsize)(*at)[0] << 8 | (*at)[1]) + 7) / 8;
	if (*size > *left - 2)
		return FALSE;
	*number = *at + 2;
	*at += 2 + *size;
	*left -= 2 + *size;
	return TRUE;
}

gboolean pgp_read_fingerprint(const char *text, guint8 fingerprint[PGP_FINGERPRINT])
{
	if (strlen(text) != 2 * PGP_FINGERPRINT)
		return FALSE;
	for (gsize i = 0; i < PGP_FINGERPRINT; i++) {
		int high = g_ascii_xdigit_value(text[2 * i]);
		int low = g_ascii_xdigit_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return FALSE;
		fingerprint[i] = (guint8)(high << 4 | low);
	}
	return TRUE;
}

GPtrArray *pgp_key_ids(GBytes *key)
{
	GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
	PgpPackets packets = {0};
	PgpPacket packet;

	packets.data = g_bytes_get_data(key, &packets.size);
	while (pgp_packet_next(&packets, &packet, NULL, NULL)) {
		g_autofree char *fingerprint = pgp_packet_fingerprint(&packet);
		if (fingerprint)
			g_ptr_array_add(ids, g_strdup(fingerprint + 24));
	}
	return ids;
}
