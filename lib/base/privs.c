/* SPDX-License-Identifier: Apache-2.0
 *
 * Dropping root for good: see privs.h.
 */
#include "lib/base/privs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/error.h"

void privs_hold_standard(void)
{
	int fd;

	/* Each takes the lowest number that is free; children inherit these, as they would the real ones. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static gboolean become(const struct passwd *user, GError **error)
{
	if (initgroups(user->pw_name, user->pw_gid) < 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return error_set_errno(error, errno, "dropping root");
	/* A drop that can be undone is none: rather die than serve strangers as root. */
	if (setuid(0) == 0 || seteuid(0) == 0)
		g_error("root could be regained after dropping it");
	return TRUE;
}

gboolean privs_drop(const char *user, GError **error)
{
	struct passwd entry, *found = NULL;
	char buffer[4096];

	if (!user || !*user) {
		if (geteuid() != 0)
			return TRUE;
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "started as root, and sealpost.conf does not say who to become: set "
			    "\"user\" in its sections [sealpost] and [portal] (\"root\" if it must "
			    "be)");
		return FALSE;
	}
	if (getpwnam_r(user, &entry, buffer, sizeof(buffer), &found) != 0 || !found) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "there is no user %s", user);
		return FALSE;
	}
	if (geteuid() == found->pw_uid)
		return TRUE;
	if (geteuid() != 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "only root can start this as user %s", user);
		return FALSE;
	}
	return become(found, error);
}

/* The usual soft limit of 1024 is for programs that call select(): here each session, spooled
 * message and recipient's key takes a descriptor, and poll() takes them all. */
static gboolean raise_file_limit(GError **error)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return error_set_errno(error, errno, "limit of open files");
	if (files.rlim_cur >= PRIVS_FILES)
		return TRUE;
	files.rlim_cur = MIN(files.rlim_max, PRIVS_FILES);
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		return error_set_errno(error, errno, "limit of open files");
	return TRUE;
}

gboolean privs_lock_down(gboolean serves_memfds, GError **error)
{
	/* A limit of 0 does not stop a dump into a pipe (systemd-coredump); 1 stops both: core(5)
	 * and the kernel's do_coredump(). */
	const struct rlimit none = {1, 1};

	if (setrlimit(RLIMIT_CORE, &none) < 0 ||
	    prctl(PR_SET_DUMPABLE, serves_memfds ? 1 : 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set_errno(error, errno, "locking down");
	return raise_file_limit(error);
}
