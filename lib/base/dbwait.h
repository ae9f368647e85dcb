/* SPDX-License-Identifier: Apache-2.0
 *
 * How long SQLite waits for other processes, which is never as long as it likes: a milter callback
 * must stay under 10 s. For lib/base/db*.c only.
 */
#ifndef SEALPOST_LIB_BASE_DBWAIT_H
#define SEALPOST_LIB_BASE_DBWAIT_H

#include <sqlite3.h>

/* For another process that writes, or recovers the file after a crash. */
#define DB_PATIENCE_MS 2000
/* Who waits for the others' write lock asks for it this often, and lets threads of its own that only
 * read have the connection meanwhile. */
#define DB_ASK_EVERY_MS 5

/* The connection's statements wait that long from then on; or not at all. */
void db_wait(sqlite3 *handle);
void db_wait_for_nobody(sqlite3 *handle);

#endif
