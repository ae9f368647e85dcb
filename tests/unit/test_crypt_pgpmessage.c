/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP messages that we make ourselves, for every kind of key: gpg opens each, and Sequoia's sq
 * where it knows the curve; both check the signature. And for which keys gpg is still asked to make
 * them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/pgp.h"
#include "lib/crypt/pgpexpression.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgpsignature.h"
#include "lib/crypt/pgptargets.h"
#include "tests/unit/pgpmaker.h"

#define LIMIT (100 * 1024 * 1024)
#define KINDS 7

/* A key that signs and encrypts. */
typedef struct {
	const char *algorithm;
	gboolean ours; /* we make messages to it and signatures with it */
	gboolean sq; /* sq knows it */
	char *fingerprint;
	GBytes *public_key;
	char *certificate, *secret; /* files for sq */
} Kind;

typedef struct {
	PgpMaker *maker;
	PgpHome *home;
	Kind kinds[KINDS];
} World;

static const Kind all_kinds[KINDS] = {
	{.algorithm = "future-default", .ours = TRUE, .sq = TRUE},
	{.algorithm = "rsa2048", .ours = TRUE, .sq = TRUE},
	{.algorithm = "rsa3072", .ours = TRUE, .sq = TRUE},
	{.algorithm = "nistp256", .ours = TRUE, .sq = TRUE},
	{.algorithm = "nistp384", .ours = TRUE, .sq = TRUE},
	{.algorithm = "nistp521", .ours = TRUE, .sq = TRUE},
	{.algorithm = "brainpoolP256r1"},
};

static void make_kind(World *world, Kind *kind)
{
	PgpMaker *maker = world->maker;
	g_autofree char *address = g_strconcat(kind->algorithm, "@u.example", NULL);
	g_autofree char *name = g_strconcat(kind->algorithm, ".secret", NULL);

	kind->fingerprint = pgp_maker_key(maker, address, kind->algorithm);
	kind->public_key = pgp_maker_public(maker, kind->fingerprint);
	kind->certificate = pgp_maker_file(maker, kind->algorithm, kind->public_key);
	g_autoptr(Secret) secret = pgp_maker_secret(maker, kind->fingerprint);
	g_autoptr(GBytes) bytes = g_bytes_new(secret_bytes(secret), secret_size(secret));
	kind->secret = pgp_maker_file(maker, name, bytes);
	assert_true(pgp_home_need_secret(world->home, &(PgpOwnKey){kind->fingerprint, NULL, secret},
					 NULL));
}

static int set_up(void **state)
{
	World *world = g_new0(World, 1);

	world->maker = pgp_maker_new();
	g_autofree char *home = g_build_filename(world->maker->folder, "home", NULL);
	world->home = pgp_home_open(home, NULL);
	assert_non_null(world->home);
	memcpy(world->kinds, all_kinds, sizeof(all_kinds));
	for (gsize i = 0; i < KINDS; i++)
		make_kind(world, &world->kinds[i]);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	pgp_home_close(world->home);
	pgp_maker_free(world->maker);
	for (gsize i = 0; i < KINDS; i++) {
		g_free(world->kinds[i].fingerprint);
		g_bytes_unref(world->kinds[i].public_key);
		g_free(world->kinds[i].certificate);
		g_free(world->kinds[i].secret);
	}
	g_free(world);
	return 0;
}

static gint64 soon(void)
{
	return g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
}

static PgpTarget *target_of(World *world, GBytes *key)
{
	return pgp_targets_find(world->home, key, soon());
}

/* Text of that many bytes, with all that a text can have. */
static GBytes *entity_of(gsize size)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	for (gsize i = 0; i < size; i++) {
		guint8 byte = (guint8)(i * 7 + i / 251);
		g_byte_array_append(bytes, &byte, 1);
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

/* The armour that protects the entity; NULL with the error set. */
static GBytes *protect(World *world, const char *signer, GPtrArray *keys, GBytes *entity,
		       GError **error)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	g_autoptr(Source) source = source_new_bytes(entity);
	const PgpJob job = {.signer = signer, .recipients = keys};

	if (!pgp_protect(world->home, &job, source, sink, error))
		return NULL;
	char *armour = g_strstr_len((char *)out->data, out->len, "-----BEGIN PGP MESSAGE-----");
	char *end = g_strstr_len((char *)out->data, out->len, "-----END PGP MESSAGE-----\r\n");
	assert_non_null(armour);
	assert_non_null(end);
	return g_bytes_new(armour, (gsize)(end - armour) + strlen("-----END PGP MESSAGE-----\r\n"));
}

