/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures that are checked without gpg (lib/crypt/pgpchecking.h, pgpsigners.h): the outcome is gpg's
 * for every kind of key, of hash and of signature, for signers who are unknown, over, revoked or not
 * the signer at all, and wherever a bit is wrong in the signature or in the signer's key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/crypt/pgppacket.h"
#include "tests/unit/pgpcompare.h"

/* To gpg --edit-key. */
#define REVOKE_SUBKEY "key 1\nrevkey\ny\n0\n\ny\nsave\n"
#define TEXT "Content-Type: text/plain\r\n\r\nHello  \r\nWorld\r\n"

typedef struct {
	PgpCompare *compare;
	PgpMaker *maker; /* the same one's */
	char *reader; /* whose key opens the messages */
	char *sender, *subkey; /* the latter signs with a subkey */
	GBytes *text;
} World;

static char *add_subkey(PgpMaker *maker, const char *address, const char *options)
{
	char *fingerprint = pgp_maker_key(maker, address, "future-default/sign");

	assert_int_equal(pgp_maker_gpg(maker, NULL, NULL, "--passphrase  --quick-add-key %s %s",
				       fingerprint, options),
			 0);
	return fingerprint;
}

static int set_up(void **state)
{
	World *world = g_new0(World, 1);

	world->compare = pgp_compare_new();
	world->maker = world->compare->maker;
	world->text = g_bytes_new_static(TEXT, strlen(TEXT));
	world->reader = pgp_maker_key(world->maker, "reader@firma.example", "future-default");
	world->sender = pgp_maker_key(world->maker, "sender@out.example", "future-default");
	world->subkey = add_subkey(world->maker, "subkey@out.example", "ed25519 sign");
	pgp_compare_bring(world->compare, world->reader);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	pgp_compare_free(world->compare);
	g_bytes_unref(world->text);
	g_free(world->reader);
	g_free(world->sender);
	g_free(world->subkey);
	g_free(world);
	return 0;
}

static void known(World *world, const char *fingerprint)
{
	g_ptr_array_add(world->compare->signers, pgp_maker_public(world->maker, fingerprint));
}

/* The reader, and one whose key is at hand (NULL: nobody). */
static void begin(World *world, const char *fingerprint)
{
	pgp_compare_clear(world->compare);
	g_ptr_array_add(world->compare->secrets, g_strdup(world->reader));
	if (fingerprint)
		known(world, fingerprint);
}

static GBytes *signed_by(World *world, const char *fingerprint, const char *options)
{
	GBytes *message = NULL;

	assert_int_equal(pgp_maker_gpg(world->maker, world->text, &message,
				       "%s -r %s -u %s --sign --encrypt", *options ? options : "-q",
				       world->reader, fingerprint),
			 0);
	return message;
}

/* Signed by gpg, then encrypted as it is. */
static GBytes *sealed(World *world, GBytes *packets)
{
	GBytes *message = NULL;

	assert_int_equal(pgp_maker_gpg(world->maker, packets, &message,
				       "--no-literal -r %s --encrypt", world->reader),
			 0);
	return message;
}

/* gpg warns, and fails, where the key was made later. */
static GBytes *signed_at(World *world, const char *fingerprint, const char *when)
{
	g_autoptr(GBytes) inner = NULL;

	pgp_maker_gpg(world->maker, world->text, &inner,
		      "--faked-system-time %s! --ignore-time-conflict --ignore-valid-from "
		      "--compress-algo none -u %s --sign",
		      when, fingerprint);
	assert_true(inner && g_bytes_get_size(inner) > 100);
	return sealed(world, inner);
}

/* The one signature's result. */
static void compare(World *world, GBytes *message, PgpWay way, const char *name, const char *result)
{
	g_autoptr(PgpOpened) opened = pgp_compare_open(world->compare, name, message, way, NULL);

	if (!opened->opened && result)
		fail_msg("%s: %s", name, opened->reason);
	if (!result)
		return;
	assert_int_equal(opened->signatures->len, 1);
	assert_string_equal(((PgpSignature *)opened->signatures->pdata[0])->result, result);
}

/* --- kinds --- */

