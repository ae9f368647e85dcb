/* SPDX-License-Identifier: Apache-2.0
 *
 * A pull reader for BER (X.690) as CMS uses it: definite and indefinite lengths, from a Source,
 * without holding more than a buffer. For hostile input: no recursion, nothing allocated by a
 * length that the input claims, each element bounded by the one around it.
 */
#ifndef SEALPOST_LIB_CRYPT_CMS_BER_H
#define SEALPOST_LIB_CRYPT_CMS_BER_H

#include "lib/mail/stream.h"

/* Identifier octets of what CMS has. */
enum {
	BER_INTEGER = 0x02,
	BER_OCTETS = 0x04,
	BER_OCTETS_CONSTRUCTED = 0x24,
	BER_OID = 0x06,
	BER_SEQUENCE = 0x30,
	BER_SET = 0x31,
	BER_CONTEXT = 0x80, /* | number */
	BER_CONTEXT_CONSTRUCTED = 0xa0, /* | number */
};

/* Nesting of indefinite lengths in what is skipped. */
#define BER_DEPTH_MAX 32

typedef struct BerReader BerReader;

/* source is borrowed. base64: its bytes are base64 text, whatever the line ends. limit: most
 * bytes of BER, then ERROR_TOO_LARGE. */
BerReader *ber_reader_new(Source *source, gboolean base64, guint64 limit);
void ber_reader_free(BerReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BerReader, ber_reader_free)

/* One element: its head has been read, its content comes next. */
typedef struct {
	guint8 tag;
	gboolean indefinite;
	guint64 length; /* of the content; 0 if indefinite */
	guint64 end; /* where it, or with indefinite length the one around it, must end */
} BerItem;

/* The next element inside parent (NULL: at the outermost level): 1, 0 if parent has ended, -1
 * with error set (ERROR_MALFORMED, or what the source says). */
int ber_next(BerReader *reader, const BerItem *parent, BerItem *item, GError **error);
/* The next element, which must be there. */
gboolean ber_need(BerReader *reader, const BerItem *parent, BerItem *item, GError **error);
/* The same, and it must have this tag. */
gboolean ber_expect(BerReader *reader, const BerItem *parent, guint8 tag, BerItem *item,
		    GError **error);
/* Over the content of an item that was just read. */
gboolean ber_skip(BerReader *reader, const BerItem *item, GError **error);
/* Over all children of item that are left, up to its end. */
gboolean ber_skip_rest(BerReader *reader, const BerItem *item, GError **error);
/* Appends the item, head and content, to bytes, which may grow to limit. */
gboolean ber_copy(BerReader *reader, const BerItem *item, GByteArray *bytes, gsize limit,
		  GError **error);
/* Sets ERROR_MALFORMED; always FALSE, so that a caller can return it. */
gboolean ber_malformed(GError **error, const char *what);
/* The content of a primitive item of at most limit bytes: new bytes. */
GBytes *ber_take(BerReader *reader, const BerItem *item, gsize limit, GError **error);
/* The item as it stands in the input, head and content; definite length only. */
GBytes *ber_take_whole(BerReader *reader, const BerItem *item, gsize limit, GError **error);
/* Up to size bytes more of the content of a primitive item: how many, 0 at its end, -1 on error. */
gssize ber_read(BerReader *reader, const BerItem *item, void *buffer, gsize size, GError **error);

/* An OCTET STRING, in one piece or made of pieces, as one run of bytes. */
#define BER_OCTETS_DEPTH 4
typedef struct {
	BerItem open[BER_OCTETS_DEPTH]; /* the constructed ones that we are in */
	guint depth;
	BerItem piece;
	gboolean in_piece;
} BerOctets;
/* item: its head has been read; whatever tag it has (an implicit one, too). */
void ber_octets_begin(BerOctets *octets, const BerItem *item);
/* The same one level down: item is the first child of what was begun with. */
void ber_octets_enter(BerOctets *octets, const BerItem *item);
/* Up to size bytes: how many, 0 at the end of all, -1 on error. */
gssize ber_octets_read(BerReader *reader, BerOctets *octets, void *buffer, gsize size,
		       GError **error);

#endif