static void assert_opens(World *world, const Kind *signer, const Kind *recipient, GBytes *message,
			 GBytes *entity)
{
	g_autofree char *file = pgp_maker_file(world->maker, "message.asc", message);
	const char *const sq[] = {"sq",
				  "decrypt",
				  "--recipient-key",
				  recipient->secret,
				  "--signer-cert",
				  signer->certificate,
				  "-n",
				  "1",
				  file,
				  NULL};
	g_autoptr(GBytes) by_gpg = NULL;

	assert_int_equal(pgp_maker_gpg(world->maker, message, &by_gpg, "--decrypt"), 0);
	assert_true(g_bytes_equal(by_gpg, entity));
	if (recipient->sq && signer->sq) {
		g_autoptr(GBytes) by_sq = NULL;
		assert_int_equal(pgp_maker_run(sq, NULL, &by_sq), 0);
		assert_true(g_bytes_equal(by_sq, entity));
	}
}

/* gpg checks the signature, and says whose it is. */
static void assert_signed(World *world, const Kind *signer, GBytes *message)
{
	g_autoptr(GBytes) status = NULL;

	assert_int_equal(pgp_maker_gpg(world->maker, message, &status,
				       "--status-fd 1 --output /dev/null --decrypt"),
			 0);
	g_autofree char *text = g_strndup(g_bytes_get_data(status, NULL), g_bytes_get_size(status));
	g_autofree char *valid = g_strconcat("[GNUPG:] VALIDSIG ", signer->fingerprint, NULL);
	assert_non_null(strstr(text, valid));
	assert_non_null(strstr(text, "[GNUPG:] GOODMDC"));
	assert_non_null(strstr(text, "[GNUPG:] DECRYPTION_INFO 2 9"));
}

/* Each kind encrypts to itself and signs. */
static void test_kinds(void **state)
{
	World *world = *state;

	for (gsize i = 0; i < KINDS; i++) {
		const Kind *kind = &world->kinds[i];
		g_autoptr(GPtrArray) keys = g_ptr_array_new();
		g_autoptr(GBytes) entity = entity_of(1000);
		g_autoptr(GError) error = NULL;

		g_ptr_array_add(keys, kind->public_key);
		g_autoptr(GBytes) message = protect(world, kind->fingerprint, keys, entity, &error);
		if (!message)
			print_message("# %s: %s\n", kind->algorithm, error->message);
		assert_non_null(message);
		assert_opens(world, kind, kind, message, entity);
		assert_signed(world, kind, message);
	}
}

static void test_who_makes_it(void **state)
{
	World *world = *state;

	for (gsize i = 0; i < KINDS; i++) {
		const Kind *kind = &world->kinds[i];
		g_autoptr(PgpTarget) target = target_of(world, kind->public_key);
		g_autoptr(PgpTarget) again = target_of(world, kind->public_key);
		PgpSigner signer;

		assert_int_equal(target != NULL, kind->ours);
		assert_ptr_equal(target, again); /* gpg was asked once */
		/* Signatures need no curve of ours: the agent knows it. */
		assert_true(pgp_signer_choose(pgp_home_secret(world->home, kind->fingerprint),
					      &signer));
	}
}

/* Around the sizes at which parts and lengths change their form. */
static void test_sizes(void **state)
{
	static const gsize sizes[] = {0,     1,	    150,   185,	  191,	  192,
				      8000,  8377,  8378,  32500, 32640,  32700,
				      32768, 65536, 70000, 98304, 262144, 600000};
	World *world = *state;
	const Kind *kind = &world->kinds[0];
	g_autoptr(GPtrArray) keys = g_ptr_array_new();

	g_ptr_array_add(keys, kind->public_key);
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(GBytes) entity = entity_of(sizes[i]);
		g_autoptr(GBytes) message = protect(world, kind->fingerprint, keys, entity, NULL);

		assert_non_null(message);
		assert_opens(world, kind, kind, message, entity);
	}
}

/* The last part of a packet may be full to the brim: every length around it. */
static void test_full_parts(void **state)
{
	World *world = *state;
	const Kind *kind = &world->kinds[0];
	g_autoptr(GPtrArray) keys = g_ptr_array_new();

	g_ptr_array_add(keys, kind->public_key);
	/* Version, prefix, literal head, code: what a part holds besides. */
	for (gsize size = 32768 - 60; size <= 32768 - 36; size++) {
		g_autoptr(GBytes) entity = entity_of(size);
		g_autoptr(GBytes) message = protect(world, NULL, keys, entity, NULL);
		g_autoptr(GBytes) by_gpg = NULL;

		assert_int_equal(pgp_maker_gpg(world->maker, message, &by_gpg, "--decrypt"), 0);
		assert_true(g_bytes_equal(by_gpg, entity));
	}
}

