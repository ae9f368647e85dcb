/* SPDX-License-Identifier: Apache-2.0
 *
 * The packets of a message, from outside in. See pgpread.h.
 */
#include "lib/crypt/pgpread.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpcontent.h"
#include "lib/crypt/pgpdearmour.h"
#include "lib/crypt/pgpopened.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/pgpsession.h"
#include "lib/crypt/pgpstream.h"
#include "lib/crypt/pgpunseal.h"

/* Most session key packets, and the longest of them: RSA with 16384 bits. */
#define WRAPPED_MAX 200
#define WRAPPED_SIZE_MAX 2100
#define SEALED_VERSION 1

typedef struct {
	PgpContent content;
	PgpSession *session;
} Reading;

static gboolean read_key(Reading *reading, PgpStream *stream, GError **error)
{
	g_autoptr(GByteArray) body = pgp_stream_take(stream, WRAPPED_SIZE_MAX, error);
	PgpWrapped *wrapped =
		body && reading->content.wrapped->len < WRAPPED_MAX ? pgp_wrapped_new(body) : NULL;

	if (wrapped)
		g_ptr_array_add(reading->content.wrapped, wrapped);
	return wrapped || (body && pgp_leave(error));
}

/* Session key packets, and the head of what they open. */
static gboolean read_keys(Reading *reading, PgpStream *stream, GError **error)
{
	guint tag = PGP_PKESK;

	while (pgp_stream_next(stream, &tag, error))
		if (tag != PGP_PKESK)
			return tag == PGP_ENCRYPTED_MDC || pgp_leave(error);
		else if (!read_key(reading, stream, error))
			return FALSE;
	return FALSE;
}

static gboolean unseal(Reading *reading, PgpStream *stream, GError **error)
{
	const PgpSession *session = reading->session;
	g_autoptr(Source) body = pgp_stream_body(stream);
	g_autoptr(PgpUnseal) unseal = pgp_unseal_new(session->cipher, session->key, body, error);

	return unseal && pgp_content_read(&reading->content, pgp_unseal_source(unseal), error) &&
	       pgp_unseal_finish(unseal, error);
}

static gboolean read_packets(Reading *reading, Source *packets, GError **error)
{
	g_autoptr(PgpStream) stream = pgp_stream_new(packets);
	guint8 version;

	return read_keys(reading, stream, error) &&
	       pgp_session_find(reading->content.home, reading->content.job,
				reading->content.wrapped, reading->session, error) &&
	       (reading->session->key || pgp_leave(error)) &&
	       pgp_stream_need(stream, &version, 1, error) &&
	       (version == SEALED_VERSION || pgp_leave(error)) && unseal(reading, stream, error) &&
	       pgp_next_is(stream, 0, error);
}

/* Armour is text; a packet's first byte never is. */
static gboolean read_all(Reading *reading, Source *message, GError **error)
{
	guint8 first = 0;

	if (source_read(message, &first, 1, error) < 0 || !source_rewind(message, error))
		return FALSE;
	if (first & 0x80)
		return read_packets(reading, message, error);
	g_autoptr(Source) bytes = pgp_dearmour_new(message, "PGP MESSAGE");

	return read_packets(reading, bytes, error);
}

static const char *cipher_name(guint cipher)
{
	switch (cipher) {
	case PGP_CIPHER_AES128: return "AES";
	case PGP_CIPHER_AES192: return "AES192";
	default: return "AES256";
	}
}

gboolean pgp_is_for_gpg(const GError *failure)
{
	return g_error_matches(failure, SEALPOST_ERROR, ERROR_MALFORMED) ||
	       g_error_matches(failure, SEALPOST_ERROR, ERROR_CRYPTO);
}

/* The signatures become its own. */
static PgpOpened *take_result(PgpOpened *opened, const PgpSession *session)
{
	opened->opened = TRUE;
	opened->algorithm = g_strdup(cipher_name(session->cipher));
	opened->key = g_strdup(session->owner->fingerprints[0]);
	return opened;
}

PgpOpened *pgp_read_message(PgpHome *home, const PgpOpenJob *job, Source *message, Sink *plain,
			    GError **error)
{
	g_autoptr(GPtrArray) wrapped =
		g_ptr_array_new_with_free_func((GDestroyNotify)pgp_wrapped_free);
	g_auto(PgpSession) session = {NULL, 0, NULL};
	g_autoptr(PgpOpened) opened = pgp_opened_new(NULL);
	Reading reading = {{home, job, plain, wrapped, opened->signatures}, &session};
	g_autoptr(GError) failure = NULL;

	if (read_all(&reading, message, &failure))
		return take_result(g_steal_pointer(&opened), &session);
	if (g_error_matches(failure, SEALPOST_ERROR, ERROR_TOO_LARGE))
		return pgp_opened_new("too-large");
	if (!pgp_is_for_gpg(failure))
		g_propagate_error(error, g_steal_pointer(&failure));
	return NULL;
}
