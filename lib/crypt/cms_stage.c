/* SPDX-License-Identifier: Apache-2.0
 *
 * CMS written as it grows: content → buffer (one OCTET STRING per 16 KiB, not per write) →
 * OpenSSL's cipher or digest and its BER writer → base64 in CRLF lines → the next sink. Memory
 * stays the same for any length. OpenSSL is known to report success over a failed write at the
 * end, so the stage keeps its own record of the first failure.
 */
#include <openssl/err.h>

#include "lib/crypt/cms_private.h"

#define STAGE_BUFFER (16 * 1024)

struct CmsStage {
	CMS_ContentInfo *cms;
	Base64 base64;
	BIO_METHOD *method; /* of the BIO that writes into base64 */
	BIO *top; /* NULL until there is content */
	Sink *sink; /* what callers write to */
	GError *failure; /* the first one; then nothing is written any more */
};

/* The lowest BIO: what OpenSSL has made goes on as base64. */
static int bio_write(BIO *bio, const char *data, int size)
{
	CmsStage *stage = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (stage->failure != NULL || size < 0 ||
	    !base64_write(&stage->base64, data, (gsize)size, &stage->failure))
		return -1;
	return size;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	const CmsStage *stage = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH && stage->failure == NULL;
}

static gboolean fail(CmsStage *stage, GError **error)
{
	if (stage->failure == NULL)
		crypt_fail(&stage->failure, ERROR_CRYPTO, "S/MIME output failed");
	ERR_clear_error();
	if (error != NULL)
		*error = g_error_copy(stage->failure);
	return FALSE;
}

/* Puts the BIOs on each other: buffer, OpenSSL's CMS, ours. */
static gboolean open_chain(CmsStage *stage)
{
	g_autoptr(BIO) buffer = BIO_new(BIO_f_buffer());
	g_autoptr(BIO) out = NULL;
	BIO *cms;

	stage->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "sealpost stage");
	if (stage->method == NULL || buffer == NULL)
		return FALSE;
	BIO_meth_set_write(stage->method, bio_write);
	BIO_meth_set_ctrl(stage->method, bio_control);
	out = BIO_new(stage->method);
	if (out == NULL || !BIO_set_write_buffer_size(buffer, STAGE_BUFFER))
		return FALSE;
	BIO_set_data(out, stage);
	cms = BIO_new_CMS(out, stage->cms);
	if (cms == NULL)
		return FALSE;
	g_steal_pointer(&out); /* now the end of cms */
	stage->top = BIO_push(g_steal_pointer(&buffer), cms);
	return TRUE;
}

static gboolean stage_write(void *self, const void *data, gsize size, GError **error)
{
	CmsStage *stage = self;
	gsize written;

	if (size == 0)
		return TRUE;
	if (stage->failure != NULL || (stage->top == NULL && !open_chain(stage)))
		return fail(stage, error);
	if (!BIO_write_ex(stage->top, data, size, &written) || written != size ||
	    stage->failure != NULL)
		return fail(stage, error);
	return TRUE;
}

static const SinkClass stage_class = {.write = stage_write};

CmsStage *cms_stage_new(CMS_ContentInfo *cms, Sink *next)
{
	CmsStage *stage = g_new0(CmsStage, 1);

	stage->cms = cms;
	stage->base64.next = next;
	stage->sink = sink_new(&stage_class, stage);
	return stage;
}

Sink *cms_stage_sink(CmsStage *stage)
{
	return stage->sink;
}

/* OpenSSL's streaming writes nothing at all for empty content: made in memory, then. */
static gboolean write_empty(CmsStage *stage)
{
	g_autoptr(BIO) nothing = BIO_new_mem_buf("", 0);
	guint8 *der = NULL;
	int size = -1;
	gboolean good;

	if (nothing != NULL && CMS_final(stage->cms, nothing, NULL, CMS_BINARY) == 1)
		size = i2d_CMS_ContentInfo(stage->cms, &der);
	good = size > 0 && base64_write(&stage->base64, der, (gsize)size, &stage->failure);
	OPENSSL_free(der);
	return good;
}

gboolean cms_stage_finish(CmsStage *stage, GError **error)
{
	gboolean good;

	if (stage->failure != NULL)
		return fail(stage, error);
	good = stage->top != NULL ? BIO_flush(stage->top) == 1 : write_empty(stage);
	if (!good || stage->failure != NULL || !base64_finish(&stage->base64, &stage->failure))
		return fail(stage, error);
	ERR_clear_error();
	return TRUE;
}

void cms_stage_free(CmsStage *stage)
{
	if (stage == NULL)
		return;
	BIO_free_all(stage->top);
	BIO_meth_free(stage->method);
	CMS_ContentInfo_free(stage->cms);
	sink_free(stage->sink);
	g_clear_error(&stage->failure);
	g_free(stage);
}
