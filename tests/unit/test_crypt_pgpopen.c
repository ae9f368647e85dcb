/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP on the way in: messages made by sq and gpg are opened, those of others stay shut, and
 * signatures are called what they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/pgp_open.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgppacket.h"
#include "tests/unit/pgpmaker.h"

#define LIMIT (10 * 1024 * 1024)
#define TEXT "Content-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n"

typedef struct {
	PgpMaker *maker;
	PgpHome *home;
	char *folder; /* of the home */
	char *alice, *bob, *sender; /* fingerprints; alice and bob are ours */
	GBytes *alice_key, *sender_key, *text;
	char *alice_file, *bob_file, *sender_file, *text_file; /* for sq */
} World;

static void bring(World *world, const char *fingerprint)
{
	g_autoptr(Secret) secret = pgp_maker_secret(world->maker, fingerprint);

	assert_true(
		pgp_home_need_secret(world->home, &(PgpOwnKey){fingerprint, NULL, secret}, NULL));
}

static char *key_file(World *world, const char *name, const char *fingerprint)
{
	g_autoptr(GBytes) key = pgp_maker_public(world->maker, fingerprint);

	return pgp_maker_file(world->maker, name, key);
}

static int set_up(void **state)
{
	World *world = g_new0(World, 1);
	PgpMaker *maker = pgp_maker_new();

	world->maker = maker;
	world->folder = g_build_filename(maker->folder, "home", NULL);
	world->home = pgp_home_open(world->folder, NULL);
	world->alice = pgp_maker_key(maker, "alice@firma.example", "future-default");
	world->bob = pgp_maker_key(maker, "bob@firma.example", "rsa2048");
	world->sender = pgp_maker_key(maker, "sender@out.example", "future-default");
	world->alice_key = pgp_maker_public(maker, world->alice);
	world->sender_key = pgp_maker_public(maker, world->sender);
	world->text = g_bytes_new_static(TEXT, strlen(TEXT));
	world->text_file = pgp_maker_file(maker, "text", world->text);
	world->alice_file = key_file(world, "alice.pgp", world->alice);
	world->bob_file = key_file(world, "bob.pgp", world->bob);
	g_autoptr(Secret) secret = pgp_maker_secret(maker, world->sender);
	g_autoptr(GBytes) bytes = g_bytes_new(secret_bytes(secret), secret_size(secret));
	world->sender_file = pgp_maker_file(maker, "sender.pgp", bytes);
	bring(world, world->alice);
	bring(world, world->bob);
	*state = world;
	return 0;
}

/* What waits for the next run has no keys in it. */
static void assert_no_keys_left(World *world)
{
	g_autoptr(GDir) dir = g_dir_open(world->folder, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *keyring =
			g_build_filename(world->folder, name, "pubring.gpg", NULL);
		if (g_str_has_prefix(name, "run-"))
			assert_false(g_file_test(keyring, G_FILE_TEST_EXISTS));
	}
}

/* ... and after the end there is nothing that waits. */
static void assert_no_visits(World *world)
{
	g_autoptr(GDir) dir = g_dir_open(world->folder, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir)))
		assert_false(g_str_has_prefix(name, "run-"));
}

static int tear_down(void **state)
{
	World *world = *state;
	char *strings[] = {world->folder,      world->alice,	  world->bob,
			   world->sender,      world->alice_file, world->bob_file,
			   world->sender_file, world->text_file};

	assert_no_keys_left(world);
	pgp_home_close(world->home);
	assert_no_visits(world);
	pgp_maker_free(world->maker);
	g_bytes_unref(world->alice_key);
	g_bytes_unref(world->sender_key);
	g_bytes_unref(world->text);
	for (gsize i = 0; i < G_N_ELEMENTS(strings); i++)
		g_free(strings[i]);
	g_free(world);
	return 0;
}

static GBytes *sq_encrypt(World *world, const char *recipient, gboolean is_signed)
{
	const char *const plain[] = {"sq",	"encrypt",	  "--recipient-cert",
				     recipient, world->text_file, NULL};
	const char *const with[] = {
		"sq",		"encrypt",	    "--recipient-cert", recipient,
		"--signer-key", world->sender_file, world->text_file,	NULL};
	GBytes *message = NULL;

	assert_int_equal(pgp_maker_run(is_signed ? with : plain, NULL, &message), 0);
	return message;
}

