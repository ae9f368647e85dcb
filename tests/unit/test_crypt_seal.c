/* SPDX-License-Identifier: Apache-2.0
 *
 * The portal's sealing: what was sealed opens, and nothing else does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/crypt/seal.h"

static Secret *text_secret(const char *text)
{
	g_autofree char *copy = g_strdup(text);

	return secret_take(copy, strlen(copy));
}

/* A copy with one bit of the byte at position changed. */
static GBytes *flip(GBytes *bytes, gsize position)
{
	gsize size;
	gconstpointer data = g_bytes_get_data(bytes, &size);
	guint8 *copy = g_memdup2(data, size);

	copy[position] ^= 1;
	return g_bytes_new_take(copy, size);
}

static GPtrArray *seal_all(const Secret *key, const guint8 *data, gsize size, GBytes **header)
{
	GPtrArray *chunks = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_autoptr(SealWriter) writer = seal_writer_new(key, header);

	while (size > SEAL_CHUNK) {
		g_ptr_array_add(chunks, seal_writer_chunk(writer, data, SEAL_CHUNK, FALSE));
		data += SEAL_CHUNK;
		size -= SEAL_CHUNK;
	}
	g_ptr_array_add(chunks, seal_writer_chunk(writer, data, size, TRUE));
	return chunks;
}

/* NULL with the error set, or the whole; *complete: the last chunk was among them. */
static GByteArray *open_all(const Secret *key, GBytes *header, GPtrArray *chunks,
			    gboolean *complete, GError **error)
{
	g_autoptr(GByteArray) plain = g_byte_array_new();
	g_autoptr(SealReader) reader = seal_reader_new(key, header, error);

	*complete = FALSE;
	if (!reader)
		return NULL;
	for (guint i = 0; i < chunks->len; i++) {
		g_autoptr(GBytes) part =
			seal_reader_chunk(reader, chunks->pdata[i], complete, error);
		if (!part)
			return NULL;
		g_byte_array_append(plain, g_bytes_get_data(part, NULL), g_bytes_get_size(part));
	}
	return g_steal_pointer(&plain);
}

static void test_round_trip(void **state)
{
	static const gsize sizes[] = {
		0, 1, SEAL_CHUNK - 1, SEAL_CHUNK, SEAL_CHUNK + 1, 5 * SEAL_CHUNK, 300001};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);
		g_autofree guint8 *data = g_malloc0(sizes[i] + 1);
		g_autoptr(GBytes) header = NULL;
		gboolean complete;
		for (gsize n = 0; n < sizes[i]; n++)
			data[n] = (guint8)(n * 31 + n / 255);
		g_autoptr(GPtrArray) chunks = seal_all(key, data, sizes[i], &header);
		g_autoptr(GByteArray) plain = open_all(key, header, chunks, &complete, NULL);
		assert_non_null(plain);
		assert_true(complete);
		assert_int_equal(plain->len, sizes[i]);
		if (sizes[i])
			assert_memory_equal(plain->data, data, sizes[i]);
	}
}

/* Three chunks, treated badly. */
enum damage { SWAP, CUT_MIDDLE, CUT_END, REPEAT, AFTER_LAST, BIT, HEADER_BIT, WRONG_KEY, EMPTY };

static void do_damage(GPtrArray *chunks, GBytes **header, Secret **key, enum damage damage)
{
	gpointer first = chunks->pdata[0];

	switch (damage) {
	case SWAP:
		chunks->pdata[0] = chunks->pdata[1];
		chunks->pdata[1] = first;
		break;
	case CUT_MIDDLE: g_ptr_array_remove_index(chunks, 1); break;
	case CUT_END: g_ptr_array_remove_index(chunks, 2); break;
	case REPEAT: g_ptr_array_insert(chunks, 1, g_bytes_ref(first)); break;
	case AFTER_LAST: g_ptr_array_add(chunks, g_bytes_ref(chunks->pdata[2])); break;
	case BIT:
		chunks->pdata[0] = flip(first, 1000);
		g_bytes_unref(first);
		break;
	case HEADER_BIT: {
		GBytes *other = flip(*header, 5);
		g_bytes_unref(*header);
		*header = other;
		break;
	}
	case WRONG_KEY:
		secret_free(*key);
		*key = secret_random(SEAL_KEY_SIZE);
		break;
	case EMPTY:
		chunks->pdata[0] = g_bytes_new_static("", 0);
		g_bytes_unref(first);
		break;
	}
}

static void test_damaged(void **state)
{
	(void)state;
	for (enum damage damage = SWAP; damage <= EMPTY; damage++) {
		g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);
		g_autofree guint8 *data = g_malloc0(2 * SEAL_CHUNK + 10);
		g_autoptr(GBytes) header = NULL;
		g_autoptr(GError) error = NULL;
		gboolean complete;
		g_autoptr(GPtrArray) chunks = seal_all(key, data, 2 * SEAL_CHUNK + 10, &header);
		assert_int_equal(chunks->len, 3);
		do_damage(chunks, &header, &key, damage);
		g_autoptr(GByteArray) plain = open_all(key, header, chunks, &complete, &error);
		if (damage == CUT_END) {
			assert_non_null(plain);
			assert_false(complete);
			continue;
		}
		assert_null(plain);
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO));
	}
}

