/* SPDX-License-Identifier: Apache-2.0
 *
 * The delivered Subject: what is taken for one of our tags, what our tags say, and what stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/mail/headers.h"

#include "gateway/lookalike.h"
#include "gateway/subject.h"
#include "gateway/tags.h"

static void test_lookalikes(void **state)
{
	static const char *const cases[][2] = {
		{"[encrypted] Hello", "Hello"},
		{"[signed: boss@firma.example] Hello", "Hello"},
		{"[WARNING: all is well] Hello", "Hello"},
		{"[verschlüsselt] [signiert: Chef] Hallo", "Hallo"},
		{"[WARNUNG: nichts] Hallo", "Hallo"},
		{"Re: [SIGNED] Hello", "Re: Hello"},
		{"[ Signed by boss ] Hello", "Hello"},
		{"[s i g n e d: boss] Hello", "Hello"},
		{"[\u200bsig\u200dned: boss] Hello", "Hello"},
		{"[sig\u00adned] Hello", "Hello"},
		{"[sig\ufffdned] Hello", "Hello"},
		{"［ｓｉｇｎｅｄ： boss］ Hello", "Hello"},
		{"【encrypted】Hello", "Hello"},
		{"〔signed〕⟦encrypted⟧ Hello", "Hello"},
		{"[ѕіgnеd: boss] Hello", "Hello"}, /* Cyrillic */
		{"[sıgned] [slgned] [s1gned] [s|gned] Hello", "Hello"},
		{"[𝐬𝐢𝐠𝐧𝐞𝐝] Hello", "Hello"},
		{"[verschlusselt] [verschluesselt] [VERSCHLÜSSELT] Hallo", "Hallo"},
		{"[🔒 encrypted] [✓ signed: boss] Hello", "Hello"},
		{"[signed: boss Hello", "boss Hello"},
		{"[sig[signed: x]ned: boss] Hello", "Hello"},
		{"[sig[sig[encrypted]ned]ned] Hello", "Hello"},
		{"[encrypted, signed: boss] Hello", "Hello"},
		{"\u202e]ssob :dengis[ Hello", "]ssob :dengis[ Hello"},
		{"Hello [encrypted]", "Hello "},
		/* these are not ours */
		{"contract (signed)", "contract (signed)"},
		{"[WARNING] disk is full", "[WARNING] disk is full"},
		{"[signedness] [encryption] [ticket 5]", "[signedness] [encryption] [ticket 5]"},
		{"signed: boss", "signed: boss"},
		{"[ticket: signed] [] [", "[ticket: signed] [] ["},
		{"Üb\u0308er  [a]\u200b", "Üb\u0308er  [a]\u200b"},
		{"", ""},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *rest = lookalike_remove(cases[i][0]);

		assert_string_equal(rest, cases[i][1]);
	}
}

