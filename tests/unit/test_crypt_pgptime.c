/* SPDX-License-Identifier: Apache-2.0
 *
 * A gpg that does not come to an end: the deadline does, whatever it is doing, and nothing of its
 * passing folders is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/pgp.h"
#include "lib/crypt/pgp_open.h"
#include "lib/crypt/pgpkey.h"
#include "tests/unit/pgpmaker.h"

#define LIMIT 100000

/* Where there is a file "stuck", it makes files in its home for as long as it can, and is counted. */
#define STUCK                                                                                      \
	"for word; do [ \"$last\" != --homedir ] || home=$word; last=$word; done\n"                \
	"cd %s\n"                                                                                  \
	"[ ! -e stuck ] || printf x >>runs\n"                                                      \
	"while [ -e stuck ]; do : >\"$home/junk$((i = i + 1))\"; done 2>/dev/null"

typedef struct {
	PgpMaker *maker;
	PgpHome *home;
	char *folder; /* of the home */
	char *stuck, *runs;
	char *sender;
	GBytes *key, *clear;
} World;

static int set_up(void **state)
{
	World *world = g_new0(World, 1);
	PgpMaker *maker = pgp_maker_new();
	g_autofree char *lines = g_strdup_printf(STUCK, maker->folder);
	g_autoptr(GBytes) text = g_bytes_new_static("Hello\n", 6);

	world->maker = maker;
	world->folder = g_build_filename(maker->folder, "home", NULL);
	world->stuck = g_build_filename(maker->folder, "stuck", NULL);
	world->runs = g_build_filename(maker->folder, "runs", NULL);
	pgp_maker_wrap(maker, lines);
	world->home = pgp_home_open(world->folder, NULL);
	world->sender = pgp_maker_key(maker, "sender@out.example", "future-default");
	world->key = pgp_maker_public(maker, world->sender);
	assert_int_equal(pgp_maker_gpg(maker, text, &world->clear, "--clearsign"), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	pgp_home_close(world->home);
	pgp_maker_free(world->maker);
	g_bytes_unref(world->key);
	g_bytes_unref(world->clear);
	g_free(world->sender);
	g_free(world->folder);
	g_free(world->stuck);
	g_free(world->runs);
	g_free(world);
	return 0;
}

static void get_stuck(World *world)
{
	assert_true(g_file_set_contents(world->runs, "", 0, NULL));
	assert_true(g_file_set_contents(world->stuck, "", 0, NULL));
}

/* After each test, also one that failed: the maker's gpg would get stuck, too. */
static int get_going(void **state)
{
	World *world = *state;

	unlink(world->stuck);
	return 0;
}

/* No more than one gpg got stuck meanwhile. */
static void assert_one_run(const World *world)
{
	g_autofree char *text = NULL;
	gsize size = 0;

	assert_true(g_file_get_contents(world->runs, &text, &size, NULL));
	assert_true(size <= 1);
}

static void assert_none_like(const char *folder, const char *prefix)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir)))
		assert_false(g_str_has_prefix(name, prefix));
}

static GPtrArray *verify(World *world, gint64 deadline, GError **error)
{
	g_autoptr(GPtrArray) signers = g_ptr_array_new();
	g_autoptr(Source) source = source_new_bytes(world->clear);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	PgpOpenJob job = {.signers = signers, .deadline = deadline};
	PgpSigned signed_thing = {.signature = source, .plain = sink};

	g_ptr_array_add(signers, world->key);
	return pgp_verify(world->home, &job, &signed_thing, error);
}

/* In a visiting home: the look at the key is over at the message's deadline, not at one of its own
 * after which the message would be tried, too late. */
static void test_visit(void **state)
{
	World *world = *state;
	g_autoptr(GError) error = NULL;

	get_stuck(world);
	assert_null(verify(world, g_get_monotonic_time() + G_USEC_PER_SEC, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	assert_none_like(world->folder, "run-");
	assert_one_run(world);
	get_going(state);
	g_autoptr(GPtrArray) signatures = verify(world, 0, NULL);

	assert_int_equal(signatures->len, 1);
	assert_string_equal(((PgpSignature *)signatures->pdata[0])->result, "good");
}

/* Where a key is read. */
static void test_reading(void **state)
{
	World *world = *state;
	g_autoptr(GError) error = NULL;

	get_stuck(world);
	assert_null(pgpkey_read(world->key, NULL, world->maker->folder,
				g_get_monotonic_time() + G_USEC_PER_SEC, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	assert_none_like(world->maker->folder, "gpg-");
	assert_one_run(world);
	get_going(state);
	g_autoptr(GPtrArray) keys = pgpkey_read(world->key, NULL, world->maker->folder, 0, NULL);

	assert_int_equal(keys->len, 1);
}

/* Where an own key is brought; the next try brings it. */
static void test_bringing(void **state)
{
	World *world = *state;
	g_autoptr(Secret) secret = pgp_maker_secret(world->maker, world->sender);
	PgpOwnKey own = {world->sender, world->key, secret, 0};
	g_autoptr(GError) error = NULL;

	get_stuck(world);
	own.deadline = g_get_monotonic_time() + G_USEC_PER_SEC;
	assert_false(pgp_home_need_secret(world->home, &own, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	assert_one_run(world);
	get_going(state);
	own.deadline = 0;
	assert_true(pgp_home_need_secret(world->home, &own, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_visit, get_going),
		cmocka_unit_test_teardown(test_reading, get_going),
		cmocka_unit_test_teardown(test_bringing, get_going),
	};

	return cmocka_run_group_tests_name("crypt/pgptime", tests, set_up, tear_down);
}
