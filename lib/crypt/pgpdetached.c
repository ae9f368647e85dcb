/* SPDX-License-Identifier: Apache-2.0
 *
 * One signature over something else (RFC 3156, section 5). See pgpread.h.
 */
#include "lib/base/error.h"
#include "lib/crypt/pgpchecking.h"
#include "lib/crypt/pgpcontent.h"
#include "lib/crypt/pgpdearmour.h"
#include "lib/crypt/pgpopened.h"
#include "lib/crypt/pgpread.h"

static GByteArray *read_packet(Source *packets, GError **error)
{
	g_autoptr(PgpStream) stream = pgp_stream_new(packets);
	g_autoptr(GByteArray) body = pgp_next_is(stream, PGP_SIGNATURE, error)
					     ? pgp_stream_take(stream, PGP_SIGNATURE_MAX, error)
					     : NULL;

	return body && pgp_next_is(stream, 0, error) ? g_steal_pointer(&body) : NULL;
}

/* Armour is text; a packet's first byte never is. */
static GByteArray *read_signature(Source *signature, GError **error)
{
	guint8 first = 0;

	if (source_read(signature, &first, 1, error) < 0 || !source_rewind(signature, error))
		return NULL;
	if (first & 0x80)
		return read_packet(signature, error);
	g_autoptr(Source) bytes = pgp_dearmour_new(signature, "PGP SIGNATURE");

	return read_packet(bytes, error);
}

static gboolean hash_content(const PgpOpenJob *job, PgpChecking *checking, Source *content,
			     GError **error)
{
	g_autofree guint8 *buffer = g_malloc(STREAM_CHUNK);
	gssize got;

	while ((got = source_read(content, buffer, STREAM_CHUNK, error)) > 0)
		if (!pgp_in_time(job, error) ||
		    (!pgp_checking_update(checking, buffer, (gsize)got) && !pgp_leave(error)))
			return FALSE;
	return got == 0;
}

static PgpSignature *check(PgpHome *home, const PgpOpenJob *job, const PgpSigned *signed_thing,
			   GError **error)
{
	g_autoptr(GByteArray) body = read_signature(signed_thing->signature, error);
	PgpAnnounced announced;

	if (!body)
		return NULL;
	g_autoptr(PgpChecking) checking =
		pgp_announced_from(body, &announced) ? pgp_checking_new(&announced) : NULL;

	if (!checking || !hash_content(job, checking, signed_thing->content, error))
		return NULL;
	return pgp_checking_finish(checking, home, job, NULL, body);
}

GPtrArray *pgp_read_detached(PgpHome *home, const PgpOpenJob *job, const PgpSigned *signed_thing,
			     GError **error)
{
	g_autoptr(GError) failure = NULL;
	PgpSignature *signature = check(home, job, signed_thing, &failure);

	if (failure && !pgp_is_for_gpg(failure))
		g_propagate_error(error, g_steal_pointer(&failure));
	if (!signature)
		return NULL;
	GPtrArray *signatures = pgp_signatures_new();

	g_ptr_array_add(signatures, signature);
	return signatures;
}
