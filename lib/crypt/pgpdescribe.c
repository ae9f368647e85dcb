/* SPDX-License-Identifier: Apache-2.0
 *
 * From gpg's listing of a key to a PgpKey. A subkey counts if it may be used now; the one that gpg
 * would take to encrypt, the newest, comes first.
 */
#include "lib/crypt/pgpdescribe.h"

#include <string.h>

#include "lib/mail/address.h"

gboolean pgp_has_secret(gpgme_key_t listed)
{
	for (gpgme_subkey_t subkey = listed->subkeys; subkey; subkey = subkey->next) {
		if (subkey->secret)
			return TRUE;
	}
	return FALSE;
}

static gboolean may_be_used(gpgme_key_t listed, gpgme_subkey_t subkey)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	return !listed->revoked && !listed->expired && !listed->invalid && !subkey->revoked &&
	       !subkey->expired && !subkey->disabled && !subkey->invalid &&
	       subkey->timestamp <= now;
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
	const gpgme_subkey_t *one = a, *other = b;

	return ((*one)->timestamp < (*other)->timestamp) -
	       ((*one)->timestamp > (*other)->timestamp);
}

/* Array of gpgme_subkey_t, borrowed. */
static GPtrArray *encrypting_subkeys(gpgme_key_t listed)
{
	GPtrArray *subkeys = g_ptr_array_new();

	for (gpgme_subkey_t subkey = listed->subkeys; subkey; subkey = subkey->next) {
		if (subkey->can_encrypt && may_be_used(listed, subkey))
			g_ptr_array_add(subkeys, subkey);
	}
	g_ptr_array_sort(subkeys, newest_first);
	return subkeys;
}

gpgme_subkey_t pgp_encrypting_subkey(gpgme_key_t listed)
{
	g_autoptr(GPtrArray) subkeys = encrypting_subkeys(listed);

	return subkeys->len > 0 ? subkeys->pdata[0] : NULL;
}

/* A key of our own signs only with a subkey whose secret part is there. */
static gboolean can_sign(gpgme_key_t listed)
{
	gboolean own = pgp_has_secret(listed);

	for (gpgme_subkey_t subkey = listed->subkeys; subkey; subkey = subkey->next) {
		if (subkey->can_sign && (subkey->secret || !own) && may_be_used(listed, subkey))
			return TRUE;
	}
	return FALSE;
}

/* Was there an encryption subkey whose time is over? Then the key has expired for us. */
static gboolean encryption_expired(gpgme_key_t listed)
{
	for (gpgme_subkey_t subkey = listed->subkeys; subkey; subkey = subkey->next) {
		if (subkey->can_encrypt && subkey->expired && !subkey->revoked)
			return TRUE;
	}
	return FALSE;
}

/* gpg's "rsa3072", "cv25519", "nistp256" as people write them. */
static char *algorithm_name(gpgme_subkey_t subkey)
{
	static const struct {
		const char *gpg, *name;
	} curves[] = {{"cv25519", "Curve25519"},  {"ed25519", "Ed25519"},
		      {"nistp256", "NIST P-256"}, {"nistp384", "NIST P-384"},
		      {"nistp521", "NIST P-521"}, {"ed448", "Ed448"},
		      {"cv448", "X448"}};

	for (gsize i = 0; subkey->curve && i < G_N_ELEMENTS(curves); i++) {
		if (g_ascii_strcasecmp(subkey->curve, curves[i].gpg) == 0)
			return g_strdup(curves[i].name);
	}
	if (subkey->curve)
		return g_strdup(subkey->curve);
	const char *name = gpgme_pubkey_algo_name(subkey->pubkey_algo);
	return g_strdup_printf("%s %u", name ? name : "unknown", subkey->length);
}

static char *for_people(const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);

	for (char *at = valid; *at; at++) {
		if (g_ascii_iscntrl(*at))
			*at = '?';
	}
	return valid;
}

static void describe_users(PgpKey *key, gpgme_key_t listed)
{
	g_autoptr(GStrvBuilder) users = g_strv_builder_new();
	g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);

	for (gpgme_user_id_t user = listed->uids; user; user = user->next) {
		g_autofree char *text = for_people(user->uid ? user->uid : "");
		g_strv_builder_add(users, text);
		/* gpg calls each user ID of a revoked key revoked; whose it was is still worth
		 * knowing: "revoked" is a better answer than "no key". */
		if ((user->revoked && !listed->revoked) || user->invalid || !user->address)
			continue;
		char *folded = address_fold(user->address);
		if (folded &&
		    !g_ptr_array_find_with_equal_func(addresses, folded, g_str_equal, NULL))
			g_ptr_array_add(addresses, folded);
		else
			g_free(folded);
	}
	g_ptr_array_add(addresses, NULL);
	key->addresses = (char **)g_ptr_array_free(g_steal_pointer(&addresses), FALSE);
	key->user_ids = g_strv_builder_end(users);
}

/* When the last of the subkeys that encrypt now, or the key itself, ends; 0: never. */
static gint64 encryption_end(gpgme_key_t listed, GPtrArray *subkeys)
{
	gint64 primary = listed->subkeys->expires, end = 0;

	for (guint i = 0; i < subkeys->len; i++) {
		gpgme_subkey_t subkey = subkeys->pdata[i];
		if (subkey->expires == 0)
			return primary;
		end = MAX(end, subkey->expires);
	}
	return end == 0 || (primary && primary < end) ? primary : end;
}

PgpKey *pgp_describe(gpgme_key_t listed)
{
	PgpKey *key = g_new0(PgpKey, 1);
	g_autoptr(GPtrArray) subkeys = encrypting_subkeys(listed);
	g_autoptr(GStrvBuilder) ids = g_strv_builder_new();

	for (guint i = 0; i < subkeys->len; i++)
		g_strv_builder_add(ids, ((gpgme_subkey_t)subkeys->pdata[i])->keyid);
	key->encryption_ids = g_strv_builder_end(ids);
	key->fingerprint = g_ascii_strup(listed->subkeys->fpr, -1);
	key->algorithm = algorithm_name(subkeys->len ? subkeys->pdata[0] : listed->subkeys);
	key->created = listed->subkeys->timestamp;
	key->expires = encryption_end(listed, subkeys);
	key->revoked = listed->revoked;
	key->can_encrypt = subkeys->len > 0;
	key->can_sign = can_sign(listed);
	key->expired = listed->expired || (!key->can_encrypt && encryption_expired(listed));
	describe_users(key, listed);
	return key;
}
