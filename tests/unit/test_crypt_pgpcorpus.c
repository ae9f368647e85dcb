/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP keys and messages as they really are: every key file and every raw message of the corpus
 * of other projects' test data, where there is one (SEALPOST_CORPUS; it is no part of Sealpost).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/pgp_open.h"
#include "lib/crypt/pgpkey.h"
#include "tests/unit/pgpmaker.h"

typedef struct {
	PgpMaker *maker;
	char *folder; /* for passing homes */
	char *corpus; /* NULL: there is none */
	char *manifest;
	PgpHome *home; /* for the keys of one family: some keys are there in several forms */
	char *family;
	GHashTable *brought; /* path of a key file -> array of fingerprints that came from it */
	guint opened;
} World;

/* Columns of the manifest. */
enum { PATH, FAMILY, KIND, STRUCTURE, KEY, PASSPHRASE, OPEN, OPEN_BY, INNER, NOTE = 12, COLUMNS };

static int set_up(void **state)
{
	World *world = g_new0(World, 1);
	const char *source = g_getenv("srcdir"), *given = g_getenv("SEALPOST_CORPUS");
	g_autofree char *corpus =
		given ? g_strdup(given)
		      : g_build_filename(source ? source : ".", "..", "shared", "corpus", NULL);
	g_autofree char *manifest = g_build_filename(corpus, "manifest.tsv", NULL);

	if (g_file_get_contents(manifest, &world->manifest, NULL, NULL))
		world->corpus = g_steal_pointer(&corpus);
	else
		print_message("# no corpus: other people's OpenPGP is left out\n");
	world->brought = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					       (GDestroyNotify)g_ptr_array_unref);
	world->maker = pgp_maker_new();
	world->folder = g_build_filename(world->maker->folder, "passing", NULL);
	assert_int_equal(g_mkdir_with_parents(world->folder, 0700), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	pgp_home_close(world->home);
	pgp_maker_free(world->maker);
	g_free(world->folder);
	g_free(world->corpus);
	g_free(world->manifest);
	g_free(world->family);
	g_hash_table_unref(world->brought);
	g_free(world);
	return 0;
}

static GBytes *read_file(World *world, const char *path)
{
	g_autofree char *full = g_build_filename(world->corpus, path, NULL);
	char *text = NULL;
	gsize size;

	assert_true(g_file_get_contents(full, &text, &size, NULL));
	return g_bytes_new_take(text, size);
}

static Secret *passphrase_of(char **row)
{
	const char *text = row[PASSPHRASE];

	if (strcmp(text, "-") == 0 || strcmp(text, "?") == 0)
		return NULL;
	g_autofree char *copy = g_strdup(strcmp(text, "(empty)") == 0 ? "" : text);
	return secret_take(copy, strlen(copy));
}

/* Calls check for each row of that kind, in the manifest's order. */
static void for_each(World *world, const char *kind, void (*check)(World *, char **))
{
	g_auto(GStrv) lines = g_strsplit(world->manifest, "\n", -1);
	guint count = 0;

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) row = g_strsplit(*line, "\t", -1);
		if (g_strv_length(row) < COLUMNS || !g_str_has_prefix(row[KIND], kind))
			continue;
		check(world, row);
		count++;
	}
	assert_true(count > 0);
}

static void check_key(const PgpKey *key)
{
	assert_int_equal(strlen(key->fingerprint), 40);
	assert_true(g_bytes_get_size(key->bytes) > 0);
	assert_int_equal(key->can_encrypt, key->encryption_ids[0] != NULL);
	if (key->revoked || key->expired)
		assert_false(key->can_encrypt);
	assert_non_null(key->algorithm);
}

/* Which failures may be: a file of which gpg makes a key gives a key. */
static gboolean may_fail(char **row, const GError *error)
{
	if (g_error_matches(error, SEALPOST_ERROR, ERROR_PASSPHRASE))
		return strcmp(row[OPEN], "yes") != 0;
	if (!g_error_matches(error, SEALPOST_ERROR, ERROR_MALFORMED) &&
	    !g_error_matches(error, SEALPOST_ERROR, ERROR_UNSUPPORTED))
		return FALSE;
	return strcmp(row[OPEN], "yes") != 0 &&
	       (strcmp(row[OPEN], "?") == 0 || strstr(row[NOTE], "gpg reads no key") ||
		strstr(row[NOTE], "invalid") || strstr(row[NOTE], "revocation certificate"));
}

static void check_key_file(World *world, char **row)
{
	g_autoptr(GBytes) file = read_file(world, row[PATH]);
	g_autoptr(Secret) passphrase = passphrase_of(row);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) keys = pgpkey_read(file, passphrase, world->folder, 0, &error);
	gboolean secret = FALSE;

	for (guint i = 0; keys && i < keys->len; i++) {
		const PgpKey *key = keys->pdata[i];
		check_key(key);
		secret = secret || key->secret;
	}
	if (error && !may_fail(row, error))
		fail_msg("%s: %s", row[PATH], error->message);
	if (keys && strcmp(row[KIND], "pgp-secret-key") == 0 && strcmp(row[OPEN], "yes") == 0 &&
	    !secret)
		fail_msg("%s: no secret key", row[PATH]);
	if (keys && strcmp(row[OPEN], "no") == 0 && secret)
		fail_msg("%s: opened", row[PATH]);
}

