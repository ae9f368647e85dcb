/* SPDX-License-Identifier: Apache-2.0
 *
 * The legacy display element (RFC 9788, sections 4.5.3 and 5.2.2): hidden header fields once more
 * at the top of the text, for programs that do not know header protection; marked, so that those
 * that do leave it out. It is put into, and taken out of, the main body parts: the text of an entity
 * in plain and HTML; never an attachment, nor what is itself signed.
 */
#ifndef SEALPOST_GATEWAY_LEGACYDISPLAY_H
#define SEALPOST_GATEWAY_LEGACYDISPLAY_H

#include "lib/mail/headers.h"
#include "lib/mail/mime.h"

/* A longer text, as transmitted, stays as it is; so does what comes after so many parts. */
#define LEGACYDISPLAY_TEXT_MAX (1024 * 1024)
#define LEGACYDISPLAY_PARTS_MAX 8

typedef struct LegacyDisplay LegacyDisplay;

/* Puts the hidden fields that people read, of those inside (headprotect_fields()), into the parts of
 * a message. A part that has no room for them (charset, form, size) stays as it is. NULL with error
 * if it could not be read. The result keeps a reference to the spool. */
LegacyDisplay *legacydisplay_add(const MimeTree *tree, Spool *message, const Headers *inside,
				 GError **error);
/* Takes marked elements out, where they are what they should be. */
LegacyDisplay *legacydisplay_remove(const MimeTree *tree, Spool *entity, GError **error);
void legacydisplay_free(LegacyDisplay *display);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LegacyDisplay, legacydisplay_free)

/* Has any part changed? */
gboolean legacydisplay_changes(const LegacyDisplay *display);
/* The root's fields, if it is one of these parts, with its others; else NULL. Borrowed. */
const Headers *legacydisplay_root(const LegacyDisplay *display);
/* The root's content with the changes. */
Source *legacydisplay_content(const LegacyDisplay *display, Range content);

#endif