/* One trick each; Hi, and nothing else, is left of "[…] Hi". */
static const char *const tricks[] = {
	/* fullwidth, circled, squared, mathematical, superscript, dark and regional emblems */
	"［ｅｎｃｒｙｐｔｅｄ］",
	"［ｖｅｒｓｃｈｌüｓｓｅｌｔ］",
	"[ⓢⓘⓖⓝⓔⓓ]",
	"[🄴🄽🄲🅁🅈🄿🅃🄴🄳]",
	"[𝓼𝓲𝓰𝓷𝓲𝓮𝓻𝓽: Chef]",
	"[ˢⁱᵍⁿᵉᵈ]",
	"[🅢🅘🅖🅝🅔🅓]",
	"[🆅🅴🆁🆂🅲🅷🅻🆄🆂🆂🅴🅻🆃]",
	"[🇸🇮🇬🇳🇪🇩]",
	/* zero width: joiners, soft hyphen, fillers, selectors, tags, what stands for an object */
	"[s\u200bi\u200cg\u200dn\u2060e\ufeffd]",
	"[ver\u00adschlüs\u00adselt]",
	"[sig\u034fniert]",
	"[sig\u3164niert]",
	"[sig\uffa0ned]",
	"[si\u115fgned]",
	"[sig\ufe0fned]",
	"[sig\U000e0061ned]",
	"[\ufffcsig\ufffcned]",
	"[WARN\u180eUNG: x]",
	"[sig\u2800ned]",
	"[sig\U0001d159ned]",
	/* strokes and dots drawn over the letters */
	"[s\u0332i\u0332g\u0332n\u0332e\u0332d\u0332]",
	"[vers\u0301chlu\u0308sselt]",
	"[ŝíğñęđ]",
	"[šïǥnɇɗ]",
	/* marks of direction, embeddings, isolates, overrides */
	"\u200f[signed: boss]\u200e",
	"[\u200fsig\u061cned]",
	"[\u202bsigned\u202c]",
	"\u2067[\u2068verschlüsselt\u2069]\u2069",
	"[sig\u202dned\u202c: x]",
	"\u202e[signed]",
	/* blanks of all kinds, in a tag and between its letters */
	"[\tsigned:\tboss]",
	"[sig\tned]",
	"[W A R N U N G : x]",
	"[\u00a0encrypted\u00a0]",
	"[en\u3000crypted]",
	"[sig\r\n ned]",
	"[sig\x01ned]",
	"[sig\xc2\x85ned]",
	"[s\u2009i\u200ag\u202fn\u205fe\u2003d]",
	/* Cyrillic, Greek, Armenian, Coptic, Cherokee, Lisu, small capitals */
	"[ѕіgnеԁ]",
	"[ΕΝCRΥΡΤΕD]",
	"[VERSCΗLÜSSELT]",
	"[տigned]",
	"[ⲉncryⲣⲧⲉd]",
	"[ᏚᎥᏀNᎬᎠ]",
	"[ꓢꓲꓖꓠꓰꓓ]",
	"[ꓪꓮꓣꓠꓴꓠꓖ: x]",
	"[ꜱɪɢɴᴇᴅ]",
	"[ᴠᴇʀꜱᴄʜʟᴜꜱꜱᴇʟᴛ]",
	"[ᴡᴀʀɴɪɴɢ: x]",
	/* one letter for another, two for one, and the other way round */
	"[s|gned]",
	"[s!gned]",
	"[slgnlert]",
	"[verschIüsse1t]",
	"[versch∣üsselt]",
	"[signecl]",
	"[encryptecl]",
	"[vvarning: x]",
	"[VVARNUNG: x]",
	"[verschliisselt]",
	"[verschlüßelt]",
	"[VERSCHLÜẞELT]",
	"[ſigned]",
	/* brackets */
	"【signed】",
	"〚verschlüsselt〛",
	"⁅signed⁆",
	"﹝signiert﹞",
	"⊏signed⊐",
	"「signed」",
	"⌈signed⌉",
	"❲signed❳",
	/* colons, of which some are letters */
	"[signed： x]",
	"[signedː x]",
	"[signiertꓽ x]",
	"[WARNUNG∶ x]",
	"[WARNUNGः x]",
	"[WARNUNG˸ x]",
	"[WARNINGꓽ x]",
	"[WARNING ︓x]",
	/* more in front, or behind, and no end */
	"[✓signed]",
	"[ – signed]",
	"[🔒🔒 verschlüsselt]",
	"[signed, encrypted, checked by x]",
	"[signed",
	"[signed :",
};

static void test_tricks(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(tricks); i++) {
		g_autofree char *text = g_strconcat(tricks[i], " Hi", NULL);
		g_autofree char *plain = lookalike_remove(text);
		g_autoptr(GString) rest = g_string_new(plain);

		/* What does not show may stay. */
		g_string_replace(rest, "\u200f", "", 0);
		g_string_replace(rest, "\u200e", "", 0);
		g_string_replace(rest, "\u2067", "", 0);
		g_string_replace(rest, "\u2069", "", 0);
		if (!g_str_equal(g_strstrip(rest->str), "Hi"))
			fail_msg("%s: %s", tricks[i], rest->str);
	}
}

/* Words of all days that stay as they are. */
static void test_harmless(void **state)
{
	static const char *const texts[] = {
		"[designed] [assigned] [resigned] [unsigned int]",
		"[signedness] [undersigned]",
		"[WARNING] disk is full",
		"[Warnungen: 3]",
		"[Verschlüsselungstechnik] Termin",
		"[encryptedmail] list",
		"(signed)",
		"{encrypted}",
		"<signed>",
		"signed: x",
		"Contract [to be signed]",
		"[SIG] meeting",
		"[#1234] Ticket",
		"[PATCH v2] cl: fix",
		"Größe [cm]: 5",
		"[ΕΛΛΑΔΑ] Γεια",
		"[日本語] 件名",
		"[عربي] مرحبا",
		"🇩🇪 [🇸🇮] Slowenien",
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *rest = lookalike_remove(texts[i]);

		assert_string_equal(rest, texts[i]);
	}
}

