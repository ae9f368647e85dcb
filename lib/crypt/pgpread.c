/* SPDX-License-Identifier: Apache-2.0
 *
 * The packets of a message, from outside in. See pgpread.h.
 */
#include "lib/crypt/pgpread.h"

#include <string.h>

#include "lib/base/error.h"
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
	PgpHome *home;
	const PgpOpenJob *job;
	Sink *plain;
	GPtrArray *wrapped; /* of PgpWrapped * */
	PgpSession *session;
} Reading;

/* Not what we read: gpg's. */
static gboolean leave(GError **error)
{
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_MALFORMED, "no common OpenPGP message");
	return FALSE;
}

static gboolean in_time(const Reading *reading, GError **error)
{
	if (g_get_monotonic_time() < reading->job->deadline)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT,
		    "opening an OpenPGP message took too long");
	return FALSE;
}

static gboolean next_is(PgpStream *stream, guint wanted, GError **error)
{
	guint tag;

	return pgp_stream_next(stream, &tag, error) && (tag == wanted || leave(error));
}

/* --- the document --- */

/* Text loses its CRs, as with gpg. */
static gsize without_cr(guint8 *bytes, gsize size)
{
	gsize kept = 0;

	for (gsize i = 0; i < size; i++)
		if (bytes[i] != '\r')
			bytes[kept++] = bytes[i];
	return kept;
}

/* Section 5.9: format, file name, time. */
static gboolean read_literal_head(PgpStream *stream, gboolean *text, GError **error)
{
	guint8 head[2], rest[255 + 4];

	if (!pgp_stream_need(stream, head, sizeof(head), error) ||
	    !pgp_stream_need(stream, rest, head[1] + 4u, error))
		return FALSE;
	*text = head[0] == 't' || head[0] == 'u';
	return *text || head[0] == 'b' || leave(error);
}

static gboolean read_literal(Reading *reading, PgpStream *stream, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(STREAM_CHUNK);
	gboolean text;
	gssize got;

	if (!read_literal_head(stream, &text, error))
		return FALSE;
	while ((got = pgp_stream_read(stream, buffer, STREAM_CHUNK, error)) > 0) {
		gsize size = (gsize)got;

		if (text)
			size = without_cr(buffer, size);
		if (!in_time(reading, error) || !sink_write(reading->plain, buffer, size, error))
			return FALSE;
	}
	return got == 0;
}

static gboolean read_document(Reading *reading, PgpStream *stream, guint tag, GError **error)
{
	return (tag == PGP_LITERAL || leave(error)) && read_literal(reading, stream, error) &&
	       next_is(stream, 0, error);
}

static gboolean read_compressed(Reading *reading, PgpStream *stream, GError **error)
{
	g_autoptr(Source) body = pgp_stream_body(stream);
	g_autoptr(Source) unfolded = pgp_inflate_new(body, error);
	g_autoptr(PgpStream) inside = unfolded ? pgp_stream_new(unfolded) : NULL;
	guint tag;

	return inside && pgp_stream_next(inside, &tag, error) &&
	       read_document(reading, inside, tag, error) && next_is(stream, 0, error);
}

static gboolean read_content(Reading *reading, Source *content, GError **error)
{
	g_autoptr(PgpStream) stream = pgp_stream_new(content);
	guint tag;

	if (!pgp_stream_next(stream, &tag, error))
		return FALSE;
	return tag == PGP_COMPRESSED ? read_compressed(reading, stream, error)
				     : read_document(reading, stream, tag, error);
}

/* --- what is around it --- */

static gboolean read_key(Reading *reading, PgpStream *stream, GError **error)
{
	g_autoptr(GByteArray) body = pgp_stream_take(stream, WRAPPED_SIZE_MAX, error);
	PgpWrapped *wrapped =
		body && reading->wrapped->len < WRAPPED_MAX ? pgp_wrapped_new(body) : NULL;

	if (wrapped)
		g_ptr_array_add(reading->wrapped, wrapped);
	return wrapped || (body && leave(error));
}

/* Session key packets, and the head of what they open. */
static gboolean read_keys(Reading *reading, PgpStream *stream, GError **error)
{
	guint tag = PGP_PKESK;

	while (pgp_stream_next(stream, &tag, error))
		if (tag != PGP_PKESK)
			return tag == PGP_ENCRYPTED_MDC || leave(error);
		else if (!read_key(reading, stream, error))
			return FALSE;
	return FALSE;
}

static gboolean unseal(Reading *reading, PgpStream *stream, GError **error)
{
	const PgpSession *session = reading->session;
	g_autoptr(Source) body = pgp_stream_body(stream);
	g_autoptr(PgpUnseal) unseal = pgp_unseal_new(session->cipher, session->key, body, error);

	return unseal && read_content(reading, pgp_unseal_source(unseal), error) &&
	       pgp_unseal_finish(unseal, error);
}

static gboolean read_packets(Reading *reading, Source *packets, GError **error)
{
	g_autoptr(PgpStream) stream = pgp_stream_new(packets);
	guint8 version;

	return read_keys(reading, stream, error) &&
	       pgp_session_find(reading->home, reading->job, reading->wrapped, reading->session,
				error) &&
	       (reading->session->key || leave(error)) &&
	       pgp_stream_need(stream, &version, 1, error) &&
	       (version == SEALED_VERSION || leave(error)) && unseal(reading, stream, error) &&
	       next_is(stream, 0, error);
}

/* Armour is text; a packet's first byte never is. */
static gboolean read_all(Reading *reading, Source *message, GError **error)
{
	guint8 first = 0;

	if (source_read(message, &first, 1, error) < 0 || !source_rewind(message, error))
		return FALSE;
	if (first & 0x80)
		return read_packets(reading, message, error);
	g_autoptr(Source) bytes = pgp_dearmour_new(message);

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

/* What the reader could not take is gpg's, and so is what OpenSSL could not. */
static gboolean is_for_gpg(const GError *failure)
{
	return g_error_matches(failure, SEALPOST_ERROR, ERROR_MALFORMED) ||
	       g_error_matches(failure, SEALPOST_ERROR, ERROR_CRYPTO);
}

static PgpOpened *opened_new(const PgpSession *session)
{
	PgpOpened *opened = pgp_opened_new(NULL);

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
	Reading reading = {home, job, plain, wrapped, &session};
	g_autoptr(GError) failure = NULL;

	if (read_all(&reading, message, &failure))
		return opened_new(&session);
	if (g_error_matches(failure, SEALPOST_ERROR, ERROR_TOO_LARGE))
		return pgp_opened_new("too-large");
	if (!is_for_gpg(failure))
		g_propagate_error(error, g_steal_pointer(&failure));
	return NULL;
}
