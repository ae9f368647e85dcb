/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost key list` and `show`: what the store has, and whether it may be used now.
 */
#include <stdio.h>
#include <string.h>

#include "cli/key.h"
#include "lib/base/error.h"
#include "lib/base/visible.h"
#include "lib/mail/address.h"

/* Whether it may be used for encryption now; CA certificates are not asked that. */
static const char *judge(Trust *trust, const Candidate *candidate)
{
	if (candidate->cert && cert_is_ca(candidate->cert) && !candidate->secret)
		return key_flaw(candidate);
	return trust_judge(trust, candidate, NULL, CERT_FOR_ENCRYPTION,
			   g_get_real_time() / G_USEC_PER_SEC);
}

static const char *algorithm(const Candidate *candidate)
{
	return candidate->cert ? cert_algorithm(candidate->cert) : candidate->pgp->algorithm;
}

static void print_line(const Candidate *candidate, const char *reason, char **bound)
{
	g_autofree char *kind = key_kind(candidate, candidate->secret);
	g_autofree char *owner = key_owner(candidate);
	g_autofree char *addresses = g_strjoinv(", ", (char **)candidate_addresses(candidate));
	g_autofree char *named = visible_text(addresses, '?');
	g_autofree char *by_hand = g_strjoinv(", ", bound);
	g_autofree char *until = key_until(candidate_until(candidate));

	printf("%s  %s, valid %s, %s: %s%s%s%s\n", candidate->id, kind, until,
	       reason ? reason : "usable", *named ? named : owner, *by_hand ? " (bound to " : "",
	       by_hand, *by_hand ? ")" : "");
}

static void add_json(JsonBuilder *builder, const Candidate *candidate, const char *reason,
		     char **bound)
{
	g_autofree char *owner = key_owner(candidate);

	json_builder_begin_object(builder);
	key_json_string(builder, "type", key_type_name(candidate->type));
	key_json_string(builder, "id", candidate->id);
	key_json_string(builder, "owner", owner);
	key_json_strings(builder, "addresses", candidate_addresses(candidate));
	key_json_strings(builder, "bound", (const char *const *)bound);
	key_json_string(builder, "algorithm", algorithm(candidate));
	json_builder_set_member_name(builder, "since");
	json_builder_add_int_value(builder, candidate_since(candidate));
	json_builder_set_member_name(builder, "until");
	json_builder_add_int_value(builder, candidate_until(candidate));
	key_json_bool(builder, "ca", candidate->cert && cert_is_ca(candidate->cert));
	key_json_bool(builder, "trusted", candidate->trusted);
	key_json_bool(builder, "private", candidate->secret);
	key_json_bool(builder, "usable", reason == NULL);
	key_json_string(builder, "reason", reason);
	json_builder_end_object(builder);
}

static void add_crl_json(JsonBuilder *builder, const Crl *crl)
{
	g_autofree char *issuer = visible_text(crl_issuer(crl), '?');

	json_builder_begin_object(builder);
	key_json_string(builder, "type", "crl");
	key_json_string(builder, "id", crl_fingerprint(crl));
	key_json_string(builder, "owner", issuer);
	json_builder_set_member_name(builder, "since");
	json_builder_add_int_value(builder, crl_issued(crl));
	json_builder_set_member_name(builder, "until");
	json_builder_add_int_value(builder, crl_next(crl));
	json_builder_set_member_name(builder, "revoked");
	json_builder_add_int_value(builder, crl_entries(crl));
	json_builder_end_object(builder);
}

static int print_crls(Store *store, JsonBuilder *json)
{
	g_autoptr(GPtrArray) crls = g_ptr_array_new_with_free_func((GDestroyNotify)crl_unref);
	g_autoptr(GError) error = NULL;

	if (!store_crls(store, crls, &error))
		return cli_fail(error);
	for (guint i = 0; i < crls->len; i++) {
		g_autofree char *text = key_crl_text(crls->pdata[i]);
		if (json)
			add_crl_json(json, crls->pdata[i]);
		else
			printf("%s\n", text);
	}
	return EX_OK;
}

static int print_all(Keystore *keystore, GPtrArray *found, JsonBuilder *json)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Trust) trust = keystore_trust(keystore, NULL, &error);

	for (guint i = 0; trust && i < found->len; i++) {
		const Candidate *candidate = found->pdata[i];
		const char *reason = judge(trust, candidate);
		g_auto(GStrv) bound = store_bindings(keystore->store, candidate->id, &error);
		if (!bound)
			break;
		if (json)
			add_json(json, candidate, reason, bound);
		else
			print_line(candidate, reason, bound);
	}
	return error ? cli_fail(error) : EX_OK;
}

static int list(Keystore *keystore, const char *address, JsonBuilder *json)
{
	g_autoptr(GPtrArray) found = candidate_array_new();
	g_autoptr(GError) error = NULL;

	if (!store_find(keystore->store, address, found, &error))
		return cli_fail(error);
	int status = print_all(keystore, found, json);
	return status == EX_OK && !address ? print_crls(keystore->store, json) : status;
}

int cli_key_list(int argc, char **argv)
{
	gboolean as_json = FALSE, learned = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "For programs", NULL},
		{"learned", 0, 0, G_OPTION_ARG_NONE, &learned, "Those learned from mail", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autofree char *address = NULL;
	int status;

	if (!cli_options(entries, "[ADDRESS]", "Lists the keys and CRLs of the store.", &argc,
			 &argv))
		return EX_USAGE;
	if (argc > 2 || (argc == 2 && !(address = key_fold_owner(argv[1])))) {
		fprintf(stderr, "%s: one mail address, or none (see --help)\n", argv[0]);
		return EX_USAGE;
	}
	g_autoptr(Keystore) keystore = key_open_keystore(&status);
	if (!keystore)
		return status;
	if (learned)
		return key_list_learned(keystore, address, as_json);
	if (!as_json)
		return list(keystore, address, NULL);
	g_autoptr(JsonBuilder) builder = json_builder_new();
	json_builder_begin_array(builder);
	status = list(keystore, address, builder);
	json_builder_end_array(builder);
	return status == EX_OK ? key_print_json(builder) : status;
}

static void print_strings(const char *label, const char *const *values)
{
	for (; values && *values; values++) {
		g_autofree char *text = visible_text(*values, '?');
		printf("  %-13s %s\n", label, text);
	}
}

static void show_one(const Candidate *candidate, const char *reason, char **bound)
{
	g_autofree char *kind = key_kind(candidate, candidate->secret);
	g_autofree char *since = key_day(candidate_since(candidate));
	g_autofree char *until = key_until(candidate_until(candidate));

	printf("%s\n  %-13s %s, %s\n", candidate->id, "what", kind, algorithm(candidate));
	if (candidate->cert) {
		const char *const names[] = {cert_subject(candidate->cert), NULL};
		const char *const issuers[] = {cert_issuer(candidate->cert), NULL};
		print_strings("subject", names);
		print_strings("issuer", issuers);
	} else {
		print_strings("user ID", (const char *const *)candidate->pgp->user_ids);
		print_strings("encrypts with", (const char *const *)candidate->pgp->encryption_ids);
	}
	print_strings("address", candidate_addresses(candidate));
	print_strings("bound to", (const char *const *)bound);
	printf("  %-13s from %s %s\n", "valid", since, until);
	if (candidate->trusted)
		printf("  %-13s yes\n", "trusted");
	printf("  %-13s %s\n", "usable", reason ? "no" : "yes");
	if (reason)
		printf("  %-13s %s\n", "why not", reason);
}

static gboolean find_shown(Store *store, const char *word, GPtrArray *found, GError **error)
{
	g_autofree char *address = strchr(word, '@') ? address_fold(word) : NULL;

	if (!address) {
		Candidate *candidate = store_get(store, word, error);
		if (candidate)
			g_ptr_array_add(found, candidate);
		return candidate != NULL;
	}
	if (!store_find(store, address, found, error))
		return FALSE;
	if (found->len)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_USAGE, "%s: there is no such key", word);
	return FALSE;
}

int cli_key_show(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) found = candidate_array_new();
	int status;

	if (!cli_options(NULL, "FINGERPRINT|ADDRESS", "Describes keys of the store.", &argc, &argv))
		return EX_USAGE;
	if (argc != 2) {
		fprintf(stderr, "%s: one fingerprint or address (see --help)\n", argv[0]);
		return EX_USAGE;
	}
	g_autoptr(Keystore) keystore = key_open_keystore(&status);
	if (!keystore)
		return status;
	g_autoptr(Trust) trust = keystore_trust(keystore, NULL, &error);
	if (!trust || !find_shown(keystore->store, argv[1], found, &error))
		return cli_fail(error);
	for (guint i = 0; i < found->len; i++) {
		const Candidate *candidate = found->pdata[i];
		g_auto(GStrv) bound = store_bindings(keystore->store, candidate->id, &error);
		if (!bound)
			return cli_fail(error);
		show_one(candidate, judge(trust, candidate), bound);
	}
	return EX_OK;
}
