/* SPDX-License-Identifier: Apache-2.0
 *
 * S/MIME of other people's programs, as the corpus's manifest observed it: what opens with which
 * key to which bytes, which signatures hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/crypt/cms.h"
#include "lib/crypt/cms_open.h"
#include "lib/crypt/cms_verify.h"
#include "lib/mail/mime.h"

#define LIMIT (100 * 1024 * 1024)
#define LAYERS_MAX 6

/* Columns of the manifest. */
enum {
	PATH,
	FAMILY,
	KIND,
	STRUCTURE,
	KEY,
	PASSPHRASE,
	OPEN,
	OPEN_BY,
	SHA256,
	SIGNATURE,
	NOTE = 12,
	COLUMNS
};

typedef struct {
	char *folder;
	GPtrArray *rows; /* of char ** */
	GPtrArray *certs; /* all that the corpus has */
	TrustStore *store;
} Corpus;

/* What one message gave. */
typedef struct {
	const Corpus *corpus;
	GPtrArray *keys; /* of PrivateKey * */
	char *sha256; /* of the first layer that opened */
	guint shut;
	GString *signatures; /* "good,bad" */
	gboolean unreadable; /* a signature that is no CMS */
} Walk;

static GBytes *read_file(const Corpus *corpus, const char *path)
{
	g_autofree char *full = g_build_filename(corpus->folder, path, NULL);
	char *data;
	gsize size;

	return g_file_get_contents(full, &data, &size, NULL) ? g_bytes_new_take(data, size) : NULL;
}

static X509Bundle *read_bundle(const Corpus *corpus, const char *path, const char *passphrase)
{
	g_autoptr(GBytes) bytes = read_file(corpus, path);
	const char *text = g_str_equal(passphrase, "(empty)") ? "" : passphrase;
	g_autofree char *copy = g_strdup(text);
	g_autoptr(Secret) secret = secret_take(copy, strlen(text));

	if (bytes == NULL)
		return NULL;
	return x509_read(bytes, g_str_equal(passphrase, "-") ? NULL : secret, NULL);
}

static gboolean kind_is(char **row, const char *kind)
{
	return g_str_equal(row[KIND], kind);
}

static void load_certs(Corpus *corpus)
{
	for (guint i = 0; i < corpus->rows->len; i++) {
		char **row = g_ptr_array_index(corpus->rows, i);
		g_autoptr(X509Bundle) bundle = NULL;

		if (!kind_is(row, "certificate") && !kind_is(row, "pkcs12") &&
		    !kind_is(row, "private-key"))
			continue;
		bundle = read_bundle(corpus, row[PATH], row[PASSPHRASE]);
		for (guint k = 0; bundle != NULL && k < bundle->certs->len; k++)
			g_ptr_array_add(corpus->certs, cert_ref(bundle->certs->pdata[k]));
	}
}

static int set_up(void **state)
{
	const char *given = g_getenv("SEALPOST_CORPUS");
	Corpus *corpus = g_new0(Corpus, 1);
	g_autofree char *manifest = NULL;
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	corpus->folder =
		given ? g_strdup(given)
		      : g_build_filename(g_getenv("srcdir"), "..", "shared", "corpus", NULL);
	corpus->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
	corpus->certs = g_ptr_array_new_with_free_func((GDestroyNotify)cert_unref);
	corpus->store = trust_store_new(NULL, NULL, NULL);
	*state = corpus;
	manifest = g_build_filename(corpus->folder, "manifest.tsv", NULL);
	if (!g_file_get_contents(manifest, &text, NULL, NULL))
		return 0;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		char **row = g_strsplit(*line, "\t", -1);

		if (g_strv_length(row) == COLUMNS)
			g_ptr_array_add(corpus->rows, row);
		else
			g_strfreev(row);
	}
	load_certs(corpus);
	return 0;
}

static int tear_down(void **state)
{
	Corpus *corpus = *state;

	g_free(corpus->folder);
	g_ptr_array_unref(corpus->rows);
	g_ptr_array_unref(corpus->certs);
	trust_store_unref(corpus->store);
	g_free(corpus);
	return 0;
}

