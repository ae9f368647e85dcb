/* SPDX-License-Identifier: Apache-2.0
 *
 * A lesson from inside, for lesson.c, which makes it from what the gateway saw, and learn.c, which
 * decides about it and writes it.
 */
#ifndef SEALPOST_KEYSTORE_LESSON_H
#define SEALPOST_KEYSTORE_LESSON_H

#include "keystore/candidate.h"
#include "keystore/learn.h"

struct Lesson {
	KeyType type;
	char *id;
	char *address;
	const char *origin; /* static */
	char *digest; /* OpenPGP: SHA-256 of the form that came */
	LearnResult result;
	gboolean others; /* a source has a key of the type, none that can be used: all that comes
			    is "changed" */
	gboolean vouched; /* a source has this very key */
	Candidate *candidate; /* NULL: the result does not need it */
	guint capabilities; /* KEY_SMIME */
	gint64 signed_at; /* 0: not known, so that it tells nothing about his program */
	gboolean writes; /* a row */
	gboolean tells; /* ... what the owner's program opens, as of signed_at */
};

/* Decides, and finds what there is to write. FALSE: the store failed. */
gboolean lesson_prepare(Keystore *keystore, Lesson *lesson, GError **error);

#endif
