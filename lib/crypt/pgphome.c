/* SPDX-License-Identifier: Apache-2.0
 *
 * The GnuPG folder that is our working copy of secret keys: its settings, its idle contexts, and
 * who may touch its keyring when. gpg's sockets live in the folder, and a socket's path is short
 * (sun_path); a long folder is worked through a symbolic link of our own.
 */
#include "lib/crypt/pgphome.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/crypt/pgp_visit.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgpsigners.h"
#include "lib/crypt/pgptargets.h"

/* sun_path has 108 bytes; the longest socket is "/S.gpg-agent.browser". */
#define HOME_PATH_MAX 75
/* A visit's folder changes with each run; one that waits this long is nobody's. */
#define STALE_SECONDS (7 * 24 * 3600)

struct PgpHome {
	char *folder; /* as gpg sees it */
	char *link_folder; /* holds the symbolic link; NULL if none was needed */
	char *real_folder;
	Kept *targets; /* pgptargets.h */
	Kept *signers; /* pgpsigners.h */
	Kept *checked; /* pgp_home_checked() */
	GMutex lock; /* guards all below */
	GCond changed;
	GQueue idle; /* of PgpContext * */
	GQueue visits; /* of PgpVisit * */
	GQueue agents; /* of PgpAgent * */
	GHashTable *secrets; /* fingerprint -> PgpSecretKey * */
	GPtrArray *lost; /* of PgpSecretKey *: replaced, but others may still look at them */
	guint working; /* between enter and leave */
	gboolean importing;
};

/* gpg refuses nothing but warns of a folder that others may enter; we refuse. */
static gboolean prepare_folder(const char *folder, GError **error)
{
	struct stat st;

	if (g_mkdir_with_parents(folder, 0700) < 0 || stat(folder, &st) < 0)
		return error_set_errno(error, errno, folder);
	if (st.st_uid != geteuid() || (st.st_mode & 077)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "%s: must belong to the service's user with mode 0700", folder);
		return FALSE;
	}
	return pgp_write_settings(folder, error);
}

/* The secret parts, which the agent keeps one file each: outside of this process's life they are
 * nowhere but in the store, encrypted. The first look is for those that a crash left behind. */
static void forget_secrets(const char *folder)
{
	g_autofree char *keys = g_build_filename(folder, "private-keys-v1.d", NULL);
	g_autoptr(GDir) dir = g_dir_open(keys, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(keys, name, NULL);
		unlink(path);
	}
}

/* A short way to the folder: a symbolic link in a private folder. */
static char *shorten(PgpHome *home, const char *folder, GError **error)
{
	g_autofree char *made = g_strdup_printf("/tmp/sealpost-%ld-XXXXXX", (long)getpid());

	if (!g_mkdtemp(made)) {
		error_set_errno(error, errno, made);
		return NULL;
	}
	home->link_folder = g_steal_pointer(&made);
	g_autofree char *link_path = g_build_filename(home->link_folder, "gnupg", NULL);
	if (symlink(folder, link_path) < 0) {
		error_set_errno(error, errno, link_path);
		return NULL;
	}
	return g_steal_pointer(&link_path);
}

static void secret_key_free(gpointer data)
{
	PgpSecretKey *secret = data;

	g_bytes_unref(secret->public_key);
	gpgme_key_unref(secret->key);
	g_free(secret->form);
	g_strfreev(secret->fingerprints);
	g_free(secret);
}

/* FALSE: enough of them wait. */
static gboolean keep(PgpHome *home, GQueue *idle, gpointer one)
{
	g_mutex_lock(&home->lock);
	gboolean room = g_queue_get_length(idle) < PGP_HOME_IDLE_MAX;
	if (room)
		g_queue_push_head(idle, one);
	g_mutex_unlock(&home->lock);
	return room;
}

static void give_back(PgpHome *home, PgpContext *context)
{
	gpgme_signers_clear(pgp_context_gpgme(context));
	if (!keep(home, &home->idle, context))
		pgp_context_free(context);
}

