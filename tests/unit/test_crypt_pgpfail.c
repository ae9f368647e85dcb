/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP under strain: keys that must be refused, an agent that dies or hangs, many threads, a
 * message of 30 MB, ends that fail; and that nothing is left behind.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/pgp.h"
#include "lib/crypt/pgpkey.h"
#include "tests/unit/pgpmaker.h"

#define LIMIT (100 * 1024 * 1024)

typedef struct {
	PgpMaker *maker;
	char *folder; /* of the home */
	PgpHome *home;
	char *alice, *peter;
	Secret *alice_secret;
	GBytes *peter_key, *entity;
} World;

static int set_up(void **state)
{
	World *world = g_new0(World, 1);
	PgpMaker *maker = pgp_maker_new();

	world->maker = maker;
	world->folder = g_build_filename(maker->folder, "home", NULL);
	world->alice = pgp_maker_key(maker, "alice@firma.example", "future-default");
	world->peter = pgp_maker_key(maker, "peter@pgp.example", "future-default");
	world->peter_key = pgp_maker_public(maker, world->peter);
	world->alice_secret = pgp_maker_secret(maker, world->alice);
	world->home = pgp_home_open(world->folder, NULL);
	assert_non_null(world->home);
	assert_true(pgp_home_need_secret(
		world->home, &(PgpOwnKey){world->alice, NULL, world->alice_secret}, NULL));
	world->entity = g_bytes_new_static("Content-Type: text/plain\r\n\r\nHello\r\n", 35);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	pgp_home_close(world->home);
	pgp_maker_free(world->maker);
	secret_free(world->alice_secret);
	g_bytes_unref(world->peter_key);
	g_bytes_unref(world->entity);
	g_free(world->alice);
	g_free(world->peter);
	g_free(world->folder);
	g_free(world);
	return 0;
}

/* Signs and encrypts to one key; TRUE, or the error. *out (may be NULL) gets the entity. */
static gboolean protect_to(PgpHome *home, const char *signer, GBytes *key, GBytes *entity,
			   GError **error)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	g_autoptr(Source) source = source_new_bytes(entity);
	PgpJob job = {.signer = signer, .recipients = keys};

	g_ptr_array_add(keys, key);
	return pgp_protect(home, &job, source, sink, error);
}

static void assert_works(World *world)
{
	g_autoptr(GError) error = NULL;

	if (!protect_to(world->home, world->alice, world->peter_key, world->entity, &error))
		print_message("# %s\n", error->message);
	assert_null(error);
}

static GBytes *exported(PgpMaker *maker, const char *address)
{
	GBytes *key = NULL;

	assert_int_equal(pgp_maker_gpg(maker, NULL, &key, "--export =<%s>", address), 0);
	return key;
}

static void test_refused_keys(void **state)
{
	World *world = *state;
	PgpMaker *maker = world->maker;
	g_autofree char *signs = pgp_maker_key(maker, "signs@u.example", "future-default/sign");
	g_autofree char *revoked = pgp_maker_key(maker, "revoked@u.example", "future-default");
	g_autoptr(GByteArray) two = g_byte_array_new();

	assert_int_equal(pgp_maker_gpg(maker, NULL, NULL,
				       "--faked-system-time 20210101T000000! --passphrase  "
				       "--quick-gen-key <old@u.example> future-default default 1y"),
			 0);
	pgp_maker_revoke(maker, revoked);
	GBytes *bad[] = {exported(maker, "signs@u.example"),
			 exported(maker, "revoked@u.example"),
			 exported(maker, "old@u.example"),
			 g_bytes_new_static("garbage", 7),
			 g_bytes_new_static("", 0),
			 g_bytes_new_from_bytes(world->peter_key, 0, 60)};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(protect_to(world->home, world->alice, bad[i], world->entity, &error));
		if (!g_error_matches(error, SEALPOST_ERROR, ERROR_KEY_UNUSABLE))
			print_message("# %d: %s\n", (int)i, error->message);
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_KEY_UNUSABLE));
		g_bytes_unref(bad[i]);
	}
	/* A good one beside a bad one: nothing either. */
	g_autoptr(GBytes) old = exported(maker, "old@u.example");
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	g_ptr_array_add(keys, world->peter_key);
	g_ptr_array_add(keys, old);
	g_autoptr(Sink) sink = sink_new_bytes(two, LIMIT);
	g_autoptr(Source) source = source_new_bytes(world->entity);
	PgpJob job = {.recipients = keys};
	assert_false(pgp_protect(world->home, &job, source, sink, NULL));
	assert_int_equal(two->len, 0);
	assert_works(world);
}

