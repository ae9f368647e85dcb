/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of what comes in: a message is opened in both ways, by us and by gpg, and the outcomes
 * must be the same.
 */
#ifndef SEALPOST_TESTS_UNIT_PGPCOMPARE_H
#define SEALPOST_TESTS_UNIT_PGPCOMPARE_H

#include "lib/crypt/pgp_open.h"
#include "tests/unit/pgpmaker.h"

typedef struct {
	PgpMaker *maker;
	PgpHome *home;
	GPtrArray *secrets; /* of char *: who may have it opened; owned */
	GPtrArray *signers; /* of GBytes *: owned */
	char *runs; /* a file with one byte for each start of gpg */
} PgpCompare;

/* From then on each start of gpg by GPGME is counted: before the first use of GPGME. */
PgpCompare *pgp_compare_new(void);
void pgp_compare_free(PgpCompare *compare);

/* The secret key of the maker's that is to be at hand in the home. */
void pgp_compare_bring(PgpCompare *compare, const char *fingerprint);
void pgp_compare_clear(PgpCompare *compare); /* nobody is named any more */
guint pgp_compare_runs(const PgpCompare *compare);

/* Who is to open it. */
typedef enum {
	BY_ANY, /* that is not what is tested */
	BY_US, /* without a start of gpg */
	BY_GPG,
} PgpWay;
/* Opens it in both ways and compares all that comes out. name: for people. The result, for more
 * questions. */
PgpOpened *pgp_compare_open(PgpCompare *compare, const char *name, GBytes *message, PgpWay way,
			    GBytes **plain);
/* The same for a detached signature. */
GPtrArray *pgp_compare_verify(PgpCompare *compare, const char *name, GBytes *signature,
			      GBytes *content, PgpWay way);

#endif
