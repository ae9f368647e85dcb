/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold of every message, whatever is in it: checked by unit tests, fuzz targets and the
 * walk over the corpus.
 */
#ifndef SEALPOST_TESTS_UNIT_MAILCHECK_H
#define SEALPOST_TESTS_UNIT_MAILCHECK_H

#include "lib/mail/mime.h"

typedef enum {
	CHECK_GOOD,
	CHECK_UNSUPPORTED, /* no form that may be signed, and said so */
	CHECK_BAD, /* *problem says what */
} CheckResult;

/* Ranges lie within each other and in order. NULL, or what is wrong (a new string). */
char *check_ranges(const MimeTree *tree);

/* Writes the message in its transport-safe form and reads that again: it is safe by its own
 * measure, has the same parts with the same names and parameters, and decodes to the same
 * bytes. */
CheckResult check_rewrite(const MimeTree *tree, char **problem);

#endif
