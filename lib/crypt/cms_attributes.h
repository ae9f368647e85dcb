/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed attributes that tell how to answer a signer. For lib/crypt/cms*.c only.
 */
#ifndef SEALPOST_LIB_CRYPT_CMS_ATTRIBUTES_H
#define SEALPOST_LIB_CRYPT_CMS_ATTRIBUTES_H

#include "lib/crypt/cms_private.h"

/* CmsCapability flags that the signer names; what is no list of capabilities names none. */
guint cms_capabilities(CMS_SignerInfo *info);
/* Our own: RSAES-OAEP with SHA-256. New; NULL on failure. */
X509_ALGOR *cms_oaep_capability(void);
/* The one of certs (array of Cert *) that he wants to be encrypted with; NULL if he does not say or
 * it is not among them. A new reference. */
Cert *cms_preferred_cert(CMS_SignerInfo *info, GPtrArray *certs);

#endif
