/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens enveloped and auth-enveloped data. OpenSSL gets the shell and unwraps the content key
 * (RSA with implicit rejection, key agreement); the content then goes through its cipher in
 * chunks. What OpenSSL does not check is checked here: which algorithms, where an authenticating
 * cipher may stand, the length of its tag.
 */
#include <string.h>

#include <openssl/err.h>

#include "lib/base/hex.h"
#include "lib/base/sha256.h"
#include "lib/crypt/cms_open.h"
#include "lib/crypt/cms_private.h"
#include "lib/crypt/cms_shell.h"

/* More than any mail server takes. */
#define CMS_MAX ((guint64)4 << 30)
#define OPEN_CHUNK (16 * 1024)
/* RFC 5084, section 3.2, allows 12 to 16 octets; fewer are guessable. */
#define TAG_MIN 12

static const struct {
	int nid;
	const char *name;
	gboolean authenticates;
	gboolean weak;
} ciphers[] = {
	{NID_aes_256_cbc, "AES-256-CBC", FALSE, FALSE},
	{NID_aes_192_cbc, "AES-192-CBC", FALSE, FALSE},
	{NID_aes_128_cbc, "AES-128-CBC", FALSE, FALSE},
	{NID_aes_256_gcm, "AES-256-GCM", TRUE, FALSE},
	{NID_aes_192_gcm, "AES-192-GCM", TRUE, FALSE},
	{NID_aes_128_gcm, "AES-128-GCM", TRUE, FALSE},
	{NID_des_ede3_cbc, "DES-EDE3-CBC", FALSE, TRUE},
};

/* How content keys may be wrapped in key agreement. AES wrap with padding is left out: OpenSSL
 * before 3.0.22 overflows a buffer there. */
static const int wraps[] = {NID_id_aes128_wrap, NID_id_aes192_wrap, NID_id_aes256_wrap,
			    NID_id_smime_alg_CMS3DESwrap};

void cms_opened_free(CmsOpened *opened)
{
	if (opened == NULL)
		return;
	g_free(opened->sha256);
	g_free(opened);
}

gboolean cms_recipient_is(const char *recipient, const Cert *cert)
{
	const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(cert_x509(cert));
	g_autofree char *id = cms_recipient_id(cert);
	g_autoptr(GString) ski = g_string_new("ski:");

	if (key_id != NULL)
		hex_append(ski, ASN1_STRING_get0_data(key_id), (gsize)ASN1_STRING_length(key_id));
	return g_str_equal(recipient, id) || (key_id != NULL && g_str_equal(recipient, ski->str));
}

/* What one opening has at hand. */
typedef struct {
	Source *source;
	gboolean base64;
	BerReader *reader;
	CmsShell *shell;
	CMS_ContentInfo *cms;
	BIO *bio; /* keeps cipher alive */
	EVP_CIPHER_CTX *cipher; /* borrowed from bio */
	GBytes *tag;
	GByteArray *attributes; /* additional authenticated data; NULL if none */
	Sink *sink;
	GError *sink_failure;
	CmsOpened *opened;
} Opening;

static gboolean conclude(Opening *opening, CmsOpenResult result)
{
	opening->opened->result = result;
	return FALSE;
}

/* The length that GCMParameters announce for the tag: SEQUENCE { OID, SEQUENCE { nonce, length
 * DEFAULT 12 } }. 0 if unreadable. */
static gsize announced_tag(const GByteArray *algorithm)
{
	g_autoptr(GBytes) bytes = g_bytes_new(algorithm->data, algorithm->len);
	g_autoptr(Source) source = source_new_bytes(bytes);
	g_autoptr(BerReader) reader = ber_reader_new(source, FALSE, algorithm->len + 1);
	g_autoptr(GBytes) length = NULL;
	BerItem outer, item, parameters;
	int found;

	if (!ber_expect(reader, NULL, BER_SEQUENCE, &outer, NULL) ||
	    !ber_expect(reader, &outer, BER_OID, &item, NULL) || !ber_skip(reader, &item, NULL) ||
	    !ber_expect(reader, &outer, BER_SEQUENCE, &parameters, NULL) ||
	    !ber_expect(reader, &parameters, BER_OCTETS, &item, NULL) ||
	    !ber_skip(reader, &item, NULL))
		return 0;
	found = ber_next(reader, &parameters, &item, NULL);
	if (found == 0)
		return TAG_MIN;
	if (found < 0 || item.tag != BER_INTEGER)
		return 0;
	length = ber_take(reader, &item, 1, NULL);
	return length == NULL || g_bytes_get_size(length) != 1
		       ? 0
		       : *(const guint8 *)g_bytes_get_data(length, NULL);
}