static void test_kinds(void **state)
{
	static const struct {
		const char *algorithm, *digest;
		PgpWay way;
		const char *result;
	} cases[] = {
		{"future-default", "SHA256", BY_US, "good"},
		{"future-default", "SHA512", BY_US, "good"},
		{"future-default", "SHA224", BY_GPG, "good"},
		{"rsa2048", "SHA256", BY_US, "good"},
		{"rsa2048", "SHA384", BY_US, "good"},
		{"rsa2048", "SHA1", BY_GPG, "weak"},
		{"rsa2048", "RIPEMD160", BY_GPG, "weak"},
		{"rsa4096", "SHA512", BY_US, "good"},
		{"nistp256", "SHA256", BY_US, "good"},
		{"nistp256", "SHA512", BY_US, "good"},
		{"nistp384", "SHA384", BY_US, "good"},
		{"nistp521", "SHA512", BY_US, "good"},
		{"brainpoolP256r1", "SHA256", BY_GPG, "good"},
		{"dsa2048", "SHA256", BY_GPG, "good"},
	};
	World *world = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *address = g_strdup_printf("kind%zu@out.example", i);
		g_autofree char *algorithm = g_strconcat(cases[i].algorithm, "/sign", NULL);
		g_autofree char *signer = pgp_maker_key(world->maker, address, algorithm);
		g_autofree char *options = g_strconcat("--digest-algo ", cases[i].digest, NULL);
		g_autoptr(GBytes) message = signed_by(world, signer, options);

		begin(world, signer);
		compare(world, message, cases[i].way, cases[i].algorithm, cases[i].result);
		begin(world, NULL);
		compare(world, message, BY_ANY, cases[i].algorithm, "no-key");
		begin(world, world->sender);
		compare(world, message, BY_ANY, cases[i].algorithm, "no-key");
	}
}

/* A subkey's signatures, and more signing subkeys than one. */
static void test_subkeys(void **state)
{
	static const char *const kinds[] = {"rsa2048 sign", "nistp256/ecdsa sign",
					    "ed25519 sign 1y"};
	World *world = *state;

	begin(world, world->subkey);
	g_autoptr(GBytes) message = signed_by(world, world->subkey, "");
	compare(world, message, BY_US, "subkey", "good");
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *address = g_strdup_printf("subkey%zu@out.example", i);
		g_autofree char *signer = add_subkey(world->maker, address, kinds[i]);
		g_autoptr(GBytes) other = signed_by(world, signer, "");

		begin(world, signer);
		compare(world, other, BY_US, kinds[i], "good");
	}
}

static void test_options(void **state)
{
	static const struct {
		const char *options;
		PgpWay way;
		const char *result;
	} cases[] = {
		{"--textmode", BY_US, "good"},
		{"--compress-algo none", BY_US, "good"},
		{"--compress-algo zlib --armor", BY_US, "good"},
		{"--compress-algo bzip2", BY_GPG, "good"},
		{"--cipher-algo AES", BY_US, "good"},
		{"--cipher-algo CAMELLIA128", BY_GPG, "good"},
		{"--sig-notation a@b.example=c", BY_US, "good"},
		{"--sig-notation !a@b.example=c", BY_GPG, NULL},
		{"--sig-policy-url http://b.example/", BY_US, "good"},
		{"--sig-policy-url !http://b.example/", BY_GPG, NULL},
		{"--sig-keyserver-url http://b.example/", BY_US, "good"},
		{"--sender sender@out.example", BY_US, "good"},
		{"--default-sig-expire 1y", BY_GPG, "good"},
		{"--throw-keyids", BY_US, "good"},
		{"-r sender@out.example", BY_US, "good"},
		{"-u subkey@out.example", BY_GPG, NULL},
	};
	World *world = *state;

	begin(world, world->sender);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) message = signed_by(world, world->sender, cases[i].options);

		compare(world, message, cases[i].way, cases[i].options, cases[i].result);
	}
}

/* --- other programs --- */

static char *sq_key(World *world, const char *name, const char *suite)
{
	g_autofree char *path = g_build_filename(world->maker->folder, name, NULL);
	const char *const argv[] = {"sq",  "key", "generate", "--cipher-suite",
				    suite, "-u",  name,	      "--export",
				    path,  NULL};

	assert_int_equal(pgp_maker_run(argv, NULL, NULL), 0);
	return g_steal_pointer(&path);
}