/* Opens as the owner of that key; known: the sender's key is at hand. What came out is in *plain
 * (may be NULL). */
static PgpOpened *open_as(World *world, const char *owner, gboolean known, GBytes *message,
			  GBytes **plain)
{
	g_autoptr(GPtrArray) secrets = g_ptr_array_new();
	g_autoptr(GPtrArray) signers = g_ptr_array_new();
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	g_autoptr(Source) source = source_new_bytes(message);
	g_autoptr(GError) error = NULL;
	PgpOpenJob job = {.secrets = secrets, .signers = signers};

	if (owner)
		g_ptr_array_add(secrets, (gpointer)owner);
	if (known)
		g_ptr_array_add(signers, world->sender_key);
	PgpOpened *opened = pgp_open(world->home, &job, source, sink, &error);
	if (!opened)
		print_message("# %s\n", error->message);
	assert_non_null(opened);
	assert_true(opened->opened == (opened->reason == NULL));
	assert_true(opened->opened == (opened->key != NULL));
	if (plain)
		*plain = g_byte_array_free_to_bytes(g_steal_pointer(&out));
	return opened;
}

static void assert_shut(World *world, const char *owner, GBytes *message, const char *reason)
{
	g_autoptr(PgpOpened) opened = open_as(world, owner, FALSE, message, NULL);

	assert_false(opened->opened);
	assert_string_equal(opened->reason, reason);
	assert_int_equal(opened->signatures->len, 0);
}

static const char *only_result(GPtrArray *signatures)
{
	assert_int_equal(signatures->len, 1);
	return ((PgpSignature *)signatures->pdata[0])->result;
}

static void test_open(void **state)
{
	World *world = *state;
	const char *owners[] = {world->alice, world->bob};
	const char *files[] = {world->alice_file, world->bob_file};

	for (int i = 0; i < 4; i++) {
		gboolean is_signed = i & 1;
		g_autoptr(GBytes) message = sq_encrypt(world, files[i / 2], is_signed);
		g_autoptr(GBytes) plain = NULL;
		g_autoptr(PgpOpened) opened = open_as(world, owners[i / 2], TRUE, message, &plain);
		assert_true(opened->opened);
		assert_true(g_bytes_equal(plain, world->text));
		assert_string_equal(opened->key, owners[i / 2]);
		assert_string_equal(opened->algorithm, "AES256");
		assert_int_equal(opened->signatures->len, is_signed);
		if (!is_signed)
			continue;
		assert_string_equal(only_result(opened->signatures), "good");
		assert_string_equal(((PgpSignature *)opened->signatures->pdata[0])->key,
				    world->sender);
		/* Opening and verifying are independent. */
		g_autoptr(PgpOpened) stranger = open_as(world, owners[i / 2], FALSE, message, NULL);
		assert_true(stranger->opened);
		assert_string_equal(only_result(stranger->signatures), "no-key");
	}
}

/* Opens as bob what names alice as its sender: her key is at hand for her signatures. */
static void assert_shut_from_alice(World *world, GBytes *message)
{
	GBytes *sender_key = world->sender_key;
	g_autoptr(GBytes) plain = NULL;

	world->sender_key = world->alice_key;
	g_autoptr(PgpOpened) opened = open_as(world, world->bob, TRUE, message, &plain);
	world->sender_key = sender_key;
	assert_false(opened->opened);
	assert_int_equal(g_bytes_get_size(plain), 0);
}

