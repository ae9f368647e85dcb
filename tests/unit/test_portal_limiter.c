/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting attempts, the gate, and who holds how much.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "portal/crowd.h"
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

/* A flood of keys is refused, and forgotten when its time is over or it was given back. */
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
	limiter_give_back(limiter, "key 7");
	assert_true(limiter_take(limiter, "one more", 2));
	assert_false(limiter_take(limiter, "key 7", 2));
	assert_true(limiter_take(limiter, "key 7", 61));
	limiter_free(limiter);
}

typedef struct {
	Gate *gate;
	gint inside;
	gint most;
} Waiters;

static gpointer go_through(gpointer data)
{
	Waiters *crowd = data;

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
	Waiters crowd = {.gate = gate_new(2)};
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

static void crowds(void **state)
{
	Crowd *crowd = crowd_new(2, 3);
	Crowd *endless = crowd_new(0, 0);

	(void)state;
	for (int round = 0; round < 3; round++) {
		assert_true(crowd_enter(crowd, "a") && crowd_enter(crowd, "a"));
		assert_false(crowd_has_room(crowd, "a"));
		assert_false(crowd_enter(crowd, "a"));
		assert_true(crowd_has_room(crowd, "b"));
		crowd_leave(crowd, "a");
		assert_true(crowd_enter(crowd, "a"));
		crowd_leave(crowd, "a");
		crowd_leave(crowd, "a");
		assert_true(crowd_enter(endless, "a"));
	}
	assert_true(crowd_enter(crowd, "a") && crowd_enter(crowd, "b") && crowd_enter(crowd, "c"));
	assert_false(crowd_has_room(crowd, "d") || crowd_enter(crowd, "d"));
	crowd_leave(crowd, "unknown");
	assert_false(crowd_has_room(crowd, "d"));
	crowd_leave(crowd, "b");
	assert_true(crowd_enter(crowd, "d"));
	crowd_free(crowd);
	crowd_free(endless);
}

/* One customer has a /64, and as many addresses as he likes. */
static void networks(void **state)
{
	static const char *const rows[][2] = {
		{"192.0.2.7", "192.0.2.7"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
		{"2001:db8:1:2:ffff::1", "2001:db8:1:2::"},
		{"2001:db8:1:3::1", "2001:db8:1:3::"},
		{"::ffff:192.0.2.7", "::ffff:192.0.2.7"},
	};
	static const char *const large[][2] = {
		{"192.0.2.7", ""},
		{"2001:db8:1:2::", "2001:db8:1::"},
		{"::ffff:192.0.2.7", ""},
		{"", ""},
	};
	char text[CROWD_NETWORK_SIZE];

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct sockaddr_in four = {.sin_family = AF_INET};
		struct sockaddr_in6 six = {.sin6_family = AF_INET6};
		gboolean is_four = inet_pton(AF_INET, rows[i][0], &four.sin_addr) == 1;

		if (!is_four)
			assert_int_equal(inet_pton(AF_INET6, rows[i][0], &six.sin6_addr), 1);
		crowd_network(is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six, text);
		assert_string_equal(text, rows[i][1]);
	}
	crowd_network(NULL, text);
	assert_string_equal(text, "");
	for (gsize i = 0; i < G_N_ELEMENTS(large); i++) {
		crowd_large_network(large[i][0], text);
		assert_string_equal(text, large[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_per_key),   cmocka_unit_test(good_ones_do_not_count),
		cmocka_unit_test(keys_are_bounded), cmocka_unit_test(gate_has_places),
		cmocka_unit_test(crowds),	    cmocka_unit_test(networks),
	};

	return cmocka_run_group_tests_name("portal_limiter", tests, NULL, NULL);
}