/* Sequoia's keys sign with a subkey, and name whom a signature is for. */
static void test_sq(void **state)
{
	static const char *const suites[] = {"cv25519", "rsa3k"};
	World *world = *state;
	g_autoptr(GBytes) reader = pgp_maker_public(world->maker, world->reader);
	g_autofree char *reader_file = pgp_maker_file(world->maker, "reader", reader);
	g_autofree char *text_file = pgp_maker_file(world->maker, "text", world->text);

	for (gsize i = 0; i < G_N_ELEMENTS(suites); i++) {
		g_autofree char *key = sq_key(world, suites[i], suites[i]);
		const char *const public[] = {"sq", "key", "extract-cert", "--binary", key, NULL};
		const char *const argv[] = {
			"sq",		"encrypt", "--recipient-cert", reader_file,
			"--signer-key", key,	   text_file,	       NULL};
		g_autoptr(GBytes) message = NULL;
		GBytes *certificate = NULL;

		assert_int_equal(pgp_maker_run(public, NULL, &certificate), 0);
		assert_int_equal(pgp_maker_run(argv, NULL, &message), 0);
		begin(world, NULL);
		compare(world, message, BY_US, suites[i], "no-key");
		g_ptr_array_add(world->compare->signers, certificate);
		compare(world, message, BY_US, suites[i], "good");
	}
}

/* --- who --- */

static void test_signers(void **state)
{
	World *world = *state;
	g_autoptr(GBytes) message = signed_by(world, world->sender, "");

	/* Twice the same, and among others. */
	begin(world, world->subkey);
	known(world, world->sender);
	known(world, world->sender);
	compare(world, message, BY_US, "twice", "good");
	/* Two forms of one key. */
	begin(world, world->sender);
	g_autoptr(GBytes) key = g_bytes_ref(world->compare->signers->pdata[0]);
	g_ptr_array_add(world->compare->signers,
			g_bytes_new_from_bytes(key, 0, g_bytes_get_size(key) - 3));
	compare(world, message, BY_GPG, "two forms", NULL);
	/* The reader's own key, which he signed with, known or not. */
	g_autoptr(GBytes) own = signed_by(world, world->reader, "");
	begin(world, NULL);
	compare(world, own, BY_GPG, "own", NULL);
	begin(world, world->reader);
	compare(world, own, BY_GPG, "own, known", NULL);
	/* A sender of ours, whose secret key is at hand, too. */
	g_autofree char *colleague =
		pgp_maker_key(world->maker, "colleague@firma.example", "future-default");
	pgp_compare_bring(world->compare, colleague);
	static const char *const also[] = {"", "-r colleague@firma.example",
					   "-R colleague@firma.example", "--throw-keyids"};
	for (gsize i = 0; i < G_N_ELEMENTS(also); i++) {
		g_autoptr(GBytes) internal = signed_by(world, colleague, also[i]);

		begin(world, colleague);
		compare(world, internal, i < 2 ? BY_US : BY_GPG, also[i], NULL);
	}
}

/* --- whose time is over --- */

static char *key_of_2021(World *world, const char *address, const char *years)
{
	assert_int_equal(pgp_maker_gpg(world->maker, NULL, NULL,
				       "--faked-system-time 20210101T000000! --passphrase  "
				       "--quick-gen-key <%s> ed25519 sign,cert %s",
				       address, years),
			 0);
	return pgp_maker_find(world->maker, address);
}

static void test_over(void **state)
{
	World *world = *state;
	PgpMaker *maker = world->maker;
	g_autofree char *old = key_of_2021(world, "old@out.example", "1y");
	g_autofree char *lasting = key_of_2021(world, "lasting@out.example", "50y");
	g_autofree char *revoked = pgp_maker_key(maker, "revoked@out.example", "future-default");
	g_autoptr(GBytes) late = signed_at(world, old, "20210201T000000");
	g_autoptr(GBytes) good = signed_at(world, lasting, "20210201T000000");
	g_autoptr(GBytes) early = signed_at(world, lasting, "20201201T000000");
	g_autoptr(GBytes) future = signed_at(world, lasting, "20600101T000000");
	g_autoptr(GBytes) before = signed_by(world, revoked, "");

	begin(world, old);
	compare(world, late, BY_GPG, "expired key", "expired");
	begin(world, lasting);
	compare(world, good, BY_US, "years ago", "good");
	compare(world, early, BY_GPG, "before the key", NULL);
	compare(world, future, BY_GPG, "from the future", NULL);
	begin(world, revoked);
	compare(world, before, BY_US, "not yet revoked", "good");
	pgp_maker_revoke(maker, revoked);
	begin(world, revoked);
	compare(world, before, BY_GPG, "revoked key", "revoked");
}

