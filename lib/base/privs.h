/* SPDX-License-Identifier: Apache-2.0
 *
 * What a daemon gives up before it reads a stranger's byte: root (it proves that root can't be
 * regained), new privileges, core dumps.
 */
#ifndef SEALPOST_LIB_BASE_PRIVS_H
#define SEALPOST_LIB_BASE_PRIVS_H

#include <glib.h>

/* First of all: where 0, 1 or 2 is closed, /dev/null takes its place. Else the next file has that number,
 * and what is meant for the terminal or the log goes into it. */
void privs_hold_standard(void);

/* Drops to the user (and its groups) if we are root; then tries to regain root and aborts if it can.
 * Root with no user (NULL or empty): ERROR_CONFIG; whoever wants root to serve strangers says "root".
 * Not root: user must be NULL, empty or ourselves. */
gboolean privs_drop(const char *user, GError **error);

/* Open files that a daemon of ours may need; it gets what the system's hard limit allows. */
#define PRIVS_FILES 16384

/* No core dumps and no new privileges, for good; the limit of open files that a daemon needs. Best
 * called after privs_drop().
 * serves_memfds: our children (gpg) open our memfds by /proc/PID/fd, which the kernel allows only
 * for a process that is dumpable: such a one relies on its core limit alone. */
gboolean privs_lock_down(gboolean serves_memfds, GError **error);

#endif
