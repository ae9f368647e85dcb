/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorts the parts of a message into what a reader sees and what is a file. Pure.
 */
#ifndef SEALPOST_PORTAL_LETTERPARTS_H
#define SEALPOST_PORTAL_LETTERPARTS_H

#include "lib/mail/mime.h"
#include "portal/letter.h"

typedef struct {
	GPtrArray *bodies; /* of LetterPart * */
	GPtrArray *attachments; /* of LetterPart * */
	GHashTable *parts; /* number -> MimePart *, of all leaves */
	GHashTable *pictures; /* Content-ID without brackets -> MimePart * */
} LetterParts;

/* Of NULL: none. Sizes of attachments are not yet known. */
LetterParts *letterparts_new(const MimeTree *tree);
void letterparts_free(LetterParts *parts);

/* May this type be shown as a picture inside HTML? No SVG: it is a document. */
gboolean letterparts_is_picture(const char *type);

#endif