/* What a process left behind that was killed. Another one may be at work here: only old ones. */
static void remove_stale_visits(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		struct stat st;
		if (g_str_has_prefix(name, PGP_VISIT_PREFIX) && lstat(path, &st) == 0 &&
		    S_ISDIR(st.st_mode) && now - st.st_mtime > STALE_SECONDS)
			pgp_remove_folder(path);
	}
}

PgpHome *pgp_home_open(const char *folder, GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(folder, NULL);
	g_autoptr(PgpHome) home = g_new0(PgpHome, 1);

	g_mutex_init(&home->lock);
	g_cond_init(&home->changed);
	g_queue_init(&home->idle);
	g_queue_init(&home->visits);
	g_queue_init(&home->agents);
	home->checked = pgp_checked_new();
	home->secrets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, secret_key_free);
	home->lost = g_ptr_array_new_with_free_func(secret_key_free);
	home->real_folder = g_strdup(absolute);
	home->targets = pgp_targets_new();
	home->signers = pgp_signers_new();
	if (!prepare_folder(absolute, error))
		return NULL;
	forget_secrets(absolute);
	remove_stale_visits(absolute);
	home->folder = strlen(absolute) <= HOME_PATH_MAX ? g_steal_pointer(&absolute)
							 : shorten(home, absolute, error);
	if (!home->folder)
		return NULL;
	/* The first context shows whether gpg is there at all. */
	PgpContext *context = pgp_context_new(home->folder, error);
	if (!context)
		return NULL;
	give_back(home, context);
	return g_steal_pointer(&home);
}

void pgp_home_close(PgpHome *home)
{
	if (!home)
		return;
	g_queue_clear_full(&home->idle, (GDestroyNotify)pgp_context_free);
	g_queue_clear_full(&home->visits, (GDestroyNotify)pgp_visit_free);
	g_queue_clear_full(&home->agents, (GDestroyNotify)pgp_agent_free);
	if (home->folder) {
		pgp_agent_end(home->folder);
		forget_secrets(home->folder);
	}
	if (home->link_folder) {
		if (home->folder)
			unlink(home->folder);
		rmdir(home->link_folder);
	}
	kept_free(home->checked);
	g_hash_table_unref(home->secrets);
	g_ptr_array_unref(home->lost);
	kept_free(home->targets);
	kept_free(home->signers);
	g_free(home->real_folder);
	g_mutex_clear(&home->lock);
	g_cond_clear(&home->changed);
	g_free(home->link_folder);
	g_free(home->folder);
	g_free(home);
}

const char *pgp_home_folder(const PgpHome *home)
{
	return home->folder;
}

Kept *pgp_home_targets(const PgpHome *home)
{
	return home->targets;
}

Kept *pgp_home_checked(PgpHome *home)
{
	return home->checked;
}

Kept *pgp_home_signers(const PgpHome *home)
{
	return home->signers;
}

static gpointer take(PgpHome *home, GQueue *idle)
{
	g_mutex_lock(&home->lock);
	gpointer one = g_queue_pop_head(idle);
	g_mutex_unlock(&home->lock);
	return one;
}

PgpContext *pgp_home_take(PgpHome *home, GError **error)
{
	PgpContext *context = take(home, &home->idle);

	return context ? context : pgp_context_new(home->folder, error);
}

PgpVisit *pgp_home_take_visit(PgpHome *home)
{
	return take(home, &home->visits);
}

void pgp_home_give_visit(PgpHome *home, PgpVisit *visit)
{
	if (!keep(home, &home->visits, visit))
		pgp_visit_free(visit);
}

PgpAgent *pgp_home_take_agent(PgpHome *home)
{
	return take(home, &home->agents);
}

void pgp_home_give_agent(PgpHome *home, PgpAgent *agent)
{
	if (!keep(home, &home->agents, agent))
		pgp_agent_free(agent);
}

gboolean pgp_home_end(PgpHome *home, PgpContext *context, gboolean good)
{
	if (good)
		give_back(home, context);
	else
		pgp_context_free(context);
	return good;
}

