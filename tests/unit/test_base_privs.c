/* SPDX-License-Identifier: Apache-2.0
 *
 * What a daemon gives up, and what it gets. It is for good: nothing comes behind the last test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/privs.h"

/* Both without a change to this process. */
static void root_is_told_so(void **state)
{
	g_autoptr(GError) error = NULL;
	gboolean root = geteuid() == 0;

	(void)state;
	for (int empty = 0; empty < 2; empty++) {
		assert_int_equal(privs_drop(empty ? "" : NULL, &error), !root);
		assert_int_equal(g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG), root);
		g_clear_error(&error);
	}
	assert_int_equal(privs_drop("root", NULL), root);
	assert_false(privs_drop("nobody-of-that-name", NULL));
}

static void locks_down(void **state)
{
	struct rlimit files, core;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = MIN(files.rlim_max, 64);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_true(privs_lock_down(FALSE, NULL));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(files.rlim_cur, MIN(files.rlim_max, PRIVS_FILES));
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_int_equal(core.rlim_max, 1);
	assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_is_told_so),
		cmocka_unit_test(locks_down),
	};

	return cmocka_run_group_tests_name("base_privs", tests, NULL, NULL);
}
