/* SPDX-License-Identifier: Apache-2.0
 *
 * A text file that a person wrote: read within a limit and checked to be text, so that what reads
 * it next may rely on valid UTF-8 without control characters.
 */
#ifndef SEALPOST_POLICIES_TEXTFILE_H
#define SEALPOST_POLICIES_TEXTFILE_H

#include "policies/problems.h"

/* The file's text, line ends as "\n" (CRLF is taken). NULL and a problem if it is no regular file,
 * larger than `limit`, not UTF-8, begins with a byte order mark or holds control characters other
 * than tab and line ends. */
char *textfile_read(const char *path, gsize limit, Problems *problems);

#endif