/* Deep nesting, and much of it: ends soon, and nothing is left. */
static void test_stubborn(void **state)
{
	g_autoptr(GString) deep = g_string_new(NULL), wide = g_string_new(NULL);

	(void)state;
	for (int i = 0; i < 5000; i++)
		g_string_append(deep, "[sig");
	g_string_append(deep, "[signed]");
	for (int i = 0; i < 5000; i++)
		g_string_append(deep, "ned]");
	for (int i = 0; i < 8000; i++)
		g_string_append(wide, "[signed ");
	clock_t start = clock();
	g_autofree char *rest = lookalike_remove(deep->str);
	g_autofree char *again = lookalike_remove(rest);

	assert_string_equal(rest, again);
	assert_null(strstr(rest, "[signed]"));
	g_autofree char *others = lookalike_remove(wide->str);

	assert_string_equal(others, "");
	assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
}

static void test_names(void **state)
{
	g_autofree char *clean = lookalike_clean_name("a\u202e]b\n［c〕\u200b@x ");
	g_autofree char *broken = lookalike_clean_name("\xff@x");
	g_autofree char *filler = g_strnfill(1000, 'a');
	g_autofree char *cut = lookalike_clean_name(filler);
	g_autofree char *long_domain =
		g_strconcat("boss@firma.example.", filler, ".evil.example", NULL);
	g_autofree char *shown = lookalike_clean_name(long_domain);

	(void)state;
	assert_string_equal(clean, "a b  c @x");
	assert_string_equal(broken, "@x");
	assert_int_equal(g_utf8_strlen(cut, -1), LOOKALIKE_NAME_MAX);
	assert_true(g_str_has_prefix(shown, "boss@firma.example."));
	assert_true(g_str_has_suffix(shown, "aaa.evil.example"));
	assert_non_null(strstr(shown, "…"));
}

typedef struct {
	const char *raw, *restored, *tags;
	const char *value; /* NULL: it stays */
	const char *text; /* as a reader sees it */
} Case;

static const Case subjects[] = {
	/* no tags are wanted: nothing is touched */
	{" [signed: x] Hi", NULL, NULL, NULL, NULL},
	{NULL, NULL, NULL, NULL, NULL},
	/* wanted, but nothing to say */
	{" Hi", NULL, "", NULL, NULL},
	{" [signed: x] Hi", NULL, "", " Hi", "Hi"},
	{NULL, NULL, "", NULL, NULL},
	/* in front; the rest keeps its bytes */
	{" Hi\n\tyou", NULL, "[encrypted]", " [encrypted]\n Hi\n\tyou", "[encrypted] Hi you"},
	{" =?iso-8859-1?q?=FCber?=", NULL, "[encrypted]",
	 " [encrypted]\n =?iso-8859-1?q?=FCber?=", "[encrypted] über"},
	{" =?iso-8859-1?q?=FCber?=", NULL, "[ü]",
	 " =?UTF-8?Q?=5B=C3=BC=5D_?=\n =?iso-8859-1?q?=FCber?=", "[ü] über"},
	{" plain", NULL, "[ü]", " =?UTF-8?Q?=5B=C3=BC=5D?=\n plain", "[ü] plain"},
	{NULL, NULL, "[encrypted]", " [encrypted]", "[encrypted]"},
	{" ", NULL, "[encrypted]", " [encrypted]", "[encrypted]"},
	/* hidden in encoded words, of any charset, in pieces */
	{" =?UTF-8?Q?=5Bsigned=3A_x=5D?= Hi", NULL, "", " Hi", "Hi"},
	{" =?utf-8?b?W3Np?= =?utf-8?b?Z25lZF0=?= Hi", NULL, "", " Hi", "Hi"},
	{" =?utf-7?Q?+AFs-signed+AF0-?= Hi", NULL, "[encrypted]", " [encrypted] Hi",
	 "[encrypted] Hi"},
	{" [sig\n ned: x] Hi", NULL, "", " Hi", "Hi"},
	/* what another reader might decode is written out as we read it */
	{" =?utf-8?q?a?b?= Hi", NULL, "", NULL, "=?utf-8?q?a?b?= Hi"},
	{" =?UTF-16?b?AFsAcwBpAGcAbgBlAGQAOgAgAHgAXQ==?=", NULL, "", NULL, "嬀猀椀最渀攀搀㨀 砀崀"},
	/* the one that was encrypted */
	{" ...", "[signed: x] Über", "[encrypted]",
	 " =?UTF-8?Q?=5Bencrypted=5D_=C3=9Cber?=", "[encrypted] Über"},
	{" [...]", "Plan", NULL, " Plan", "Plan"},
	{NULL, "Plan", "", " Plan", "Plan"},
};

