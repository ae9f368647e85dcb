/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts as `has` and `is` compare them: composed (NFC), without difference of case by Unicode's
 * full case folding, each run of white space as one blank.
 */
#ifndef SEALPOST_POLICIES_FOLD_H
#define SEALPOST_POLICIES_FOLD_H

#include <glib.h>

/* New string. Bytes that are not UTF-8 count as U+FFFD. */
char *text_fold(const char *text);

#endif