static void test_unknown_signer(void **state)
{
	World *world = *state;
	g_autoptr(GError) error = NULL;

	assert_false(
		protect_to(world->home, world->peter, world->peter_key, world->entity, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO));
}

static void test_need_secret(void **state)
{
	World *world = *state;
	g_autofree char *other = pgp_maker_key(world->maker, "other@firma.example", "rsa2048/sign");
	g_autoptr(Secret) secret = pgp_maker_secret(world->maker, other);
	g_autoptr(Secret) garbage = secret_random(300);
	g_autoptr(GError) error = NULL;

	assert_false(pgp_home_need_secret(world->home, &(PgpOwnKey){other, NULL, garbage}, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO));
	/* Another key than it is called. */
	assert_false(pgp_home_need_secret(world->home,
					  &(PgpOwnKey){other, NULL, world->alice_secret}, NULL));
	assert_true(pgp_home_need_secret(world->home, &(PgpOwnKey){other, NULL, secret}, NULL));
	/* Known already. What is there does not stand for another form that cannot be read. */
	assert_true(pgp_home_need_secret(world->home, &(PgpOwnKey){other, NULL, secret}, NULL));
	assert_false(pgp_home_need_secret(world->home, &(PgpOwnKey){other, NULL, garbage}, NULL));
	g_clear_error(&error);
	assert_true(protect_to(world->home, other, world->peter_key, world->entity, &error));
}

/* The agents whose command line names this folder. */
static GArray *agents_of(const char *folder)
{
	GArray *pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
	g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(proc))) {
		g_autofree char *path = g_strdup_printf("/proc/%s/cmdline", name);
		g_autofree char *line = NULL;
		gsize size;
		pid_t pid = (pid_t)g_ascii_strtoll(name, NULL, 10);
		if (pid <= 0 || !g_file_get_contents(path, &line, &size, NULL) ||
		    !g_str_has_prefix(line, "gpg-agent"))
			continue;
		for (gsize i = 0; i + 1 < size; i++) {
			if (line[i] == '\0')
				line[i] = ' ';
		}
		if (strstr(line, folder))
			g_array_append_val(pids, pid);
	}
	return pids;
}

static void signal_agents(const char *folder, int signal)
{
	g_autoptr(GArray) pids = agents_of(folder);

	assert_true(pids->len > 0);
	for (guint i = 0; i < pids->len; i++)
		kill(g_array_index(pids, pid_t, i), signal);
}

static void test_dead_agent(void **state)
{
	World *world = *state;

	for (int i = 0; i < 5; i++) {
		assert_works(world);
		signal_agents(world->folder, SIGKILL);
	}
	assert_works(world);
}

/* The working copy is gone (somebody cleans runtime folders): it is made again on demand. */
/* Revoked in the store while the gateway runs: its public bytes say so, the secret ones do not. */
static void test_other_form(void **state)
{
	World *world = *state;
	g_autofree char *own = pgp_maker_key(world->maker, "form@firma.example", "future-default");
	g_autoptr(Secret) secret = pgp_maker_secret(world->maker, own);
	g_autoptr(GBytes) before = pgp_maker_public(world->maker, own);
	PgpOwnKey key = {own, before, secret};
	g_autoptr(GError) error = NULL;

	assert_true(pgp_home_need_secret(world->home, &key, NULL));
	assert_true(protect_to(world->home, own, world->peter_key, world->entity, NULL));
	pgp_maker_revoke(world->maker, own);
	g_autoptr(GBytes) revoked = pgp_maker_public(world->maker, own);
	key.public_key = revoked;
	g_autofree char *form = pgp_own_form(&key);
	assert_false(pgp_home_has_secret(world->home, own, form));
	assert_true(pgp_home_need_secret(world->home, &key, NULL));
	assert_true(pgp_home_has_secret(world->home, own, form));
	assert_false(protect_to(world->home, own, world->peter_key, world->entity, &error));
}

