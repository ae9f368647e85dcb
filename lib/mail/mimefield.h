/* SPDX-License-Identifier: Apache-2.0
 *
 * The value of a field with parameters, Content-Type and Content-Disposition: read as leniently
 * as mail is written, encoded strictly (RFC 2045, section 5.1; RFC 2231). For lib/mail only.
 */
#ifndef SEALPOST_LIB_MAIL_MIMEFIELD_H
#define SEALPOST_LIB_MAIL_MIMEFIELD_H

#include <glib.h>

/* Most bytes and most parameters that are read of one field. */
#define MIME_FIELD_MAX (64 * 1024)
#define MIME_PARAMS_MAX 200

typedef struct MimeField MimeField;

/* raw: the value as in Header, folded or not. Never fails: what cannot be read is not there. */
MimeField *mime_field_new(const char *raw);
void mime_field_free(MimeField *field);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeField, mime_field_free)

/* What stands before the parameters, without blanks and comments, as spelled: "Text/Plain". */
const char *mime_field_value(const MimeField *field);
/* A parameter in any case of its name; NULL if absent. Borrowed. Names of files and what is
 * declared in a charset are UTF-8; the rest is as it came. */
const char *mime_field_param(const MimeField *field, const char *name);

/* The whole field in pure ASCII, folded, as a value for headers_append(). New string. */
char *mime_field_encode(const MimeField *field);

#endif