static void test_subkeys_over(void **state)
{
	World *world = *state;
	PgpMaker *maker = world->maker;
	g_autofree char *signer = add_subkey(maker, "changing@out.example", "ed25519 sign");
	g_autoptr(GBytes) message = signed_by(world, signer, "");
	g_autoptr(GBytes) words = g_bytes_new_static(REVOKE_SUBKEY, strlen(REVOKE_SUBKEY));

	begin(world, signer);
	compare(world, message, BY_US, "subkey", "good");
	assert_int_equal(pgp_maker_gpg(maker, words, NULL,
				       "--no-batch --command-fd 0 --edit-key %s", signer),
			 0);
	begin(world, signer);
	compare(world, message, BY_GPG, "revoked subkey", "revoked");

	g_autofree char *lasting = key_of_2021(world, "long@out.example", "50y");
	assert_int_equal(pgp_maker_gpg(maker, NULL, NULL,
				       "--faked-system-time 20210101T000000! --passphrase  "
				       "--quick-add-key %s ed25519 sign 1y",
				       lasting),
			 0);
	g_autoptr(GBytes) late = signed_at(world, lasting, "20210201T000000");
	begin(world, lasting);
	compare(world, late, BY_GPG, "expired subkey", "expired");
}

/* --- bits --- */

static GBytes *flipped(GBytes *bytes, gsize at, guint8 bits)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);
	guint8 *copy = g_memdup2(data, size);

	copy[at] ^= bits;
	return g_bytes_new_take(copy, size);
}

/* In the packets inside, each byte of them. */
static void test_flips_inside(void **state)
{
	World *world = *state;
	PgpMaker *maker = world->maker;
	g_autoptr(GBytes) inner = NULL;

	assert_int_equal(pgp_maker_gpg(maker, world->text, &inner,
				       "--compress-algo none -u %s --sign", world->sender),
			 0);
	begin(world, world->sender);
	for (gsize i = 0; i < g_bytes_get_size(inner); i++) {
		g_autofree char *name = g_strdup_printf("byte %zu", i);
		g_autoptr(GBytes) changed = flipped(inner, i, (guint8)(1 << i % 8));
		g_autoptr(GBytes) message = sealed(world, changed);
		g_autoptr(PgpOpened) opened =
			pgp_compare_open(world->compare, name, message, BY_ANY, NULL);
	}
}

/* In the key of who signed with a subkey: in the parts, their bindings, the subkey's own word. */
static void test_flips_in_key(void **state)
{
	World *world = *state;
	g_autoptr(GBytes) message = signed_by(world, world->subkey, "");
	g_autoptr(GBytes) key = pgp_maker_public(world->maker, world->subkey);

	for (gsize i = 0; i < g_bytes_get_size(key); i += 3) {
		g_autofree char *name = g_strdup_printf("byte %zu of the key", i);

		begin(world, NULL);
		g_ptr_array_add(world->compare->signers, flipped(key, i, (guint8)(1 << i % 8)));
		g_autoptr(PgpOpened) opened =
			pgp_compare_open(world->compare, name, message, BY_ANY, NULL);
	}
}

/* A key without what gpg wants of one: user IDs, bindings. */
static void test_lean_keys(void **state)
{
	static const guint dropped[] = {PGP_USER_ID, PGP_SIGNATURE, PGP_PUBLIC_SUBKEY};
	World *world = *state;
	const char *const signers[] = {world->sender, world->subkey};

	for (gsize i = 0; i < 2 * G_N_ELEMENTS(dropped); i++) {
		g_autoptr(GBytes) message = signed_by(world, signers[i % 2], "");
		g_autoptr(GBytes) key = pgp_maker_public(world->maker, signers[i % 2]);
		GByteArray *lean = g_byte_array_new();
		PgpPackets packets = {0};
		PgpPacket packet;

		packets.data = g_bytes_get_data(key, &packets.size);
		while (pgp_packet_next(&packets, &packet, NULL, NULL))
			if (packet.tag != dropped[i / 2])
				g_byte_array_append(lean, packet.start, (guint)packet.whole);
		begin(world, NULL);
		g_ptr_array_add(world->compare->signers, g_byte_array_free_to_bytes(lean));
		compare(world, message, BY_ANY, "lean", NULL);
	}
}

/* --- another's subkey --- */

