/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory ([ldap NAME] of the configuration) as a source of keys: its search, its cache, and
 * how the values of its attributes become candidates.
 */
#ifndef SEALPOST_KEYSTORE_DIRECTORY_H
#define SEALPOST_KEYSTORE_DIRECTORY_H

#include "keystore/source.h"
#include "lib/base/conf.h"

/* Largest value that is looked into; larger ones count as malformed. */
#define DIRECTORY_VALUE_MAX (256 * 1024)

/* section: "ldap NAME". ERROR_CONFIG. */
KeySource *directory_source(const Conf *conf, const char *section, GError **error);

/* Adds what is in a value of a certificate attribute (a certificate or PKCS#7; garbage becomes a
 * malformed candidate) or of an OpenPGP key attribute. FALSE only if it could not be looked into
 * (GnuPG does not run). */
gboolean directory_read_value(KeyType type, GBytes *value, GPtrArray *into, GError **error);

#endif
