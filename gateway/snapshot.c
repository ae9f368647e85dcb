/* SPDX-License-Identifier: Apache-2.0
 *
 * All that a message's way depends on besides the message. See snapshot.h.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "keystore/scratch.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/masterkey.h"
#include "lib/mail/smtp.h"

#include "gateway/runlock.h"
#include "gateway/snapshot.h"

struct Services {
	int lock; /* of the runtime folder; -1: none */
	PgpHome *pgp;
	Journal *journal;
	Threads *threads;
	char *passing_folder; /* explain's GnuPG folder: removed at the end; NULL: none */
};

static void remove_folder(const char *path)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *inside = g_build_filename(path, name, NULL);

		if (g_file_test(inside, G_FILE_TEST_IS_DIR) &&
		    !g_file_test(inside, G_FILE_TEST_IS_SYMLINK))
			remove_folder(inside);
		else
			g_unlink(inside);
	}
	g_rmdir(path);
}

static void services_clear(Services *services)
{
	pgp_home_close(services->pgp);
	journal_close(services->journal);
	threads_close(services->threads);
	if (services->passing_folder)
		remove_folder(services->passing_folder);
	g_free(services->passing_folder);
	if (services->lock >= 0)
		close(services->lock);
}

static gboolean make_folder(const char *path, GError **error)
{
	return g_mkdir_with_parents(path, 0700) == 0 || error_set_errno(error, errno, path);
}

static gboolean make_parent(const char *path, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);

	return make_folder(parent, error);
}

static void services_release(Services *services)
{
	g_atomic_rc_box_release_full(services, (GDestroyNotify)services_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Services, services_release)

static Services *services_new(void)
{
	Services *services = g_atomic_rc_box_new0(Services);

	services->lock = -1;
	return services;
}

static Services *services_open(const Conf *conf, GError **error)
{
	g_autoptr(Services) services = services_new();
	const char *runtime = conf_path(conf, "gateway", "runtime_folder");
	const char *journal = conf_path(conf, "gateway", "journal");
	const char *threads = conf_path(conf, "gateway", "threads");
	g_autofree char *home = g_build_filename(runtime, "gnupg", NULL);

	if (!make_folder(runtime, error) || !make_parent(journal, error) ||
	    !make_parent(threads, error))
		return NULL;
	services->lock = runlock_take(runtime, error);
	if (services->lock < 0)
		return NULL;
	services->pgp = pgp_home_open(home, error);
	if (!services->pgp)
		return NULL;
	services->journal = journal_open(journal, error);
	if (!services->journal)
		return NULL;
	services->threads = threads_open(threads, error);
	if (!services->threads)
		return NULL;
	return g_steal_pointer(&services);
}

/* The daemon's GnuPG folder has one owner; explain works in one of its own for a moment. */
static Services *services_open_passing(const Conf *conf, GError **error)
{
	g_autoptr(Services) services = services_new();

	services->passing_folder = scratch_make(error); /* in RAM: secret keys come into it */
	if (!services->passing_folder)
		return NULL;
	services->threads = threads_open_readonly(conf_path(conf, "gateway", "threads"), error);
	if (!services->threads)
		return NULL;
	services->pgp = pgp_home_open(services->passing_folder, error);
	return services->pgp ? g_steal_pointer(&services) : NULL;
}

/* A host's name there would be found out at the first message that is split. */
static gboolean check_listeners(const Conf *conf, GError **error)
{
	static const char *const keys[] = {"resubmit", "resubmit_incoming"};

	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		if (!smtp_check_endpoint(conf_address(conf, "mta", keys[i]), error)) {
			g_prefix_error(error, "[mta] %s: ", keys[i]);
			return FALSE;
		}
	}
	return TRUE;
}

