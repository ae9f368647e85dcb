/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite's two ways to wait: see dbwait.h. Its busy handler, where we count; and a hundred tries for a
 * reader's lock with longer and longer sleeps, of 10 s in all, that no busy handler sees
 * (walTryBeginRead() in wal.c), where we make the sleeps shorter.
 */
#include "lib/base/dbwait.h"

#include <glib.h>

/* Less than two seconds in all. */
#define SLEEP_MAX_US 20000

static int sleep_briefly(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	g_usleep((gulong)CLAMP(microseconds, 0, SLEEP_MAX_US));
	return microseconds;
}

/* SQLite's own way to the files but for the sleeping; the default from then on. */
__attribute__((constructor)) static void register_way(void)
{
	sqlite3_vfs *way = g_memdup2(sqlite3_vfs_find(NULL), sizeof(*way));

	way->zName = "sealpost";
	way->xSleep = sleep_briefly;
	sqlite3_vfs_register(way, 1);
}

/* FALSE ends the waiting. SQLite's own handler counts how long it wanted to sleep. */
static int go_on(void *context, int count)
{
	(void)context;
	if (count >= DB_PATIENCE_MS / DB_ASK_EVERY_MS)
		return FALSE;
	g_usleep(DB_ASK_EVERY_MS * 1000);
	return TRUE;
}

void db_wait(sqlite3 *handle)
{
	sqlite3_busy_handler(handle, go_on, NULL);
}

void db_wait_for_nobody(sqlite3 *handle)
{
	sqlite3_busy_handler(handle, NULL, NULL);
}