void pgp_home_enter(PgpHome *home)
{
	g_mutex_lock(&home->lock);
	while (home->importing)
		g_cond_wait(&home->changed, &home->lock);
	home->working++;
	g_mutex_unlock(&home->lock);
}

void pgp_home_leave(PgpHome *home)
{
	g_mutex_lock(&home->lock);
	home->working--;
	g_cond_broadcast(&home->changed);
	g_mutex_unlock(&home->lock);
}

/* Alone with the keyring: newcomers wait at enter, those inside finish first. */
static void begin_import(PgpHome *home)
{
	g_mutex_lock(&home->lock);
	while (home->importing)
		g_cond_wait(&home->changed, &home->lock);
	home->importing = TRUE;
	while (home->working)
		g_cond_wait(&home->changed, &home->lock);
	g_mutex_unlock(&home->lock);
}

static void end_import(PgpHome *home)
{
	g_mutex_lock(&home->lock);
	home->importing = FALSE;
	g_cond_broadcast(&home->changed);
	g_mutex_unlock(&home->lock);
}

const PgpSecretKey *pgp_home_secret(PgpHome *home, const char *fingerprint)
{
	g_mutex_lock(&home->lock);
	const PgpSecretKey *secret = g_hash_table_lookup(home->secrets, fingerprint);
	g_mutex_unlock(&home->lock);
	return secret;
}

static gint64 deadline_of(const PgpOwnKey *own)
{
	return own->deadline ? own->deadline
			     : g_get_monotonic_time() + PGP_SECONDS * G_USEC_PER_SEC;
}

static PgpSecretKey *secret_key_new(gpgme_key_t key, GBytes *public_key, const char *form)
{
	PgpSecretKey *secret = g_new0(PgpSecretKey, 1);
	g_autoptr(GStrvBuilder) fingerprints = g_strv_builder_new();

	gpgme_key_ref(key);
	secret->key = key;
	secret->public_key = public_key;
	secret->form = g_strdup(form);
	for (gpgme_subkey_t subkey = key->subkeys; subkey; subkey = subkey->next)
		g_strv_builder_add(fingerprints, subkey->fpr);
	secret->fingerprints = g_strv_builder_end(fingerprints);
	return secret;
}

/* Finds the key that has just come in and remembers it. */
static gboolean remember(PgpHome *home, PgpContext *context, const PgpOwnKey *own, const char *form,
			 GError **error)
{
	const char *fingerprint = own->fingerprint;
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func((GDestroyNotify)gpgme_key_unref);
	gpgme_ctx_t gpgme = pgp_context_gpgme(context);

	if (!pgp_run(context, gpgme_op_keylist_start(gpgme, fingerprint, 1), deadline_of(own), keys,
		     error))
		return FALSE;
	gpgme_key_t key = keys->len == 1 ? keys->pdata[0] : NULL;
	if (!key || !key->fpr || g_ascii_strcasecmp(key->fpr, fingerprint) != 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO,
			    "gpg does not have the secret key %s after its import", fingerprint);
		return FALSE;
	}
	GBytes *public_key = pgp_export_public(home, fingerprint, deadline_of(own), error);
	if (!public_key)
		return FALSE;
	g_mutex_lock(&home->lock);
	gpointer name = NULL, old = NULL;
	if (g_hash_table_steal_extended(home->secrets, fingerprint, &name, &old))
		g_ptr_array_add(home->lost, old);
	g_free(name);
	g_hash_table_insert(home->secrets, g_strdup(fingerprint),
			    secret_key_new(key, public_key, form));
	g_mutex_unlock(&home->lock);
	return TRUE;
}

static gboolean import_bytes(PgpContext *context, const void *bytes, gsize size, gint64 deadline,
			     GError **error)
{
	gpgme_ctx_t gpgme = pgp_context_gpgme(context);
	g_autoptr(PgpData) data = pgp_data_new_bytes(bytes, size, error);

	if (!data || !pgp_run(context, gpgme_op_import_start(gpgme, pgp_data_gpgme(data)), deadline,
			      NULL, error))
		return FALSE;
	if (gpgme_op_import_result(gpgme)->considered > 0)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "gpg finds no key in the store's bytes");
	return FALSE;
}