static CmsTrust trust_of(const Corpus *corpus)
{
	return (CmsTrust){corpus->store, corpus->certs, g_get_real_time() / G_USEC_PER_SEC};
}

/* In the manifest's words: chain and key are not judged there. */
static const char *word_for(CmsSignatureResult result)
{
	switch (result) {
	case CMS_SIGNATURE_BAD: return "bad";
	case CMS_SIGNATURE_NO_KEY: return "no-key";
	case CMS_SIGNATURE_UNSUPPORTED: return "unsupported";
	default: return "good";
	}
}

static void note_signatures(Walk *walk, const CmsVerified *verified)
{
	if (verified == NULL) {
		walk->unreadable = TRUE;
		return;
	}
	for (guint i = 0; i < verified->signatures->len; i++) {
		const CmsSignature *signature = g_ptr_array_index(verified->signatures, i);

		g_string_append_printf(walk->signatures, "%s%s",
				       walk->signatures->len > 0 ? "," : "",
				       word_for(signature->result));
	}
}

static void walk_message(Walk *walk, Spool *spool, guint layer);

static const Cert *cert_of(const Walk *walk, const PrivateKey *key, const CmsHead *head)
{
	for (guint i = 0; i < walk->corpus->certs->len; i++) {
		const Cert *cert = g_ptr_array_index(walk->corpus->certs, i);

		for (guint k = 0; k < head->recipients->len; k++)
			if (private_key_matches(key, cert) &&
			    cms_recipient_is(g_ptr_array_index(head->recipients, k), cert))
				return cert;
	}
	return NULL;
}

static void open_layer(Walk *walk, Spool *cms, const CmsHead *head, guint layer)
{
	for (guint i = 0; i < walk->keys->len; i++) {
		const PrivateKey *key = g_ptr_array_index(walk->keys, i);
		CmsKey pair = {cert_of(walk, key, head), key};
		g_autoptr(Source) source = spool_source_all(cms);
		g_autoptr(Spool) inner = spool_new(g_get_tmp_dir(), LIMIT);
		g_autoptr(Sink) sink = spool_sink(inner);
		g_autoptr(CmsOpened) opened = NULL;

		if (pair.cert == NULL)
			continue;
		opened = cms_open(source, FALSE, &pair, sink, NULL);
		assert_non_null(opened);
		if (opened->result != CMS_OPENED)
			continue;
		if (walk->sha256 == NULL)
			walk->sha256 = g_strdup(opened->sha256);
		walk_message(walk, inner, layer + 1);
		return;
	}
	walk->shut++;
}

static void open_opaque(Walk *walk, Spool *cms, guint layer)
{
	g_autoptr(Source) source = spool_source_all(cms);
	g_autoptr(Spool) inner = spool_new(g_get_tmp_dir(), LIMIT);
	g_autoptr(Sink) sink = spool_sink(inner);
	CmsTrust trust = trust_of(walk->corpus);
	g_autoptr(CmsVerified) verified = cms_verify_opaque(source, FALSE, sink, &trust, NULL);

	note_signatures(walk, verified);
	if (verified != NULL)
		walk_message(walk, inner, layer + 1);
}

static void walk_cms(Walk *walk, Spool *cms, guint layer)
{
	g_autoptr(Source) source = spool_source_all(cms);
	g_autoptr(CmsHead) head = cms_head_read(source, NULL);

	if (head == NULL || layer > LAYERS_MAX)
		walk->shut++;
	else if (head->type == CMS_SIGNED && !head->certs_only)
		open_opaque(walk, cms, layer);
	else if (head->type == CMS_ENVELOPED || head->type == CMS_AUTH_ENVELOPED)
		open_layer(walk, cms, head, layer);
}

static Spool *decode(const MimeTree *tree, const MimePart *part)
{
	Spool *spool = spool_new(g_get_tmp_dir(), LIMIT);
	g_autoptr(Sink) sink = spool_sink(spool);

	mime_decode(tree, part, sink, NULL);
	return spool;
}

