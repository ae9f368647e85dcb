/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands of `sealpost key` share.
 */
#ifndef SEALPOST_CLI_KEY_H
#define SEALPOST_CLI_KEY_H

#include <json-glib/json-glib.h>

#include "cli/cli.h"
#include "keystore/inside.h"
#include "keystore/learned.h"

int cli_key_import(int argc, char **argv);
int cli_key_list(int argc, char **argv);
int cli_key_show(int argc, char **argv);
int cli_key_lookup(int argc, char **argv);
int cli_key_export(int argc, char **argv);
int cli_key_approve(int argc, char **argv);
int cli_key_reject(int argc, char **argv);
int cli_key_delete(int argc, char **argv);

/* What was learned from mail: the list, and the end of one. They return the exit status. */
int key_list_learned(Keystore *keystore, const char *address, gboolean as_json);
int key_forget_learned(Store *store, const Learned *row);

/* What opening gave: the caller returns status if it is not EX_OK. */
Store *key_open_store(int *status);
Keystore *key_open_keystore(int *status);

/* "certificate", "CA certificate", "OpenPGP key"; with their private part. New string. */
char *key_kind(const Candidate *candidate, gboolean with_private);
/* "until 2027-01-31", or "for ever" for 0. New string. */
char *key_until(gint64 seconds);
/* "2027-01-31". New string. */
char *key_day(gint64 seconds);
/* What is wrong with it by itself, whatever is trusted; NULL: nothing. Static. */
const char *key_flaw(const Candidate *candidate);
/* "CRL FINGERPRINT, valid until …, 3 revoked: ISSUER". New string. */
char *key_crl_text(const Crl *crl);
/* Whose a key is, folded: an address, or "@domain" for a domain key. NULL: neither. New string. */
char *key_fold_owner(const char *text);
/* For people: subject or first user ID, as visible text. New string. */
char *key_owner(const Candidate *candidate);

/* Prints a JSON value; returns EX_OK or EX_IOERR. Takes the builder's root. */
int key_print_json(JsonBuilder *builder);
void key_json_string(JsonBuilder *builder, const char *name, const char *value); /* NULL: null */
void key_json_bool(JsonBuilder *builder, const char *name, gboolean value);
void key_json_strings(JsonBuilder *builder, const char *name, const char *const *values);

#endif