/* Bob is ours too, and his agent has alice's key: it opens nothing for him. */
static void test_not_for_bob(void **state)
{
	World *world = *state;
	g_autoptr(GBytes) message = sq_encrypt(world, world->alice_file, FALSE);
	g_autoptr(GBytes) bait = sq_encrypt(world, world->bob_file, FALSE);
	g_autoptr(GByteArray) forged = g_byte_array_new();
	static const char *const labels[] = {"PGP MESSAGE", NULL};
	PgpPacket packet;

	assert_shut(world, world->bob, message, "no-key");
	assert_shut(world, NULL, message, "no-key");
	assert_shut(world, world->sender, message, "no-key");

	/* A session key packet for bob in front of what only alice's key opens. */
	g_autoptr(GByteArray) bait_bytes =
		pgp_dearmor(g_bytes_get_data(bait, NULL), g_bytes_get_size(bait), labels, NULL);
	g_autoptr(GByteArray) bytes = pgp_dearmor(g_bytes_get_data(message, NULL),
						  g_bytes_get_size(message), labels, NULL);
	PgpPackets packets = {bait_bytes->data, bait_bytes->len, 0};
	assert_true(pgp_packet_next(&packets, &packet, NULL, NULL));
	assert_int_equal(packet.tag, PGP_PKESK);
	g_byte_array_append(forged, packet.start, (guint)packet.whole);
	g_byte_array_append(forged, bytes->data, bytes->len);
	g_autoptr(GBytes) file = g_byte_array_free_to_bytes(g_steal_pointer(&forged));
	g_autoptr(GBytes) plain = NULL;
	g_autoptr(PgpOpened) by_bob = open_as(world, world->bob, FALSE, file, &plain);
	assert_false(by_bob->opened);
	assert_int_equal(g_bytes_get_size(plain), 0);
	assert_shut_from_alice(world, file);
	/* Alice herself opens even that. */
	g_autoptr(PgpOpened) by_alice = open_as(world, world->alice, FALSE, file, NULL);
	assert_true(by_alice->opened);
}

/* Alice writes to bob and to herself, as many programs do: it is opened with his key, and hers
 * still verifies. */
static void test_from_alice(void **state)
{
	World *world = *state;
	GBytes *sender_key = world->sender_key;
	const char *const both[] = {world->alice, world->bob};

	for (gsize i = 0; i < G_N_ELEMENTS(both); i++) {
		g_autoptr(GBytes) message = NULL;
		assert_int_equal(pgp_maker_gpg(world->maker, world->text, &message,
					       "-r %s -r %s -u %s --sign --encrypt", both[i],
					       both[1 - i], world->alice),
				 0);
		world->sender_key = world->alice_key;
		g_autoptr(PgpOpened) opened = open_as(world, world->bob, TRUE, message, NULL);
		world->sender_key = sender_key;
		assert_true(opened->opened);
		assert_string_equal(opened->key, world->bob);
		assert_string_equal(only_result(opened->signatures), "good");
	}
}

static void test_hidden_recipient(void **state)
{
	World *world = *state;
	g_autoptr(GBytes) message = NULL;

	assert_int_equal(
		pgp_maker_gpg(world->maker, world->text, &message, "-R %s --encrypt", world->alice),
		0);
	g_autoptr(GBytes) plain = NULL;
	g_autoptr(PgpOpened) by_bob = open_as(world, world->bob, FALSE, message, &plain);
	assert_false(by_bob->opened);
	assert_int_equal(g_bytes_get_size(plain), 0);
	assert_shut_from_alice(world, message);
	g_autoptr(PgpOpened) by_alice = open_as(world, world->alice, FALSE, message, NULL);
	assert_true(by_alice->opened);
}

static void test_damaged(void **state)
{
	World *world = *state;
	g_autoptr(GBytes) message = NULL;
	gsize size;

	assert_int_equal(
		pgp_maker_gpg(world->maker, world->text, &message, "-r %s --encrypt", world->alice),
		0);
	const guint8 *data = g_bytes_get_data(message, &size);
	g_autoptr(GBytes) cut = g_bytes_new_from_bytes(message, 0, size - 5);
	assert_shut(world, world->alice, cut, "damaged");
	for (gsize i = 1; i < 60; i += 7) {
		guint8 *copy = g_memdup2(data, size);
		copy[size - i] ^= 1;
		g_autoptr(GBytes) changed = g_bytes_new_take(copy, size);
		assert_shut(world, world->alice, changed, "damaged");
	}
	g_autoptr(GBytes) none = g_bytes_new_static("no message", 10);
	assert_shut(world, world->alice, none, "damaged");
	/* Encrypted without integrity protection: gpg is not even asked. */
	g_autoptr(GByteArray) old = g_byte_array_new();
	PgpPackets packets = {data, size, 0};
	PgpPacket packet;
	assert_true(pgp_packet_next(&packets, &packet, NULL, NULL));
	g_byte_array_append(old, packet.start, (guint)packet.whole);
	g_byte_array_append(old, (const guint8 *)"\xc9\x05zzzzz", 7);
	g_autoptr(GBytes) no_mdc = g_byte_array_free_to_bytes(g_steal_pointer(&old));
	assert_shut(world, world->alice, no_mdc, "no-integrity");
	/* A passphrase is no key of ours. */
	g_autoptr(GBytes) symmetric = NULL;
	assert_int_equal(
		pgp_maker_gpg(world->maker, world->text, &symmetric, "--passphrase x --symmetric"),
		0);
	assert_shut(world, world->alice, symmetric, "no-key");
}

