/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may sign. See pgpsigners.h.
 */
#include "lib/crypt/pgpsigners.h"

#include <string.h>

#include "lib/crypt/pgpmaterial.h"
#include "lib/crypt/pgpverify.h"

static void part_free(gpointer data)
{
	PgpSignerPart *part = data;

	EVP_PKEY_free(part->key);
	g_free(part);
}

Kept *pgp_signers_new(void)
{
	return kept_new(PGP_SIGNERS_MAX, (KeptRef)g_ptr_array_ref,
			(GDestroyNotify)g_ptr_array_unref);
}

/* --- the subkey's word that it belongs to the key --- */

/* A key in what is hashed (section 5.2.4). */
static gboolean hash_key(EVP_MD_CTX *hash, const PgpPacket *key)
{
	const guint8 head[] = {0x99, (guint8)(key->length >> 8), (guint8)key->length};

	return EVP_DigestUpdate(hash, head, sizeof(head)) == 1 &&
	       EVP_DigestUpdate(hash, key->body, key->length) == 1;
}

static gboolean is_back_signature(const PgpSignatureHead *back, const PgpPacket *primary,
				  const PgpPacket *subkey, const PgpSignerPart *part)
{
	const EVP_MD *kind = pgp_verify_hash(back->hash);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	gboolean good = back->type == PGP_PRIMARY_BINDING && back->created >= part->created &&
			kind && hash && EVP_DigestInit_ex(hash, kind, NULL) == 1 &&
			hash_key(hash, primary) && hash_key(hash, subkey) &&
			pgp_signature_holds(back, hash, part->key);

	EVP_MD_CTX_free(hash);
	return good;
}

/* Does each binding of the subkey, of which gpg takes one, carry such a signature? packets: behind the
 * subkey. */
static gboolean is_certified(PgpPackets packets, const PgpPacket *primary, const PgpPacket *subkey,
			     const PgpSignerPart *part)
{
	gboolean any = FALSE, all = TRUE, cut = FALSE;
	PgpPacket packet;

	while (pgp_packet_next(&packets, &packet, &cut, NULL) && !cut &&
	       (packet.tag == PGP_SIGNATURE || packet.tag == PGP_TRUST)) {
		PgpSignatureHead binding, back;

		if (packet.tag == PGP_TRUST)
			continue;
		if (packet.partial ||
		    !pgp_signature_read(packet.body, packet.length, FALSE, &binding))
			return FALSE;
		if (binding.type != PGP_SUBKEY_BINDING)
			continue;
		any = TRUE;
		all = all && binding.embedded &&
		      pgp_signature_read(binding.embedded, binding.embedded_size, TRUE, &back) &&
		      is_back_signature(&back, primary, subkey, part);
	}
	return any && all && !cut;
}

/* --- gpg's word --- */

static gboolean may_sign(gpgme_key_t listed, gpgme_subkey_t subkey)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	return subkey->can_sign && subkey->fpr && !listed->revoked && !listed->expired &&
	       !listed->disabled && !listed->invalid && !subkey->revoked && !subkey->expired &&
	       !subkey->disabled && !subkey->invalid && subkey->timestamp > 0 &&
	       subkey->timestamp <= now;
}

static gint64 earlier_end(gint64 one, gint64 other)
{
	if (one == 0 || other == 0)
		return MAX(one, other);
	return MIN(one, other);
}

static PgpSignerPart *part_new(const PgpPacket *packet, gpgme_key_t listed, gpgme_subkey_t subkey)
{
	const guint8 *material = packet->body + PGP_MATERIAL_AT;
	EVP_PKEY *key = pgp_signing_key(packet->body[PGP_MATERIAL_AT - 1], material,
					packet->length - PGP_MATERIAL_AT);

	if (!key)
		return NULL;
	PgpSignerPart *part = g_new0(PgpSignerPart, 1);
	pgp_read_fingerprint(subkey->fpr, part->fingerprint);
	part->key = key;
	part->created = subkey->timestamp;
	part->end = earlier_end(subkey->expires, listed->subkeys->expires);
	return part;
}

static gpgme_subkey_t find_listed(gpgme_key_t listed, const PgpPacket *packet)
{
	g_autofree char *fingerprint = pgp_packet_fingerprint(packet);

	for (gpgme_subkey_t subkey = listed->subkeys; fingerprint && subkey; subkey = subkey->next)
		if (subkey->fpr && g_ascii_strcasecmp(subkey->fpr, fingerprint) == 0)
			return subkey;
	return NULL;
}

/* The key's packets against what gpg lists of it. */
static GPtrArray *parts_of(gpgme_key_t listed, GBytes *key)
{
	GPtrArray *parts = g_ptr_array_new_with_free_func(part_free);
	PgpPackets packets = {0};
	PgpPacket primary, packet;
	gboolean cut;

	packets.data = g_bytes_get_data(key, &packets.size);
	if (!pgp_packet_next(&packets, &primary, &cut, NULL) || cut)
		return parts;
	packet = primary;
	do {
		gpgme_subkey_t subkey = find_listed(listed, &packet);
		PgpSignerPart *part =
			subkey && may_sign(listed, subkey) && packet.length > PGP_MATERIAL_AT
				? part_new(&packet, listed, subkey)
				: NULL;

		if (part && (packet.start == primary.start ||
			     is_certified(packets, &primary, &packet, part)))
			g_ptr_array_add(parts, part);
		else if (part)
			part_free(part);
	} while (pgp_packet_next(&packets, &packet, &cut, NULL) && !cut);
	return parts;
}

/* gpg lists the key without taking it into a keyring. NULL: it could not be asked. */
static GPtrArray *ask(PgpHome *home, GBytes *key, gint64 deadline)
{
	g_autoptr(GPtrArray) keys = pgp_home_list(home, key, deadline);

	if (!keys)
		return NULL;
	return keys->len == 1 ? parts_of(keys->pdata[0], key)
			      : g_ptr_array_new_with_free_func(part_free);
}

static GPtrArray *find_parts(PgpHome *home, GBytes *key, gint64 deadline)
{
	g_autofree char *name = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, key);
	Kept *kept = pgp_home_signers(home);
	gpointer found;

	if (kept_find(kept, name, &found))
		return found;
	GPtrArray *parts = ask(home, key, deadline);
	gint64 seconds = parts && parts->len > 0 ? PGP_SIGNERS_SECONDS : PGP_SIGNERS_NONE_SECONDS;

	if (parts)
		kept_put(kept, name, parts, g_get_monotonic_time() + seconds * G_USEC_PER_SEC);
	return parts;
}

const PgpSignerPart *pgp_signers_find(PgpHome *home, GBytes *key, const guint8 *fingerprint,
				      gint64 deadline, GPtrArray **parts)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	*parts = find_parts(home, key, deadline);
	for (guint i = 0; *parts && i < (*parts)->len; i++) {
		const PgpSignerPart *part = (*parts)->pdata[i];

		if (memcmp(part->fingerprint, fingerprint, PGP_FINGERPRINT) == 0)
			return part->end == 0 || now < part->end ? part : NULL;
	}
	return NULL;
}
