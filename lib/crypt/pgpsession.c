/* SPDX-License-Identifier: Apache-2.0
 *
 * Session keys. See pgpsession.h. What does not open is told apart in no way: gpg is asked then, as it
 * is for all that is uncommon, and has the last word.
 */
#include "lib/crypt/pgpsession.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpecdh.h"
#include "lib/crypt/pgpexpression.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/pgpunseal.h"

/* Before the material: version, key id, algorithm. */
#define HEAD (1 + PGP_KEY_ID + 1)
/* How often the agent is asked for one message: packets without a name can be many. */
#define TRIES_MAX 16
/* Behind the key: a sum of its bytes. Before it: the cipher. */
#define SUM 2

struct PgpWrapped {
	guint8 id[PGP_KEY_ID];
	gboolean hidden;
	guint8 algorithm;
	GBytes *material;
};

PgpWrapped *pgp_wrapped_new(const GByteArray *body)
{
	static const guint8 nobody[PGP_KEY_ID] = {0};

	if (body->len <= HEAD || body->data[0] != 3)
		return NULL;
	PgpWrapped *wrapped = g_new0(PgpWrapped, 1);
	memcpy(wrapped->id, body->data + 1, PGP_KEY_ID);
	wrapped->hidden = memcmp(wrapped->id, nobody, PGP_KEY_ID) == 0;
	wrapped->algorithm = body->data[HEAD - 1];
	wrapped->material = g_bytes_new(body->data + HEAD, body->len - HEAD);
	return wrapped;
}

void pgp_wrapped_free(PgpWrapped *wrapped)
{
	if (!wrapped)
		return;
	g_bytes_unref(wrapped->material);
	g_free(wrapped);
}

gboolean pgp_wrapped_names(const PgpWrapped *wrapped, const guint8 *id)
{
	return id ? memcmp(wrapped->id, id, PGP_KEY_ID) == 0 : wrapped->hidden;
}

void pgp_session_clear(PgpSession *session)
{
	g_clear_pointer(&session->key, secret_free);
}

/* --- what the agent is asked --- */

/* The numbers of the packet; wrapped is what ECDH has besides its point. FALSE: malformed. */
typedef struct {
	PgpNumber number;
	PgpNumber wrapped;
} Material;

static gboolean read_material(const PgpWrapped *wrapped, Material *material)
{
	gsize left;
	const guint8 *at = g_bytes_get_data(wrapped->material, &left);

	if (!pgp_take_mpi(&at, &left, &material->number.bytes, &material->number.size) ||
	    material->number.size == 0)
		return FALSE;
	if (wrapped->algorithm != PGP_ECDH)
		return left == 0;
	/* A byte says how long it is. */
	material->wrapped = (PgpNumber){at, left};
	return left > 1 && at[0] == left - 1;
}

static GBytes *question(const PgpWrapped *wrapped, const Material *material)
{
	const PgpNamed rsa[] = {{"a", material->number}};
	const PgpNamed ecdh[] = {{"s", material->wrapped}, {"e", material->number}};

	return wrapped->algorithm == PGP_ECDH ? pgp_expression_sealed("ecdh", ecdh, 2)
					      : pgp_expression_sealed("rsa", rsa, 1);
}

/* --- what it gave --- */

/* PKCS #1, as the agent leaves it (without the leading zero): 2, random bytes, 0, the rest. */
static Secret *without_padding(const PgpNumber *frame)
{
	gsize at = frame->size > 0 && frame->bytes[0] == 0 ? 1 : 0;

	if (at >= frame->size || frame->bytes[at] != 2)
		return NULL;
	const guint8 *zero = memchr(frame->bytes + at, 0, frame->size - at);
	gsize size = zero ? (gsize)(frame->bytes + frame->size - (zero + 1)) : 0;

	if (size == 0)
		return NULL;
	g_autofree guint8 *copy = g_memdup2(zero + 1, size);
	return secret_take(copy, size);
}

static Secret *from_point(const PgpSecretKey *owner, gpgme_subkey_t subkey,
			  const Material *material, const PgpNumber *point)
{
	guint8 fingerprint[PGP_FINGERPRINT];
	PgpPacket packet;

	if (!pgp_read_fingerprint(subkey->fpr, fingerprint) ||
	    !pgp_packet_find(owner->public_key, subkey->fpr, &packet))
		return NULL;
	PgpEcdh *ecdh = pgp_ecdh_read(packet.body + PGP_MATERIAL_AT,
				      packet.length - PGP_MATERIAL_AT, fingerprint);
	Secret *coded =
		ecdh && material->number.size == pgp_ecdh_point(ecdh)
			? pgp_ecdh_open(ecdh, point->bytes, point->size,
					material->wrapped.bytes + 1, material->wrapped.size - 1)
			: NULL;

	pgp_ecdh_free(ecdh);
	return coded;
}