static void test_reader_stops_after_damage(void **state)
{
	g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);
	g_autoptr(GBytes) header = NULL;
	gboolean last;

	(void)state;
	g_autoptr(GPtrArray) chunks = seal_all(key, (const guint8 *)"text", 4, &header);
	g_autoptr(GBytes) bad = flip(chunks->pdata[0], 3);
	g_autoptr(SealReader) reader = seal_reader_new(key, header, NULL);
	assert_null(seal_reader_chunk(reader, bad, &last, NULL));
	assert_null(seal_reader_chunk(reader, chunks->pdata[0], &last, NULL));
}

static void test_bad_headers(void **state)
{
	g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);
	g_autoptr(GBytes) good = NULL;
	g_autoptr(SealWriter) writer = seal_writer_new(key, &good);
	g_autoptr(GBytes) version = flip(good, 0);
	g_autoptr(GBytes) half = g_bytes_new_from_bytes(good, 0, 10);
	g_autoptr(GBytes) empty = g_bytes_new_static("", 0);
	GBytes *bad[] = {version, half, empty};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(seal_reader_new(key, bad[i], &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO));
	}
}

static void test_texts(void **state)
{
	static const char *const texts[] = {"", "Angebot für Köln", "\xff\xfe broken UTF-8",
					    "exactly sixty-four bytes, which is what one block of "
					    "them holds"};
	g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);
	g_autoptr(Secret) other = secret_random(SEAL_KEY_SIZE);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) sealed = seal_text(key, "subject", texts[i]);
		g_autofree char *back = seal_text_open(key, "subject", sealed, NULL);
		g_autoptr(GBytes) damaged = flip(sealed, 30);
		assert_string_equal(back, texts[i]);
		assert_null(seal_text_open(key, "sender", sealed, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO));
		assert_null(seal_text_open(other, "subject", sealed, NULL));
		assert_null(seal_text_open(key, "subject", damaged, NULL));
	}
}

static void test_text_lengths(void **state)
{
	g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);
	g_autoptr(GBytes) no = seal_text(key, "answer", "no");
	g_autoptr(GBytes) yes = seal_text(key, "answer", "certainly");
	g_autoptr(GString) huge = g_string_new("x");

	(void)state;
	assert_int_equal(g_bytes_get_size(no), g_bytes_get_size(yes));
	/* The limit falls into the middle of a two-byte letter, which is left out whole. */
	while (huge->len < 2 * SEAL_TEXT_MAX)
		g_string_append(huge, "ü");
	g_autoptr(GBytes) sealed = seal_text(key, "s", huge->str);
	g_autofree char *back = seal_text_open(key, "s", sealed, NULL);
	assert_int_equal(strlen(back), SEAL_TEXT_MAX - 1);
	assert_true(g_utf8_validate(back, -1, NULL));
}

static void test_truncated_boxes(void **state)
{
	g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);
	g_autoptr(Secret) link = secret_random(SEAL_KEY_SIZE);
	g_autoptr(GBytes) text = seal_text(key, "s", "t");
	g_autoptr(GBytes) wrapped = seal_wrap_for_link(key, link);

	(void)state;
	for (gsize size = 0; size < g_bytes_get_size(text); size++) {
		g_autoptr(GBytes) cut = g_bytes_new_from_bytes(text, 0, size);
		assert_null(seal_text_open(key, "s", cut, NULL));
	}
	for (gsize size = 0; size < g_bytes_get_size(wrapped); size++) {
		g_autoptr(GBytes) cut = g_bytes_new_from_bytes(wrapped, 0, size);
		assert_null(seal_open_with_link(cut, link, NULL));
	}
}

static void test_links(void **state)
{
	g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);
	g_autoptr(Secret) link = secret_random(SEAL_KEY_SIZE);
	g_autoptr(GError) error = NULL;

	(void)state;
	g_autofree char *text = seal_link_text(link);
	assert_int_equal(strlen(text), 43);
	assert_null(strpbrk(text, "+/="));
	g_autoptr(Secret) parsed = seal_link_parse(text);
	assert_true(secret_equal(parsed, link));
	g_autoptr(GBytes) wrapped = seal_wrap_for_link(key, link);
	g_autoptr(Secret) back = seal_open_with_link(wrapped, parsed, NULL);
	assert_true(secret_equal(back, key));

	g_autofree char *hash = seal_link_hash(link);
	g_autofree char *again = seal_link_hash(parsed);
	assert_int_equal(strlen(hash), 64);
	assert_string_equal(hash, again);

	g_autoptr(Secret) other = secret_random(SEAL_KEY_SIZE);
	assert_null(seal_open_with_link(wrapped, other, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO));
}