/* All in one: a recipient of each kind opens it. One that only gpg can serve: then it serves all. */
static void test_many(void **state)
{
	World *world = *state;

	for (gsize count = KINDS - 1; count <= KINDS; count++) {
		g_autoptr(GPtrArray) keys = g_ptr_array_new();
		g_autoptr(GBytes) entity = entity_of(5000);

		for (gsize i = 0; i < count; i++)
			g_ptr_array_add(keys, world->kinds[i].public_key);
		g_autoptr(GBytes) message =
			protect(world, world->kinds[1].fingerprint, keys, entity, NULL);
		assert_non_null(message);
		for (gsize i = 0; i < KINDS - 1; i++)
			assert_opens(world, &world->kinds[1], &world->kinds[i], message, entity);
		g_autoptr(Source) source = source_new_bytes(message);
		g_autoptr(PgpHead) head = pgp_head_read(source, NULL);
		assert_int_equal(head->key_ids->len, count);
	}
}

/* Two messages of one text share nothing. */
static void test_fresh(void **state)
{
	World *world = *state;
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	g_autoptr(GBytes) entity = entity_of(100);

	g_ptr_array_add(keys, world->kinds[0].public_key);
	g_autoptr(GBytes) one = protect(world, NULL, keys, entity, NULL);
	g_autoptr(GBytes) other = protect(world, NULL, keys, entity, NULL);
	const char *a = g_bytes_get_data(one, NULL), *b = g_bytes_get_data(other, NULL);
	gsize same = 0, size = MIN(g_bytes_get_size(one), g_bytes_get_size(other));

	/* Past the key id and what all messages begin with. */
	for (gsize i = 60; i < size - 60; i++)
		same += a[i] == b[i];
	assert_true(same < size / 8);
}

static char *only_recipient(GBytes *message)
{
	g_autoptr(Source) source = source_new_bytes(message);
	g_autoptr(PgpHead) head = pgp_head_read(source, NULL);

	assert_non_null(head);
	assert_int_equal(head->key_ids->len, 1);
	return g_strdup(head->key_ids->pdata[0]);
}

/* gpg's choice is ours. New string: its key id. */
static char *common_choice(World *world, const char *fingerprint)
{
	g_autoptr(GBytes) entity = entity_of(100);
	g_autoptr(GBytes) full = pgp_maker_public(world->maker, fingerprint);
	g_autoptr(GBytes) by_gpg = NULL;
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	g_autoptr(PgpTarget) target = target_of(world, full);

	assert_non_null(target); /* it is not gpg that makes the message */
	assert_true(pgp_target_end(target) > g_get_real_time() / G_USEC_PER_SEC);
	g_ptr_array_add(keys, full);
	g_autoptr(GBytes) ours = protect(world, NULL, keys, entity, NULL);
	assert_int_equal(pgp_maker_gpg(world->maker, entity, &by_gpg,
				       "--recipient %s --armor --encrypt", fingerprint),
			 0);
	g_autofree char *gpg_choice = only_recipient(by_gpg);
	char *our_choice = only_recipient(ours);
	assert_string_equal(our_choice, gpg_choice);
	return our_choice;
}

static void revoke_subkey(World *world, const char *fingerprint, int number)
{
	g_autofree char *words = g_strdup_printf("key %d\nrevkey\ny\n0\n\ny\nsave\n", number);
	g_autoptr(GBytes) input = g_bytes_new(words, strlen(words));

	assert_int_equal(pgp_maker_gpg(world->maker, input, NULL,
				       "--no-batch --command-fd 0 --edit-key %s", fingerprint),
			 0);
}

/* Of several subkeys the one that gpg takes: the newest whose time is not over and that
 * is not revoked. Its end, and the
 * key's, is when gpg is asked again. */