/* What is made anew each time: the policy, and all that depends on the configuration. */
static Snapshot *read_files(Conf *conf, GError **error)
{
	g_autoptr(Snapshot) snapshot = g_atomic_rc_box_new0(Snapshot);

	snapshot->conf = conf_ref(conf);
	const char *name = conf_string(conf, "sealpost", "hostname");

	snapshot->hostname = g_strdup(name && *name ? name : g_get_host_name());
	snapshot->policy = policy_load(conf_path(conf, "sealpost", "policy"), error);
	if (!snapshot->policy)
		return NULL;
	snapshot->trust = client_trust_new(conf, error);
	if (!log_read_level(conf, &snapshot->log_level, error) || !snapshot->trust ||
	    !tags_read(conf, &snapshot->tags, error) || !check_listeners(conf, error))
		return NULL;
	snapshot->tlsprobe =
		tlsprobe_new(conf_path(conf, "mta", "tls_ca_file"), snapshot->hostname);
	snapshot->keystore = keystore_open(conf, error);
	return snapshot->keystore ? g_steal_pointer(&snapshot) : NULL;
}

static gboolean open_portal(Snapshot *snapshot, GError **error)
{
	const Conf *conf = snapshot->conf;

	snapshot->spool_folder = conf_path(conf, "gateway", "spool_folder");
	if (!make_folder(snapshot->spool_folder, error) ||
	    !make_parent(conf_path(conf, "portal", "database"), error))
		return FALSE;
	snapshot->master_key = master_key_read(conf_path(conf, "keystore", "master_key"), error);
	if (!snapshot->master_key)
		return FALSE;
	snapshot->deposits = deposits_open(conf, snapshot->master_key, error);
	return snapshot->deposits != NULL;
}

static void take_services(Snapshot *snapshot, Services *services)
{
	snapshot->services = services;
	snapshot->pgp = services->pgp;
	snapshot->journal = services->journal;
	snapshot->threads = services->threads;
}

Snapshot *snapshot_open(Conf *conf, GError **error)
{
	g_autoptr(Snapshot) snapshot = read_files(conf, error);
	Services *services = snapshot ? services_open(snapshot->conf, error) : NULL;

	if (!services)
		return NULL;
	take_services(snapshot, services);
	return open_portal(snapshot, error) ? g_steal_pointer(&snapshot) : NULL;
}

Snapshot *snapshot_reopen(const Snapshot *old, Conf *conf, GError **error)
{
	g_autoptr(Snapshot) snapshot = read_files(conf, error);

	if (!snapshot)
		return NULL;
	take_services(snapshot, g_atomic_rc_box_acquire(old->services));
	return open_portal(snapshot, error) ? g_steal_pointer(&snapshot) : NULL;
}

Snapshot *snapshot_open_for_explain(Conf *conf, GError **error)
{
	g_autoptr(Snapshot) snapshot = read_files(conf, error);
	Services *services = snapshot ? services_open_passing(conf, error) : NULL;

	if (!services)
		return NULL;
	take_services(snapshot, services);
	snapshot->spool_folder = g_get_tmp_dir();
	return g_steal_pointer(&snapshot);
}

Snapshot *snapshot_ref(Snapshot *snapshot)
{
	return g_atomic_rc_box_acquire(snapshot);
}

static void snapshot_clear(Snapshot *snapshot)
{
	deposits_close(snapshot->deposits);
	secret_free(snapshot->master_key);
	if (snapshot->services)
		services_release(snapshot->services);
	tlsprobe_free(snapshot->tlsprobe);
	keystore_close(snapshot->keystore);
	client_trust_free(snapshot->trust);
	policy_unref(snapshot->policy);
	conf_unref(snapshot->conf);
	g_free(snapshot->hostname);
}

void snapshot_unref(Snapshot *snapshot)
{
	if (snapshot)
		g_atomic_rc_box_release_full(snapshot, (GDestroyNotify)snapshot_clear);
}

void snapshot_configure_log(const Snapshot *snapshot)
{
	log_configure(snapshot->log_level,
		      conf_boolean(snapshot->conf, "sealpost", "hash_addresses"));
}
