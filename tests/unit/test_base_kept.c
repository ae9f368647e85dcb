/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/kept.h"

#define KEPT_MAX 3

/* The values are counters of the references to them. */
static gpointer ref(gpointer value)
{
	g_atomic_int_inc((gint *)value);
	return value;
}

static void unref(gpointer value)
{
	g_atomic_int_add((gint *)value, -1);
}

static gboolean holds(Kept *kept, const char *name, gint *expected)
{
	gpointer value = NULL;
	gboolean found = kept_find(kept, name, &value);

	if (value)
		unref(value);
	return found && value == expected;
}

static gint64 in_ms(gint64 ms)
{
	return g_get_monotonic_time() + ms * 1000;
}

static void test_kept(void **state)
{
	Kept *kept = kept_new(KEPT_MAX, ref, unref);
	gint one = 0, two = 0;

	(void)state;
	assert_false(kept_find(kept, "a", NULL));
	kept_put(kept, "a", &one, G_MAXINT64);
	assert_true(holds(kept, "a", &one));
	kept_put(kept, "a", &two, G_MAXINT64);
	assert_true(holds(kept, "a", &two));
	kept_put(kept, "b", NULL, G_MAXINT64);
	assert_true(holds(kept, "b", NULL));
	assert_int_equal(one, 0);
	assert_int_equal(two, 1);
	kept_free(kept);
	assert_int_equal(two, 0);
	kept_free(NULL);
}

/* The value goes with its end, not only out of sight. */
static void test_over(void **state)
{
	Kept *kept = kept_new(KEPT_MAX, ref, unref);
	gint64 deadline = in_ms(5000);
	gint one = 0;

	(void)state;
	kept_put(kept, "a", &one, in_ms(20));
	while (kept_find(kept, "a", NULL) && g_get_monotonic_time() < deadline)
		g_usleep(1000);
	assert_false(kept_find(kept, "a", NULL));
	kept_put(kept, "b", NULL, G_MAXINT64);
	assert_int_equal(one, 0);
	kept_free(kept);
}

static void test_full(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	Kept *kept = kept_new(KEPT_MAX, ref, unref);
	gint one = 0;

	(void)state;
	for (gsize i = 0; i < KEPT_MAX; i++)
		kept_put(kept, names[i], &one, G_MAXINT64);
	kept_put(kept, "b", &one, G_MAXINT64); /* again: no room needed */
	assert_int_equal(one, KEPT_MAX);
	kept_put(kept, names[KEPT_MAX], &one, G_MAXINT64);
	assert_int_equal(one, 1);
	assert_false(kept_find(kept, "a", NULL));
	assert_true(holds(kept, "d", &one));
	kept_free(kept);
}

typedef struct {
	Kept *kept;
	gint value;
} Work;

static gpointer run(gpointer data)
{
	Work *work = data;

	for (int i = 0; i < 2000; i++) {
		g_autofree char *name = g_strdup_printf("%d", i % 7);
		gpointer found = NULL;

		kept_put(work->kept, name, &work->value, in_ms(1));
		if (kept_find(work->kept, name, &found))
			unref(found);
	}
	return NULL;
}

static void test_threads(void **state)
{
	Work work = {kept_new(KEPT_MAX, ref, unref), 0};
	GThread *threads[4];

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("work", run, &work);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	kept_free(work.kept);
	assert_int_equal(work.value, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("base/kept", tests, NULL, NULL);
}
