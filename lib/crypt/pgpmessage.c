/* SPDX-License-Identifier: Apache-2.0
 *
 * The packets of a message, from outside in. See pgpmessage.h.
 */
#include "lib/crypt/pgpmessage.h"

#include "lib/base/error.h"
#include "lib/crypt/pgplayer.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/pgpsignature.h"
#include "lib/crypt/pgptarget.h"

/* The document: binary, no file name, no time of its own (section 5.9). */
static const guint8 literal_head[] = {'b', 0, 0, 0, 0, 0};

static gboolean in_time(const PgpMessage *message, GError **error)
{
	if (g_get_monotonic_time() < message->deadline)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT, "OpenPGP encryption took too long");
	return FALSE;
}

/* The length stands before the bytes: they must be as many as they were said to be. */
static gboolean write_bytes(const PgpMessage *message, Source *entity, PgpSignature *signature,
			    Sink *sink, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(STREAM_CHUNK);
	goffset left = source_length(entity);
	gssize got;

	while ((got = source_read(entity, buffer, STREAM_CHUNK, error)) > 0) {
		left -= got;
		if (left < 0)
			break;
		if (!in_time(message, error) ||
		    (signature && !pgp_signature_update(signature, buffer, (gsize)got, error)) ||
		    !sink_write(sink, buffer, (gsize)got, error))
			return FALSE;
	}
	if (got >= 0 && left != 0)
		g_set_error(error, SEALPOST_ERROR, ERROR_IO, "the message has changed its length");
	return got == 0 && left == 0;
}

static gboolean write_document(const PgpMessage *message, Source *entity, PgpSignature *signature,
			       Sink *sink, GError **error)
{
	guint64 size = (guint64)source_length(entity) + sizeof(literal_head);

	if (size > G_MAXUINT32) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "too large for OpenPGP");
		return FALSE;
	}
	return pgp_write_head(sink, PGP_LITERAL, (guint32)size, error) &&
	       sink_write(sink, literal_head, sizeof(literal_head), error) &&
	       write_bytes(message, entity, signature, sink, error);
}

static gboolean write_signed(const PgpMessage *message, const PgpSigner *signer, Source *entity,
			     Sink *sink, GError **error)
{
	g_autoptr(PgpSignature) signature = pgp_signature_new(signer, error);

	return signature && pgp_signature_announce(signature, sink, error) &&
	       write_document(message, entity, signature, sink, error) &&
	       pgp_signature_write(signature, message->home, message->deadline, sink, error);
}

static gboolean write_content(const PgpMessage *message, Source *entity, Sink *sink, GError **error)
{
	PgpSigner signer;

	if (!message->signer)
		return write_document(message, entity, NULL, sink, error);
	if (pgp_signer_choose(message->signer, &signer))
		return write_signed(message, &signer, entity, sink, error);
	g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "the signer's key cannot sign now");
	return FALSE;
}

static gboolean write_packets(const PgpMessage *message, Source *entity, Sink *sink, GError **error)
{
	g_autoptr(Secret) session = pgp_session_new(error);

	for (guint i = 0; session && i < message->targets->len; i++)
		if (!pgp_target_write(message->targets->pdata[i], session, sink, error))
			return FALSE;
	g_autoptr(PgpSeal) seal =
		session ? pgp_seal_new(secret_bytes(session) + 1, sink, error) : NULL;

	return seal && write_content(message, entity, pgp_seal_sink(seal), error) &&
	       pgp_seal_finish(seal, error);
}

gboolean pgp_message_write(const PgpMessage *message, Source *entity, Sink *sink, GError **error)
{
	g_autoptr(PgpArmour) armour = pgp_armour_new("PGP MESSAGE", sink);

	return in_time(message, error) &&
	       write_packets(message, entity, pgp_armour_sink(armour), error) &&
	       pgp_armour_finish(armour, error);
}
