/* SPDX-License-Identifier: Apache-2.0
 *
 * What we protect with OpenPGP is opened and verified here by Sequoia's sq, an implementation that
 * shares no code with the gpg that made it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/pgp.h"
#include "lib/crypt/pgpkey.h"
#include "tests/unit/pgpmaker.h"

#define LIMIT (100 * 1024 * 1024)

typedef struct {
	PgpMaker *maker;
	PgpHome *home;
	char *alice, *peter, *rsa; /* fingerprints */
	GBytes *peter_key, *rsa_key; /* public */
	char *alice_cert, *peter_secret, *rsa_secret; /* files for sq */
} World;

static GPtrArray *keys_new(GBytes *first, ...)
{
	GPtrArray *keys = g_ptr_array_new();
	va_list args;

	va_start(args, first);
	for (GBytes *key = first; key; key = va_arg(args, GBytes *))
		g_ptr_array_add(keys, key);
	va_end(args);
	return keys;
}

static char *secret_file(PgpMaker *maker, const char *name, const char *fingerprint)
{
	g_autoptr(Secret) secret = pgp_maker_secret(maker, fingerprint);
	g_autoptr(GBytes) bytes = g_bytes_new(secret_bytes(secret), secret_size(secret));

	return pgp_maker_file(maker, name, bytes);
}

static int set_up(void **state)
{
	World *world = g_new0(World, 1);
	PgpMaker *maker = pgp_maker_new();
	g_autofree char *home = g_build_filename(maker->folder, "home", NULL);

	world->maker = maker;
	world->alice = pgp_maker_key(maker, "alice@firma.example", "future-default");
	world->peter = pgp_maker_key(maker, "peter@pgp.example", "future-default");
	world->rsa = pgp_maker_key(maker, "rsa@pgp.example", "rsa2048");
	world->peter_key = pgp_maker_public(maker, world->peter);
	world->rsa_key = pgp_maker_public(maker, world->rsa);
	g_autoptr(GBytes) alice_key = pgp_maker_public(maker, world->alice);
	world->alice_cert = pgp_maker_file(maker, "alice.pgp", alice_key);
	world->peter_secret = secret_file(maker, "peter.pgp", world->peter);
	world->rsa_secret = secret_file(maker, "rsa.pgp", world->rsa);
	world->home = pgp_home_open(home, NULL);
	assert_non_null(world->home);
	g_autoptr(Secret) alice = pgp_maker_secret(maker, world->alice);
	assert_true(
		pgp_home_need_secret(world->home, &(PgpOwnKey){world->alice, NULL, alice}, NULL));
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	pgp_home_close(world->home);
	pgp_maker_free(world->maker);
	g_bytes_unref(world->peter_key);
	g_bytes_unref(world->rsa_key);
	g_free(world->alice);
	g_free(world->peter);
	g_free(world->rsa);
	g_free(world->alice_cert);
	g_free(world->peter_secret);
	g_free(world->rsa_secret);
	g_free(world);
	return 0;
}

/* The new entity, or NULL with the error set. */
static char *protect(World *world, const PgpJob *job, GBytes *entity, gsize *size, GError **error)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	g_autoptr(Source) source = source_new_bytes(entity);

	if (!pgp_protect(world->home, job, source, sink, error))
		return NULL;
	*size = out->len;
	g_byte_array_append(out, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(g_steal_pointer(&out), FALSE);
}

/* Every line ends with CRLF, none is longer than 998 bytes, all is ASCII. */
static void assert_transport_safe(const char *text, gsize size)
{
	gsize line = 0;

	for (gsize i = 0; i < size; i++) {
		assert_true((guchar)text[i] < 0x80 && text[i] != '\0');
		if (text[i] == '\n')
			assert_true(i > 0 && text[i - 1] == '\r');
		line = text[i] == '\n' ? 0 : line + 1;
		assert_true(line <= 999);
	}
}

static char *boundary_of(const char *text)
{
	const char *start = strstr(text, "boundary=\"");

	assert_non_null(start);
	start += strlen("boundary=\"");
	return g_strndup(start, strcspn(start, "\""));
}