static void test_lost_folder(void **state)
{
	World *world = *state;
	g_autofree char *folder = g_build_filename(world->maker->folder, "lost", NULL);
	g_autofree char *keys = g_build_filename(folder, "private-keys-v1.d", NULL);
	const char *const lost[] = {keys, folder};
	g_autoptr(PgpHome) home = pgp_home_open(folder, NULL);

	assert_non_null(home);
	assert_true(pgp_home_need_secret(
		home, &(PgpOwnKey){world->alice, NULL, world->alice_secret}, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(lost); i++) {
		const char *const argv[] = {"rm", "-rf", lost[i], NULL};
		g_autoptr(GError) error = NULL;

		assert_int_equal(pgp_maker_run(argv, NULL, NULL), 0);
		assert_true(pgp_home_need_secret(
			home, &(PgpOwnKey){world->alice, NULL, world->alice_secret}, &error));
		assert_true(
			protect_to(home, world->alice, world->peter_key, world->entity, &error));
	}
}

/* A second's time while the agent stands still; keys: NULL to sign only. TRUE: it timed out, as it
 * must. FALSE: it signed, for the agent that was stopped was no longer the one in use. */
static gboolean times_out(World *world, PgpHome *home, const char *folder, GPtrArray *keys)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	g_autoptr(Source) source = source_new_bytes(world->entity);
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();
	PgpJob job = {world->alice, keys, start + G_USEC_PER_SEC};

	signal_agents(folder, SIGSTOP);
	if (pgp_protect(home, &job, source, sink, &error)) {
		signal_agents(folder, SIGKILL);
		return FALSE;
	}
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	assert_int_equal(out->len, 0);
	assert_true(g_get_monotonic_time() - start < 15 * G_USEC_PER_SEC);
	return TRUE;
}

/* The deadline holds, whoever asks the agent (gpg for a signature alone, we for what is encrypted, too),
 * and the next message goes through. */
static void test_hung_agent(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) keys = g_ptr_array_new();

	g_ptr_array_add(keys, world->peter_key);
	for (int encrypted = 0; encrypted < 2; encrypted++) {
		gboolean timed_out = FALSE;

		for (int i = 0; i < 5 && !timed_out; i++) {
			assert_works(world);
			timed_out = times_out(world, world->home, world->folder,
					      encrypted ? keys : NULL);
		}
		assert_true(timed_out);
		assert_works(world);
	}
}

/* The same where no connection to the agent is at hand: it greets nobody. */
static gboolean greets_nobody(World *world, int number)
{
	g_autofree char *name = g_strdup_printf("silent-%d", number);
	g_autofree char *folder = g_build_filename(world->maker->folder, name, NULL);
	g_autoptr(PgpHome) home = pgp_home_open(folder, NULL);
	g_autoptr(GPtrArray) keys = g_ptr_array_new();

	g_ptr_array_add(keys, world->peter_key);
	assert_non_null(home);
	assert_true(pgp_home_need_secret(
		home, &(PgpOwnKey){world->alice, NULL, world->alice_secret}, NULL));
	gboolean timed_out = times_out(world, home, folder, keys);

	assert_true(protect_to(home, world->alice, world->peter_key, world->entity, NULL));
	return timed_out;
}

static void test_silent_agent(void **state)
{
	gboolean timed_out = FALSE;

	for (int i = 0; i < 5 && !timed_out; i++)
		timed_out = greets_nobody(*state, i);
	assert_true(timed_out);
}

static void test_deadline_over(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	g_autoptr(Source) source = source_new_bytes(world->entity);
	g_autoptr(GError) error = NULL;
	PgpJob job = {.recipients = keys, .deadline = g_get_monotonic_time() - 1};

	g_ptr_array_add(keys, world->peter_key);
	assert_false(pgp_protect(world->home, &job, source, sink, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_TIMEOUT));
	assert_int_equal(out->len, 0);
}

typedef struct {
	World *world;
	gint failures;
} Crew;

static gpointer work(gpointer data)
{
	Crew *crew = data;
	World *world = crew->world;

	for (int i = 0; i < 10; i++) {
		g_autoptr(GError) error = NULL;
		if (protect_to(world->home, i % 3 ? world->alice : NULL, world->peter_key,
			       world->entity, &error))
			continue;
		print_message("# %s\n", error->message);
		g_atomic_int_inc(&crew->failures);
	}
	return NULL;
}

/* Eight threads; meanwhile a new secret key comes in and the agent is killed once. */
static void test_threads(void **state)
{
	World *world = *state;
	Crew crew = {.world = world};
	GThread *threads[8];
	g_autofree char *late = pgp_maker_key(world->maker, "late@firma.example", "future-default");
	g_autoptr(Secret) secret = pgp_maker_secret(world->maker, late);

	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("work", work, &crew);
	g_usleep(G_USEC_PER_SEC / 10);
	assert_true(pgp_home_need_secret(world->home, &(PgpOwnKey){late, NULL, secret}, NULL));
	g_usleep(G_USEC_PER_SEC / 10);
	signal_agents(world->folder, SIGKILL);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	assert_int_equal(crew.failures, 0);
}

