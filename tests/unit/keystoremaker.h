/* SPDX-License-Identifier: Apache-2.0
 *
 * A key store of its own for a test, in a folder with a GnuPG home to make keys in, and a root that
 * it trusts.
 */
#ifndef SEALPOST_TESTS_UNIT_KEYSTOREMAKER_H
#define SEALPOST_TESTS_UNIT_KEYSTOREMAKER_H

#include "keystore/inside.h"
#include "tests/unit/pgpmaker.h"
#include "tests/unit/x509maker.h"

typedef struct {
	PgpMaker *maker;
	char *conf_path;
	Conf *conf;
	Keystore *keystore;
	Made *root;
} Place;

/* Around each test of cmocka; *state is the Place. */
int place_make(void **state);
int place_remove(void **state);
#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

/* The store is opened again, with these lines in [learn]. */
void place_reopen(Place *place, const char *settings);
/* A certificate, from the root unless the order says otherwise. */
Made *place_issue(Place *place, MakerOrder order);
KeyAnswer *place_look_up(Place *place, const char *address);

#endif
