/* SPDX-License-Identifier: Apache-2.0
 *
 * Literal data, signed or not, folded or not. See pgpcontent.h.
 */
#include "lib/crypt/pgpcontent.h"

#include "lib/base/error.h"
#include "lib/crypt/pgpchecking.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/pgpstream.h"
#include "lib/crypt/pgpunseal.h"

gboolean pgp_leave(GError **error)
{
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_MALFORMED, "no common OpenPGP message");
	return FALSE;
}

gboolean pgp_next_is(PgpStream *stream, guint wanted, GError **error)
{
	guint tag;

	return pgp_stream_next(stream, &tag, error) && (tag == wanted || pgp_leave(error));
}

gboolean pgp_in_time(const PgpOpenJob *job, GError **error)
{
	if (g_get_monotonic_time() < job->deadline)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT,
		    "opening an OpenPGP message took too long");
	return FALSE;
}

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
	return *text || head[0] == 'b' || pgp_leave(error);
}

static gboolean read_literal(const PgpContent *content, PgpStream *stream, PgpChecking *checking,
			     GError **error)
{
	g_autofree guint8 *buffer = g_malloc(STREAM_CHUNK);
	gboolean text;
	gssize got;

	if (!read_literal_head(stream, &text, error))
		return FALSE;
	while ((got = pgp_stream_read(stream, buffer, STREAM_CHUNK, error)) > 0) {
		gsize size = (gsize)got;

		if (checking && !pgp_checking_update(checking, buffer, size))
			return pgp_leave(error);
		if (text)
			size = without_cr(buffer, size);
		if (!pgp_in_time(content->job, error) ||
		    !sink_write(content->plain, buffer, size, error))
			return FALSE;
	}
	return got == 0;
}

static gboolean read_signature(const PgpContent *content, PgpStream *stream, PgpChecking *checking,
			       GError **error)
{
	g_autoptr(GByteArray) body = pgp_next_is(stream, PGP_SIGNATURE, error)
					     ? pgp_stream_take(stream, PGP_SIGNATURE_MAX, error)
					     : NULL;
	PgpSignature *signature = body ? pgp_checking_finish(checking, content->home, content->job,
							     content->wrapped, body)
				       : NULL;

	if (signature)
		g_ptr_array_add(content->signatures, signature);
	return signature || (body && pgp_leave(error));
}

/* Section 5.4: what the signature will be is told before the document. */
static gboolean read_signed(const PgpContent *content, PgpStream *stream, GError **error)
{
	g_autoptr(GByteArray) body = pgp_stream_take(stream, PGP_SIGNATURE_MAX, error);
	PgpAnnounced announced;

	if (!body)
		return FALSE;
	g_autoptr(PgpChecking) checking =
		pgp_announced_read(body, &announced) ? pgp_checking_new(&announced) : NULL;

	return (checking || pgp_leave(error)) && pgp_next_is(stream, PGP_LITERAL, error) &&
	       read_literal(content, stream, checking, error) &&
	       read_signature(content, stream, checking, error);
}

static gboolean read_document(const PgpContent *content, PgpStream *stream, guint tag,
			      GError **error)
{
	gboolean good;

	if (tag == PGP_ONE_PASS)
		good = read_signed(content, stream, error);
	else
		good = (tag == PGP_LITERAL || pgp_leave(error)) &&
		       read_literal(content, stream, NULL, error);
	return good && pgp_next_is(stream, 0, error);
}

static gboolean read_compressed(const PgpContent *content, PgpStream *stream, GError **error)
{
	g_autoptr(Source) body = pgp_stream_body(stream);
	g_autoptr(Source) unfolded = pgp_inflate_new(body, error);
	g_autoptr(PgpStream) inside = unfolded ? pgp_stream_new(unfolded) : NULL;
	guint tag;

	return inside && pgp_stream_next(inside, &tag, error) &&
	       read_document(content, inside, tag, error) && pgp_next_is(stream, 0, error);
}

gboolean pgp_content_read(const PgpContent *content, Source *bytes, GError **error)
{
	g_autoptr(PgpStream) stream = pgp_stream_new(bytes);
	guint tag;

	if (!pgp_stream_next(stream, &tag, error))
		return FALSE;
	return tag == PGP_COMPRESSED ? read_compressed(content, stream, error)
				     : read_document(content, stream, tag, error);
}