static void test_too_large(void **state)
{
	World *world = *state;
	g_autofree char *zeros = g_malloc0(LIMIT + 1);
	g_autoptr(GBytes) bomb = g_bytes_new_static(zeros, LIMIT + 1);
	g_autoptr(GBytes) message = NULL;

	assert_int_equal(
		pgp_maker_gpg(world->maker, bomb, &message, "-r %s --encrypt", world->alice), 0);
	assert_true(g_bytes_get_size(message) < LIMIT / 100);
	assert_shut(world, world->alice, message, "too-large");
}

static void test_dead_agent(void **state)
{
	World *world = *state;
	g_autoptr(GBytes) message = sq_encrypt(world, world->alice_file, FALSE);
	const char *const end[] = {"gpgconf", "--homedir", world->folder,
				   "--kill",  "gpg-agent", NULL};

	for (int i = 0; i < 2; i++) {
		g_autoptr(PgpOpened) opened = open_as(world, world->alice, FALSE, message, NULL);
		assert_true(opened->opened);
		assert_int_equal(pgp_maker_run(end, NULL, NULL), 0);
	}
	g_autoptr(PgpOpened) opened = open_as(world, world->alice, FALSE, message, NULL);
	assert_true(opened->opened);
}

/* Mail of back then, to a key that has expired since: read from its file it still opens it. */
static void test_expired_key(void **state)
{
	World *world = *state;
	PgpMaker *maker = world->maker;
	g_autofree char *passing = g_build_filename(maker->folder, "passing", NULL);
	g_autoptr(GBytes) file = NULL, message = NULL, plain = NULL;

	assert_int_equal(pgp_maker_gpg(maker, NULL, NULL,
				       "--faked-system-time 20210101T000000! --passphrase  "
				       "--quick-gen-key <past@firma.example> future-default "
				       "default 1y"),
			 0);
	assert_int_equal(pgp_maker_gpg(maker, world->text, &message,
				       "--faked-system-time 20210201T000000! "
				       "-r past@firma.example --encrypt"),
			 0);
	assert_int_equal(
		pgp_maker_gpg(maker, NULL, &file, "--export-secret-keys past@firma.example"), 0);
	assert_int_equal(g_mkdir_with_parents(passing, 0700), 0);
	g_autoptr(GPtrArray) keys = pgpkey_read(file, NULL, passing, 0, NULL);
	const PgpKey *key = keys->pdata[0];
	assert_true(key->expired);
	assert_non_null(key->secret);
	assert_true(pgp_home_need_secret(world->home,
					 &(PgpOwnKey){key->fingerprint, NULL, key->secret}, NULL));
	g_autoptr(PgpOpened) opened = open_as(world, key->fingerprint, FALSE, message, &plain);
	assert_true(opened->opened);
	assert_true(g_bytes_equal(plain, world->text));
}

/* Our own way out and back in. */
static void test_round_trip(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	g_autoptr(Source) source = source_new_bytes(world->text);
	PgpJob job = {.signer = world->bob, .recipients = keys};
	g_autoptr(GBytes) plain = NULL;

	g_ptr_array_add(keys, world->alice_key);
	assert_true(pgp_protect(world->home, &job, source, sink, NULL));
	g_autoptr(GBytes) message = g_byte_array_free_to_bytes(g_steal_pointer(&out));
	g_autoptr(PgpOpened) opened = open_as(world, world->alice, FALSE, message, &plain);
	assert_true(opened->opened);
	assert_true(g_bytes_equal(plain, world->text));
	assert_string_equal(only_result(opened->signatures), "no-key");
}

