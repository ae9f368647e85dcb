/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as base64 in lines of 76 columns with CRLF, as they come. For lib/crypt only.
 */
#ifndef SEALPOST_LIB_CRYPT_BASE64_H
#define SEALPOST_LIB_CRYPT_BASE64_H

#include "lib/mail/stream.h"

#define BASE64_LINE 57 /* bytes that make 76 columns */
/* Begins as {.next = sink}; must be finished, else up to a line is missing. */
typedef struct {
	Sink *next; /* borrowed */
	guint8 line[BASE64_LINE];
	gsize have; /* bytes waiting in line */
} Base64;
gboolean base64_write(Base64 *base64, const void *data, gsize size, GError **error);
gboolean base64_finish(Base64 *base64, GError **error);

#endif
