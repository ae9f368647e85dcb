/* SPDX-License-Identifier: Apache-2.0
 *
 * Fills the small templates that are compiled in: "{{name}}" is a value, escaped for HTML,
 * "{{t:key}}" a text of the catalogue (which may hold "{{name}}" itself), "{{{name}}}" HTML that
 * another template made, "{{! … }}" a comment. A template that ends in ".txt" is plain text: nothing is escaped.
 */
#ifndef SEALPOST_PORTAL_TEMPLATE_H
#define SEALPOST_PORTAL_TEMPLATE_H

#include "portal/texts.h"

typedef struct Values Values;

/* The values of one page in one language; texts is borrowed. */
Values *values_new(const Texts *texts, Language language);
/* New ones in the same language, empty. */
Values *values_new_like(const Values *values);
void values_free(Values *values);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Values, values_free)

/* A copy is kept; NULL becomes the empty text. */
void values_set(Values *values, const char *name, const char *text);
void values_take(Values *values, const char *name, char *text);

/* A catalogue text with its values filled in, not escaped. New string. */
char *template_text(const Values *values, const char *key);
/* The template filled in; unknown names become empty. New string. */
char *template_render(const char *name, const Values *values);

/* Text for HTML: & < > " ' escaped, and whatever is not valid UTF-8 replaced. New string. */
char *html_escape(const char *text);

#endif