/* Numbers in lines, made as they are read: 30 MB that nobody holds. */
typedef struct {
	goffset at;
	goffset size;
	goffset fails_at; /* 0: never */
} Lines;

static guint8 line_byte(goffset at)
{
	goffset column = at % 64;

	if (column >= 62)
		return column == 62 ? '\r' : '\n';
	return (guint8)('A' + (at / 64 * 7 + column * 13 + at / 4096) % 26);
}

static gssize lines_read(void *self, void *buffer, gsize size, GError **error)
{
	Lines *lines = self;
	gsize n = (gsize)MIN((goffset)size, lines->size - lines->at);

	if (lines->fails_at && lines->at >= lines->fails_at) {
		g_set_error(error, SEALPOST_ERROR, ERROR_DISK_FULL, "no more");
		return -1;
	}
	for (gsize i = 0; i < n; i++)
		((guint8 *)buffer)[i] = line_byte(lines->at++);
	return (gssize)n;
}

static gboolean lines_rewind(void *self, GError **error)
{
	(void)error;
	((Lines *)self)->at = 0;
	return TRUE;
}

static goffset lines_length(const void *self)
{
	return ((const Lines *)self)->size;
}

static const SourceClass lines_class = {
	.read = lines_read, .rewind = lines_rewind, .length = lines_length};

/* 30 MB through both implementations, byte by byte the same. */
static void test_large(void **state)
{
	World *world = *state;
	Lines lines = {.size = 30 * 1024 * 1024};
	g_autoptr(Source) source = source_new(&lines_class, &lines);
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	/* A busy machine may take its time: the limit is not what is tested here. */
	PgpJob job = {.signer = world->alice,
		      .recipients = keys,
		      .deadline = g_get_monotonic_time() + 600 * G_USEC_PER_SEC};
	g_autoptr(GBytes) by_gpg = NULL;

	g_ptr_array_add(keys, world->peter_key);
	assert_true(pgp_protect(world->home, &job, source, sink, NULL));
	char *armor = g_strstr_len((char *)out->data, (gssize)out->len, "-----BEGIN PGP MESSAGE");
	assert_non_null(armor);
	g_autoptr(GBytes) message =
		g_bytes_new(armor, out->len - (gsize)(armor - (char *)out->data));
	assert_int_equal(pgp_maker_gpg(world->maker, message, &by_gpg, "--decrypt"), 0);
	gsize size;
	const guint8 *data = g_bytes_get_data(by_gpg, &size);
	assert_int_equal(size, lines.size);
	for (gsize i = 0; i < size; i++) {
		if (data[i] != line_byte((goffset)i))
			fail_msg("differs at %" G_GSIZE_FORMAT, i);
	}
}

static gboolean broken_write(void *self, const void *data, gsize size, GError **error)
{
	(void)self;
	(void)data;
	(void)size;
	g_set_error(error, SEALPOST_ERROR, ERROR_DISK_FULL, "no room");
	return FALSE;
}

static const SinkClass broken_class = {.write = broken_write};

/* What the ends report comes through as it is, and is no reason to try again. */
static void test_failing_ends(void **state)
{
	static const goffset sizes[] = {1000, 3 * 1024 * 1024};
	World *world = *state;
	g_autoptr(GPtrArray) keys = g_ptr_array_new();

	g_ptr_array_add(keys, world->peter_key);
	for (int i = 0; i < 8; i++) {
		gboolean source_fails = i & 1, encrypted = i & 2;
		Lines lines = {.size = sizes[i / 4], .fails_at = source_fails ? 512 : 0};
		g_autoptr(Source) source = source_new(&lines_class, &lines);
		g_autoptr(GByteArray) out = g_byte_array_new();
		g_autoptr(Sink) sink =
			source_fails ? sink_new_bytes(out, LIMIT) : sink_new(&broken_class, NULL);
		g_autoptr(GError) error = NULL;
		PgpJob job = {.signer = world->alice, .recipients = encrypted ? keys : NULL};
		if (sizes[i / 4] == 1000 && source_fails)
			lines.fails_at = 1; /* at the second read */
		assert_false(pgp_protect(world->home, &job, source, sink, &error));
		if (!g_error_matches(error, SEALPOST_ERROR, ERROR_DISK_FULL))
			print_message("# %d: %s\n", i, error->message);
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_DISK_FULL));
	}
	assert_works(world);
}

