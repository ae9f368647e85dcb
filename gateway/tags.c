/* SPDX-License-Identifier: Apache-2.0
 *
 * Subject tags, and their texts in each language. See tags.h. A new language needs its words in
 * lookalike.c, too.
 */
#include "lib/base/error.h"

#include "gateway/lookalike.h"
#include "gateway/tags.h"

enum { ENGLISH, GERMAN, LANGUAGES };

static const char *const language_names[LANGUAGES] = {"en", "de"};
static const char *const encrypted_word[LANGUAGES] = {"encrypted", "verschlüsselt"};
static const char *const signed_word[LANGUAGES] = {"signed", "signiert"};
static const char *const warning_word[LANGUAGES] = {"WARNING", "WARNUNG"};
static const char *const other_signer[LANGUAGES] = {"signed by %s, not by the sender",
						    "signiert von %s, nicht vom Absender"};

#define TEXTS_MAX 10

typedef struct {
	const char *word; /* as in explain and X-Sealpost-Incoming */
	const char *text[LANGUAGES];
} Text;

/* A signature without a word here (no-key, unsupported) claims nothing and is no reason to warn. */
static const Text result_texts[] = {
	{"bad", {"signature broken", "Signatur gebrochen"}},
	{"untrusted", {"signature not trusted", "Signatur nicht vertrauenswürdig"}},
	{"expired", {"signature expired", "Signatur abgelaufen"}},
	{"revoked", {"signature revoked", "Signatur widerrufen"}},
	{"wrong-usage", {"certificate not for signatures", "Zertifikat nicht für Signaturen"}},
	{"weak", {"signature too weak", "Signatur zu schwach"}},
};

/* The others stand in X-Sealpost-Incoming. */
static const Text warning_texts[] = {
	{"several-from", {"more than one sender", "mehrere Absender"}},
	{"group-from", {"sender unclear", "Absender unklar"}},
	{"changed-key",
	 {"signed with another key than before", "mit anderem Schlüssel als bisher signiert"}},
	{"no-from", {"sender unclear", "Absender unklar"}},
	{"forged-display-name",
	 {"sender's name shows another address", "Name des Absenders zeigt eine andere Adresse"}},
	{"protected-from-differs", {"another sender inside", "innen ein anderer Absender"}},
	{"partial-encryption", {"only a part was encrypted", "nur ein Teil war verschlüsselt"}},
	{"partial-signature", {"only a part is signed", "nur ein Teil ist signiert"}},
	{"signed-ciphertext",
	 {"signed after encryption", "erst nach der Verschlüsselung signiert"}},
	{"not-protected-against-change",
	 {"not protected against change", "nicht gegen Änderung geschützt"}},
	{"weak-cipher", {"weakly encrypted", "schwach verschlüsselt"}},
};

gboolean tags_read(const Conf *conf, Tags *tags, GError **error)
{
	const char *const *words = conf_list(conf, "incoming", "subject_tags");
	const char *language = conf_string(conf, "incoming", "subject_language");

	*tags = (Tags){.language = LANGUAGES};
	for (; words && *words; words++) {
		gboolean *which = g_str_equal(*words, "encrypted") ? &tags->encrypted
				  : g_str_equal(*words, "signed")  ? &tags->signed_by
				  : g_str_equal(*words, "warning") ? &tags->warning
								   : NULL;

		if (!which) {
			g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
				    "[incoming] subject_tags: \"%s\" is none of encrypted, signed, "
				    "warning",
				    *words);
			return FALSE;
		}
		*which = TRUE;
	}
	for (guint i = 0; i < LANGUAGES; i++)
		if (g_strcmp0(language, language_names[i]) == 0)
			tags->language = i;
	if (tags->language < LANGUAGES)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
		    "[incoming] subject_language: \"%s\" is none of en, de", language);
	return FALSE;
}

gboolean tags_wanted(const Tags *tags)
{
	return tags->encrypted || tags->signed_by || tags->warning;
}

