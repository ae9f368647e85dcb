/* SPDX-License-Identifier: Apache-2.0
 *
 * A text with inline PGP in it, as text/plain and as HTML: the pieces cover it without a gap, each
 * block has its begin and end, and what a block shows is what it shows.
 */
#include <string.h>

#include "lib/crypt/pgptext.h"
#include "lib/mail/htmltext.h"
#include "tests/fuzz/fuzz.h"

static void check_block(const char *text, const PgpTextPiece *piece)
{
	gsize size = piece->end - piece->start;
	g_autofree char *block = g_strndup(text + piece->start, size);
	g_autofree char *charset = pgp_text_charset(text, piece);

	g_assert_nonnull(strstr(block, "-----BEGIN PGP "));
	g_assert_nonnull(strstr(block, "-----END PGP "));
	if (piece->kind == PGP_TEXT_MESSAGE) {
		g_autoptr(GBytes) packets = pgp_text_packets(text, piece);

		g_assert_true(g_bytes_get_size(packets) <= size);
		return;
	}
	g_autoptr(GBytes) readable = pgp_text_clear_signed(text, piece);
	/* A comment in the armour may hold the same words, but not at the beginning of a line. */
	gsize armour = (gsize)(g_strrstr(block, "\n-----BEGIN PGP SIGNATURE-----") + 1 - block);

	g_assert_true(g_bytes_get_size(readable) > armour);
	g_assert_true(memcmp(g_bytes_get_data(readable, NULL), block, armour) == 0);
	/* The end of the armour, never of the text that it signs. */
	g_assert_false(pgp_text_shows(text, piece, block, size));
}

static void check_text(const char *text)
{
	gsize size = strlen(text), at = 0;
	g_autoptr(GArray) pieces = pgp_text_split(text, size);
	guint blocks = 0;

	for (guint i = 0; i < pieces->len; i++) {
		const PgpTextPiece *piece = &g_array_index(pieces, PgpTextPiece, i);

		g_assert_true(piece->start == at && piece->end > at);
		at = piece->end;
		if (piece->kind == PGP_TEXT_OUTSIDE)
			continue;
		check_block(text, piece);
		blocks++;
	}
	g_assert_true(at == size && blocks <= PGP_TEXT_BLOCKS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *words = html_text(text);

	g_assert_true(strlen(words) <= strlen(text));
	check_text(text);
	check_text(words);
	return 0;
}
