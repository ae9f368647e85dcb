/* SPDX-License-Identifier: Apache-2.0
 *
 * Inline PGP: armoured blocks in texts, and encrypted files beside them. Each ciphertext becomes a
 * part of its own, and only the first one can be text to read: a captured ciphertext beside words
 * of an attacker would else be quoted in the answer to him ("Re: What's up, Johnny?", 2019). Beside
 * foreign parts all stay shut. Clear-signed blocks stay as they came. See open.h.
 */
#include "lib/base/error.h"
#include "lib/crypt/pgpkey.h"

#include "gateway/open.h"
#include "gateway/protect.h"
#include "gateway/rebuild.h"

typedef struct {
	OpenWork *work;
	const GPtrArray *leaves; /* of Leaf * */
	gboolean shut; /* foreign parts, words that cannot be marked, or a signature that the new
			  content would lose */
	guint sealed; /* ciphertexts and signed blocks in all */
	gboolean outside; /* there is text around a block */
	gboolean worded; /* ... or in a signature's armour, or lines are joined */
	GPtrArray *parts; /* of NewPart *: the new content */
	gboolean changed; /* ... is another one than the old */
	gboolean shown; /* there is a text to read among the parts */
	guint taken_out; /* how many texts stand apart */
} Inline;

static GPtrArray *parts_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)new_part_free);
}

static void add_copy(Inline *state, const MimePart *part)
{
	NewPart *copy = g_new0(NewPart, 1);

	copy->copied = part;
	g_ptr_array_add(state->parts, copy);
}

/* What was found from here on is all that the reader sees, or only a part, wherever it stands. */
static void set_partial(const Inline *state, guint layers, guint signatures)
{
	const Opened *opened = state->work->opened;
	gboolean partial = state->work->beside;

	for (; layers < opened->layers->len; layers++)
		((OpenLayer *)opened->layers->pdata[layers])->partial = partial;
	for (; signatures < opened->signatures->len; signatures++)
		((OpenSignature *)opened->signatures->pdata[signatures])->partial = partial;
}

static void leave_shut(Inline *state, const char *kind)
{
	open_add_layer(state->work, kind)->reason = "foreign-part";
}

/* --- blocks of a text --- */

/* Verifies a block; TRUE with *plain NULL if it is no signed one. */
static gboolean verify_block(Inline *state, GBytes *block, gboolean certain, Spool **plain,
			     GError **error)
{
	OpenWork *work = state->work;
	g_autoptr(Source) source = source_new_bytes(block);
	g_autoptr(Spool) text = NULL;
	GError *failure = NULL;
	g_autoptr(GPtrArray) found = open_pgp_verify(work, source, &text, &failure);

	if (!found) {
		OpenLayer *layer = open_add_layer(work, "pgp-inline-signed");

		return open_excuse(layer, failure, error);
	}
	if (found->len == 0 && !certain)
		return TRUE;
	open_add_layer(work, "pgp-inline-signed")->opened = TRUE;
	open_pgp_report(work, found);
	*plain = g_steal_pointer(&text);
	return TRUE;
}

/* The text that gpg verified must be the one that the reader sees. */
static gboolean shows(const Leaf *leaf, const PgpTextPiece *piece, Spool *plain)
{
	gsize size = (gsize)spool_length(plain);
	g_autofree char *shown = g_malloc(size + 1);
	gssize got = spool_read_all(plain, 0, shown, size, NULL);

	return got == (gssize)size && pgp_text_shows(leaf->text, piece, shown, size);
}

static gboolean verify_clear(Inline *state, const Leaf *leaf, const PgpTextPiece *piece,
			     GError **error)
{
	g_autoptr(GBytes) block = pgp_text_clear_signed(leaf->text, piece);
	const GPtrArray *signatures = state->work->opened->signatures;
	guint before = signatures->len;
	g_autoptr(Spool) plain = NULL;

	if (!verify_block(state, block, TRUE, &plain, error))
		return FALSE;
	gboolean honest = plain && shows(leaf, piece, plain);

	for (guint i = before; i < signatures->len && !honest; i++)
		open_call_bad(signatures->pdata[i]);
	return TRUE;
}