static gboolean judge_cipher(Opening *opening)
{
	const guint8 *at = opening->shell->algorithm->data;
	X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &at, (long)opening->shell->algorithm->len);
	const ASN1_OBJECT *oid = NULL;
	gboolean enveloped = opening->shell->type == CMS_ENVELOPED;
	int nid;

	if (algorithm == NULL)
		return conclude(opening, CMS_DAMAGED);
	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	nid = OBJ_obj2nid(oid);
	X509_ALGOR_free(algorithm);
	for (guint i = 0; i < G_N_ELEMENTS(ciphers); i++) {
		if (ciphers[i].nid != nid)
			continue;
		opening->opened->algorithm = ciphers[i].name;
		opening->opened->weak = ciphers[i].weak;
		opening->opened->protected = ciphers[i].authenticates;
		if (ciphers[i].authenticates == enveloped)
			return conclude(opening, CMS_NO_INTEGRITY);
		return TRUE;
	}
	return conclude(opening, CMS_UNSUPPORTED);
}

static gboolean is_known_wrap(CMS_RecipientInfo *info)
{
	X509_ALGOR *algorithm = NULL;
	X509_ALGOR *wrap;
	const ASN1_OBJECT *oid;
	const void *value;
	int type;
	gboolean known = FALSE;

	if (!CMS_RecipientInfo_kari_get0_alg(info, &algorithm, NULL) || algorithm == NULL)
		return FALSE;
	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	wrap = type == V_ASN1_SEQUENCE ? ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGOR)) : NULL;
	if (wrap == NULL)
		return FALSE;
	X509_ALGOR_get0(&oid, NULL, NULL, wrap);
	for (guint i = 0; i < G_N_ELEMENTS(wraps); i++)
		known = known || OBJ_obj2nid(oid) == wraps[i];
	X509_ALGOR_free(wrap);
	return known;
}

static gboolean names(CMS_RecipientInfo *info, X509 *x509)
{
	STACK_OF(CMS_RecipientEncryptedKey) * keys;

	if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_TRANS)
		return CMS_RecipientInfo_ktri_cert_cmp(info, x509) == 0;
	if (CMS_RecipientInfo_type(info) != CMS_RECIPINFO_AGREE)
		return FALSE;
	keys = CMS_RecipientInfo_kari_get0_reks(info);
	for (int i = 0; i < sk_CMS_RecipientEncryptedKey_num(keys); i++)
		if (CMS_RecipientEncryptedKey_cert_cmp(sk_CMS_RecipientEncryptedKey_value(keys, i),
						       x509) == 0)
			return TRUE;
	return FALSE;
}

static gboolean judge_recipients(Opening *opening, const CmsKey *key)
{
	STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(opening->cms);
	gboolean found = FALSE;

	for (int i = 0; i < sk_CMS_RecipientInfo_num(infos); i++) {
		CMS_RecipientInfo *info = sk_CMS_RecipientInfo_value(infos, i);

		if (!names(info, cert_x509(key->cert)))
			continue;
		found = TRUE;
		if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_AGREE && !is_known_wrap(info))
			return conclude(opening, CMS_UNSUPPORTED);
	}
	return found || conclude(opening, CMS_NO_KEY);
}

/* The content key, unwrapped into a cipher. With the certificate given, a wrong key or padding
 * looks like a right one until the content does not fit. */
static gboolean unlock(Opening *opening, const CmsKey *key)
{
	BIO *nowhere;

	if (CMS_decrypt_set1_pkey(opening->cms, private_key_pkey(key->key), cert_x509(key->cert)) !=
	    1)
		return conclude(opening, CMS_DAMAGED);
	nowhere = BIO_new(BIO_s_null());
	opening->bio = CMS_dataInit(opening->cms, nowhere);
	if (opening->bio == NULL) {
		BIO_free(nowhere);
		return conclude(opening, CMS_DAMAGED);
	}
	BIO_get_cipher_ctx(opening->bio, &opening->cipher);
	if (opening->cipher == NULL)
		return conclude(opening, CMS_DAMAGED);
	return TRUE;
}

static void close_shell(Opening *opening)
{
	g_clear_pointer(&opening->shell, cms_shell_free);
	g_clear_pointer(&opening->reader, ber_reader_free);
}

static gboolean open_shell(Opening *opening, GError **error)
{
	opening->reader = ber_reader_new(opening->source, opening->base64, CMS_MAX);
	opening->shell = cms_shell_read(opening->reader, error);
	return opening->shell != NULL;
}

/* Tag and additional data stand behind the content but are needed before it: a first pass. */
static gboolean fetch_authentication(Opening *opening, GError **error)
{
	CmsShell *shell = opening->shell;
	gsize length;

	if (!cms_shell_finish(shell, error))
		return FALSE;
	length = g_bytes_get_size(shell->mac);
	if (length < TAG_MIN || length != announced_tag(shell->algorithm))
		return conclude(opening, CMS_DAMAGED);
	opening->tag = g_bytes_ref(shell->mac);
	opening->attributes = g_steal_pointer(&shell->attributes);
	close_shell(opening);
	return source_rewind(opening->source, error) && open_shell(opening, error);
}