/* The armour in a multipart/encrypted as RFC 3156 section 4 has it. */
static GBytes *encrypted_part(const char *text, gsize size)
{
	g_autofree char *boundary = boundary_of(text);
	g_autofree char *version = g_strdup_printf(
		"\r\n\r\n--%s\r\nContent-Type: application/pgp-encrypted\r\n", boundary);
	g_autofree char *end = g_strdup_printf("\r\n--%s--\r\n", boundary);

	assert_transport_safe(text, size);
	assert_true(g_str_has_prefix(text, "Content-Type: multipart/encrypted; "
					   "protocol=\"application/pgp-encrypted\";"));
	assert_non_null(strstr(text, version));
	assert_non_null(strstr(text, "\r\n\r\nVersion: 1\r\n"));
	assert_true(g_str_has_suffix(text, end));
	const char *armor = strstr(text, "-----BEGIN PGP MESSAGE-----\r\n");
	assert_non_null(armor);
	assert_memory_equal(armor - 4, "\r\n\r\n", 4);
	return g_bytes_new(armor, size - (gsize)(armor - text) - strlen(end));
}

/* sq opens it with that secret key; alice's signature is demanded if signed. */
static GBytes *sq_decrypt(World *world, const char *secret, gboolean is_signed, GBytes *message)
{
	g_autofree char *file = pgp_maker_file(world->maker, "message.asc", message);
	const char *const plain[] = {"sq", "decrypt", "--recipient-key", secret, file, NULL};
	const char *const with[] = {"sq",
				    "decrypt",
				    "--recipient-key",
				    secret,
				    "--signer-cert",
				    world->alice_cert,
				    "-n",
				    "1",
				    file,
				    NULL};
	GBytes *inner = NULL;

	if (pgp_maker_run(is_signed ? with : plain, NULL, &inner) == 0)
		return inner;
	g_bytes_unref(inner);
	return NULL;
}

static GBytes *gpg_decrypt(World *world, GBytes *message)
{
	GBytes *inner = NULL;

	assert_int_equal(pgp_maker_gpg(world->maker, message, &inner, "--decrypt"), 0);
	return inner;
}

static GBytes *entity_named(const char *name)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (strcmp(name, "empty") == 0)
		return g_bytes_new_static("", 0);
	g_string_append(text, "Content-Type: text/plain; charset=utf-8\r\n"
			      "Content-Transfer-Encoding: 8bit\r\n\r\n");
	if (strcmp(name, "umlauts") == 0)
		g_string_append(text, "Grüße aus Köln: ÄÖÜß €\r\n\r\n- -- \r\nFrom me\r\n.\r\n");
	if (strcmp(name, "binary") == 0)
		for (int i = 0; i < 100000; i++)
			g_string_append_c(text, (char)(i * 7 + i / 256));
	if (strcmp(name, "at hold limit") == 0)
		while (text->len < 200 * 1024)
			g_string_append_printf(text, "%08x %d\r\n", g_random_int(), (int)text->len);
	return g_string_free_to_bytes(g_steal_pointer(&text));
}

static void assert_bytes(GBytes *a, GBytes *b)
{
	assert_non_null(a);
	assert_non_null(b);
	assert_true(g_bytes_equal(a, b));
}

static void test_encrypt(void **state)
{
	static const char *const names[] = {"empty", "umlauts", "binary", "at hold limit"};
	World *world = *state;
	g_autoptr(GPtrArray) keys = keys_new(world->peter_key, world->rsa_key, NULL);

	for (gsize i = 0; i < 2 * G_N_ELEMENTS(names); i++) {
		gboolean is_signed = i % 2;
		PgpJob job = {.signer = is_signed ? world->alice : NULL, .recipients = keys};
		g_autoptr(GBytes) entity = entity_named(names[i / 2]);
		g_autoptr(GError) error = NULL;
		gsize size = 0;
		g_autofree char *text = protect(world, &job, entity, &size, &error);
		if (error)
			print_message("# %s: %s\n", names[i / 2], error->message);
		assert_non_null(text);
		g_autoptr(GBytes) message = encrypted_part(text, size);
		g_autoptr(GBytes) by_peter =
			sq_decrypt(world, world->peter_secret, is_signed, message);
		g_autoptr(GBytes) by_rsa = sq_decrypt(world, world->rsa_secret, is_signed, message);
		g_autoptr(GBytes) by_gpg = gpg_decrypt(world, message);
		assert_bytes(by_peter, entity);
		assert_bytes(by_rsa, entity);
		assert_bytes(by_gpg, entity);
	}
}