/* An armoured message: *plain gets what is inside, NULL if it stays as it is. */
static gboolean open_block(Inline *state, const Leaf *leaf, const PgpTextPiece *piece,
			   Spool **plain, GError **error)
{
	g_autoptr(GBytes) packets = pgp_text_packets(leaf->text, piece);
	g_autoptr(Source) source = source_new_bytes(packets);
	g_autoptr(PgpHead) head = pgp_head_read(source, NULL);

	if (!head)
		return TRUE;
	if (!head->encrypted)
		return verify_block(state, packets, head->signature, plain, error);
	if (state->shut) {
		leave_shut(state, "pgp-inline-encrypted");
		return TRUE;
	}
	return source_rewind(source, error) &&
	       open_pgp_message(state->work, "pgp-inline-encrypted", source, plain, error);
}

/* --- texts --- */

static NewPart *text_of(const Leaf *leaf, const PgpTextPiece *piece, Spool *plain)
{
	g_autofree char *named = pgp_text_charset(leaf->text, piece);
	const char *charset = named ? named : mime_param(leaf->part, "charset");

	/* The part's charset is that of the armour, mostly. */
	if (!named && charset && g_ascii_strcasecmp(charset, "iso-8859-1") == 0)
		charset = NULL;
	return new_part_text(charset, plain);
}

/* A text taken out: its note stands in its place. */
static char *take_out(Inline *state, const Leaf *leaf, const PgpTextPiece *piece, Spool *plain,
		      GPtrArray *texts)
{
	NewPart *part = text_of(leaf, piece, plain);

	part->filename = g_strdup_printf("part-%u.txt", ++state->taken_out);
	g_ptr_array_add(texts, part);
	return g_strdup_printf("[Sealpost: see the attached %s]", part->filename);
}

static gboolean look_at_piece(Inline *state, const Leaf *leaf, const PgpTextPiece *piece,
			      Spool **plain, GError **error)
{
	guint layers = state->work->opened->layers->len;
	guint signatures = state->work->opened->signatures->len;
	gboolean done = open_in_time(state->work, error);

	if (piece->kind == PGP_TEXT_CLEAR_SIGNED)
		done = done && verify_clear(state, leaf, piece, error);
	else if (piece->kind == PGP_TEXT_MESSAGE)
		done = done && open_block(state, leaf, piece, plain, error);
	set_partial(state, layers, signatures);
	return done;
}

/* Is a block all of the text? Then what is in it takes the text's place, but only one text does. */
static gboolean stands_alone(const Inline *state, const Leaf *leaf)
{
	return leaf->blocks == 1 && !leaf->outside && !state->shown;
}

static void add_text(Inline *state, NewPart *part)
{
	g_ptr_array_add(state->parts, part);
	state->shown = state->changed = TRUE;
}

/* Words around a block are marked where the block is vouched for. */
static gboolean is_vouched_for(const Opened *opened, guint from)
{
	for (; from < opened->signatures->len; from++) {
		const OpenSignature *signature = opened->signatures->pdata[from];

		if (g_str_equal(signature->result, "good"))
			return TRUE;
	}
	return FALSE;
}

static gboolean add_marked(Inline *state, const Leaf *leaf, GPtrArray *notes, GPtrArray *texts,
			   GError **error)
{
	g_autoptr(Spool) text = protect_spool(state->work->job);

	if (!rebuild_marked_text(leaf, (char *const *)notes->pdata, text, error))
		return FALSE;
	add_text(state, new_part_text(mime_param(leaf->part, "charset"), text));
	g_ptr_array_extend_and_steal(state->parts, g_ptr_array_ref(texts));
	return TRUE;
}

static gboolean open_text(Inline *state, const Leaf *leaf, GError **error)
{
	g_autoptr(GPtrArray) texts = parts_new();
	g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
	const Opened *opened = state->work->opened;
	guint signatures = opened->signatures->len;

	for (guint i = 0; i < leaf->pieces->len; i++) {
		const PgpTextPiece *piece = &g_array_index(leaf->pieces, PgpTextPiece, i);
		g_autoptr(Spool) plain = NULL;

		if (!look_at_piece(state, leaf, piece, &plain, error))
			return FALSE;
		if (plain && !state->shut && stands_alone(state, leaf)) {
			add_text(state, text_of(leaf, piece, plain));
			return TRUE;
		}
		g_ptr_array_add(notes, plain && !state->shut
					       ? take_out(state, leaf, piece, plain, texts)
					       : NULL);
	}
	if (texts->len > 0 || (leaf->outside && !state->shut && is_vouched_for(opened, signatures)))
		return add_marked(state, leaf, notes, texts, error);
	add_copy(state, leaf->part);
	return TRUE;
}

/* --- other leaves --- */

