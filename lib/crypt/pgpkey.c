/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys from files. gpg judges them: they are imported into a home that is made for this and
 * removed at once, listed there, and exported in their smallest form. Its agent takes a
 * passphrase off and ends before we return.
 */
#include "lib/crypt/pgpkey.h"

#include <errno.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpdescribe.h"
#include "lib/crypt/pgphome.h"
#include "lib/crypt/pgpkeyfile.h"
#include "lib/crypt/pgppacket.h"

void pgpkey_free(PgpKey *key)
{
	if (!key)
		return;
	g_free(key->fingerprint);
	g_bytes_unref(key->bytes);
	secret_free(key->secret);
	g_strfreev(key->addresses);
	g_strfreev(key->user_ids);
	g_free(key->algorithm);
	g_strfreev(key->encryption_ids);
	g_free(key);
}

/* --- the passing home --- */

typedef struct {
	char *folder;
	PgpHome *home;
	gint64 deadline; /* 0: one for each run */
} Passing;

static void passing_free(Passing *passing)
{
	pgp_home_close(passing->home);
	if (passing->folder)
		pgp_remove_folder(passing->folder);
	g_free(passing->folder);
	g_free(passing);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Passing, passing_free)

/* secret: an agent may be started in it; gpg would start one for public keys too. */
static Passing *passing_new(const char *folder, gboolean secret, GError **error)
{
	g_autoptr(Passing) passing = g_new0(Passing, 1);
	g_autofree char *made = g_build_filename(folder, "gpg-XXXXXX", NULL);

	if (!g_mkdtemp(made)) {
		error_set_errno(error, errno, folder);
		return NULL;
	}
	passing->folder = g_steal_pointer(&made);
	passing->home = pgp_home_open(passing->folder, error);
	if (!passing->home || (!secret && !pgp_write_visit_settings(passing->folder, error)))
		return NULL;
	return g_steal_pointer(&passing);
}

/* --- single steps, each one run of gpg --- */

static gint64 deadline(const Passing *passing)
{
	return passing->deadline ? passing->deadline
				 : g_get_monotonic_time() + PGP_SECONDS * G_USEC_PER_SEC;
}

/* gpg is not started for nothing: it would live on for a while, and write to its folder. */
static PgpContext *take_context(const Passing *passing, GError **error)
{
	if (deadline(passing) > g_get_monotonic_time())
		return pgp_home_take(passing->home, error);
	g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT, "no time left for gpg");
	return NULL;
}

static gboolean import(const Passing *passing, const guint8 *bytes, gsize size, GError **error)
{
	g_autoptr(PgpData) data = pgp_data_new_bytes(bytes, size, error);
	PgpContext *context = data ? take_context(passing, error) : NULL;

	if (!context)
		return FALSE;
	gpgme_error_t started =
		gpgme_op_import_start(pgp_context_gpgme(context), pgp_data_gpgme(data));
	return pgp_home_end(passing->home, context,
			    pgp_run(context, started, deadline(passing), NULL, error));
}

/* Array of gpgme_key_t; empty is fine. */
static GPtrArray *list(const Passing *passing, gboolean secret, GError **error)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func((GDestroyNotify)gpgme_key_unref);
	gpgme_keylist_mode_t mode = GPGME_KEYLIST_MODE_LOCAL | GPGME_KEYLIST_MODE_WITH_KEYGRIP;
	PgpContext *context = take_context(passing, error);

	if (!context)
		return NULL;
	/* Asking for secret keys starts an agent: only where there are any. */
	if (secret)
		mode |= GPGME_KEYLIST_MODE_WITH_SECRET;
	gpgme_set_keylist_mode(pgp_context_gpgme(context), mode);
	gpgme_error_t started = gpgme_op_keylist_start(pgp_context_gpgme(context), NULL, 0);
	if (!pgp_home_end(passing->home, context,
			  pgp_run(context, started, deadline(passing), keys, error)))
		return NULL;
	return g_steal_pointer(&keys);
}

/* gpg's question for a passphrase; the secret is the hook. */
static gpgme_error_t give_passphrase(void *hook, const char *hint, const char *info, int again,
				     int fd)
{
	const Secret *passphrase = hook;

	(void)hint;
	(void)info;
	if (again || gpgme_io_writen(fd, secret_bytes(passphrase), secret_size(passphrase)) < 0 ||
	    gpgme_io_writen(fd, "\n", 1) < 0)
		return gpgme_error(GPG_ERR_CANCELED);
	return 0;
}

static Secret *export_secret(const Passing *passing, const char *fingerprint,
			     const Secret *passphrase, GError **error)
{
	g_autoptr(Secret) room = secret_new(SECRET_MAX);
	gsize used;
	g_autoptr(PgpData) data = pgp_data_new_secret(room, &used, error);
	PgpContext *context = data ? take_context(passing, error) : NULL;

	if (!context)
		return NULL;
	gpgme_ctx_t gpgme = pgp_context_gpgme(context);
	gpgme_set_armor(gpgme, passphrase != NULL);
	gpgme_set_passphrase_cb(gpgme, passphrase ? give_passphrase : NULL, (void *)passphrase);
	gpgme_error_t started = gpgme_op_export_start(gpgme, fingerprint, GPGME_EXPORT_MODE_SECRET,
						      pgp_data_gpgme(data));
	gboolean good = pgp_run(context, started, deadline(passing), NULL, error);
	gpgme_set_passphrase_cb(gpgme, NULL, NULL);
	if (!pgp_home_end(passing->home, context, good)) {
		pgp_data_failed(data, error);
		return NULL;
	}
	return secret_take(secret_data(room), used);
}