/* What sq accepts as signed it does not accept from an unsigned message. */
static void test_unsigned_is_unsigned(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) keys = keys_new(world->peter_key, NULL);
	PgpJob job = {.recipients = keys};
	g_autoptr(GBytes) entity = entity_named("umlauts");
	gsize size = 0;

	g_autofree char *text = protect(world, &job, entity, &size, NULL);
	g_autoptr(GBytes) message = encrypted_part(text, size);
	assert_null(sq_decrypt(world, world->peter_secret, TRUE, message));
	/* ... and nobody but the recipient opens it. */
	assert_null(sq_decrypt(world, world->rsa_secret, FALSE, message));
}

static void test_head_of_output(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) keys = keys_new(world->peter_key, world->rsa_key, NULL);
	PgpJob job = {.recipients = keys};
	g_autoptr(GBytes) entity = entity_named("umlauts");
	gsize size = 0;

	g_autofree char *text = protect(world, &job, entity, &size, NULL);
	g_autoptr(GBytes) message = encrypted_part(text, size);
	g_autoptr(Source) source = source_new_bytes(message);
	g_autoptr(PgpHead) head = pgp_head_read(source, NULL);
	assert_non_null(head);
	assert_int_equal(head->key_ids->len, 2);
	assert_true(head->encrypted);
	assert_true(head->integrity);
	assert_false(head->signature);
}

static void test_same_key_twice(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) keys = keys_new(world->peter_key, world->peter_key, NULL);
	PgpJob job = {.signer = world->alice, .recipients = keys};
	g_autoptr(GBytes) entity = entity_named("umlauts");
	gsize size = 0;

	g_autofree char *text = protect(world, &job, entity, &size, NULL);
	assert_non_null(text);
	g_autoptr(GBytes) message = encrypted_part(text, size);
	g_autoptr(GBytes) inner = sq_decrypt(world, world->peter_secret, TRUE, message);
	assert_bytes(inner, entity);
}

/* The two parts of a multipart/signed (RFC 3156, section 5): what is signed, and the signature. */
static void signed_parts(const char *text, gsize size, GBytes **content, GBytes **signature)
{
	g_autofree char *boundary = boundary_of(text);
	g_autofree char *first = g_strdup_printf("\r\n\r\n--%s\r\n", boundary);
	g_autofree char *next = g_strdup_printf("\r\n--%s\r\n", boundary);
	g_autofree char *end = g_strdup_printf("\r\n--%s--\r\n", boundary);
	const char *start = g_strstr_len(text, (gssize)size, first);
	gsize length = 0;

	assert_non_null(start);
	start += strlen(first);
	/* The content may hold NUL: look for the boundary from the end. */
	const char *sig = g_strrstr_len(text, (gssize)(size - strlen(end)), next);
	assert_non_null(sig);
	length = (gsize)(sig - start);
	*content = g_bytes_new(start, length);
	const char *armor = strstr(sig, "-----BEGIN PGP SIGNATURE-----\r\n");
	assert_non_null(armor);
	assert_true(g_str_has_suffix(armor, end));
	*signature = g_bytes_new(armor, strlen(armor) - strlen(end));
	assert_transport_safe(sig, strlen(sig));
}