/* gpg's sockets do not fit below a folder as deep as this: it works all the same, and what was
 * made for it is gone afterwards. */
static void test_long_folder(void **state)
{
	World *world = *state;
	g_autofree char *deep = g_strnfill(150, 'd');
	g_autofree char *folder = g_build_filename(world->maker->folder, deep, "home", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(PgpHome) home = pgp_home_open(folder, &error);

	assert_non_null(home);
	assert_true(pgp_home_need_secret(
		home, &(PgpOwnKey){world->alice, NULL, world->alice_secret}, &error));
	assert_true(protect_to(home, world->alice, world->peter_key, world->entity, &error));
}

static guint count_files(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	guint count = 0;

	while (dir && g_dir_read_name(dir))
		count++;
	return count;
}

/* Secret keys lie unprotected in the folder: only as long as it is in use. */
static void test_secrets_go(void **state)
{
	World *world = *state;
	g_autofree char *folder = g_build_filename(world->maker->folder, "passing", NULL);
	g_autofree char *keys = g_build_filename(folder, "private-keys-v1.d", NULL);
	g_autofree char *left = g_build_filename(keys, "left-by-a-crash.key", NULL);
	PgpHome *home = pgp_home_open(folder, NULL);

	assert_non_null(home);
	assert_true(pgp_home_need_secret(
		home, &(PgpOwnKey){world->alice, NULL, world->alice_secret}, NULL));
	assert_int_not_equal(count_files(keys), 0);
	pgp_home_close(home);
	assert_int_equal(count_files(keys), 0);
	assert_true(g_file_set_contents(left, "x", 1, NULL));
	home = pgp_home_open(folder, NULL);
	assert_int_equal(count_files(keys), 0);
	assert_true(pgp_home_need_secret(
		home, &(PgpOwnKey){world->alice, NULL, world->alice_secret}, NULL));
	assert_true(protect_to(home, world->alice, world->peter_key, world->entity, NULL));
	pgp_home_close(home);
}

static void test_bad_folders(void **state)
{
	World *world = *state;
	g_autofree char *file = g_build_filename(world->maker->folder, "file", NULL);
	g_autofree char *open_to_all = g_build_filename(world->maker->folder, "open", NULL);
	g_autoptr(GError) error = NULL;

	assert_true(g_file_set_contents(file, "", 0, NULL));
	assert_null(pgp_home_open(file, &error));
	assert_non_null(error);
	g_clear_error(&error);
	assert_int_equal(g_mkdir_with_parents(open_to_all, 0755), 0);
	assert_null(pgp_home_open(open_to_all, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG));
}

static guint count_links(void)
{
	g_autoptr(GDir) tmp = g_dir_open("/tmp", 0, NULL);
	g_autofree char *prefix = g_strdup_printf("sealpost-%ld-", (long)getpid());
	const char *name;
	guint count = 0;

	while ((name = g_dir_read_name(tmp)))
		count += g_str_has_prefix(name, prefix);
	return count;
}

/* Last: after closing there is no agent and no folder of ours in /tmp. */
static void test_nothing_left(void **state)
{
	World *world = *state;

	assert_works(world);
	g_autoptr(GArray) running = agents_of(world->folder);
	assert_int_equal(running->len, 1);
	pgp_home_close(world->home);
	world->home = NULL;
	for (int i = 0; i < 100; i++) {
		g_autoptr(GArray) left = agents_of(world->folder);
		if (left->len == 0)
			break;
		g_usleep(G_USEC_PER_SEC / 100);
	}
	g_autoptr(GArray) left = agents_of(world->folder);
	assert_int_equal(left->len, 0);
	assert_int_equal(count_links(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_keys),  cmocka_unit_test(test_unknown_signer),
		cmocka_unit_test(test_need_secret),   cmocka_unit_test(test_dead_agent),
		cmocka_unit_test(test_other_form),    cmocka_unit_test(test_lost_folder),
		cmocka_unit_test(test_hung_agent),    cmocka_unit_test(test_silent_agent),
		cmocka_unit_test(test_deadline_over), cmocka_unit_test(test_threads),
		cmocka_unit_test(test_large),	      cmocka_unit_test(test_failing_ends),
		cmocka_unit_test(test_long_folder),   cmocka_unit_test(test_secrets_go),
		cmocka_unit_test(test_bad_folders),   cmocka_unit_test(test_nothing_left),
	};

	return cmocka_run_group_tests_name("crypt/pgp under strain", tests, set_up, tear_down);
}
