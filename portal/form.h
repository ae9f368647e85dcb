/* SPDX-License-Identifier: Apache-2.0
 *
 * A form's fields (application/x-www-form-urlencoded, WHATWG URL 5.1), bounded. The values may be
 * passwords: the Form wipes them.
 */
#ifndef SEALPOST_PORTAL_FORM_H
#define SEALPOST_PORTAL_FORM_H

#include <glib.h>

#define FORM_FIELDS_MAX 16

typedef struct Form Form;

/* ERROR_MALFORMED for broken escapes, NUL, text that is not UTF-8 and a name that comes twice;
 * ERROR_TOO_LARGE for too many fields. */
Form *form_parse(const char *body, gsize size, GError **error);
void form_free(Form *form);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Form, form_free)

/* Borrowed; NULL if there is no such field. */
const char *form_get(const Form *form, const char *name);

#endif