static void test_public_keys(void **state)
{
	World *world = *state;
	if (!world->corpus)
		return;
	for_each(world, "pgp-public-key", check_key_file);
}

static void test_secret_keys(void **state)
{
	World *world = *state;
	if (!world->corpus)
		return;
	for_each(world, "pgp-secret-key", check_key_file);
}

/* gpg opens nothing without integrity protection, so what it opened has it. */
static void check_message(World *world, char **row)
{
	g_autoptr(GBytes) file = read_file(world, row[PATH]);
	g_autoptr(Source) source = source_new_bytes(file);
	g_autoptr(GError) error = NULL;
	g_autoptr(PgpHead) head = pgp_head_read(source, &error);
	gboolean open = strcmp(row[OPEN], "yes") == 0;

	if (open && !(head && head->encrypted && head->integrity))
		fail_msg("%s: %s", row[PATH], head ? "not seen as protected" : error->message);
	if (head && head->encrypted && !g_str_has_prefix(row[STRUCTURE], "pgp-encrypted"))
		fail_msg("%s: seen as encrypted", row[PATH]);
}

static void test_messages(void **state)
{
	World *world = *state;
	if (!world->corpus)
		return;
	for_each(world, "pgp-message", check_message);
}

static void change_home(World *world, const char *family)
{
	g_autofree char *folder = g_build_filename(world->maker->folder, family, NULL);

	if (g_strcmp0(world->family, family) == 0)
		return;
	pgp_home_close(world->home);
	world->home = pgp_home_open(folder, NULL);
	assert_non_null(world->home);
	g_free(world->family);
	world->family = g_strdup(family);
	g_hash_table_remove_all(world->brought);
}

/* The fingerprints of the secret keys in the file that the manifest names, brought into the home. */
static GPtrArray *bring_keys(World *world, char **row)
{
	GPtrArray *fingerprints = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *path = g_build_filename(world->corpus, row[KEY], NULL);
	g_autoptr(Secret) passphrase = passphrase_of(row);
	g_autofree char *text = NULL;
	gsize size;

	if (!g_file_get_contents(path, &text, &size, NULL))
		return fingerprints;
	g_autoptr(GBytes) file = g_bytes_new_take(g_steal_pointer(&text), size);
	g_autoptr(GPtrArray) keys = pgpkey_read(file, passphrase, world->folder, 0, NULL);
	for (guint i = 0; keys && i < keys->len; i++) {
		const PgpKey *key = keys->pdata[i];
		if (!key->secret)
			continue;
		assert_true(pgp_home_need_secret(
			world->home, &(PgpOwnKey){key->fingerprint, NULL, key->secret}, NULL));
		g_ptr_array_add(fingerprints, g_strdup(key->fingerprint));
	}
	return fingerprints;
}

/* The first armoured message in a mail; a raw file as it is. */
static GBytes *message_in(World *world, char **row)
{
	g_autoptr(GBytes) file = read_file(world, row[PATH]);
	gsize size;
	const char *text = g_bytes_get_data(file, &size);

	if (strcmp(row[KIND], "pgp-message") == 0)
		return g_steal_pointer(&file);
	const char *begin = g_strstr_len(text, (gssize)size, "-----BEGIN PGP MESSAGE-----");
	return begin ? g_bytes_new(begin, size - (gsize)(begin - text)) : NULL;
}

static void check_open(World *world, char **row)
{
	gboolean open = strcmp(row[OPEN], "yes") == 0 && strstr(row[OPEN_BY], "gpg");
	g_autoptr(GBytes) message = NULL;

	if (!g_str_has_prefix(row[STRUCTURE], "pgp-encrypted") || !strchr(row[KEY], '/'))
		return;
	change_home(world, row[FAMILY]);
	message = message_in(world, row);
	GPtrArray *secrets = g_hash_table_lookup(world->brought, row[KEY]);
	if (!secrets) {
		secrets = bring_keys(world, row);
		g_hash_table_insert(world->brought, g_strdup(row[KEY]), secrets);
	}
	if (!message || secrets->len == 0)
		return;
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, 64 * 1024 * 1024);
	g_autoptr(Source) source = source_new_bytes(message);
	g_autoptr(GError) error = NULL;
	PgpOpenJob job = {.secrets = secrets};
	g_autoptr(PgpOpened) opened = pgp_open(world->home, &job, source, sink, &error);
	g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, out->data, out->len);
	if (!opened)
		fail_msg("%s: %s", row[PATH], error->message);
	/* Of two layers the manifest's word is about both; we take one off. */
	if (opened->opened != open && !strstr(row[STRUCTURE], ">pgp-encrypted"))
		fail_msg("%s: %s", row[PATH], open ? opened->reason : "opened");
	if (opened->opened && strcmp(sum, row[INNER]) != 0)
		fail_msg("%s: other bytes came out", row[PATH]);
	world->opened += opened->opened;
}

static void test_open(void **state)
{
	World *world = *state;

	if (!world->corpus)
		return;
	for_each(world, "pgp-message", check_open);
	for_each(world, "mime-pgp", check_open);
	assert_true(world->opened > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public_keys),
		cmocka_unit_test(test_secret_keys),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests_name("crypt/pgp and the corpus", tests, set_up, tear_down);
}