/* Changes to the text of a link of zeros, 43 times 'A'. */
static void test_link_texts_that_are_none(void **state)
{
	static const struct {
		gsize length;
		gsize at;
		char letter;
		gboolean good;
	} cases[] = {
		{43, 0, 'A', TRUE},   {0, 0, 'A', FALSE},   {5, 0, 'A', FALSE},
		{42, 0, 'A', FALSE},  {44, 0, 'A', FALSE},  {43, 20, '_', TRUE},
		{43, 20, '/', FALSE}, /* not URL-safe */
		{43, 20, '+', FALSE}, {43, 20, ' ', FALSE}, {43, 20, '\xe4', FALSE},
		{44, 43, '=', FALSE}, {43, 42, 'B', FALSE}, /* a second spelling of zeros */
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strnfill(50, 'A');
		text[cases[i].at] = cases[i].letter;
		text[cases[i].length] = '\0';
		g_autoptr(Secret) link = seal_link_parse(text);
		assert_int_equal(link != NULL, cases[i].good);
	}
}

static void test_account(void **state)
{
	g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);
	g_autoptr(Secret) password = text_secret("Grüße aus Köln");
	g_autoptr(Secret) wrong = text_secret("Grüsse aus Köln");
	g_autoptr(Secret) private_key = NULL;
	g_autoptr(GError) error = NULL;
	SealAccount account = {0};

	(void)state;
	assert_true(seal_account_new(password, &account, &private_key, NULL));
	g_autoptr(GBytes) public_key = account.public_key;
	g_autoptr(GBytes) wrapped = account.wrapped_private;
	g_autoptr(GBytes) sealed = seal_to_account(key, public_key, NULL);
	g_autoptr(Secret) back = seal_open_with_account(sealed, public_key, private_key, NULL);
	assert_true(secret_equal(back, key));

	g_autoptr(Secret) opened = seal_account_open(wrapped, password, NULL);
	assert_true(secret_equal(opened, private_key));
	assert_null(seal_account_open(wrapped, wrong, &error));
	assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_PASSPHRASE));

	/* Another account, a damaged copy. */
	g_autoptr(Secret) stranger = secret_random(32);
	g_autoptr(GBytes) damaged = flip(sealed, 50);
	g_autoptr(GError) other = NULL;
	assert_null(seal_open_with_account(sealed, public_key, stranger, &other));
	assert_true(g_error_matches(other, SEALPOST_ERROR, ERROR_CRYPTO));
	assert_null(seal_open_with_account(damaged, public_key, private_key, NULL));
}

/* Public keys from a database that someone changed: none, or of low order (0, 1 and 2^255 - 20). */
static void test_account_public_key(void **state)
{
	static const struct {
		guint8 first, middle, last;
		gsize size;
	} keys[] = {{9, 0, 0, 31}, {9, 0, 0, 33}, {9, 0, 0, 0},
		    {0, 0, 0, 32}, {1, 0, 0, 32}, {0xec, 0xff, 0x7f, 32}};
	g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);

	(void)state;
	assert_null(seal_to_account(key, NULL, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autoptr(GError) error = NULL;
		guint8 bytes[33];

		memset(bytes, keys[i].middle, sizeof(bytes));
		bytes[0] = keys[i].first;
		bytes[31] = keys[i].last;
		g_autoptr(GBytes) public_key = g_bytes_new(bytes, keys[i].size);
		assert_null(seal_to_account(key, public_key, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO));
	}
}

/* Costs from a database that someone changed are refused before any work is done. */
static void test_account_costs(void **state)
{
	static const struct {
		gsize at;
		guint8 value;
	} changes[] = {{0, 2}, {1, 0xff}, {4, 0}, {4, 17}, {5, 0x7f}, {6, 0x11}};
	g_autoptr(Secret) password = text_secret("p");
	g_autoptr(Secret) private_key = NULL;
	SealAccount account = {0};

	(void)state;
	assert_true(seal_account_new(password, &account, &private_key, NULL));
	g_autoptr(GBytes) public_key = account.public_key;
	g_autoptr(GBytes) wrapped = account.wrapped_private;
	for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
		g_autoptr(GError) error = NULL;
		gsize size;
		gconstpointer data = g_bytes_get_data(wrapped, &size);
		guint8 *copy = g_memdup2(data, size);
		copy[changes[i].at] = changes[i].value;
		g_autoptr(GBytes) changed = g_bytes_new_take(copy, size);
		assert_null(seal_account_open(changed, password, &error));
		assert_true(g_error_matches(error, SEALPOST_ERROR, ERROR_CRYPTO));
	}
	for (gsize size = 0; size < 25; size++) {
		g_autoptr(GBytes) cut = g_bytes_new_from_bytes(wrapped, 0, size);
		assert_null(seal_account_open(cut, password, NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_reader_stops_after_damage),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_text_lengths),
		cmocka_unit_test(test_truncated_boxes),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_link_texts_that_are_none),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_account_public_key),
		cmocka_unit_test(test_account_costs),
	};

	return cmocka_run_group_tests_name("crypt/seal", tests, NULL, NULL);
}
