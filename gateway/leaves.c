/* SPDX-License-Identifier: Apache-2.0
 *
 * What each leaf of a message is. See leaves.h.
 */
#include <string.h>

#include "lib/crypt/pgpkey.h"
#include "lib/mail/htmltext.h"

#include "gateway/leaves.h"
#include "gateway/parse.h"

/* Keys and signatures beside a text: longer ones are no such. */
#define KEYS_MAX (1024 * 1024)

typedef struct {
	const MimeTree *tree;
	Spool *message;
	GPtrArray *leaves;
	gsize text_left; /* how much more text may be kept */
	guint sealed_left; /* how many more blocks and files are looked at */
} Survey;

static void leaf_free(gpointer data)
{
	Leaf *leaf = data;

	g_free(leaf->text);
	g_free(leaf->hash);
	g_clear_pointer(&leaf->pieces, g_array_unref);
	g_free(leaf);
}

static gboolean has_suffix(const MimePart *part, const char *const *suffixes)
{
	g_autofree char *name = part->filename ? g_ascii_strdown(part->filename, -1) : NULL;

	for (; name && *suffixes; suffixes++)
		if (g_str_has_suffix(name, *suffixes))
			return TRUE;
	return FALSE;
}

/* Its content, transfer encoding undone; NULL if it is longer. */
static GByteArray *read_bytes(const Survey *survey, const MimePart *part, gsize limit)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, limit);

	return mime_decode(survey->tree, part, sink, NULL) ? g_steal_pointer(&bytes) : NULL;
}

/* The text of a leaf if it may hold blocks; it ends in a NUL that *size does not count. */
static char *read_text(const Survey *survey, const MimePart *part, gsize *size)
{
	g_autoptr(GByteArray) bytes = read_bytes(survey, part, survey->text_left);

	if (!bytes || (bytes->len && memchr(bytes->data, '\0', bytes->len)))
		return NULL;
	*size = bytes->len;
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(g_steal_pointer(&bytes), FALSE);
}

/* Its first block. */
static const PgpTextPiece *leaf_block(const Leaf *leaf)
{
	const PgpTextPiece *piece = &g_array_index(leaf->pieces, PgpTextPiece, 0);

	while (piece->kind == PGP_TEXT_OUTSIDE)
		piece++;
	return piece;
}

/* Blanks at the end of a line are not signed; with delsp=yes (RFC 3676, section 4.1) they make one word
 * of the last one and the first one of the next line. */
static gboolean joins_lines(const Leaf *leaf, const PgpTextPiece *piece)
{
	g_autofree char *type = mime_header(leaf->part, "Content-Type");
	g_autofree char *folded = g_ascii_strdown(type ? type : "", -1);
	const char *text = leaf->text + piece->start;
	gssize size = (gssize)(piece->end - piece->start);

	return piece->kind == PGP_TEXT_CLEAR_SIGNED && strstr(folded, "delsp") &&
	       (g_strstr_len(text, size, " \n") || g_strstr_len(text, size, " \r\n"));
}

static void count_pieces(Leaf *leaf)
{
	for (guint i = 0; i < leaf->pieces->len; i++) {
		const PgpTextPiece *piece = &g_array_index(leaf->pieces, PgpTextPiece, i);

		leaf->worded = leaf->worded || piece->worded;
		leaf->joined = leaf->joined || joins_lines(leaf, piece);
		if (piece->kind != PGP_TEXT_OUTSIDE)
			leaf->blocks++;
		else if (!pgp_text_is_blank(leaf->text + piece->start, piece->end - piece->start))
			leaf->outside = TRUE;
	}
}

/* The one block of an HTML text, if nothing but a ciphertext is in its markup. */
static char *html_block(char *html)
{
	g_autofree char *text = html_text(html);
	gsize size = strlen(text);
	g_autoptr(GArray) pieces = pgp_text_split(text, size);
	guint blocks = 0;

	g_free(html);
	for (guint i = 0; i < pieces->len; i++) {
		const PgpTextPiece *piece = &g_array_index(pieces, PgpTextPiece, i);

		if (piece->kind == PGP_TEXT_MESSAGE)
			blocks++;
		else if (!pgp_text_is_blank(text + piece->start, piece->end - piece->start))
			return NULL;
	}
	return blocks == 1 ? g_steal_pointer(&text) : NULL;
}

static char *block_hash(const Leaf *leaf)
{
	g_autoptr(GBytes) packets = pgp_text_packets(leaf->text, leaf_block(leaf));

	return g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, packets);
}

/* Is the HTML form of a text that is there already? */
static gboolean is_echo(const Survey *survey, const Leaf *leaf)
{
	for (guint i = 0; i < survey->leaves->len; i++) {
		const Leaf *other = survey->leaves->pdata[i];

		if (other->form == LEAF_TEXT && other->hash && g_str_equal(other->hash, leaf->hash))
			return TRUE;
	}
	return FALSE;
}

/* A name can tell a reader something, and says what he opens the content with. */
static gboolean has_silent_name(const MimePart *part)
{
	static const char *const suffixes[] = {".asc", ".pgp", ".gpg", ".key", ".sig", NULL};

	return !part->filename || has_suffix(part, suffixes);
}

