/* SPDX-License-Identifier: Apache-2.0
 *
 * See runlock.h. A lock of the file, not of the process (flock): what a killed gateway has held is
 * free at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/error.h"

#include "gateway/runlock.h"

static int lock_file(const char *folder, int flags, GError **error)
{
	g_autofree char *path = g_build_filename(folder, "gateway.lock", NULL);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0 && errno == EWOULDBLOCK)
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "[gateway] runtime_folder: another sealpost-gateway runs with %s; each "
			    "needs a folder of its own",
			    folder);
	else
		error_set_errno(error, errno, path);
	if (fd >= 0)
		close(fd);
	return -1;
}

gboolean runlock_is_free(const char *folder, GError **error)
{
	g_autofree char *path = g_build_filename(folder, "gateway.lock", NULL);
	int fd;

	if (access(path, F_OK) < 0)
		return TRUE;
	fd = lock_file(folder, 0, error);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int runlock_take(const char *folder, GError **error)
{
	return lock_file(folder, O_CREAT, error);
}
