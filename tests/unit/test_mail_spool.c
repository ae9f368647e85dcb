/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/mail/spool.h"

#define LARGE (4 * 1024 * 1024)

static guint8 byte_at(gsize at)
{
	return (guint8)((at * 31) ^ (at >> 8) ^ (at >> 16));
}

/* A spool of size bytes, each told by its place, written in uneven pieces. */
static Spool *filled(gsize size)
{
	Spool *spool = spool_new(g_get_tmp_dir(), G_MAXINT64);
	g_autofree guint8 *data = g_malloc(size + 1);
	gsize at = 0;

	for (gsize i = 0; i < size; i++)
		data[i] = byte_at(i);
	for (gsize piece = 1; at < size; piece = piece * 3 % 50021) {
		gsize count = MIN(piece, size - at);

		assert_true(spool_append(spool, data + at, count, NULL));
		at += count;
	}
	return spool;
}

static void check_range(Spool *spool, goffset start, goffset end)
{
	Range range = {start, end};
	g_autoptr(Source) source = spool_source(spool, range);
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, LARGE);

	assert_int_equal(source_length(source), end - start);
	for (int round = 0; round < 2; round++) {
		g_byte_array_set_size(bytes, 0);
		assert_true(stream_copy(source, sink, NULL));
		assert_int_equal(bytes->len, end - start);
		for (guint i = 0; i < bytes->len; i++)
			if (bytes->data[i] != byte_at((gsize)start + i))
				fail_msg("byte %u differs", i);
		assert_true(source_rewind(source, NULL));
	}
}

static void test_sizes(void **state)
{
	static const gsize sizes[] = {0,    1, SPOOL_MEMORY - 1, SPOOL_MEMORY, SPOOL_MEMORY + 1,
				      LARGE};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(Spool) spool = filled(sizes[i]);
		goffset size = (goffset)sizes[i];
		guint8 byte;

		assert_int_equal(spool_length(spool), size);
		assert_int_equal(spool_fd(spool) >= 0, sizes[i] > SPOOL_MEMORY);
		check_range(spool, 0, size);
		check_range(spool, size / 3, size / 2);
		assert_int_equal(spool_read(spool, size, &byte, 1, NULL), 0);
		assert_int_equal(spool_read(spool, -1, &byte, 1, NULL), 0);
	}
}

/* Over the border between file and memory, and over the end. */
static void test_read_all(void **state)
{
	g_autoptr(Spool) spool = filled(LARGE);
	g_autofree guint8 *data = g_malloc(LARGE + 1);

	(void)state;
	assert_int_equal(spool_read_all(spool, 0, data, LARGE, NULL), LARGE);
	for (gsize i = 0; i < LARGE; i++)
		if (data[i] != byte_at(i))
			fail_msg("byte %zu differs", i);
	assert_int_equal(spool_read_all(spool, 5, data, LARGE + 1, NULL), LARGE - 5);
	assert_int_equal(spool_read_all(spool, LARGE, data, 1, NULL), 0);
}

static void test_file_has_no_name(void **state)
{
	g_autoptr(Spool) spool = filled(LARGE);
	struct stat status;

	(void)state;
	assert_int_equal(fstat(spool_fd(spool), &status), 0);
	assert_int_equal(status.st_nlink, 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	/* The end waits in memory. */
	assert_in_range(status.st_size, LARGE - SPOOL_MEMORY, LARGE);
}

static void test_range_clamped(void **state)
{
	g_autoptr(Spool) spool = filled(10);
	static const Range ranges[] = {{-5, 100}, {20, 30}, {8, 3}, {10, 10}};
	static const goffset lengths[] = {10, 0, 0, 0};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ranges); i++) {
		g_autoptr(Source) source = spool_source(spool, ranges[i]);
		guint8 buffer[16];

		assert_int_equal(source_length(source), lengths[i]);
		assert_int_equal(source_read(source, buffer, sizeof(buffer), NULL), lengths[i]);
	}
}

static void test_limit(void **state)
{
	g_autoptr(Spool) spool = spool_new(g_get_tmp_dir(), 10);
	g_autoptr(Sink) sink = spool_sink(spool);
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_true(sink_write(sink, "0123456789", 10, &error));
	assert_true(sink_write(sink, "", 0, &error));
	assert_false(sink_write(sink, "x", 1, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE));
	assert_int_equal(spool_length(spool), 10);
}

/* The kernel's file size limit stands for a full disk: writes fail in the same place. */
static void test_disk_full(void **state)
{
	struct rlimit old;
	struct rlimit small;
	g_autoptr(Spool) spool = spool_new(g_get_tmp_dir(), G_MAXINT64);
	g_autofree guint8 *data = g_malloc0(STREAM_CHUNK);
	g_autoptr(GError) error = NULL;
	gboolean written = TRUE;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 1024 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; written && i < 64; i++)
		written = spool_append(spool, data, STREAM_CHUNK, &error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(written);
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_DISK_FULL));
}

static void test_no_folder(void **state)
{
	g_autoptr(Spool) spool = spool_new("/nonexistent/folder", G_MAXINT64);
	g_autofree guint8 *data = g_malloc0(SPOOL_MEMORY + 1);
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_true(spool_append(spool, data, SPOOL_MEMORY, NULL));
	assert_false(spool_append(spool, data, 1, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_IO));
}

static gpointer read_all(gpointer data)
{
	Spool *spool = data;
	gsize wrong = 0;

	for (gsize at = 0; at < LARGE; at += 4093) {
		guint8 byte;

		if (spool_read(spool, (goffset)at, &byte, 1, NULL) != 1 || byte != byte_at(at))
			wrong++;
	}
	return GSIZE_TO_POINTER(wrong);
}

static void test_threads(void **state)
{
	g_autoptr(Spool) spool = filled(LARGE);
	GThread *threads[4];

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("reader", read_all, spool);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		assert_null(g_thread_join(threads[i]));
}

static void test_concat(void **state)
{
	g_autoptr(GBytes) first = g_bytes_new_static("Hello, ", 7);
	g_autoptr(GBytes) empty = g_bytes_new_static("", 0);
	g_autoptr(GBytes) second = g_bytes_new_static("world", 5);
	g_autoptr(Source) source = source_new_concat(
		source_new_concat(source_new_bytes(first), source_new_bytes(empty)),
		source_new_bytes(second));
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, 24);
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_int_equal(source_length(source), 12);
	assert_true(stream_copy(source, sink, NULL));
	assert_true(source_rewind(source, NULL));
	assert_true(stream_copy(source, sink, NULL));
	assert_memory_equal(bytes->data, "Hello, worldHello, world", 24);
	assert_false(sink_print(sink, &error, "%d", 1));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE));
	source_free(NULL);
	sink_free(NULL);
	spool_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	      cmocka_unit_test(test_file_has_no_name),
		cmocka_unit_test(test_range_clamped), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_disk_full),     cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_read_all),      cmocka_unit_test(test_threads),
		cmocka_unit_test(test_concat),
	};

	return cmocka_run_group_tests_name("mail spool", tests, NULL, NULL);
}
