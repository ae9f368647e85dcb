/* SPDX-License-Identifier: Apache-2.0
 *
 * How lib/mail uses GMime: started once, with options of our own. For lib/mail only.
 */
#ifndef SEALPOST_LIB_MAIL_GMIME_H
#define SEALPOST_LIB_MAIL_GMIME_H

#include <gmime/gmime.h>

/* New parser options: lenient where real mail needs it, undeclared 8-bit text taken as UTF-8,
 * else as Latin 1. g_mime_parser_options_free() them. */
GMimeParserOptions *gmime_options_new(void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeParserOptions, g_mime_parser_options_free)

/* Appends bytes of a named charset as UTF-8, with U+FFFD for what is none of it. Of an unknown
 * charset or NULL: as UTF-8 if they are, else as Latin 1. */
void gmime_append_utf8(GString *text, const char *charset, const char *bytes, gsize size);

#endif
