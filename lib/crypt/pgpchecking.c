/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures over what comes in. See pgpchecking.h.
 */
#include "lib/crypt/pgpchecking.h"

#include <string.h>

#include "lib/crypt/pgpsession.h"
#include "lib/crypt/pgpsigners.h"
#include "lib/crypt/pgpverify.h"

/* Version, type, hash, algorithm, key id, whether it is the last one. */
#define ONE_PASS_SIZE (4 + PGP_KEY_ID + 1)
#define ONE_PASS_VERSION 3

struct PgpChecking {
	PgpAnnounced announced;
	EVP_MD_CTX *hash;
	guint8 last; /* byte of the document */
	gboolean odd; /* a text with line ends that are not CRLF */
};

/* --- what is known beforehand --- */

static gboolean is_ours(const PgpAnnounced *announced)
{
	gboolean algorithm = announced->algorithm == PGP_RSA || announced->algorithm == PGP_ECDSA ||
			     announced->algorithm == PGP_EDDSA;

	return algorithm && pgp_verify_hash(announced->hash) &&
	       (announced->type == PGP_OVER_BINARY || announced->type == PGP_OVER_TEXT);
}

gboolean pgp_announced_read(const GByteArray *body, PgpAnnounced *announced)
{
	const guint8 *data = body->data;

	if (body->len != ONE_PASS_SIZE || data[0] != ONE_PASS_VERSION ||
	    data[ONE_PASS_SIZE - 1] != 1)
		return FALSE;
	announced->type = data[1];
	announced->hash = data[2];
	announced->algorithm = data[3];
	memcpy(announced->issuer, data + 4, PGP_KEY_ID);
	return is_ours(announced);
}

gboolean pgp_announced_from(const GByteArray *body, PgpAnnounced *announced)
{
	PgpSignatureHead head;

	if (!pgp_signature_read(body->data, body->len, TRUE, &head) || !head.issuer)
		return FALSE;
	announced->type = head.type;
	announced->hash = head.hash;
	announced->algorithm = head.algorithm;
	memcpy(announced->issuer, head.issuer, PGP_KEY_ID);
	return is_ours(announced);
}

/* --- the document --- */

PgpChecking *pgp_checking_new(const PgpAnnounced *announced)
{
	g_autoptr(PgpChecking) checking = g_new0(PgpChecking, 1);

	checking->announced = *announced;
	checking->hash = EVP_MD_CTX_new();
	if (!checking->hash ||
	    EVP_DigestInit_ex(checking->hash, pgp_verify_hash(announced->hash), NULL) != 1)
		return NULL;
	return g_steal_pointer(&checking);
}

void pgp_checking_free(PgpChecking *checking)
{
	if (!checking)
		return;
	EVP_MD_CTX_free(checking->hash);
	g_free(checking);
}

/* A text counts with CRLF at its line ends. Where it has others, it is gpg's to say what it hashes. */
static void look_at_line_ends(PgpChecking *checking, const guint8 *data, gsize size)
{
	guint8 last = checking->last;

	for (gsize i = 0; i < size; last = data[i++])
		if ((data[i] == '\n') != (last == '\r'))
			checking->odd = TRUE;
	checking->last = last;
}

gboolean pgp_checking_update(PgpChecking *checking, const guint8 *data, gsize size)
{
	if (checking->announced.type == PGP_OVER_TEXT)
		look_at_line_ends(checking, data, size);
	return !checking->odd && EVP_DigestUpdate(checking->hash, data, size) == 1;
}

/* --- whose it is --- */

/* The key that a signature names, among the job's. */
typedef struct {
	GBytes *key; /* NULL: none */
	guint8 primary[PGP_FINGERPRINT], part[PGP_FINGERPRINT];
	gboolean doubtful; /* more than one */
} Signer;

static const guint8 *id_of(const guint8 *fingerprint)
{
	return fingerprint + PGP_FINGERPRINT - PGP_KEY_ID;
}

static gboolean is_id(const guint8 *fingerprint, const guint8 *id)
{
	return memcmp(id_of(fingerprint), id, PGP_KEY_ID) == 0;
}

