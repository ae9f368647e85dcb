/* SPDX-License-Identifier: Apache-2.0
 *
 * Text of strangers for a terminal, a list or a file's name: what steers or hides is replaced.
 */
#ifndef SEALPOST_LIB_BASE_VISIBLE_H
#define SEALPOST_LIB_BASE_VISIBLE_H

#include <glib.h>

/* Valid UTF-8 in which each control character (C1 ones, too), format character (those that turn the
 * direction of writing, or have no width) and separator of lines became the substitute, an ASCII
 * character. New string. */
char *visible_text(const char *text, char substitute);

#endif