static GPtrArray *verify(World *world, GBytes *key, GBytes *content, GBytes *signature,
			 GBytes **plain)
{
	g_autoptr(GPtrArray) signers = g_ptr_array_new();
	g_autoptr(Source) sig = source_new_bytes(signature);
	g_autoptr(Source) source = content ? source_new_bytes(content) : NULL;
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	PgpOpenJob job = {.signers = signers};
	PgpSigned signed_thing = {.signature = sig, .content = source, .plain = sink};

	g_ptr_array_add(signers, key);
	GPtrArray *signatures = pgp_verify(world->home, &job, &signed_thing, NULL);
	assert_non_null(signatures);
	if (plain)
		*plain = g_byte_array_free_to_bytes(g_steal_pointer(&out));
	return signatures;
}

static void assert_verified(World *world, GBytes *key, GBytes *content, GBytes *signature,
			    const char *result)
{
	g_autoptr(GPtrArray) signatures = verify(world, key, content, signature, NULL);

	assert_string_equal(only_result(signatures), result);
}

static void test_verify(void **state)
{
	World *world = *state;
	PgpMaker *maker = world->maker;
	g_autoptr(GBytes) signature = NULL, weak = NULL, clear = NULL, plain = NULL;
	g_autoptr(GBytes) other = g_bytes_new_static("other", 5);

	assert_int_equal(
		pgp_maker_gpg(maker, world->text, &signature, "-u %s --armor -b", world->sender),
		0);
	assert_verified(world, world->sender_key, world->text, signature, "good");
	assert_verified(world, world->sender_key, other, signature, "bad");
	assert_verified(world, world->alice_key, world->text, signature, "no-key");

	assert_int_equal(
		pgp_maker_gpg(maker, world->text, &weak, "--digest-algo SHA1 -u %s -b", world->bob),
		0);
	g_autoptr(GBytes) bob_key = pgp_maker_public(maker, world->bob);
	assert_verified(world, bob_key, world->text, weak, "weak");

	/* Clear-signed: the content comes out of it. */
	assert_int_equal(
		pgp_maker_gpg(maker, world->text, &clear, "-u %s --clearsign", world->sender), 0);
	g_autoptr(GPtrArray) signatures = verify(world, world->sender_key, NULL, clear, &plain);
	assert_string_equal(only_result(signatures), "good");
	assert_string_equal(((PgpSignature *)signatures->pdata[0])->key, world->sender);
	assert_non_null(g_strstr_len(g_bytes_get_data(plain, NULL), (gssize)g_bytes_get_size(plain),
				     "Grüße"));
	/* No signature at all. */
	g_autoptr(GPtrArray) none = verify(world, world->sender_key, world->text, other, NULL);
	assert_int_equal(none->len, 0);
}

static void test_verify_old_keys(void **state)
{
	World *world = *state;
	PgpMaker *maker = world->maker;
	g_autoptr(GBytes) signature = NULL, key = NULL;

	/* Signed while the key was valid, which it is no longer. */
	assert_int_equal(
		pgp_maker_gpg(maker, NULL, NULL,
			      "--faked-system-time 20210101T000000! --passphrase  "
			      "--quick-gen-key <old@out.example> future-default default 1y"),
		0);
	assert_int_equal(pgp_maker_gpg(maker, world->text, &signature,
				       "--faked-system-time 20210201T000000! "
				       "-u old@out.example -b"),
			 0);
	assert_int_equal(pgp_maker_gpg(maker, NULL, &key, "--export =<old@out.example>"), 0);
	assert_verified(world, key, world->text, signature, "expired");

	g_autofree char *fingerprint =
		pgp_maker_key(maker, "revoked@out.example", "future-default");
	g_autoptr(GBytes) before = NULL;
	assert_int_equal(pgp_maker_gpg(maker, world->text, &before, "-u %s -b", fingerprint), 0);
	pgp_maker_revoke(maker, fingerprint);
	g_autoptr(GBytes) revoked = pgp_maker_public(maker, fingerprint);
	assert_verified(world, revoked, world->text, before, "revoked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_not_for_bob),
		cmocka_unit_test(test_from_alice),
		cmocka_unit_test(test_hidden_recipient),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_dead_agent),
		cmocka_unit_test(test_expired_key),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_verify_old_keys),
	};

	return cmocka_run_group_tests_name("crypt/pgp_open", tests, set_up, tear_down);
}
