/* SPDX-License-Identifier: Apache-2.0
 *
 * The attributes of a TNEF file. See tnef.h.
 */
#include "lib/mail/tnef.h"

#include <string.h>

/* Signature and key (MS-OXTNEF, section 2.1.3.1). */
#define HEAD 6
#define SIGNATURE 0x223e9f78
/* Level, id and length; behind the data, a checksum. */
#define ATTRIBUTE_HEAD 9
#define CHECKSUM 2

enum { LEVEL_MESSAGE = 1, LEVEL_ATTACHMENT = 2 };
enum {
	MESSAGE_CLASS = 0x00078008,
	ATTACHMENT_BEGINS = 0x00069002,
	ATTACHMENT_DATA = 0x0006800f,
};

typedef struct {
	guint8 level;
	guint32 id;
	Range data;
} Attribute;

static guint32 number(const guint8 *bytes)
{
	return bytes[0] | (guint32)bytes[1] << 8 | (guint32)bytes[2] << 16 |
	       (guint32)bytes[3] << 24;
}

/* FALSE: none is there, or not all of it. */
static gboolean read_attribute(Spool *file, goffset at, Attribute *attribute)
{
	guint8 head[ATTRIBUTE_HEAD];

	if (spool_read_all(file, at, head, sizeof head, NULL) != sizeof head)
		return FALSE;
	*attribute = (Attribute){.level = head[0], .id = number(head + 1)};
	attribute->data.start = at + ATTRIBUTE_HEAD;
	attribute->data.end = attribute->data.start + number(head + 5);
	return (attribute->level == LEVEL_MESSAGE || attribute->level == LEVEL_ATTACHMENT) &&
	       attribute->data.end <= spool_length(file) - CHECKSUM;
}

/* A string that ends in a NUL; nothing but plain letters is a class. */
static void take_class(Spool *file, Range data, char *class)
{
	char text[TNEF_CLASS_MAX + 1] = "";
	gsize size = (gsize)MIN(data.end - data.start, TNEF_CLASS_MAX);

	if (spool_read_all(file, data.start, text, size, NULL) != (gssize)size)
		return;
	for (const char *p = text; *p; p++)
		if (!g_ascii_isgraph(*p) && *p != ' ')
			return;
	memcpy(class, text, sizeof text);
}

static void take(Tnef *tnef, Spool *file, const Attribute *attribute)
{
	if (attribute->level == LEVEL_MESSAGE && attribute->id == MESSAGE_CLASS)
		take_class(file, attribute->data, tnef->class);
	if (attribute->level != LEVEL_ATTACHMENT)
		return;
	if (attribute->id == ATTACHMENT_BEGINS)
		tnef->attachments++;
	else if (attribute->id == ATTACHMENT_DATA)
		tnef->data = attribute->data;
}

gboolean tnef_read(Spool *file, Tnef *tnef)
{
	guint8 head[HEAD];
	Attribute attribute;
	goffset at = HEAD;

	*tnef = (Tnef){.class = ""};
	if (spool_read_all(file, 0, head, sizeof head, NULL) != sizeof head ||
	    number(head) != SIGNATURE)
		return FALSE;
	for (guint i = 0; i < TNEF_ATTRIBUTES_MAX && read_attribute(file, at, &attribute); i++) {
		take(tnef, file, &attribute);
		at = attribute.data.end + CHECKSUM;
	}
	return TRUE;
}

gboolean tnef_claims_smime(const Tnef *tnef)
{
	g_autofree char *class = g_ascii_strdown(tnef->class, -1);

	return g_str_has_suffix(class, ".smime") || strstr(class, ".smime.");
}
