/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a GnuPG home: what we tell gpg and its agent, and how such a home goes again.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/crypt/pgphome.h"

/* no-random-seed-file: its lock lets one gpg run at a time. cipher-algo: AES-256 also
 * for keys that name no preference (else 3DES). Compression is off: attachments are compressed as
 * it is, and 43 MB of them took four times as long with it; and a length that depends on content
 * says something about it. No export-minimal: it drops expired subkeys, and old mail needs them. */
static const char gpg_settings[] = "no-random-seed-file\n"
				   "no-auto-check-trustdb\n"
				   "no-auto-key-retrieve\n"
				   "no-auto-key-locate\n"
				   "disable-dirmngr\n"
				   "trust-model always\n"
				   "no-greeting\n"
				   "no-emit-version\n"
				   "no-comments\n"
				   "cipher-algo AES256\n"
				   "personal-digest-preferences SHA512 SHA384 SHA256\n"
				   "compress-level 0\n"
				   "import-options import-minimal\n";

/* s2k-count: what an exported key's passphrase is hashed with; without it each agent measures the
 * machine first. */
static const char agent_settings[] = "allow-loopback-pinentry\n"
				     "disable-scdaemon\n"
				     "no-allow-external-cache\n"
				     "s2k-count 16777216\n"
				     "default-cache-ttl 600\n"
				     "max-cache-ttl 7200\n";

/* A visiting home has another's agent behind it: it starts none. */
static const char visit_settings[] = "no-autostart\n";

gboolean pgp_write_file(const char *folder, const char *name, const void *data, gsize size,
			GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autoptr(GError) failure = NULL;

	if (g_file_set_contents_full(path, data, (gssize)size, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
				     &failure))
		return TRUE;
	g_set_error(error, SEALPOST_ERROR,
		    g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ? ERROR_DISK_FULL
									       : ERROR_IO,
		    "%s", failure->message);
	return FALSE;
}

static gboolean write_text(const char *folder, const char *name, const char *text, GError **error)
{
	return pgp_write_file(folder, name, text, strlen(text), error);
}

gboolean pgp_write_settings(const char *folder, GError **error)
{
	return write_text(folder, "gpg.conf", gpg_settings, error) &&
	       write_text(folder, "gpg-agent.conf", agent_settings, error);
}

gboolean pgp_write_visit_settings(const char *folder, GError **error)
{
	g_autofree char *settings = g_strconcat(gpg_settings, visit_settings, NULL);

	return write_text(folder, "gpg.conf", settings, error);
}

/* Files, and folders of files. */
static void remove_files(const char *folder, int depth)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		if (unlink(path) < 0 && depth > 0)
			remove_files(path, depth - 1);
	}
	if (dir)
		g_dir_close(dir);
	rmdir(folder);
}

/* A gpg whose time was over may still make files in it, by its name: nothing is there any more. */
void pgp_remove_folder(const char *folder)
{
	g_autofree char *gone = g_strconcat(folder, "-gone", NULL);

	remove_files(rename(folder, gone) == 0 ? gone : folder, 2);
}