static void verify_part(Walk *walk, const MimeTree *tree, Spool *spool, const MimePart *part)
{
	const MimePart *content = part->children->pdata[0];
	g_autoptr(Spool) cms = decode(tree, part->children->pdata[1]);
	g_autoptr(Source) signature = spool_source_all(cms);
	g_autoptr(Source) source = spool_source(spool, content->whole);
	CmsTrust trust = trust_of(walk->corpus);
	g_autoptr(CmsVerified) verified =
		cms_verify_detached(signature, FALSE, source, &trust, NULL);

	note_signatures(walk, verified);
}

static gboolean is_pkcs7(const MimePart *part)
{
	return g_str_has_suffix(part->type, "pkcs7-mime") ||
	       (g_str_equal(part->type, "application/octet-stream") && part->filename != NULL &&
		g_str_has_suffix(part->filename, ".p7m"));
}

static void walk_part(Walk *walk, const MimeTree *tree, Spool *spool, const MimePart *part,
		      guint layer)
{
	const char *protocol = mime_param(part, "protocol");

	if (is_pkcs7(part)) {
		g_autoptr(Spool) cms = decode(tree, part);
		walk_cms(walk, cms, layer);
		return;
	}
	if (part->children == NULL)
		return;
	if (g_str_equal(part->type, "multipart/signed") && part->children->len == 2 &&
	    protocol != NULL && strstr(protocol, "pkcs7") != NULL) {
		verify_part(walk, tree, spool, part);
		walk_part(walk, tree, spool, part->children->pdata[0], layer + 1);
		return;
	}
	for (guint i = 0; i < part->children->len; i++)
		walk_part(walk, tree, spool, part->children->pdata[i], layer);
}

static void walk_message(Walk *walk, Spool *spool, guint layer)
{
	g_autoptr(MimeTree) tree = mime_parse(spool, NULL);

	if (tree != NULL && layer <= LAYERS_MAX)
		walk_part(walk, tree, spool, mime_root(tree), layer);
}

/* As it comes over SMTP: files with LF only are brought to CRLF. */
static Spool *message_spool(GBytes *bytes)
{
	Spool *spool = spool_new(g_get_tmp_dir(), LIMIT);
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	gboolean has_crlf = memmem(data, size, "\r\n", 2) != NULL;
	gboolean has_mbox = size > 5 && memcmp(data, "From ", 5) == 0;
	gsize start = has_mbox ? strcspn(data, "\n") + 1 : 0;

	for (gsize i = start; !has_crlf && i < size; i++) {
		if (data[i] != '\n')
			continue;
		spool_append(spool, data + start, i - start, NULL);
		spool_append(spool, "\r\n", 2, NULL);
		start = i + 1;
	}
	spool_append(spool, data + start, size - start, NULL);
	return spool;
}

static void load_keys(Walk *walk, char **row)
{
	g_auto(GStrv) paths = g_strsplit(row[KEY], ",", -1);

	for (char **path = paths; *path != NULL; path++) {
		const char *passphrase = row[PASSPHRASE];
		g_autoptr(X509Bundle) bundle = NULL;

		for (guint i = 0; i < walk->corpus->rows->len; i++) {
			char **key = g_ptr_array_index(walk->corpus->rows, i);
			if (g_str_equal(key[PATH], g_strstrip(*path)))
				passphrase = key[PASSPHRASE];
		}
		bundle = read_bundle(walk->corpus, *path, passphrase);
		for (guint i = 0; bundle != NULL && i < bundle->keys->len; i++)
			g_ptr_array_add(walk->keys, private_key_ref(bundle->keys->pdata[i]));
	}
}