/* A trial: gpg checks the signature that it made against the public key, so that a secret part
 * that belongs to another key shows here. */
static gboolean try_signing(const Passing *passing, gpgme_key_t key, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, PGPKEY_MAX);
	g_autoptr(PgpData) in = pgp_data_new_bytes("trial", 5, error);
	g_autoptr(PgpData) out = in ? pgp_data_new(NULL, sink, error) : NULL;
	PgpContext *context = out ? take_context(passing, error) : NULL;

	if (!context)
		return FALSE;
	gpgme_ctx_t gpgme = pgp_context_gpgme(context);
	gpgme_error_t started = gpgme_signers_add(gpgme, key);
	if (!started)
		started = gpgme_op_sign_start(gpgme, pgp_data_gpgme(in), pgp_data_gpgme(out),
					      GPGME_SIG_MODE_DETACH);
	return pgp_home_end(passing->home, context,
			    pgp_run(context, started, deadline(passing), NULL, error));
}

/* --- reading --- */

static gboolean change_passphrases(const Passing *passing, gpgme_key_t key, const Secret *old,
				   const Secret *new, GError **error)
{
	for (gpgme_subkey_t subkey = key->subkeys; subkey; subkey = subkey->next) {
		if (subkey->secret && subkey->keygrip &&
		    !pgp_agent_passwd(pgp_home_folder(passing->home), subkey->keygrip, old, new,
				      error))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_secret(const Passing *passing, gpgme_key_t listed, const Secret *passphrase,
			    PgpKey *key, GError **error)
{
	if (!change_passphrases(passing, listed, passphrase, NULL, error))
		return FALSE;
	if (key->can_sign && !try_signing(passing, listed, error))
		return FALSE;
	key->secret = export_secret(passing, key->fingerprint, NULL, error);
	return key->secret != NULL;
}

static PgpKey *read_key(const Passing *passing, gpgme_key_t listed, const Secret *passphrase,
			GError **error)
{
	g_autoptr(PgpKey) key = pgp_describe(listed);

	key->bytes = pgp_export_public(passing->home, key->fingerprint, deadline(passing), error);
	if (!key->bytes)
		return NULL;
	if (pgp_has_secret(listed) && !read_secret(passing, listed, passphrase, key, error))
		return NULL;
	return g_steal_pointer(&key);
}

GPtrArray *pgpkey_read(GBytes *file, const Secret *passphrase, const char *folder, gint64 deadline,
		       GError **error)
{
	g_autoptr(PgpKeyFile) parsed = pgp_keyfile_read(file, error);
	g_autoptr(Passing) passing = parsed ? passing_new(folder, parsed->secret, error) : NULL;
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func((GDestroyNotify)pgpkey_free);
	g_autoptr(GError) refused = NULL;

	if (!passing)
		return NULL;
	passing->deadline = deadline;
	/* gpg reports a failure also where it took some of them: what it took is seen below. */
	if (!import(passing, parsed->packets->data, parsed->packets->len, &refused) &&
	    !g_error_matches(refused, SEALPOST_ERROR, ERROR_CRYPTO)) {
		g_propagate_error(error, g_steal_pointer(&refused));
		return NULL;
	}
	g_autoptr(GPtrArray) listed = list(passing, parsed->secret, error);
	if (!listed)
		return NULL;
	for (guint i = 0; i < listed->len; i++) {
		PgpKey *key = read_key(passing, listed->pdata[i], passphrase, error);
		if (!key)
			return NULL;
		g_ptr_array_add(keys, key);
	}
	if (keys->len > 0)
		return g_steal_pointer(&keys);
	g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED, "gpg takes no key from it");
	return NULL;
}

Secret *pgpkey_protect(const Secret *secret, const Secret *passphrase, const char *folder,
		       GError **error)
{
	g_autoptr(Passing) passing = passing_new(folder, TRUE, error);

	if (!passing || !import(passing, secret_bytes(secret), secret_size(secret), error))
		return NULL;
	g_autoptr(GPtrArray) listed = list(passing, TRUE, error);
	if (!listed)
		return NULL;
	if (listed->len != 1) {
		g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED, "not one secret key");
		return NULL;
	}
	gpgme_key_t key = listed->pdata[0];
	if (!change_passphrases(passing, key, NULL, passphrase, error))
		return NULL;
	return export_secret(passing, key->fpr, passphrase, error);
}

/* --- armour --- */

char *pgpkey_armor(GBytes *bytes)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	char *text = g_malloc(PGP_ARMOR_SIZE(size));

	pgp_armor("PGP PUBLIC KEY BLOCK", data, size, text);
	return text;
}

char *pgp_own_form(const PgpOwnKey *own)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize size = 0;
	const guint8 *bytes = own->public_key ? g_bytes_get_data(own->public_key, &size) : NULL;
	g_autofree char *head = g_strdup_printf("%" G_GSIZE_FORMAT " ", size);

	g_checksum_update(sum, (const guint8 *)head, -1);
	g_checksum_update(sum, bytes, (gssize)size);
	g_checksum_update(sum, secret_bytes(own->secret), (gssize)secret_size(own->secret));
	return g_strdup(g_checksum_get_string(sum));
}
