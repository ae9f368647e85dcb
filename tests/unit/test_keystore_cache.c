/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keystore/cache.h"

#define SECOND G_USEC_PER_SEC

static GPtrArray *one_candidate(void)
{
	GPtrArray *candidates = candidate_array_new();
	g_autoptr(GBytes) bytes = g_bytes_new_static("x", 1);

	g_ptr_array_add(candidates, candidate_new_malformed(KEY_SMIME, bytes));
	return candidates;
}

static gboolean known(Cache *cache, const char *address, gint64 now, guint expected)
{
	g_autoptr(GPtrArray) into = candidate_array_new();

	if (!cache_get(cache, address, now, into)) {
		assert_int_equal(into->len, 0);
		return FALSE;
	}
	assert_int_equal(into->len, expected);
	return TRUE;
}

static void test_times(void **state)
{
	g_autoptr(Cache) cache = cache_new(60, 5);
	g_autoptr(GPtrArray) some = one_candidate();
	g_autoptr(GPtrArray) none = candidate_array_new();

	(void)state;
	assert_false(known(cache, "a@x", 0, 0));
	cache_put(cache, "a@x", 0, some, 0);
	cache_put(cache, "b@x", 0, none, 0);
	assert_true(known(cache, "a@x", 59 * SECOND, 1));
	assert_false(known(cache, "a@x", 60 * SECOND, 0));
	assert_true(known(cache, "b@x", 4 * SECOND, 0));
	assert_false(known(cache, "b@x", 5 * SECOND, 0));
}

/* What the sources before this one found is not part of its answer. */
static void test_first(void **state)
{
	g_autoptr(Cache) cache = cache_new(60, 60);
	g_autoptr(GPtrArray) some = one_candidate();

	(void)state;
	cache_put(cache, "a@x", 0, some, 1);
	assert_true(known(cache, "a@x", 0, 0));
}

static void test_off(void **state)
{
	g_autoptr(Cache) cache = cache_new(0, 0);
	g_autoptr(GPtrArray) some = one_candidate();

	(void)state;
	cache_put(cache, "a@x", 0, some, 0);
	cache_put(cache, "b@x", 0, some, 1);
	assert_false(known(cache, "a@x", 0, 0));
	assert_false(known(cache, "b@x", 0, 0));
}

static void test_full(void **state)
{
	g_autoptr(Cache) cache = cache_new(60, 60);
	g_autoptr(GPtrArray) none = candidate_array_new();

	(void)state;
	for (int i = 0; i < CACHE_ENTRIES_MAX + 1; i++) {
		g_autofree char *address = g_strdup_printf("%d@x", i);
		cache_put(cache, address, i, none, 0);
	}
	/* The one that would have ended first made room. */
	assert_false(known(cache, "0@x", CACHE_ENTRIES_MAX, 0));
	assert_true(known(cache, "1@x", CACHE_ENTRIES_MAX, 0));
	assert_true(known(cache, "20000@x", CACHE_ENTRIES_MAX, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