/* Cipher, key, sum: do they fit? */
static gboolean take_coded(const Secret *coded, PgpSession *session)
{
	const guint8 *bytes = secret_bytes(coded);
	gsize key = pgp_cipher_key_size(bytes[0]);
	guint16 sum = 0;

	if (key == 0 || secret_size(coded) != 1 + key + SUM)
		return FALSE;
	for (gsize i = 1; i <= key; i++)
		sum = (guint16)(sum + bytes[i]);
	if (bytes[1 + key] != sum >> 8 || bytes[2 + key] != (sum & 0xFF))
		return FALSE;
	session->cipher = bytes[0];
	session->key = secret_new(key);
	memcpy(secret_data(session->key), bytes + 1, key);
	return TRUE;
}

static gboolean take_answer(const PgpSecretKey *owner, gpgme_subkey_t subkey,
			    const Material *material, const Secret *answer, PgpSession *session)
{
	PgpNumber value;

	if (!pgp_expression_value(secret_bytes(answer), secret_size(answer), &value))
		return FALSE;
	g_autoptr(Secret) coded = material->wrapped.bytes
					  ? from_point(owner, subkey, material, &value)
					  : without_padding(&value);

	return coded && take_coded(coded, session);
}

/* --- which keys --- */

static gboolean fits(const PgpWrapped *wrapped, gpgme_subkey_t subkey)
{
	guint8 fingerprint[PGP_FINGERPRINT];
	guint algorithm = 0;

	switch ((int)subkey->pubkey_algo) {
	case GPGME_PK_RSA: algorithm = PGP_RSA; break;
	case GPGME_PK_ECDH: algorithm = PGP_ECDH; break;
	default: break;
	}
	return subkey->secret && subkey->keygrip && subkey->fpr &&
	       algorithm == wrapped->algorithm && pgp_read_fingerprint(subkey->fpr, fingerprint) &&
	       (wrapped->hidden ||
		memcmp(fingerprint + PGP_FINGERPRINT - PGP_KEY_ID, wrapped->id, PGP_KEY_ID) == 0);
}

typedef enum { GO_ON, FOUND, GIVE_UP, FAILED } Step;

typedef struct {
	PgpHome *home;
	gint64 deadline;
	guint tries;
	PgpSession *session;
} Search;

/* A packet that names the key and does not open with it: gpg shall say what that means. */
static Step try(Search *search, const PgpSecretKey *owner, gpgme_subkey_t subkey,
		const PgpWrapped *wrapped, GError **error)
{
	Material material = {{NULL, 0}, {NULL, 0}};
	Step otherwise = wrapped->hidden ? GO_ON : GIVE_UP;
	g_autoptr(GError) failure = NULL;

	if (search->tries++ == TRIES_MAX || !read_material(wrapped, &material))
		return GIVE_UP;
	g_autoptr(GBytes) ciphertext = question(wrapped, &material);
	g_autoptr(Secret) answer = pgp_agent_decrypt(search->home, subkey->keygrip, ciphertext,
						     search->deadline, &failure);

	if (!answer && !g_error_matches(failure, SEALPOST_ERROR, ERROR_TIMEOUT))
		return otherwise;
	if (!answer) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FAILED;
	}
	if (!take_answer(owner, subkey, &material, answer, search->session))
		return otherwise;
	search->session->owner = owner;
	return FOUND;
}

static Step try_owner(Search *search, const PgpSecretKey *owner, const PgpWrapped *wrapped,
		      GError **error)
{
	Step step = GO_ON;

	for (gpgme_subkey_t subkey = owner->key->subkeys; step == GO_ON && subkey;
	     subkey = subkey->next)
		if (fits(wrapped, subkey))
			step = try(search, owner, subkey, wrapped, error);
	return step;
}

gboolean pgp_session_find(PgpHome *home, const PgpOpenJob *job, const GPtrArray *wrapped,
			  PgpSession *session, GError **error)
{
	Search search = {.home = home, .deadline = job->deadline, .session = session};
	guint owners = job->secrets ? job->secrets->len : 0;
	Step step = GO_ON;

	for (guint i = 0; step == GO_ON && i < wrapped->len; i++)
		for (guint n = 0; step == GO_ON && n < owners; n++) {
			const PgpSecretKey *owner = pgp_home_secret(home, job->secrets->pdata[n]);

			if (owner)
				step = try_owner(&search, owner, wrapped->pdata[i], error);
		}
	return step != FAILED;
}