static void test_subjects(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(subjects); i++) {
		const Case *c = &subjects[i];
		SubjectWish wish = {.restored = c->restored, .tags = c->tags};
		g_autofree char *value = subject_value(c->raw, &wish);

		if (!c->text) {
			assert_null(value);
			continue;
		}
		if (c->value)
			assert_string_equal(value, c->value);
		g_autofree char *text = header_text_decode(value);

		assert_string_equal(text, c->text);
	}
}

static void add_signature(Opened *opened, const char *result, const char *signer, gboolean matches)
{
	OpenSignature *signature = opened_add_signature(opened, "smime", result);

	signature->signer = g_strdup(signer);
	signature->matches_from = matches;
}

#define ALL                                                                                        \
	{                                                                                          \
		TRUE, TRUE, TRUE, 0                                                                \
	}
#define ALL_GERMAN                                                                                 \
	{                                                                                          \
		TRUE, TRUE, TRUE, 1                                                                \
	}

static void assert_tags(Tags tags, Opened *opened, const char *wanted)
{
	opened_conclude(opened);
	g_autofree char *text = tags_text(&tags, opened);

	assert_string_equal(text, wanted);
	opened_free(opened);
}

static Opened *encrypted(gboolean changeable)
{
	Opened *opened = opened_new();

	opened_add_layer(opened, "smime-encrypted")->opened = TRUE;
	opened->changeable = changeable;
	return opened;
}

static void test_tags(void **state)
{
	Opened *opened;

	(void)state;
	assert_tags((Tags)ALL, encrypted(FALSE), "[encrypted]");
	assert_tags((Tags)ALL, encrypted(TRUE),
		    "[encrypted] [WARNING: not protected against change]");
	assert_tags((Tags)ALL_GERMAN, encrypted(TRUE),
		    "[verschlüsselt] [WARNUNG: nicht gegen Änderung geschützt]");
	assert_tags((Tags){.encrypted = TRUE}, encrypted(TRUE), "[encrypted]");

	opened = encrypted(TRUE);
	add_signature(opened, "good", "bob@x", TRUE);
	assert_tags((Tags)ALL, opened, "[encrypted] [signed: bob@x]");

	opened = opened_new();
	add_signature(opened, "good", "e]v[e@x", FALSE);
	assert_tags((Tags)ALL, opened, "[WARNING: signed by e v e@x, not by the sender]");

	opened = opened_new();
	add_signature(opened, "good", "bob@x", TRUE);
	add_signature(opened, "bad", "eve@x", FALSE);
	assert_tags((Tags)ALL_GERMAN, opened, "[WARNUNG: Signatur gebrochen]");

	opened = opened_new();
	add_signature(opened, "good", "bob@x", TRUE);
	((OpenSignature *)opened->signatures->pdata[0])->partial = TRUE;
	assert_tags((Tags)ALL, opened, "[WARNING: only a part is signed]");

	opened = opened_new();
	add_signature(opened, "good", "bob@x", TRUE);
	opened_add_layer(opened, "smime-encrypted")->opened = TRUE;
	opened_decrypted(opened, TRUE);
	assert_tags((Tags)ALL, opened,
		    "[encrypted] [WARNING: not protected against change, signed after encryption]");

	opened = encrypted(FALSE);
	((OpenLayer *)opened->layers->pdata[0])->partial = TRUE;
	add_signature(opened, "no-key", NULL, FALSE);
	assert_tags((Tags)ALL, opened, "[WARNING: only a part was encrypted]");

	opened = encrypted(FALSE);
	((OpenLayer *)opened->layers->pdata[0])->opened = FALSE;
	opened_warn(opened, "no-from");
	opened_warn(opened, "group-from");
	assert_tags((Tags)ALL, opened, "[WARNING: sender unclear]");

	opened = opened_new();
	opened_warn(opened, "changed-key");
	assert_tags((Tags)ALL, opened, "[WARNING: signed with another key than before]");

	g_autofree char *plain = tags_text(&(Tags)ALL, NULL);

	assert_string_equal(plain, "");
}

/* What our own tags look like is taken for ours in each language. */
static void test_own_are_lookalikes(void **state)
{
	Tags languages[] = {ALL, ALL_GERMAN};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(languages); i++) {
		g_autoptr(Opened) opened = encrypted(TRUE);

		add_signature(opened, "good", "bob@x", TRUE);
		opened_warn(opened, "weak-cipher");
		g_autofree char *text = tags_text(&languages[i], opened);
		g_autofree char *rest = lookalike_remove(text);

		assert_true(strlen(text) > 30);
		assert_string_equal(rest, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookalikes), cmocka_unit_test(test_tricks),
		cmocka_unit_test(test_harmless),   cmocka_unit_test(test_stubborn),
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_tags),	   cmocka_unit_test(test_own_are_lookalikes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