static void test_sign(void **state)
{
	static const char *const names[] = {"empty", "umlauts", "at hold limit"};
	World *world = *state;
	PgpJob job = {.signer = world->alice};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GBytes) entity = entity_named(names[i]);
		g_autoptr(GBytes) content = NULL;
		g_autoptr(GBytes) signature = NULL;
		gsize size = 0;
		g_autofree char *text = protect(world, &job, entity, &size, NULL);
		assert_non_null(text);
		assert_true(
			g_str_has_prefix(text, "Content-Type: multipart/signed; micalg=\"pgp-sha"));
		assert_non_null(strstr(text, "protocol=\"application/pgp-signature\""));
		signed_parts(text, size, &content, &signature);
		assert_bytes(content, entity);
		g_autofree char *file = pgp_maker_file(world->maker, "content", content);
		g_autofree char *sig = pgp_maker_file(world->maker, "content.asc", signature);
		const char *const verify[] = {
			"sq", "verify", "--signer-cert", world->alice_cert, "--detached", sig,
			file, NULL};
		assert_int_equal(pgp_maker_run(verify, NULL, NULL), 0);
		assert_int_equal(
			pgp_maker_gpg(world->maker, NULL, NULL, "--verify %s %s", sig, file), 0);
		/* A byte more: not that signature's content. */
		g_autoptr(GBytes) other = entity_named("binary");
		g_autofree char *changed = pgp_maker_file(world->maker, "changed", other);
		const char *const wrong[] = {
			"sq",	      "verify", "--signer-cert", world->alice_cert,
			"--detached", sig,	changed,	 NULL};
		assert_int_not_equal(pgp_maker_run(wrong, NULL, NULL), 0);
	}
}

/* A key that was taken out signs nothing, though gpg has its public half; and it can come again. */
static void test_forget(void **state)
{
	World *world = *state;
	PgpJob job = {.signer = world->alice};
	g_autoptr(GBytes) entity = entity_named("umlauts");
	g_autofree char *folder = g_build_filename(world->maker->folder, "home", NULL);
	g_autofree char *keys = g_build_filename(folder, "private-keys-v1.d", NULL);
	gsize size = 0;

	pgp_home_forget_secret(world->home, world->alice);
	g_autoptr(GDir) dir = g_dir_open(keys, 0, NULL);
	assert_null(g_dir_read_name(dir));
	g_auto(GStrv) there = pgp_home_secrets(world->home);
	assert_null(there[0]);
	g_autoptr(GError) error = NULL;
	assert_null(protect(world, &job, entity, &size, &error));
	assert_non_null(error);
	g_autoptr(Secret) alice = pgp_maker_secret(world->maker, world->alice);
	assert_true(
		pgp_home_need_secret(world->home, &(PgpOwnKey){world->alice, NULL, alice}, NULL));
	g_autofree char *text = protect(world, &job, entity, &size, NULL);
	assert_non_null(text);
}

/* gpg with our settings asks nobody, whomever it does not know: it would start dirmngr for that, which
 * stays and listens. */
static void test_no_network(void **state)
{
	World *world = *state;
	g_autofree char *folder = g_build_filename(world->maker->folder, "home", NULL);
	const char *const unknown[] = {"gpg",	    "--homedir", folder,
				       "--batch",   "--yes",	 "-o",
				       "/dev/null", "-r",	 "nobody@nowhere.invalid",
				       "-e",	    NULL};
	const char *const where[] = {"gpgconf",	    "--homedir",      folder,
				     "--list-dirs", "dirmngr-socket", NULL};
	g_autoptr(GBytes) text = g_bytes_new_static("x", 1);
	g_autoptr(GBytes) told = NULL;

	assert_int_not_equal(pgp_maker_run(unknown, text, NULL), 0);
	assert_int_equal(pgp_maker_run(where, NULL, &told), 0);
	g_autofree char *path = g_strndup(g_bytes_get_data(told, NULL), g_bytes_get_size(told));
	assert_true(g_str_has_suffix(g_strchomp(path), "S.dirmngr"));
	assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encrypt),	       cmocka_unit_test(test_unsigned_is_unsigned),
		cmocka_unit_test(test_head_of_output), cmocka_unit_test(test_same_key_twice),
		cmocka_unit_test(test_sign),	       cmocka_unit_test(test_forget),
		cmocka_unit_test(test_no_network),
	};

	return cmocka_run_group_tests_name("crypt/pgp", tests, set_up, tear_down);
}
