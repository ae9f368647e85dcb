/* SPDX-License-Identifier: Apache-2.0
 *
 * Passing folders in RAM: see scratch.h.
 */
#include "keystore/scratch.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"

/* What pgpkey_read() allows for a folder. */
#define SCRATCH_PATH_MAX 60

static char *try_make(const char *parent)
{
	if (!parent || strlen(parent) + strlen("/sealpost-XXXXXX") > SCRATCH_PATH_MAX)
		return NULL;
	char *folder = g_build_filename(parent, "sealpost-XXXXXX", NULL);
	if (g_mkdtemp_full(folder, 0700))
		return folder;
	g_free(folder);
	return NULL;
}

char *scratch_make(GError **error)
{
	const char *parents[] = {g_getenv("RUNTIME_DIRECTORY"),
				 g_getenv("XDG_RUNTIME_DIR"),
				 "/dev/shm",
				 "/run",
				 g_get_tmp_dir(),
				 "/tmp"};

	for (gsize i = 0; i < G_N_ELEMENTS(parents); i++) {
		char *folder = try_make(parents[i]);
		if (folder)
			return folder;
	}
	error_set_errno(error, errno, "a passing folder for GnuPG");
	return NULL;
}

void scratch_remove(char *folder)
{
	if (!folder)
		return;
	/* Its content is gone already; what is left of a failed run goes with the machine. */
	g_rmdir(folder);
	g_free(folder);
}

GPtrArray *scratch_read_pgp(GBytes *file, const Secret *passphrase, gint64 deadline, GError **error)
{
	char *folder = scratch_make(error);

	if (!folder)
		return NULL;
	GPtrArray *keys = pgpkey_read(file, passphrase, folder, deadline, error);
	scratch_remove(folder);
	return keys;
}

gboolean scratch_is_bad_file(const GError *error)
{
	return g_error_matches(error, SEALPOST_ERROR, ERROR_MALFORMED) ||
	       g_error_matches(error, SEALPOST_ERROR, ERROR_UNSUPPORTED) ||
	       g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE) ||
	       g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_DEEP) ||
	       g_error_matches(error, SEALPOST_ERROR, ERROR_KEY_UNUSABLE) ||
	       g_error_matches(error, SEALPOST_ERROR, ERROR_PASSPHRASE);
}

static void append(GByteArray *both, GBytes *bytes)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	g_byte_array_append(both, data, (guint)size);
}

PgpKey *scratch_merge_pgp(GBytes *one, GBytes *other)
{
	g_autoptr(GByteArray) both = g_byte_array_new();

	append(both, one);
	append(both, other);
	g_autoptr(GBytes) file = g_byte_array_free_to_bytes(g_steal_pointer(&both));
	g_autoptr(GPtrArray) keys = scratch_read_pgp(file, NULL, 0, NULL);

	return keys && keys->len == 1 ? g_ptr_array_steal_index(keys, 0) : NULL;
}
