/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's header fields in order, byte for byte: names as spelled, values raw with their
 * leading white space and folding ("\n" + blank, the milter's form; written out with CRLF).
 */
#ifndef SEALPOST_LIB_MAIL_HEADERS_H
#define SEALPOST_LIB_MAIL_HEADERS_H

#include "lib/mail/stream.h"

/* Most fields, and most bytes of all of them: far over what real mail has. The MTA looks for each field
 * that we change from the first one on, so ten times as many take it a hundred times as long. */
#define HEADERS_MAX 2000
#define HEADERS_BYTES_MAX (4 * 1024 * 1024)

typedef struct {
	char *name;
	char *value; /* raw: " text", "\n\tfolded text" */
} Header;

typedef struct Headers Headers;

Headers *headers_new(void);
Headers *headers_copy(const Headers *headers);
void headers_free(Headers *headers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Headers, headers_free)

/* ERROR_TOO_LARGE over the limits; ERROR_MALFORMED if the name is no field name (RFC 5322,
 * section 3.6.8: printable ASCII without colon). */
gboolean headers_append(Headers *headers, const char *name, const char *value, GError **error);
/* The same for a value without the blank before it. */
gboolean headers_add(Headers *headers, const char *name, const char *value, GError **error);

guint headers_count(const Headers *headers);
const Header *headers_at(const Headers *headers, guint index);
/* The nth (from 0) field of that name, in any case; NULL if there is none. */
const Header *headers_find(const Headers *headers, const char *name, guint nth);
guint headers_count_name(const Headers *headers, const char *name);
void headers_remove_at(Headers *headers, guint index);

/* The field's text for people and rules: unfolded, RFC 2047 words decoded, valid UTF-8 without
 * control characters, trimmed. New string. */
char *header_decode(const Header *header);
/* The same for a raw value. */
char *header_text_decode(const char *raw);

/* A value for the field of that name, in the form that headers_append() takes, with encoded words
 * and folding where needed (RFC 2047, RFC 5322); safe from injection: control characters become
 * blanks. New string. */
char *header_encode_text(const char *name, const char *utf8);

/* Is this a field that describes the body and moves inside with it (Content-*, not
 * Content-Return/Content-Identifier and the like of X.400)? MIME-Version stays outside. */
gboolean header_is_content(const char *name);

/* Do they call the message MIME, so that all programs read it as such (RFC 2045, section 4)? */
gboolean headers_say_mime(const Headers *headers);

/* The fields written out with CRLF line ends, without the blank line after them: all, only the
 * content fields, or only the others. Byte for byte, but a line break in a value that is no
 * folding gets a tab after it, and a bare CR becomes a blank: no value can begin a new field. */
typedef enum { HEADERS_ALL, HEADERS_CONTENT, HEADERS_OTHER } HeadersWhich;
gboolean headers_write(const Headers *headers, HeadersWhich which, Sink *sink, GError **error);

#endif
