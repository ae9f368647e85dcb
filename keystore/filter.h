/* SPDX-License-Identifier: Apache-2.0
 *
 * LDAP search filters (RFC 4515): an address from a stranger becomes a value, never a part of the
 * filter's language.
 */
#ifndef SEALPOST_KEYSTORE_FILTER_H
#define SEALPOST_KEYSTORE_FILTER_H

#include <glib.h>

/* The bytes as an assertion value: everything but ASCII letters, digits and "@.-_+=" becomes \xx.
 * New string. */
char *filter_escape(const char *bytes, gsize length);

/* The template with each %m replaced by the escaped value. New string. */
char *filter_fill(const char *template, const char *value);

/* Whether a template is of use: %m is in it and its brackets balance. ERROR_CONFIG. */
gboolean filter_check(const char *template, GError **error);

#endif
