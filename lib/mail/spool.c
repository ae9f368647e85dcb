/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's bytes, first in memory, then in a file that never keeps a name; what came last is
 * still in memory, so that the file is written in large pieces. It is read with pread(), so that
 * threads do not share a position.
 */
#include "lib/mail/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"

/* How often a name for the file is tried where O_TMPFILE is unknown. */
#define NAME_TRIES 16

struct Spool {
	gatomicrefcount references;
	char *folder;
	goffset limit;
	goffset length;
	int fd; /* -1 while there is none */
	goffset filed; /* bytes in the file */
	GByteArray *memory; /* those behind them */
};

Spool *spool_new(const char *folder, goffset limit)
{
	Spool *spool = g_new0(Spool, 1);

	g_atomic_ref_count_init(&spool->references);
	spool->folder = g_strdup(folder);
	spool->limit = limit;
	spool->memory = g_byte_array_sized_new(1024);
	spool->fd = -1;
	return spool;
}

Spool *spool_ref(Spool *spool)
{
	g_atomic_ref_count_inc(&spool->references);
	return spool;
}

void spool_unref(Spool *spool)
{
	if (spool == NULL || !g_atomic_ref_count_dec(&spool->references))
		return;
	g_byte_array_unref(spool->memory);
	if (spool->fd >= 0)
		close(spool->fd);
	g_free(spool->folder);
	g_free(spool);
}

/* File systems without O_TMPFILE: created with a random name, which goes away at once. */
static int open_unlinked(const char *folder)
{
	for (int i = 0; i < NAME_TRIES; i++) {
		g_autofree char *name = g_strdup_printf("%s/spool.%08x%08x", folder, g_random_int(),
							g_random_int());
		int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd >= 0 && unlink(name) < 0) {
			int saved = errno;

			close(fd);
			errno = saved;
			return -1;
		}
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

static int open_nameless(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		fd = open_unlinked(folder);
	return fd;
}

static gboolean write_all(int fd, const guint8 *data, gsize size, GError **error)
{
	while (size > 0) {
		gssize count = write(fd, data, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return error_set_errno(error, errno, "spool file");
		data += count;
		size -= (gsize)count;
	}
	return TRUE;
}

static gboolean to_file(Spool *spool, const guint8 *data, gsize size, GError **error)
{
	const char *folder = spool->folder != NULL ? spool->folder : g_get_tmp_dir();

	if (spool->fd < 0)
		spool->fd = open_nameless(folder);
	if (spool->fd < 0)
		return error_set_errno(error, errno, "spool file");
	if (!write_all(spool->fd, data, size, error))
		return FALSE;
	spool->filed += (goffset)size;
	return TRUE;
}

static gboolean empty_memory(Spool *spool, GError **error)
{
	if (!to_file(spool, spool->memory->data, spool->memory->len, error))
		return FALSE;
	g_byte_array_set_size(spool->memory, 0);
	return TRUE;
}

gboolean spool_append(Spool *spool, const void *data, gsize size, GError **error)
{
	if (spool->length > spool->limit || size > (guint64)(spool->limit - spool->length)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE,
			    "message over %" G_GOFFSET_FORMAT " bytes", spool->limit);
		return FALSE;
	}
	if (spool->memory->len + size > SPOOL_MEMORY && !empty_memory(spool, error))
		return FALSE;
	if (size > SPOOL_MEMORY && !to_file(spool, data, size, error))
		return FALSE;
	if (size > 0 && size <= SPOOL_MEMORY)
		g_byte_array_append(spool->memory, data, (guint)size);
	spool->length += (goffset)size;
	return TRUE;
}

goffset spool_length(const Spool *spool)
{
	return spool->length;
}

gssize spool_read(const Spool *spool, goffset at, void *buffer, gsize size, GError **error)
{
	gssize count;

	if (at < 0 || at >= spool->length || size == 0)
		return 0;
	if (at >= spool->filed) {
		size = (gsize)MIN((guint64)size, (guint64)(spool->length - at));
		memcpy(buffer, spool->memory->data + (at - spool->filed), size);
		return (gssize)size;
	}
	size = (gsize)MIN((guint64)size, (guint64)(spool->filed - at));
	do
		count = pread(spool->fd, buffer, size, at);
	while (count < 0 && errno == EINTR);
	if (count < 0) {
		error_set_errno(error, errno, "spool file");
		return -1;
	}
	if (count == 0) { /* shorter than what was written: never taken for the end */
		g_set_error(error, SEALPOST_ERROR, ERROR_IO, "spool file: cut off");
		return -1;
	}
	return count;
}

gssize spool_read_all(const Spool *spool, goffset at, void *buffer, gsize size, GError **error)
{
	gsize have = 0;

	while (have < size) {
		gssize got = spool_read(spool, at + (goffset)have, (char *)buffer + have,
					size - have, error);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (gsize)got;
	}
	return (gssize)have;
}

int spool_fd(const Spool *spool)
{
	return spool->fd;
}

typedef struct {
	Spool *spool;
	Range range;
	goffset at;
} SpoolSource;

static gssize range_read(void *self, void *buffer, gsize size, GError **error)
{
	SpoolSource *source = self;
	gsize left = (gsize)(source->range.end - source->at);
	gssize count = spool_read(source->spool, source->at, buffer, MIN(size, left), error);

	if (count > 0)
		source->at += count;
	return count;
}

static gboolean range_rewind(void *self, GError **error)
{
	SpoolSource *source = self;

	(void)error;
	source->at = source->range.start;
	return TRUE;
}

static goffset range_length(const void *self)
{
	const SpoolSource *source = self;

	return source->range.end - source->range.start;
}

static void range_destroy(void *self)
{
	SpoolSource *source = self;

	spool_unref(source->spool);
	g_free(source);
}

static const SourceClass range_class = {range_read, range_rewind, range_length, range_destroy};

Source *spool_source(Spool *spool, Range range)
{
	SpoolSource *source = g_new0(SpoolSource, 1);

	source->spool = spool_ref(spool);
	source->range.start = CLAMP(range.start, 0, spool->length);
	source->range.end = CLAMP(range.end, source->range.start, spool->length);
	source->at = source->range.start;
	return source_new(&range_class, source);
}

Source *spool_source_all(Spool *spool)
{
	Range all = {0, spool->length};

	return spool_source(spool, all);
}

static gboolean append_write(void *self, const void *data, gsize size, GError **error)
{
	return spool_append(self, data, size, error);
}

static void append_destroy(void *self)
{
	spool_unref(self);
}

static void append_restart(void *self)
{
	Spool *spool = self;

	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
	spool->filed = spool->length = 0;
	g_byte_array_set_size(spool->memory, 0);
}

static const SinkClass append_class = {append_write, append_destroy, append_restart};

Sink *spool_sink(Spool *spool)
{
	return sink_new(&append_class, spool_ref(spool));
}
