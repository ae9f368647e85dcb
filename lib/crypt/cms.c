/* SPDX-License-Identifier: Apache-2.0
 *
 * Outgoing S/MIME entities (RFC 8551, section 3): the MIME around the CMS, and in what order the
 * layers are put on. All of it in one pass over the entity: what is hashed goes on to be
 * encrypted in the same moment.
 */
#include <openssl/err.h>

#include "lib/crypt/cms_private.h"
#include "lib/mail/mime.h"

#define HAS_RECIPIENTS(job) ((job)->recipients != NULL && (job)->recipients->len > 0)

static gboolean write_pkcs7_headers(Sink *sink, const char *smime_type, GError **error)
{
	return sink_print(sink, error,
			  "Content-Type: application/pkcs7-mime; smime-type=%s;\r\n"
			  "\tname=\"smime.p7m\"\r\n"
			  "Content-Transfer-Encoding: base64\r\n"
			  "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n"
			  "\r\n",
			  smime_type);
}

/* The entity goes to sink and through the digests of cms. */
static gboolean hash_through(CMS_ContentInfo *cms, Source *entity, Sink *sink, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(STREAM_CHUNK);
	g_autoptr(BIO) digests = NULL;
	BIO *nowhere = BIO_new(BIO_s_null());
	gssize size;
	gsize hashed;

	digests = CMS_dataInit(cms, nowhere);
	if (digests == NULL) {
		BIO_free(nowhere);
		crypt_fail(error, ERROR_CRYPTO, "S/MIME signature cannot be started");
		return FALSE;
	}
	while ((size = source_read(entity, buffer, STREAM_CHUNK, error)) > 0) {
		if (!BIO_write_ex(digests, buffer, (gsize)size, &hashed) || hashed != (gsize)size) {
			crypt_fail(error, ERROR_CRYPTO, "hashing for the signature failed");
			return FALSE;
		}
		if (!sink_write(sink, buffer, (gsize)size, error))
			return FALSE;
	}
	if (size < 0)
		return FALSE;
	if (CMS_dataFinal(cms, digests) != 1) {
		crypt_fail(error, ERROR_CRYPTO, "S/MIME signing failed");
		return FALSE;
	}
	return TRUE;
}

static gboolean write_signature(CMS_ContentInfo *cms, Sink *sink, GError **error)
{
	Base64 base64 = {.next = sink};
	guint8 *der = NULL;
	int size = i2d_CMS_ContentInfo(cms, &der);
	gboolean good;

	if (size <= 0) {
		crypt_fail(error, ERROR_CRYPTO, "S/MIME signature cannot be written");
		return FALSE;
	}
	good = base64_write(&base64, der, (gsize)size, error) && base64_finish(&base64, error);
	OPENSSL_free(der);
	return good;
}

/* No text before the first boundary: old Outlook hashes it along. */
static gboolean write_multipart_signed(const CmsJob *job, Source *entity, Sink *sink,
				       GError **error)
{
	g_autoptr(CMS_ContentInfo) cms = cms_build_signed(job, TRUE, error);
	g_autofree char *boundary = mime_boundary_new();

	if (cms == NULL)
		return FALSE;
	return sink_print(sink, error,
			  "Content-Type: multipart/signed; "
			  "protocol=\"application/pkcs7-signature\";\r\n"
			  "\tmicalg=%s; boundary=\"%s\"\r\n"
			  "\r\n"
			  "--%s\r\n",
			  cms_build_micalg(job), boundary, boundary) &&
	       hash_through(cms, entity, sink, error) &&
	       sink_print(sink, error,
			  "\r\n--%s\r\n"
			  "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
			  "Content-Transfer-Encoding: base64\r\n"
			  "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n"
			  "\r\n",
			  boundary) &&
	       write_signature(cms, sink, error) && sink_print(sink, error, "--%s--\r\n", boundary);
}

static gboolean write_opaque_signed(const CmsJob *job, Source *entity, Sink *sink, GError **error)
{
	CMS_ContentInfo *cms = cms_build_signed(job, FALSE, error);
	g_autoptr(CmsStage) stage = NULL;

	if (cms == NULL)
		return FALSE;
	stage = cms_stage_new(cms, sink);
	return write_pkcs7_headers(sink, "signed-data", error) &&
	       stream_copy(entity, cms_stage_sink(stage), error) && cms_stage_finish(stage, error);
}

typedef gboolean (*EntityWriter)(const CmsJob *job, Source *entity, Sink *sink, GError **error);

static gboolean write_as_it_is(const CmsJob *job, Source *entity, Sink *sink, GError **error)
{
	(void)job;
	return stream_copy(entity, sink, error);
}

static gboolean write_enveloped(const CmsJob *job, EntityWriter inside, Source *entity, Sink *sink,
				GError **error)
{
	CMS_ContentInfo *cms = cms_build_enveloped(job, error);
	g_autoptr(CmsStage) stage = NULL;
	gboolean authenticated = job->cipher == CMS_CIPHER_AES256_GCM;

	if (cms == NULL)
		return FALSE;
	stage = cms_stage_new(cms, sink);
	return write_pkcs7_headers(sink, authenticated ? "authEnveloped-data" : "enveloped-data",
				   error) &&
	       inside(job, entity, cms_stage_sink(stage), error) && cms_stage_finish(stage, error);
}

static gboolean protect(const CmsJob *job, EntityWriter inside, Source *entity, Sink *sink,
			GError **error)
{
	gboolean good;

	ERR_clear_error();
	if (job->signer != NULL && !private_key_matches(job->signer_key, job->signer)) {
		crypt_fail(error, ERROR_CRYPTO, "signing key and certificate are no pair");
		return FALSE;
	}
	good = HAS_RECIPIENTS(job) ? write_enveloped(job, inside, entity, sink, error)
				   : inside(job, entity, sink, error);
	ERR_clear_error();
	return good;
}

gboolean cms_protect(const CmsJob *job, Source *entity, Sink *sink, GError **error)
{
	g_assert(job->signer != NULL || HAS_RECIPIENTS(job));
	return protect(job, job->signer != NULL ? write_multipart_signed : write_as_it_is, entity,
		       sink, error);
}

gboolean cms_sign_opaque(const CmsJob *job, Source *entity, Sink *sink, GError **error)
{
	g_assert(job->signer != NULL);
	return protect(job, write_opaque_signed, entity, sink, error);
}
