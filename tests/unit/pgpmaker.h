/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of OpenPGP: a private folder with a GnuPG home of its own in which keys are made, and
 * programs other than ours that look at what we made.
 */
#ifndef SEALPOST_TESTS_UNIT_PGPMAKER_H
#define SEALPOST_TESTS_UNIT_PGPMAKER_H

#include <glib.h>

#include "lib/base/secret.h"

typedef struct {
	char *folder; /* of this test program, removed at the end */
	char *home; /* the makers' GnuPG home in it */
} PgpMaker;

PgpMaker *pgp_maker_new(void);
/* Ends the agent, removes the folder. */
void pgp_maker_free(PgpMaker *maker);

/* Runs a program (arguments end with NULL) with input (may be NULL) as its standard input. Its
 * output (may be NULL: not wanted; else free it), its exit status as the result, -1 if it could not
 * be started. */
int pgp_maker_run(const char *const *argv, GBytes *input, GBytes **output);
/* gpg in the makers' home: arguments as printf gives them, divided at blanks ('_' in an argument
 * stands for a blank). */
int pgp_maker_gpg(PgpMaker *maker, GBytes *input, GBytes **output, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/* From then on GPGME's gpg runs these lines of sh first, unless it is asked for its version only: before
 * the first use of GPGME. */
void pgp_maker_wrap(PgpMaker *maker, const char *lines);

/* A key without passphrase that signs and encrypts ("future-default", "rsa2048", …; with a
 * "/sign" at the end, one that only signs). Its fingerprint, new string. */
char *pgp_maker_key(PgpMaker *maker, const char *address, const char *algorithm);
/* The fingerprint of the key for that address, new string. */
char *pgp_maker_find(PgpMaker *maker, const char *address);
/* By the certificate that gpg made along with it. */
void pgp_maker_revoke(PgpMaker *maker, const char *fingerprint);
GBytes *pgp_maker_public(PgpMaker *maker, const char *fingerprint);
Secret *pgp_maker_secret(PgpMaker *maker, const char *fingerprint);
/* The same in a file of that name in the folder. New string: its path. */
char *pgp_maker_file(PgpMaker *maker, const char *name, GBytes *bytes);

#endif
