/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the parts of a message in the spool: one pass over its lines, no recursion, constant
 * memory but for the header blocks. For lib/mail only.
 */
#ifndef SEALPOST_LIB_MAIL_MIMESCAN_H
#define SEALPOST_LIB_MAIL_MIMESCAN_H

#include "lib/mail/headers.h"
#include "lib/mail/mime.h"
#include "lib/mail/mimefield.h"

/* Header bytes and fields of all parts together, then ERROR_TOO_LARGE. */
#define MIME_HEADER_BYTES_MAX (8 * 1024 * 1024)
#define MIME_FIELDS_MAX 100000

struct MimeTree {
	Spool *spool;
	MimePart *root;
};

/* What stands behind MimePart.object. */
typedef struct {
	Headers *fields; /* NUL bytes replaced by blanks */
	MimeField *type; /* Content-Type */
} MimeFacts;

static inline const MimeFacts *mime_facts(const MimePart *part)
{
	return part->object;
}

/* A part without children, its parent's last child; headers begin at start. */
MimePart *mime_part_new(MimePart *parent, goffset start);
void mime_part_free(gpointer part);

/* Reads part->headers from the spool and fills in what they say. */
gboolean mime_part_describe(MimePart *part, const Spool *spool, GError **error);

/* "7bit", "8bit", "binary": the content stands as it is. */
gboolean mime_is_identity(const MimePart *part);

/* The whole tree; quoted: with what is in a message/rfc822. NULL on error. */
MimePart *mime_scan(const Spool *spool, gboolean quoted, GError **error);

#endif
