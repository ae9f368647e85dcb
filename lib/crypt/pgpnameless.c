/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys without a user ID, as key servers that hide addresses give them out: no key that could be used,
 * but a revocation or a new date for one that is known.
 */
#include <string.h>

#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgpkeyfile.h"
#include "lib/crypt/pgppacket.h"

static gboolean is_key(const PgpPacket *packet)
{
	return packet->tag == PGP_PUBLIC_KEY || packet->tag == PGP_SECRET_KEY;
}

/* Goes on behind the key that begins with first. NULL: it has a user ID, or is none of ours. */
static PgpCarried *take_key(PgpPackets *packets, const PgpPacket *first)
{
	const guint8 *end = first->start + first->whole;
	PgpPackets next = *packets;
	gboolean nameless = first->tag == PGP_PUBLIC_KEY;
	PgpPacket packet;

	while (pgp_packet_next(&next, &packet, NULL, NULL) && !is_key(&packet)) {
		*packets = next;
		end = packet.start + packet.whole;
		nameless = nameless && packet.tag != PGP_USER_ID;
	}
	g_autofree char *fingerprint = nameless ? pgp_packet_fingerprint(first) : NULL;

	if (!fingerprint)
		return NULL;
	PgpCarried *carried = g_new0(PgpCarried, 1);

	carried->fingerprint = g_steal_pointer(&fingerprint);
	carried->bytes = g_bytes_new(first->start, (gsize)(end - first->start));
	return carried;
}

GPtrArray *pgpkey_nameless(GBytes *file, gboolean *others)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func((GDestroyNotify)pgp_carried_free);
	g_autoptr(PgpKeyFile) parsed = pgp_keyfile_read(file, NULL);
	PgpPacket packet;

	*others = !parsed;
	if (!parsed)
		return keys;
	PgpPackets packets = {parsed->packets->data, parsed->packets->len, 0};

	while (pgp_packet_next(&packets, &packet, NULL, NULL)) {
		PgpCarried *carried = is_key(&packet) ? take_key(&packets, &packet) : NULL;

		*others = *others || !carried;
		if (carried)
			g_ptr_array_add(keys, carried);
	}
	return keys;
}