static void look_in(GBytes *key, const guint8 *id, Signer *signer)
{
	guint8 primary[PGP_FINGERPRINT], own[PGP_FINGERPRINT];
	PgpPackets packets = {0};
	PgpPacket packet;

	if (signer->key && g_bytes_equal(signer->key, key))
		return;
	packets.data = g_bytes_get_data(key, &packets.size);
	for (gboolean first = TRUE; pgp_packet_next(&packets, &packet, NULL, NULL); first = FALSE) {
		g_autofree char *fingerprint = pgp_packet_fingerprint(&packet);
		gboolean read = fingerprint && pgp_read_fingerprint(fingerprint, own);

		if (first && !read)
			return;
		if (first)
			memcpy(primary, own, sizeof(own));
		if (!read || !is_id(own, id))
			continue;
		signer->doubtful = signer->key != NULL;
		signer->key = key;
		memcpy(signer->primary, primary, sizeof(primary));
		memcpy(signer->part, own, sizeof(own));
	}
}

static void find_signer(const PgpOpenJob *job, const guint8 *id, Signer *signer)
{
	for (guint i = 0; !signer->doubtful && job->signers && i < job->signers->len; i++)
		look_in(job->signers->pdata[i], id, signer);
}

/* Of a key that may open the message: gpg has it before those of the signers. */
static gboolean is_openers(PgpHome *home, const PgpOpenJob *job, const guint8 *id)
{
	for (guint i = 0; job->secrets && i < job->secrets->len; i++) {
		const PgpSecretKey *secret = pgp_home_secret(home, job->secrets->pdata[i]);

		for (char **own = secret ? secret->fingerprints : NULL; own && *own; own++) {
			guint8 fingerprint[PGP_FINGERPRINT];

			if (!pgp_read_fingerprint(*own, fingerprint) || is_id(fingerprint, id))
				return TRUE;
		}
	}
	return FALSE;
}

/* What the message is encrypted to is left out of gpg's keyring (pgp_visit.c), and out of here. */
static gboolean is_left_out(PgpHome *home, const GPtrArray *wrapped, const Signer *signer)
{
	g_autofree char *primary = pgp_hex(signer->primary, PGP_FINGERPRINT);

	for (guint i = 0; wrapped && i < wrapped->len; i++)
		if (pgp_wrapped_names(wrapped->pdata[i], id_of(signer->primary)) ||
		    pgp_wrapped_names(wrapped->pdata[i], id_of(signer->part)) ||
		    (pgp_wrapped_names(wrapped->pdata[i], NULL) && pgp_home_secret(home, primary)))
			return TRUE;
	return FALSE;
}

/* --- the outcome --- */

static PgpSignature *signature_new(const char *result, char *key, gint64 created)
{
	PgpSignature *signature = g_new0(PgpSignature, 1);

	signature->result = result;
	signature->key = key;
	signature->created = created;
	return signature;
}

static gboolean is_as_announced(const PgpAnnounced *announced, const PgpSignatureHead *head)
{
	return head->type == announced->type && head->hash == announced->hash &&
	       head->algorithm == announced->algorithm && head->issuer &&
	       memcmp(head->issuer, announced->issuer, PGP_KEY_ID) == 0;
}

static PgpSignature *unknown_signer(const PgpSignatureHead *head)
{
	char *name = head->fingerprint ? pgp_hex(head->fingerprint, PGP_FINGERPRINT)
				       : pgp_hex(head->issuer, PGP_KEY_ID);

	return signature_new("no-key", name, head->created);
}

static gboolean is_good(PgpChecking *checking, const PgpSignatureHead *head,
			const PgpSignerPart *part)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	gboolean names = !head->fingerprint ||
			 memcmp(head->fingerprint, part->fingerprint, PGP_FINGERPRINT) == 0;

	return names && head->created >= part->created && head->created <= now &&
	       pgp_signature_holds(head, checking->hash, part->key);
}

PgpSignature *pgp_checking_finish(PgpChecking *checking, PgpHome *home, const PgpOpenJob *job,
				  const GPtrArray *wrapped, const GByteArray *body)
{
	PgpSignatureHead head;
	Signer signer = {.key = NULL};
	g_autoptr(GPtrArray) parts = NULL;

	/* A text must not end within a line end. */
	if (checking->odd || checking->last == '\r' ||
	    !pgp_signature_read(body->data, body->len, TRUE, &head) ||
	    !is_as_announced(&checking->announced, &head) || is_openers(home, job, head.issuer))
		return NULL;
	find_signer(job, head.issuer, &signer);
	if (!signer.key)
		return unknown_signer(&head);
	if (signer.doubtful || is_left_out(home, wrapped, &signer))
		return NULL;
	const PgpSignerPart *part =
		pgp_signers_find(home, signer.key, signer.part, job->deadline, &parts);

	if (!part || !is_good(checking, &head, part))
		return NULL;
	return signature_new("good", pgp_hex(signer.primary, PGP_FINGERPRINT), head.created);
}