static void test_choice(void **state)
{
	static const char *const added[] = {"rsa2048 encr 1y", "nistp256 encr 20y", "rsa2048 sign",
					    "cv25519 encr 10y"};
	World *world = *state;
	g_autoptr(GBytes) entity = entity_of(100);
	GBytes *key = NULL;

	assert_int_equal(pgp_maker_gpg(world->maker, NULL, NULL,
				       "--faked-system-time 20200101T000000! --passphrase  "
				       "--quick-gen-key <several@u.example> rsa2048 sign,cert 50y"),
			 0);
	assert_int_equal(pgp_maker_gpg(world->maker, NULL, &key, "--export =<several@u.example>"),
			 0);
	g_autoptr(PgpTarget) none = target_of(world, key);
	assert_null(none);
	g_bytes_unref(key);
	g_autofree char *fingerprint = pgp_maker_find(world->maker, "several@u.example");
	g_autofree char *choice = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(added); i++) {
		g_autoptr(GBytes) full = NULL;
		g_autoptr(GPtrArray) keys = g_ptr_array_new();

		assert_int_equal(
			pgp_maker_gpg(world->maker, NULL, NULL,
				      "--faked-system-time 202%d0601T000000! --passphrase  "
				      "--quick-add-key %s %s",
				      (int)i + 1, fingerprint, added[i]),
			0);
		if (i > 0) {
			g_free(choice);
			choice = common_choice(world, fingerprint);
			continue;
		}
		/* Its year is over. */
		full = pgp_maker_public(world->maker, fingerprint);
		g_ptr_array_add(keys, full);
		assert_null(protect(world, NULL, keys, entity, NULL));
	}
	revoke_subkey(world, fingerprint, G_N_ELEMENTS(added));
	g_autofree char *older = common_choice(world, fingerprint);
	assert_string_not_equal(older, choice);
}

/* A subkey that the key's owner has not bound to it is nobody's: one byte changed in the subkey or in
 * its binding, and nothing is encrypted to it. */
static void test_forged(void **state)
{
	World *world = *state;
	const Kind *kind = &world->kinds[0];
	g_autoptr(GBytes) entity = entity_of(100);
	PgpPackets packets = {0};
	PgpPacket packet;
	guint tried = 0;

	packets.data = g_bytes_get_data(kind->public_key, &packets.size);
	for (gboolean behind = FALSE; pgp_packet_next(&packets, &packet, NULL, NULL);) {
		behind = behind || packet.tag == PGP_PUBLIC_SUBKEY;
		if (!behind)
			continue;
		gsize last = (gsize)(packet.start - packets.data) + packet.whole - 20;
		g_autofree guint8 *copy = g_memdup2(packets.data, packets.size);
		g_autoptr(GPtrArray) keys = g_ptr_array_new();
		g_autoptr(GError) error = NULL;

		copy[last] ^= 1;
		g_autoptr(GBytes) forged = g_bytes_new(copy, packets.size);
		g_ptr_array_add(keys, forged);
		g_autoptr(PgpTarget) target = target_of(world, forged);
		assert_null(target);
		assert_null(protect(world, NULL, keys, entity, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_KEY_UNUSABLE));
		tried++;
	}
	assert_int_equal(tried, 2);
}

static void test_expressions(void **state)
{
	static const struct {
		const char *text;
		gboolean good;
	} cases[] = {
		{"(7:sig-val(5:ecdsa(1:r2:ab)(1:s3:cde)))", TRUE},
		{"(7:sig-val(5:ecdsa(1:r2:ab)(1:s3:cde)))x", FALSE},
		{"(7:sig-val(5:ecdsa(1:r2:ab)(1:s3:cde))", FALSE},
		{"(7:sig-val(5:ecdsa(1:r2:ab)))", FALSE},
		{"(7:sig-val(5:ecdsa(1:s2:ab)(1:r3:cde)))", FALSE},
		{"(7:sig-val(5:eddsa(1:r2:ab)(1:s3:cde)))", FALSE},
		{"(7:sig-val(5:ecdsa(1:r0:)(1:s3:cde)))", FALSE},
		{"(7:sig-val(5:ecdsa(1:r9:ab)(1:s99:cde)))", FALSE},
		{"(7:sig-val(5:ecdsa(1:r99999999999999999999:ab)(1:s3:cde)))", FALSE},
		{"(7:sig-val(5:ecdsa(1:r:ab)(1:s3:cde)))", FALSE},
		{"(7:sig", FALSE},
		{"", FALSE},
	};
	static const char *const names[] = {"r", "s", NULL};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PgpNumber numbers[2];
		gboolean good = pgp_expression_read((const guint8 *)cases[i].text,
						    strlen(cases[i].text), "ecdsa", names, numbers);
		assert_int_equal(good, cases[i].good);
		if (good)
			assert_memory_equal(numbers[1].bytes, "cde", 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	    cmocka_unit_test(test_who_makes_it),
		cmocka_unit_test(test_sizes),	    cmocka_unit_test(test_full_parts),
		cmocka_unit_test(test_many),	    cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_choice),	    cmocka_unit_test(test_forged),
		cmocka_unit_test(test_expressions),
	};

	return cmocka_run_group_tests_name("crypt/pgpmessage", tests, set_up, tear_down);
}
