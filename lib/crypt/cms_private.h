/* SPDX-License-Identifier: Apache-2.0
 *
 * What the cms*.c files share: making CMS structures (cms_build.c) and writing one, streaming, as
 * base64 text (cms_stage.c).
 */
#ifndef SEALPOST_LIB_CRYPT_CMS_PRIVATE_H
#define SEALPOST_LIB_CRYPT_CMS_PRIVATE_H

#include <openssl/cms.h>

#include "lib/crypt/base64.h"
#include "lib/crypt/cms.h"
#include "lib/crypt/x509_private.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CMS_ContentInfo, CMS_ContentInfo_free)

/* Structures that wait for their content. A job's signer or recipients must be set. */
CMS_ContentInfo *cms_build_signed(const CmsJob *job, gboolean detached, GError **error);
CMS_ContentInfo *cms_build_enveloped(const CmsJob *job, GError **error);
/* Value of the micalg parameter for what the signer's key signs with: "sha-256", … */
const char *cms_build_micalg(const CmsJob *job);

/* One layer: content that goes into the stage's sink leaves for next (borrowed) as base64 of the
 * structure. Only after cms_stage_finish() has returned TRUE has all of it left. */
typedef struct CmsStage CmsStage;
CmsStage *cms_stage_new(CMS_ContentInfo *cms, Sink *next); /* takes cms */
Sink *cms_stage_sink(CmsStage *stage); /* borrowed */
gboolean cms_stage_finish(CmsStage *stage, GError **error);
void cms_stage_free(CmsStage *stage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmsStage, cms_stage_free)

#endif