/* Binary, or PEM. */
static void append_cms(Spool *spool, GBytes *bytes)
{
	g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	char *begin = strstr(text, "-----BEGIN ");
	char *end = begin == NULL ? NULL : strstr(begin, "-----END ");
	g_autofree guchar *der = NULL;
	gsize size;

	if (end == NULL) {
		spool_append(spool, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
		return;
	}
	*end = '\0';
	der = g_base64_decode(strchr(begin, '\n'), &size);
	spool_append(spool, der, size, NULL);
}

static void walk_row(Walk *walk, char **row)
{
	g_autoptr(GBytes) bytes = read_file(walk->corpus, row[PATH]);
	g_autoptr(Spool) spool = NULL;

	assert_non_null(bytes);
	load_keys(walk, row);
	spool = kind_is(row, "cms") ? spool_new(g_get_tmp_dir(), LIMIT) : message_spool(bytes);
	if (!kind_is(row, "cms")) {
		walk_message(walk, spool, 0);
		return;
	}
	append_cms(spool, bytes);
	walk_cms(walk, spool, 0);
}

/* What is not for us: OpenPGP inside, passwords and bare keys, raw signatures whose content is
 * another file, and what no tool could tell. */
static gboolean is_ours(char **row)
{
	if (!kind_is(row, "mime-smime") && !kind_is(row, "cms"))
		return FALSE;
	return strstr(row[STRUCTURE], "pgp") == NULL && !g_str_equal(row[KEY], "password") &&
	       !g_str_equal(row[KEY], "content-key") &&
	       !g_str_equal(row[STRUCTURE], "encrypted-data") &&
	       !(kind_is(row, "cms") && g_str_equal(row[STRUCTURE], "signed-detached"));
}

/* Where the manifest has one word for two signers, or judged the CRLF form of what stands with
 * LF inside a layer, its README and the bytes decide. */
static gboolean signatures_fit(char **row, const char *found)
{
	const char *expected = row[SIGNATURE];

	if (g_str_equal(expected, "?") || g_str_equal(expected, found))
		return TRUE;
	if (*found == '\0') /* "c3: no signerInfo: not signed" */
		return g_str_equal(expected, "-") || strstr(row[NOTE], "no signer") != NULL ||
		       strstr(row[PATH], "no_signerInfos") != NULL;
	if (strstr(row[NOTE], "would hold with LF line ends") != NULL)
		return TRUE;
	return g_str_has_prefix(found, expected) &&
	       strstr(found + strlen(expected), "good") == NULL;
}

/* TRUE if it is as the manifest says. */
static gboolean as_observed(const Corpus *corpus, char **row)
{
	Walk walk = {.corpus = corpus, .signatures = g_string_new(NULL)};
	gboolean good = TRUE;

	walk.keys = g_ptr_array_new_with_free_func((GDestroyNotify)private_key_unref);
	walk_row(&walk, row);
	if (g_str_equal(row[OPEN], "yes"))
		good = walk.sha256 != NULL && g_str_equal(walk.sha256, row[SHA256]);
	good = good && signatures_fit(row, walk.signatures->str);
	if (!good)
		print_error("# %s: open %s (%s), signature %s; here %s, %s%s\n", row[PATH],
			    row[OPEN], row[STRUCTURE], row[SIGNATURE],
			    walk.sha256 == NULL			    ? "shut"
			    : g_str_equal(walk.sha256, row[SHA256]) ? "the same"
								    : "other bytes",
			    walk.signatures->str, walk.unreadable ? ", unreadable" : "");
	g_ptr_array_unref(walk.keys);
	g_string_free(walk.signatures, TRUE);
	g_free(walk.sha256);
	return good;
}

static void test_corpus(void **state)
{
	const Corpus *corpus = *state;
	guint seen = 0, wrong = 0;

	if (corpus->rows->len == 0) {
		print_message("# no corpus: other people's S/MIME is left out\n");
		return;
	}
	for (guint i = 0; i < corpus->rows->len; i++) {
		char **row = g_ptr_array_index(corpus->rows, i);

		if (!is_ours(row))
			continue;
		seen++;
		wrong += !as_observed(corpus, row);
	}
	print_message("# %u of %u as observed\n", seen - wrong, seen);
	assert_true(seen > 0);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};

	return cmocka_run_group_tests_name("cms_corpus", tests, set_up, tear_down);
}