static gboolean open_file(Inline *state, const Leaf *leaf, GError **error)
{
	OpenWork *work = state->work;
	guint layers = work->opened->layers->len, signatures = work->opened->signatures->len;
	g_autoptr(Spool) armour = open_decoded(work, leaf->part, error);
	g_autoptr(Source) source = armour ? spool_source_all(armour) : NULL;
	g_autoptr(Spool) plain = NULL;

	if (!source || !open_in_time(work, error) ||
	    !open_pgp_message(work, "pgp-inline-encrypted", source, &plain, error))
		return FALSE;
	set_partial(state, layers, signatures);
	if (!plain) {
		add_copy(state, leaf->part);
		return TRUE;
	}
	g_ptr_array_add(state->parts, new_part_file(leaf->part, plain));
	state->changed = TRUE;
	return TRUE;
}

static gboolean open_leaf(Inline *state, const Leaf *leaf, GError **error)
{
	guint layers = state->work->opened->layers->len;

	if (leaf->form == LEAF_TEXT)
		return open_text(state, leaf, error);
	if (leaf->form == LEAF_FILE && !state->shut)
		return open_file(state, leaf, error);
	if (leaf->form == LEAF_FILE)
		leave_shut(state, "pgp-inline-encrypted");
	else if (leaf->form == LEAF_PGP)
		leave_shut(state, "pgp-encrypted");
	else if (leaf->form == LEAF_SMIME)
		leave_shut(state, "smime-encrypted");
	set_partial(state, layers, state->work->opened->signatures->len);
	if (leaf->form != LEAF_ECHO)
		add_copy(state, leaf->part);
	return TRUE;
}

static gboolean open_leaves(Inline *state, GError **error)
{
	const MimePart *root = mime_root(state->work->tree);
	gboolean done = TRUE;

	for (guint i = 0; done && i < state->leaves->len; i++) {
		const Leaf *leaf = state->leaves->pdata[i];

		state->work->part = leaf->part == root ? NULL : leaf->part;
		done = open_leaf(state, leaf, error);
	}
	state->work->part = NULL;
	return done;
}

/* Do all readers see these parts, and no others? Depth is bounded by MIME_DEPTH_MAX. */
static gboolean are_strict(const MimeTree *tree, const MimePart *part)
{
	for (guint i = 0; part->children && i < part->children->len; i++)
		if (!are_strict(tree, part->children->pdata[i]))
			return FALSE;
	return mime_is_strict(tree, part);
}

static void survey(Inline *state)
{
	OpenWork *work = state->work;

	/* Only what the message is now can be made anew; inside a clear signature nothing can. */
	state->shut =
		work->current != (work->opened->entity ? work->opened->entity : work->job->message);
	for (guint i = 0; i < state->leaves->len; i++) {
		const Leaf *leaf = state->leaves->pdata[i];

		if (leaf->form == LEAF_TEXT) {
			state->sealed += leaf->blocks;
			state->shut = state->shut || (leaf->outside && !rebuild_can_mark(leaf));
		} else if (leaf->form == LEAF_FILE)
			state->sealed++;
		else if (leaf->form != LEAF_SILENT && leaf->form != LEAF_ECHO)
			state->shut = TRUE;
		state->outside = state->outside || leaf->outside;
		state->worded = state->worded || leaf->worded || leaf->joined;
	}
	/* Ciphertexts say nothing of each other: several are several parts. */
	work->beside = state->shut || state->outside || state->worded || state->sealed > 1 ||
		       !are_strict(work->tree, mime_root(work->tree));
}

gboolean open_inline(OpenWork *work, OpenStep *step, GError **error)
{
	g_autoptr(GPtrArray) leaves = leaves_find(work->tree, work->current);
	g_autoptr(GPtrArray) parts = parts_new();
	Inline state = {.work = work, .leaves = leaves, .parts = parts};
	guint signatures = work->opened->signatures->len;

	if (!leaves_hold_pgp(leaves))
		return TRUE;
	survey(&state);
	gboolean done = open_leaves(&state, error);

	work->beside = FALSE;
	if (!done)
		return FALSE;
	gboolean source = !state.changed && open_shows_source(work);

	for (guint i = signatures; i < work->opened->signatures->len; i++) {
		OpenSignature *signature = work->opened->signatures->pdata[i];

		/* A block beside a ciphertext is not outside of it. */
		signature->outside = FALSE;
		signature->partial = signature->partial || source;
	}
	if (!state.changed)
		return TRUE;
	g_autoptr(Spool) entity = protect_spool(work->job);

	if (!rebuild_entity(work->current, parts, entity, error))
		return FALSE;
	*step = (OpenStep){g_steal_pointer(&entity), TRUE, parts->len > 1 || state.outside};
	return TRUE;
}