/* The public key last: what it says besides (a revocation) is added to what the secret one says. */
static gboolean import_own(PgpHome *home, PgpContext *context, const PgpOwnKey *own,
			   const char *form, GError **error)
{
	gsize size = 0;
	const void *bytes = own->public_key ? g_bytes_get_data(own->public_key, &size) : NULL;

	return import_bytes(context, secret_bytes(own->secret), secret_size(own->secret),
			    deadline_of(own), error) &&
	       (!bytes || import_bytes(context, bytes, size, deadline_of(own), error)) &&
	       remember(home, context, own, form, error);
}

/* Where the agent keeps the secret part. New string. */
static char *key_file(const PgpHome *home, gpgme_subkey_t subkey)
{
	g_autofree char *name = g_strconcat(subkey->keygrip ? subkey->keygrip : "", ".key", NULL);

	return g_build_filename(home->real_folder, "private-keys-v1.d", name, NULL);
}

static gboolean has_files(const PgpHome *home, const PgpSecretKey *secret)
{
	g_autofree char *ring = g_build_filename(home->real_folder, "pubring.kbx", NULL);

	if (access(ring, R_OK) < 0)
		return FALSE;
	for (gpgme_subkey_t subkey = secret->key->subkeys; subkey; subkey = subkey->next) {
		g_autofree char *path = key_file(home, subkey);

		if (subkey->secret && subkey->keygrip && access(path, R_OK) < 0)
			return FALSE;
	}
	return TRUE;
}

/* In this form, and still in its files? Whoever cleans runtime folders may have taken them. */
gboolean pgp_home_has_secret(PgpHome *home, const char *fingerprint, const char *form)
{
	const PgpSecretKey *secret = pgp_home_secret(home, fingerprint);

	return secret && strcmp(secret->form, form) == 0 && has_files(home, secret);
}

/* A lost folder; its agent would look for files that are no more. */
static gboolean make_again(PgpHome *home, const char *fingerprint, GError **error)
{
	const PgpSecretKey *secret = pgp_home_secret(home, fingerprint);

	if (!secret || has_files(home, secret))
		return TRUE;
	pgp_agent_end(home->folder);
	return prepare_folder(home->real_folder, error);
}

gboolean pgp_home_need_secret(PgpHome *home, const PgpOwnKey *own, GError **error)
{
	g_autofree char *form = pgp_own_form(own);

	if (pgp_home_has_secret(home, own->fingerprint, form))
		return TRUE;
	PgpContext *context = pgp_home_take(home, error);
	if (!context)
		return FALSE;
	begin_import(home);
	/* Another thread may have been faster. */
	gboolean good = pgp_home_has_secret(home, own->fingerprint, form) ||
			(make_again(home, own->fingerprint, error) &&
			 import_own(home, context, own, form, error));
	end_import(home);
	return pgp_home_end(home, context, good);
}

char **pgp_home_secrets(PgpHome *home)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&home->lock);
	GHashTableIter iter;
	gpointer fingerprint;

	g_hash_table_iter_init(&iter, home->secrets);
	while (g_hash_table_iter_next(&iter, &fingerprint, NULL))
		g_strv_builder_add(builder, fingerprint);
	return g_strv_builder_end(builder);
}

/* The agent reads a key's file whenever it works with it: without one it has no key. */
void pgp_home_forget_secret(PgpHome *home, const char *fingerprint)
{
	gpointer name = NULL, old = NULL;

	begin_import(home);
	g_mutex_lock(&home->lock);
	if (g_hash_table_steal_extended(home->secrets, fingerprint, &name, &old)) {
		const PgpSecretKey *secret = old;
		for (gpgme_subkey_t subkey = secret->key->subkeys; subkey; subkey = subkey->next) {
			g_autofree char *path = key_file(home, subkey);
			unlink(path);
		}
		g_ptr_array_add(home->lost, old);
		g_free(name);
	}
	g_mutex_unlock(&home->lock);
	end_import(home);
}
