/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenPGP's outer form: the head of a message, and a file of keys before gpg sees it.
 */
#include <string.h>

#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgpkeyfile.h"
#include "lib/crypt/pgppacket.h"
#include "tests/fuzz/fuzz.h"

static void check_head(GBytes *bytes)
{
	g_autoptr(Source) source = source_new_bytes(bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(PgpHead) head = pgp_head_read(source, &error);

	g_assert_true((head == NULL) == (error != NULL));
	if (!head)
		return;
	g_assert_true(head->encrypted || !head->integrity);
	g_assert_true(head->encrypted || head->key_ids->len == 0);
	for (guint i = 0; i < head->key_ids->len; i++)
		g_assert_cmpuint(strlen(head->key_ids->pdata[i]), ==, 16);
}

/* What is left of a file reads the same again. */
static void check_keys(GBytes *bytes)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PgpKeyFile) file = pgp_keyfile_read(bytes, &error);

	g_assert_true((file == NULL) == (error != NULL));
	if (!file)
		return;
	g_assert_cmpuint(file->keys, >, 0);
	g_autoptr(GBytes) packets = g_bytes_new(file->packets->data, file->packets->len);
	g_autoptr(PgpKeyFile) again = pgp_keyfile_read(packets, NULL);
	g_assert_nonnull(again);
	g_assert_cmpuint(again->keys, ==, file->keys);
	g_assert_cmpmem(again->packets->data, again->packets->len, file->packets->data,
			file->packets->len);
	g_autoptr(GPtrArray) ids = pgp_key_ids(packets);
	g_assert_cmpuint(ids->len, <=, file->packets->len);
}

/* What a stranger's mail brings: each key by itself, and small. */
static void check_carried(GBytes *bytes)
{
	g_autoptr(GPtrArray) keys = pgpkey_carried(bytes, "a@x.example");

	g_assert_cmpuint(keys->len, <=, PGPKEY_CARRIED_KEYS_MAX);
	for (guint i = 0; i < keys->len; i++) {
		const PgpCarried *carried = keys->pdata[i];
		g_autoptr(GPtrArray) again = pgpkey_carried(carried->bytes, "a@x.example");

		g_assert_cmpuint(g_bytes_get_size(carried->bytes), <=, PGPKEY_CARRIED_MAX);
		g_assert_cmpuint(again->len, ==, 1);
		const PgpCarried *same = again->pdata[0];
		g_assert_cmpstr(same->fingerprint, ==, carried->fingerprint);
		g_assert_true(g_bytes_equal(same->bytes, carried->bytes));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);

	check_head(bytes);
	check_keys(bytes);
	check_carried(bytes);
	return 0;
}
