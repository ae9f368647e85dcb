/* SPDX-License-Identifier: Apache-2.0
 *
 * What the words of X-Sealpost-Incoming mean, for people.
 */
#ifndef SEALPOST_GATEWAY_EXPLAIN_WORDS_H
#define SEALPOST_GATEWAY_EXPLAIN_WORDS_H

#include <glib.h>

/* item: one of annotate_details(), unfolded. Appends a line for each of its words that needs one. */
void explain_words(GString *text, const char *item);

#endif