/* Exchange leaves a blank ATT00001.txt behind, where it cut a text into pieces. */
static gboolean is_exchange_blank(const MimePart *part)
{
	return g_str_equal(part->type, "text/plain") && part->filename &&
	       g_regex_match_simple("^ATT[0-9]{1,8}\\.txt$", part->filename,
				    G_REGEX_CASELESS | G_REGEX_DOLLAR_ENDONLY, 0);
}

/* By its content: the type alone is what the sender likes it to be. */
static gboolean is_keys(const Survey *survey, const MimePart *part)
{
	if ((!g_str_equal(part->type, "application/pgp-keys") &&
	     !g_str_equal(part->type, "application/pgp-signature")) ||
	    !has_silent_name(part))
		return FALSE;
	g_autoptr(GByteArray) bytes = read_bytes(survey, part, KEYS_MAX);

	return bytes && pgp_text_is_keys((const char *)bytes->data, bytes->len);
}

static LeafForm look_at_text(Survey *survey, Leaf *leaf)
{
	gboolean html = g_str_equal(leaf->part->type, "text/html");
	gsize size;
	g_autofree char *text = read_text(survey, leaf->part, &size);

	if (!text)
		return LEAF_FOREIGN;
	if (pgp_text_is_blank(text, size))
		return !leaf->part->filename || is_exchange_blank(leaf->part) ? LEAF_SILENT
									      : LEAF_FOREIGN;
	if ((!html && !g_str_equal(leaf->part->type, "text/plain")) || leaf->part->attached ||
	    !strstr(text, "-----BEGIN PGP "))
		return LEAF_FOREIGN;
	leaf->text = html ? html_block(g_steal_pointer(&text)) : g_steal_pointer(&text);
	if (!leaf->text)
		return LEAF_FOREIGN;
	leaf->pieces = pgp_text_split(leaf->text, strlen(leaf->text));
	count_pieces(leaf);
	if (leaf->blocks == 0 || leaf->blocks > survey->sealed_left)
		return LEAF_FOREIGN;
	survey->sealed_left -= leaf->blocks;
	survey->text_left -= MIN(size, survey->text_left);
	if (leaf->blocks == 1)
		leaf->hash = block_hash(leaf);
	return html && is_echo(survey, leaf) ? LEAF_ECHO : LEAF_TEXT;
}

/* An encrypted file: by its name or type, and from end to end. */
static gboolean is_file(const Survey *survey, const MimePart *part)
{
	static const char *const suffixes[] = {".pgp", ".gpg", ".asc", NULL};

	if (!has_suffix(part, suffixes) || survey->sealed_left == 0)
		return FALSE;
	g_autoptr(Source) content = mime_source(survey->tree, part);

	return pgp_is_sealed(content);
}

static LeafForm look_at_leaf(Survey *survey, Leaf *leaf)
{
	const MimePart *part = leaf->part;

	switch (parse_sealed(survey->tree, survey->message, part)) {
	case LAYER_PGP: return LEAF_PGP;
	case LAYER_SMIME: return LEAF_SMIME;
	case LAYER_NONE: break;
	}
	if (part->children)
		return LEAF_FOREIGN;
	if (is_file(survey, part)) {
		survey->sealed_left--;
		return LEAF_FILE;
	}
	if (is_keys(survey, part))
		return LEAF_SILENT;
	return g_str_has_prefix(part->type, "text/") ? look_at_text(survey, leaf) : LEAF_FOREIGN;
}

/* Only these are looked into: what is in another kind of part is that part's business. */
static gboolean is_container(const MimePart *part)
{
	static const char *const types[] = {"multipart/mixed", "multipart/related",
					    "multipart/alternative"};

	for (gsize i = 0; part->children && i < G_N_ELEMENTS(types); i++)
		if (g_str_equal(part->type, types[i]))
			return TRUE;
	return FALSE;
}

/* Depth is bounded by MIME_DEPTH_MAX. */
static void find_in(Survey *survey, const MimePart *part)
{
	if (is_container(part)) {
		for (guint i = 0; i < part->children->len; i++)
			find_in(survey, part->children->pdata[i]);
		return;
	}
	Leaf *leaf = g_new0(Leaf, 1);

	leaf->part = part;
	leaf->form = look_at_leaf(survey, leaf);
	g_ptr_array_add(survey->leaves, leaf);
}

GPtrArray *leaves_find(const MimeTree *tree, Spool *message)
{
	Survey survey = {tree, message, g_ptr_array_new_with_free_func(leaf_free), PARSE_INLINE_MAX,
			 LEAVES_SEALED_MAX};

	find_in(&survey, mime_root(tree));
	return survey.leaves;
}

gboolean leaves_hold_pgp(const GPtrArray *leaves)
{
	for (guint i = 0; i < leaves->len; i++) {
		const Leaf *leaf = leaves->pdata[i];

		if (leaf->form != LEAF_FOREIGN && leaf->form != LEAF_SILENT)
			return TRUE;
	}
	return FALSE;
}
