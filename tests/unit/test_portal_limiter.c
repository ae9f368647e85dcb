/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting attempts, and the gate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "portal/limiter.h"

static void counts_per_key(void **state)
{
	Limiter *limiter = limiter_new(3, 60);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(limiter_take(limiter, "a", 1000));
	assert_false(limiter_take(limiter, "a", 1001));
	assert_true(limiter_take(limiter, "b", 1001));
	assert_false(limiter_take(limiter, "a", 1059));
	assert_true(limiter_take(limiter, "a", 1060));
	limiter_free(limiter);
}

static void good_ones_do_not_count(void **state)
{
	Limiter *limiter = limiter_new(1, 60);

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_true(limiter_take(limiter, "a", 1));
		limiter_give_back(limiter, "a");
	}
	limiter_give_back(limiter, "a");
	limiter_give_back(limiter, "unknown");
	assert_true(limiter_take(limiter, "a", 1));
	assert_false(limiter_take(limiter, "a", 1));
	limiter_free(limiter);
}

/* A flood of keys is refused, and forgotten when its time is over. */
static void keys_are_bounded(void **state)
{
	Limiter *limiter = limiter_new(1, 60);
	char key[32];

	(void)state;
	for (int i = 0; i < LIMITER_KEYS_MAX; i++) {
		g_snprintf(key, sizeof(key), "key %d", i);
		assert_true(limiter_take(limiter, key, 1));
	}
	assert_false(limiter_take(limiter, "one more", 2));
	assert_true(limiter_take(limiter, "one more", 61));
	limiter_free(limiter);
}

typedef struct {
	Gate *gate;
	gint inside;
	gint most;
} Crowd;

static gpointer go_through(gpointer data)
{
	Crowd *crowd = data;

	for (int i = 0; i < 20; i++) {
		gint now;

		assert_true(gate_enter(crowd->gate, g_get_monotonic_time() + 20 * G_USEC_PER_SEC));
		now = g_atomic_int_add(&crowd->inside, 1) + 1;
		if (now > g_atomic_int_get(&crowd->most))
			g_atomic_int_set(&crowd->most, now);
		g_usleep(500);
		g_atomic_int_add(&crowd->inside, -1);
		gate_leave(crowd->gate);
	}
	return NULL;
}

static void gate_has_places(void **state)
{
	Crowd crowd = {.gate = gate_new(2)};
	GThread *threads[6];

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("visitor", go_through, &crowd);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	assert_in_range(crowd.most, 1, 2);
	assert_true(gate_enter(crowd.gate, 0));
	assert_true(gate_enter(crowd.gate, 0));
	assert_false(gate_enter(crowd.gate, g_get_monotonic_time() + 1000));
	gate_free(crowd.gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_per_key),
		cmocka_unit_test(good_ones_do_not_count),
		cmocka_unit_test(keys_are_bounded),
		cmocka_unit_test(gate_has_places),
	};

	return cmocka_run_group_tests_name("portal_limiter", tests, NULL, NULL);
}
