/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that come along with mail, brought down to what one address needs before anyone works with
 * them: whose else the key is said to be is not the sender's to tell us.
 */
#include <string.h>

#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgpkeyfile.h"
#include "lib/crypt/pgppacket.h"
#include "lib/mail/address.h"

void pgp_carried_free(PgpCarried *carried)
{
	if (!carried)
		return;
	g_free(carried->fingerprint);
	g_bytes_unref(carried->bytes);
	g_free(carried);
}

static guint bits(const guint8 *at)
{
	return (guint)at[0] << 8 | at[1];
}

/* RSA with a long exponent or modulus, and the like, would keep gpg busy for minutes. */
static gboolean is_costly(const PgpPacket *key)
{
	const guint8 *body = key->body;
	gsize size = key->length, modulus;

	/* version, time, algorithm, then numbers with their length in bits (RFC 4880, section 5.5.2) */
	if (size < 8)
		return TRUE;
	switch (body[5]) {
	case 1: /* RSA */
	case 2:
	case 3:
		modulus = (bits(body + 6) + 7) / 8;
		return bits(body + 6) > PGPKEY_CARRIED_BITS_MAX || size < 10 + modulus ||
		       bits(body + 8 + modulus) > 64;
	case 16: /* Elgamal, DSA: the prime */
	case 17: return bits(body + 6) > PGPKEY_CARRIED_BITS_MAX;
	default: return FALSE; /* curves have names */
	}
}

/* "Name <address>", or an address alone. */
static gboolean names(const PgpPacket *user_id, const char *address)
{
	g_autofree char *text = g_strndup((const char *)user_id->body, user_id->length);
	char *open = strrchr(text, '<'), *close = open ? strchr(open, '>') : NULL;

	if (close)
		*close = '\0';
	g_autofree char *folded = address_fold(close ? open + 1 : text);

	return g_strcmp0(folded, address) == 0;
}

/* Does a user ID in these packets, up to the next key, name the address? */
static gboolean any_names(PgpPackets packets, const char *address)
{
	PgpPacket packet;

	while (pgp_packet_next(&packets, &packet, NULL, NULL) && packet.tag != PGP_PUBLIC_KEY) {
		if (packet.tag == PGP_USER_ID && names(&packet, address))
			return TRUE;
	}
	return FALSE;
}

/* The key that begins with this packet: its packets up to the next key, which *packets is left
 * before. */
static PgpCarried *take_key(PgpPackets *packets, const PgpPacket *first, const char *address)
{
	g_autoptr(PgpCarried) carried = g_new0(PgpCarried, 1);
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	PgpPackets next = *packets;
	gboolean keep = TRUE, have_user = FALSE, costly = is_costly(first);
	PgpPacket packet;

	carried->fingerprint = pgp_packet_fingerprint(first);
	carried->named = any_names(*packets, address);
	g_byte_array_append(bytes, first->start, (guint)first->whole);
	while (pgp_packet_next(&next, &packet, NULL, NULL) && packet.tag != PGP_PUBLIC_KEY &&
	       packet.tag != PGP_SECRET_KEY) {
		*packets = next;
		if (packet.tag == PGP_PUBLIC_SUBKEY)
			keep = !is_costly(&packet);
		else if (packet.tag == PGP_USER_ID)
			keep = carried->named ? names(&packet, address) : !have_user;
		have_user = have_user || packet.tag == PGP_USER_ID;
		if (keep && packet.tag != PGP_SECRET_SUBKEY)
			g_byte_array_append(bytes, packet.start, (guint)packet.whole);
	}
	if (costly || !carried->fingerprint || bytes->len > PGPKEY_CARRIED_MAX)
		return NULL;
	carried->bytes = g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
	return g_steal_pointer(&carried);
}

GPtrArray *pgpkey_carried(GBytes *file, const char *address)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func((GDestroyNotify)pgp_carried_free);
	g_autoptr(PgpKeyFile) parsed = pgp_keyfile_read(file, NULL);
	PgpPacket packet;

	if (!parsed)
		return keys;
	PgpPackets packets = {parsed->packets->data, parsed->packets->len, 0};

	while (keys->len < PGPKEY_CARRIED_KEYS_MAX &&
	       pgp_packet_next(&packets, &packet, NULL, NULL)) {
		PgpCarried *carried =
			packet.tag == PGP_PUBLIC_KEY ? take_key(&packets, &packet, address) : NULL;
		if (carried)
			g_ptr_array_add(keys, carried);
	}
	return keys;
}
