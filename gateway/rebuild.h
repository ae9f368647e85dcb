/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's content made anew from parts that were opened and parts that stay as they came. Each
 * is a part of its own: nothing that was encrypted shares one with what was not (EFAIL).
 */
#ifndef SEALPOST_GATEWAY_REBUILD_H
#define SEALPOST_GATEWAY_REBUILD_H

#include "gateway/leaves.h"

/* One part: copied, or made of a content. */
typedef struct {
	const MimePart *copied; /* from the message as it was; else NULL */
	char *type; /* Content-Type with its parameters */
	char *filename; /* UTF-8; NULL: the part is text to read. Else it is an attachment, which
			       readers do not quote in an answer */
	char *content_id; /* NULL: none */
	Spool *content;
} NewPart;
void new_part_free(NewPart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NewPart, new_part_free)

/* A text of this charset (NULL: found by its bytes; foreign: only a harmless name is taken). */
NewPart *new_part_text(const char *charset, Spool *content);
/* A file that came encrypted as `part`: its name without the suffix. */
NewPart *new_part_file(const MimePart *part, Spool *content);
/* Is what was inside a file, put there without a word of what it is? No text has such bytes. */
gboolean rebuild_is_file(const Spool *content);

/* Do a line's end and a mark mean the same in its charset, whatever stands before them? Not in UTF-7,
 * UTF-16 or ISO 2022: there a sender could hide them. */
gboolean rebuild_can_mark(const Leaf *leaf);
/* The text of a leaf whose blocks were opened apart. Blocks stay, but for those that notes (one
 * for each piece, NULL: none) has a line for; each line around them is marked: what is not marked
 * was protected, and no sender can take a mark away. Only what rebuild_can_mark(). */
gboolean rebuild_marked_text(const Leaf *leaf, char *const *notes, Spool *into, GError **error);

/* The entity: the one part, or a multipart/mixed of all, in order. The same for the same input.
 * current: the message as it was. */
gboolean rebuild_entity(Spool *current, const GPtrArray *parts, Spool *into, GError **error);

#endif
