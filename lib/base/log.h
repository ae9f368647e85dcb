/* SPDX-License-Identifier: Apache-2.0
 *
 * The log: one line per event on standard error, with a syslog priority prefix ("<6>") where the
 * service manager reads it (JOURNAL_STREAM is set), else with a time stamp. Holds no content: no
 * subject, body, file name, password, token or URL with one. Only programs log; library code
 * returns errors. Thread-safe.
 */
#ifndef SEALPOST_LIB_BASE_LOG_H
#define SEALPOST_LIB_BASE_LOG_H

#include <glib.h>

#include "lib/base/conf.h"

typedef enum { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } LogLevel;

/* Called once at the start, before any thread: program's name, lowest level that is written,
 * whether addresses are written as keyed hashes (salt: random for this run if NULL). */
void log_open(const char *program, LogLevel level, gboolean hash_addresses, const char *salt);

/* [sealpost] log_level; ERROR_CONFIG if it is none. */
gboolean log_read_level(const Conf *conf, LogLevel *level, GError **error);

/* Changes level and hashing later (reload). */
void log_configure(LogLevel level, gboolean hash_addresses);

/* One line; control characters and non-UTF-8 in the result are replaced by '?'. Where addresses are
 * hashed, those within the text are, too. */
void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_info(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_debug(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* An address as the log may show it: itself, or "h:" and 16 hex digits of a keyed hash. New
 * string, owned by the caller. */
char *log_address(const char *address);

#endif
