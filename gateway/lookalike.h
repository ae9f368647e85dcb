/* SPDX-License-Identifier: Apache-2.0
 *
 * Text from outside that a reader would take for one of our subject tags ("[encrypted]", "[signed:
 * …]", "[WARNING: …]", in each of our languages) is found as he sees it: in any case, with blanks or
 * invisible characters in between, with letters and brackets of other scripts that look the same
 * (after Unicode Technical Standard 39). Pure.
 */
#ifndef SEALPOST_GATEWAY_LOOKALIKE_H
#define SEALPOST_GATEWAY_LOOKALIKE_H

#include <glib.h>

/* After so many rounds of removing, what still makes tags anew loses its brackets. */
#define LOOKALIKE_ROUNDS_MAX 8

/* The text (valid UTF-8) without such tags, nor any that its rest would make; without characters
 * that turn the order of letters round. Text that has none stays byte for byte. New string. */
char *lookalike_remove(const char *text);

/* A name from outside in a form that stands within a tag: no brackets, nothing invisible, at most
 * LOOKALIKE_NAME_MAX characters: the middle goes. New string. */
#define LOOKALIKE_NAME_MAX 80
char *lookalike_clean_name(const char *name);

#endif
