/* SPDX-License-Identifier: Apache-2.0
 *
 * What the head of an OpenPGP message says: for whom it is encrypted, and how. Nothing is
 * decrypted; nothing behind the first data packet's beginning is looked at.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgppacket.h"

/* Room for some hundred recipients with keys of 4096 bits. */
#define HEAD_MAX (1024 * 1024)

static const char *const message_labels[] = {"PGP MESSAGE", "PGP SIGNATURE", NULL};

void pgp_head_free(PgpHead *head)
{
	if (!head)
		return;
	g_ptr_array_unref(head->key_ids);
	g_free(head);
}

/* Appends what comes next, up to max bytes in all. */
static gboolean read_on(Source *source, GByteArray *start, gsize max, GError **error)
{
	while (start->len < max) {
		guint have = start->len;
		g_byte_array_set_size(start, have + STREAM_CHUNK);
		gssize n = source_read(source, start->data + have, STREAM_CHUNK, error);
		g_byte_array_set_size(start, have + (guint)MAX(n, 0));
		if (n <= 0)
			return n == 0;
	}
	return TRUE;
}

static gboolean add_recipient(PgpHead *head, const PgpPacket *packet)
{
	if (packet->length < 1)
		return FALSE;
	/* Version 6 names a fingerprint (RFC 9580, section 5.1): an id that no key of ours has. */
	if (packet->body[0] != 3 || packet->length < 9) {
		g_ptr_array_add(head->key_ids, g_strdup("0000000000000000"));
		return packet->body[0] != 3;
	}
	g_ptr_array_add(head->key_ids, pgp_hex(packet->body + 1, PGP_KEY_ID));
	return TRUE;
}

typedef enum { GO_ON, COMPLETE, NO_MESSAGE } Step;

static Step look_at(PgpHead *head, const PgpPacket *packet)
{
	switch (packet->tag) {
	case PGP_MARKER:
	case PGP_PADDING:
	case PGP_SKESK: return GO_ON;
	case PGP_PKESK: return add_recipient(head, packet) ? GO_ON : NO_MESSAGE;
	case PGP_ENCRYPTED: head->encrypted = TRUE; return COMPLETE;
	case PGP_ENCRYPTED_MDC:
	case PGP_ENCRYPTED_AEAD:
		head->encrypted = TRUE;
		head->integrity = TRUE;
		return COMPLETE;
	case PGP_SIGNATURE:
	case PGP_ONE_PASS: head->signature = TRUE; return COMPLETE;
	case PGP_COMPRESSED:
	case PGP_LITERAL: return COMPLETE;
	default: return NO_MESSAGE;
	}
}

static PgpHead *read_packets(const guint8 *data, gsize size)
{
	PgpPackets packets = {data, size, 0};
	PgpPacket packet;
	Step step = GO_ON;
	g_autoptr(PgpHead) head = g_new0(PgpHead, 1);

	head->key_ids = g_ptr_array_new_with_free_func(g_free);
	while (step == GO_ON && pgp_packet_next(&packets, &packet, NULL, NULL))
		step = look_at(head, &packet);
	/* After session keys there must be something that they open. */
	if (step == COMPLETE && (head->encrypted || head->key_ids->len == 0))
		return g_steal_pointer(&head);
	return NULL;
}

static PgpHead *find_head(const GByteArray *start, gboolean all)
{
	/* Text may begin with a byte order mark or another letter that looks like a packet: then all
	 * of it is looked at before it is taken for text. */
	gboolean text = all || (start->len > 0 && !(start->data[0] & 0x80));
	PgpHead *head = read_packets(start->data, start->len);
	g_autoptr(GByteArray) binary =
		head || !text ? NULL : pgp_dearmor(start->data, start->len, message_labels, NULL);

	return binary ? read_packets(binary->data, binary->len) : head;
}

PgpHead *pgp_head_read(Source *source, GError **error)
{
	g_autoptr(GByteArray) start = g_byte_array_new();

	/* A little is nearly always enough, and more would say the same. */
	if (!read_on(source, start, STREAM_CHUNK, error))
		return NULL;
	PgpHead *head = find_head(start, FALSE);
	if (head)
		return head;
	if (!read_on(source, start, HEAD_MAX, error))
		return NULL;
	head = find_head(start, TRUE);
	if (!head)
		g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED, "not an OpenPGP message");
	return head;
}
