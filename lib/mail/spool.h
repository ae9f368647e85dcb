/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's bytes: in memory while they are few, then in an unlinked file, so that no plain
 * text has a name on disk and a crash leaves none behind. Written once from front to back, then
 * read at any place, also by several threads.
 */
#ifndef SEALPOST_LIB_MAIL_SPOOL_H
#define SEALPOST_LIB_MAIL_SPOOL_H

#include "lib/mail/stream.h"

/* What stays in memory before a file is used, and then of the end. */
#define SPOOL_MEMORY (256 * 1024)

typedef struct Spool Spool;

/* Bytes [start, end). */
typedef struct {
	goffset start;
	goffset end;
} Range;

/* folder: where the unlinked file is made (O_TMPFILE, else created and unlinked at once); NULL for
 * the system's temporary folder.
 * limit: most bytes, then ERROR_TOO_LARGE. */
Spool *spool_new(const char *folder, goffset limit);
Spool *spool_ref(Spool *spool);
void spool_unref(Spool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spool, spool_unref)

/* Appends all of it or fails: ERROR_DISK_FULL, ERROR_IO, ERROR_TOO_LARGE. After a failure the
 * spool is only good for spool_unref(). */
gboolean spool_append(Spool *spool, const void *data, gsize size, GError **error);
goffset spool_length(const Spool *spool);

/* Like pread(): how many bytes came, 0 past the end, -1 with error set. */
gssize spool_read(const Spool *spool, goffset at, void *buffer, gsize size, GError **error);
/* The same, but fewer bytes than size come only at the end. */
gssize spool_read_all(const Spool *spool, goffset at, void *buffer, gsize size, GError **error);

/* A Source over a range (each keeps a reference), and a Sink that appends; starting it anew empties
 * the spool, which nobody may read meanwhile. */
Source *spool_source(Spool *spool, Range range);
Source *spool_source_all(Spool *spool);
Sink *spool_sink(Spool *spool);

/* The file's descriptor (owned by the spool); -1: all is in memory. */
int spool_fd(const Spool *spool);

#endif
