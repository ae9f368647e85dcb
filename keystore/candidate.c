/* SPDX-License-Identifier: Apache-2.0
 *
 * Candidates: see candidate.h.
 */
#include "keystore/candidate.h"

#include <string.h>

#include "lib/mail/address.h"

static Candidate *candidate_new(KeyType type, const char *id)
{
	Candidate *candidate = g_new0(Candidate, 1);

	candidate->refs = 1;
	candidate->type = type;
	candidate->id = g_strdup(id);
	return candidate;
}

Candidate *candidate_new_cert(Cert *cert)
{
	Candidate *candidate = candidate_new(KEY_SMIME, cert_fingerprint(cert));

	candidate->cert = cert_ref(cert);
	return candidate;
}

Candidate *candidate_new_pgp(PgpKey *pgp)
{
	Candidate *candidate = candidate_new(KEY_PGP, pgp->fingerprint);

	g_clear_pointer(&pgp->secret, secret_free);
	candidate->pgp = pgp;
	return candidate;
}

Candidate *candidate_new_malformed(KeyType type, GBytes *bytes)
{
	g_autofree char *digest = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);

	return candidate_new(type, digest);
}

Candidate *candidate_ref(Candidate *candidate)
{
	g_atomic_int_inc(&candidate->refs);
	return candidate;
}

void candidate_unref(Candidate *candidate)
{
	if (!candidate || !g_atomic_int_dec_and_test(&candidate->refs))
		return;
	g_free(candidate->id);
	cert_unref(candidate->cert);
	pgpkey_free(candidate->pgp);
	g_clear_pointer(&candidate->extra, g_ptr_array_unref);
	g_free(candidate);
}

GPtrArray *candidate_array_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)candidate_unref);
}

const char *const *candidate_addresses(const Candidate *candidate)
{
	static const char *const none[] = {NULL};

	if (candidate->cert)
		return cert_addresses(candidate->cert);
	if (candidate->pgp && candidate->pgp->addresses)
		return (const char *const *)candidate->pgp->addresses;
	return none;
}

gboolean candidate_names(const Candidate *candidate, const char *address)
{
	return g_strv_contains(candidate_addresses(candidate), address);
}

/* "Name <address>", or an address alone. */
static gboolean user_id_spells(const char *user_id, const char *address)
{
	const char *open = strrchr(user_id, '<'), *close = open ? strchr(open, '>') : NULL;
	g_autofree char *inside = close ? g_strndup(open + 1, (gsize)(close - open - 1)) : NULL;

	return address_spelled_alike(inside ? inside : user_id, address);
}

gboolean candidate_spells(const Candidate *candidate, const char *address)
{
	if (candidate->cert)
		for (const char *const *one = cert_spellings(candidate->cert); *one; one++)
			if (address_spelled_alike(*one, address))
				return TRUE;
	if (candidate->pgp && candidate->pgp->user_ids)
		for (char **one = candidate->pgp->user_ids; *one; one++)
			if (user_id_spells(*one, address))
				return TRUE;
	return FALSE;
}

gint64 candidate_since(const Candidate *candidate)
{
	if (candidate->cert)
		return cert_not_before(candidate->cert);
	return candidate->pgp ? candidate->pgp->created : 0;
}

gint64 candidate_until(const Candidate *candidate)
{
	if (candidate->cert)
		return cert_not_after(candidate->cert);
	return candidate->pgp ? candidate->pgp->expires : 0;
}