static gboolean begin_authenticated(Opening *opening)
{
	int size;

	if (EVP_CIPHER_CTX_ctrl(opening->cipher, EVP_CTRL_AEAD_SET_TAG,
				(int)g_bytes_get_size(opening->tag),
				(void *)g_bytes_get_data(opening->tag, NULL)) != 1)
		return conclude(opening, CMS_DAMAGED);
	if (opening->attributes != NULL &&
	    EVP_DecryptUpdate(opening->cipher, NULL, &size, opening->attributes->data,
			      (int)opening->attributes->len) != 1)
		return conclude(opening, CMS_DAMAGED);
	return TRUE;
}

static gboolean pass_on(Opening *opening, Sha256 *sha256, const guint8 *data, int size)
{
	if (size <= 0)
		return TRUE;
	sha256_update(sha256, data, (gsize)size);
	return sink_write(opening->sink, data, (gsize)size, &opening->sink_failure);
}

static gboolean stream(Opening *opening, GError **error)
{
	g_autoptr(Sha256) sha256 = sha256_new();
	guint8 in[OPEN_CHUNK], out[OPEN_CHUNK + EVP_MAX_BLOCK_LENGTH];
	gssize got;
	int size;

	while ((got = ber_octets_read(opening->reader, &opening->shell->content, in, sizeof in,
				      error)) > 0) {
		if (EVP_DecryptUpdate(opening->cipher, out, &size, in, (int)got) != 1)
			return conclude(opening, CMS_DAMAGED);
		if (!pass_on(opening, sha256, out, size))
			return FALSE;
	}
	if (got < 0)
		return FALSE;
	if (EVP_DecryptFinal_ex(opening->cipher, out, &size) != 1)
		return conclude(opening, CMS_DAMAGED);
	if (!pass_on(opening, sha256, out, size))
		return FALSE;
	OPENSSL_cleanse(out, sizeof out);
	opening->opened->sha256 = sha256_finish(sha256);
	return TRUE;
}

/* FALSE with error, with a failure of the sink, or with a conclusion. */
static gboolean run(Opening *opening, const CmsKey *key, GError **error)
{
	if (!open_shell(opening, error))
		return FALSE;
	if (opening->shell->type == CMS_SIGNED)
		return conclude(opening, CMS_UNSUPPORTED);
	if (!opening->shell->has_content)
		return conclude(opening, CMS_DAMAGED);
	if (!judge_cipher(opening))
		return FALSE;
	if (opening->shell->type == CMS_AUTH_ENVELOPED && !fetch_authentication(opening, error))
		return FALSE;
	opening->cms = cms_shell_parse(opening->shell, error);
	if (opening->cms == NULL || !judge_recipients(opening, key) || !unlock(opening, key))
		return FALSE;
	if (opening->shell->type == CMS_AUTH_ENVELOPED && !begin_authenticated(opening))
		return FALSE;
	/* What ends in the middle of its structure is not what was sent. */
	return stream(opening, error) && cms_shell_finish(opening->shell, error);
}

/* Wrong bytes are the sender's doing and a result; what fails besides is ours, and temporary. */
static gboolean is_about_the_bytes(const GError *error)
{
	return g_error_matches(error, SEALPOST_ERROR, ERROR_MALFORMED) ||
	       g_error_matches(error, SEALPOST_ERROR, ERROR_TOO_LARGE) ||
	       g_error_matches(error, SEALPOST_ERROR, ERROR_UNSUPPORTED);
}

static void opening_clear(Opening *opening)
{
	close_shell(opening);
	BIO_free_all(opening->bio);
	CMS_ContentInfo_free(opening->cms);
	g_clear_pointer(&opening->tag, g_bytes_unref);
	g_clear_pointer(&opening->attributes, g_byte_array_unref);
	g_clear_error(&opening->sink_failure);
	ERR_clear_error();
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opening, opening_clear)

CmsOpened *cms_open(Source *source, gboolean base64, const CmsKey *key, Sink *sink, GError **error)
{
	g_autoptr(CmsOpened) opened = g_new0(CmsOpened, 1);
	g_auto(Opening)
		opening = {.source = source, .base64 = base64, .sink = sink, .opened = opened};
	g_autoptr(GError) failure = NULL;

	ERR_clear_error();
	opened->result = CMS_DAMAGED;
	if (run(&opening, key, &failure)) {
		opened->result = CMS_OPENED;
		return g_steal_pointer(&opened);
	}
	g_clear_pointer(&opened->sha256, g_free);
	if (opening.sink_failure != NULL) {
		g_propagate_error(error, g_steal_pointer(&opening.sink_failure));
		return NULL;
	}
	if (failure != NULL && !is_about_the_bytes(failure)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	if (g_error_matches(failure, SEALPOST_ERROR, ERROR_UNSUPPORTED))
		opened->result = CMS_UNSUPPORTED;
	return g_steal_pointer(&opened);
}
