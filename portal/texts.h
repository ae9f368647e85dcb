/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that the portal says, in each language: the catalogue templates/texts.ini, compiled
 * in. Read once, never changed; borrowed strings live as long as the Texts.
 */
#ifndef SEALPOST_PORTAL_TEXTS_H
#define SEALPOST_PORTAL_TEXTS_H

#include <glib.h>

typedef enum { LANGUAGE_DE, LANGUAGE_EN, LANGUAGE_COUNT } Language;

/* "de", "en". */
const char *language_code(Language language);
/* By its code, in any case, with or without a region ("de-AT"). FALSE if we don't have it. */
gboolean language_find(const char *tag, Language *language);
/* The best for an Accept-Language header (RFC 9110, section 12.5.4); NULL and doubtful headers
 * give fallback. */
Language language_accepted(const char *header, Language fallback);

typedef struct Texts Texts;

Texts *texts_new(void);
void texts_free(Texts *texts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Texts, texts_free)

/* NULL if there is no such text. */
const char *texts_find(const Texts *texts, Language language, const char *key);
/* All keys of one language (tests). Free with g_strfreev(). */
char **texts_keys(const Texts *texts, Language language);

#endif
