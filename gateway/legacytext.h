/* SPDX-License-Identifier: Apache-2.0
 *
 * The legacy display element in a text, plain or HTML, in any charset that has ASCII in it (RFC
 * 9788, sections 4.5.3.2, 4.5.3.3, 5.2.2, 5.2.3). Pure.
 */
#ifndef SEALPOST_GATEWAY_LEGACYTEXT_H
#define SEALPOST_GATEWAY_LEGACYTEXT_H

#include <glib.h>

/* Both: a new string of *length bytes, NUL-terminated besides. NULL: the text stays as it is. */

/* The text with these fields ("Name: text\n", UTF-8) at its top, in its charset; what that cannot
 * say becomes "?". HTML has them in a div, all in ASCII. */
char *legacytext_add(const char *text, gsize size, const char *charset, const char *fields,
		     gsize *length);
char *legacytext_add_html(const char *text, gsize size, const char *fields, gsize *length);

/* Without the element: of a plain text, the lines down to the first empty one, if each is a header
 * field; of HTML, the div, if it is the body's first. Anything else is what somebody wrote. */
char *legacytext_remove(const char *text, gsize size, gsize *length);
char *legacytext_remove_html(const char *text, gsize size, gsize *length);

#endif