static void add_tag(GString *text, const char *word, const char *more)
{
	g_string_append_printf(text, "%s[%s%s%s]", text->len > 0 ? " " : "", word, more ? ": " : "",
			       more ? more : "");
}

/* All of it, not a part of it. */
static gboolean is_encrypted(const Opened *opened)
{
	for (guint i = 0; i < opened->layers->len; i++) {
		const OpenLayer *layer = opened->layers->pdata[i];

		if (layer->opened && !layer->partial && g_str_has_suffix(layer->kind, "encrypted"))
			return TRUE;
	}
	return FALSE;
}

/* The signature by which the message is its sender's. None, if another one does not hold. */
static const OpenSignature *find_signature(const Opened *opened)
{
	const OpenSignature *found = NULL;

	for (guint i = 0; i < opened->signatures->len; i++) {
		const OpenSignature *signature = opened->signatures->pdata[i];

		if (g_str_equal(signature->result, "bad"))
			return NULL;
		if (!found && opened_covers(signature) && signature->matches_from)
			found = signature;
	}
	return found;
}

static void add_once(GPtrArray *texts, char *text)
{
	for (guint i = 0; i < texts->len; i++) {
		if (g_str_equal(texts->pdata[i], text)) {
			g_free(text);
			return;
		}
	}
	g_ptr_array_add(texts, text);
}

static void add_text(GPtrArray *texts, const Text *table, gsize size, const char *word,
		     guint language)
{
	for (gsize i = 0; i < size; i++)
		if (g_str_equal(table[i].word, word))
			add_once(texts, g_strdup(table[i].text[language]));
}

/* Has the sender signed all that the reader sees? */
static gboolean is_of_sender(const Opened *opened)
{
	for (guint i = 0; i < opened->signatures->len; i++) {
		const OpenSignature *signature = opened->signatures->pdata[i];

		if (signature->matches_from && opened_covers(signature))
			return TRUE;
	}
	return FALSE;
}

/* A good signature of somebody else's is a warning, unless the sender's is there, too. Of many some are
 * enough. */
static void add_other_signer(GPtrArray *texts, const OpenSignature *signature, guint language)
{
	if (texts->len >= TEXTS_MAX)
		return;

	g_autofree char *name = lookalike_clean_name(signature->signer ? signature->signer : "?");
	g_auto(GStrv) halves = g_strsplit(other_signer[language], "%s", 2);

	add_once(texts, g_strconcat(halves[0], name, halves[1], NULL));
}

static void add_warnings(GString *text, const Opened *opened, guint language)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	gboolean of_sender = is_of_sender(opened);

	for (guint i = 0; i < opened->signatures->len; i++) {
		const OpenSignature *signature = opened->signatures->pdata[i];

		add_text(texts, result_texts, G_N_ELEMENTS(result_texts), signature->result,
			 language);
		if (!of_sender && !signature->matches_from &&
		    g_str_equal(signature->result, "good"))
			add_other_signer(texts, signature, language);
	}
	for (guint i = 0; i < opened->warnings->len; i++)
		add_text(texts, warning_texts, G_N_ELEMENTS(warning_texts),
			 opened->warnings->pdata[i], language);
	if (texts->len == 0)
		return;
	g_ptr_array_add(texts, NULL);
	g_autofree char *list = g_strjoinv(", ", (char **)texts->pdata);

	add_tag(text, warning_word[language], list);
}

char *tags_text(const Tags *tags, const Opened *opened)
{
	GString *text = g_string_new(NULL);
	const OpenSignature *sender = opened ? find_signature(opened) : NULL;

	if (tags->encrypted && opened && is_encrypted(opened))
		add_tag(text, encrypted_word[tags->language], NULL);
	if (tags->signed_by && sender) {
		g_autofree char *name = lookalike_clean_name(sender->signer);

		add_tag(text, signed_word[tags->language], name);
	}
	if (tags->warning && opened)
		add_warnings(text, opened, tags->language);
	return g_string_free(text, FALSE);
}