/* Who has bound the sender's signing subkey to his own key has not signed with it. */
static void test_claimed(void **state)
{
	World *world = *state;
	g_autoptr(GBytes) message = signed_by(world, world->subkey, "");
	g_autoptr(GBytes) victim = pgp_maker_public(world->maker, world->subkey);
	g_autoptr(GBytes) thief = pgp_maker_public(world->maker, world->sender);
	GByteArray *claimed = g_byte_array_new();
	PgpPackets packets = {0};
	PgpPacket packet;

	g_byte_array_append(claimed, g_bytes_get_data(thief, NULL), (guint)g_bytes_get_size(thief));
	packets.data = g_bytes_get_data(victim, &packets.size);
	for (gboolean behind = FALSE; pgp_packet_next(&packets, &packet, NULL, NULL);) {
		behind = behind || packet.tag == PGP_PUBLIC_SUBKEY;
		if (behind)
			g_byte_array_append(claimed, packet.start, (guint)packet.whole);
	}
	begin(world, NULL);
	g_ptr_array_add(world->compare->signers, g_byte_array_free_to_bytes(claimed));
	g_autoptr(PgpOpened) opened =
		pgp_compare_open(world->compare, "claimed", message, BY_GPG, NULL);
	assert_string_not_equal(((PgpSignature *)opened->signatures->pdata[0])->result, "good");
}

/* --- detached --- */

static void verify(World *world, GBytes *signature, GBytes *content, PgpWay way, const char *name)
{
	g_autoptr(GPtrArray) signatures =
		pgp_compare_verify(world->compare, name, signature, content, way);
}

static GBytes *lines_of(gsize size)
{
	char *text = g_strnfill(size, 'x');

	for (gsize i = 70; i + 1 < size; i += 72)
		memcpy(text + i, "\r\n", 2);
	return g_bytes_new_take(text, size);
}

static void test_detached(void **state)
{
	static const struct {
		const char *options;
		PgpWay way;
	} cases[] = {
		{"--armor", BY_US},
		{"--no-armor", BY_US},
		{"--textmode --armor", BY_US},
		{"--digest-algo SHA384", BY_US},
		{"--digest-algo SHA1", BY_GPG},
		{"--default-sig-expire 1y", BY_GPG},
		{"-u reader@firma.example", BY_GPG},
	};
	World *world = *state;
	g_autoptr(GBytes) other = g_bytes_new_static("Hello  \nWorld\n", 14);
	g_autoptr(GBytes) large = lines_of(3000000);
	const char *const signers[] = {world->sender, world->subkey};
	GBytes *const texts[] = {world->text, other, large};

	for (gsize i = 0; i < 6 * G_N_ELEMENTS(cases); i++) {
		const char *options = cases[i / 6].options, *signer = signers[i % 2];
		GBytes *text = texts[i % 3];
		gboolean odd = text == other && strstr(options, "textmode");
		g_autoptr(GBytes) signature = NULL;

		assert_int_equal(pgp_maker_gpg(world->maker, text, &signature, "%s -u %s -b",
					       options, signer),
				 0);
		begin(world, signer);
		verify(world, signature, text, odd ? BY_ANY : cases[i / 6].way, options);
		verify(world, signature, texts[(i + 1) % 3], BY_GPG, options);
		begin(world, NULL);
		verify(world, signature, text, BY_ANY, options);
	}
}

static void test_detached_flips(void **state)
{
	World *world = *state;
	g_autoptr(GBytes) signature = NULL;

	assert_int_equal(
		pgp_maker_gpg(world->maker, world->text, &signature, "-u %s -b", world->subkey), 0);
	begin(world, world->subkey);
	for (gsize i = 0; i < g_bytes_get_size(signature); i++) {
		g_autofree char *name = g_strdup_printf("byte %zu of the signature", i);
		g_autoptr(GBytes) changed = flipped(signature, i, (guint8)(1 << i % 8));

		verify(world, changed, world->text, BY_ANY, name);
	}
	for (gsize i = 0; i < g_bytes_get_size(world->text); i += 9) {
		g_autoptr(GBytes) changed = flipped(world->text, i, 4);

		verify(world, signature, changed, BY_GPG, "changed text");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	       cmocka_unit_test(test_subkeys),
		cmocka_unit_test(test_options),	       cmocka_unit_test(test_sq),
		cmocka_unit_test(test_signers),	       cmocka_unit_test(test_over),
		cmocka_unit_test(test_subkeys_over),   cmocka_unit_test(test_flips_inside),
		cmocka_unit_test(test_flips_in_key),   cmocka_unit_test(test_lean_keys),
		cmocka_unit_test(test_claimed),	       cmocka_unit_test(test_detached),
		cmocka_unit_test(test_detached_flips),
	};

	return cmocka_run_group_tests_name("crypt/pgpchecking", tests, set_up, tear_down);
}
