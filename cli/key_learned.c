/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost key list --learned`, `approve` and `reject`: what the gateway has learned from mail, and
 * what the administrator thinks of it.
 */
#include <stdio.h>

#include "cli/key.h"
#include "lib/base/error.h"
#include "lib/crypt/cms.h"
#include "lib/mail/address.h"

static const char *judge(Trust *trust, const Learned *row)
{
	return trust_judge(trust, row->candidate, row->address, CERT_FOR_ENCRYPTION,
			   g_get_real_time() / G_USEC_PER_SEC);
}

static void print_line(Trust *trust, const Learned *row)
{
	const Candidate *candidate = row->candidate;
	const char *reason = judge(trust, row);
	g_autofree char *kind = key_kind(candidate, FALSE);
	g_autofree char *first = key_day(row->first);
	g_autofree char *seen = key_day(row->seen);
	g_autofree char *until = key_until(candidate_until(candidate));

	printf("%s  %s, %s, valid %s, %s: %s (%s, from %s, last %s)\n", candidate->id, kind,
	       learned_state_name(candidate->learned), until, reason ? reason : "usable",
	       row->address, row->origin, first, seen);
}

static void add_json(JsonBuilder *json, Trust *trust, const Learned *row, guint opens)
{
	g_autoptr(GStrvBuilder) capabilities = g_strv_builder_new();

	if (opens & CMS_OPENS_GCM)
		g_strv_builder_add(capabilities, "aes256-gcm");
	if (opens & CMS_OPENS_OAEP)
		g_strv_builder_add(capabilities, "oaep");
	g_auto(GStrv) words = g_strv_builder_end(capabilities);

	json_builder_begin_object(json);
	key_json_string(json, "type", key_type_name(row->candidate->type));
	key_json_string(json, "id", row->candidate->id);
	key_json_string(json, "address", row->address);
	key_json_string(json, "state", learned_state_name(row->candidate->learned));
	key_json_string(json, "origin", row->origin);
	json_builder_set_member_name(json, "first");
	json_builder_add_int_value(json, row->first);
	json_builder_set_member_name(json, "seen");
	json_builder_add_int_value(json, row->seen);
	json_builder_set_member_name(json, "until");
	json_builder_add_int_value(json, candidate_until(row->candidate));
	key_json_strings(json, "opens", (const char *const *)words);
	key_json_string(json, "reason", judge(trust, row));
	json_builder_end_object(json);
}

static int print_json(Keystore *keystore, Trust *trust, const GPtrArray *rows)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	g_autoptr(GError) error = NULL;

	json_builder_begin_array(json);
	for (guint i = 0; i < rows->len; i++) {
		const Learned *row = rows->pdata[i];
		gint64 signed_at;
		guint opens;

		if (!learned_capabilities(keystore->store, row->candidate->id, &opens, &signed_at,
					  &error))
			return cli_fail(error);
		add_json(json, trust, row, opens);
	}
	json_builder_end_array(json);
	return key_print_json(json);
}

int key_list_learned(Keystore *keystore, const char *address, gboolean as_json)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows = learned_list(keystore->store, address, &error);
	g_autoptr(Trust) trust = rows ? keystore_trust(keystore, NULL, &error) : NULL;

	if (!trust)
		return cli_fail(error);
	if (as_json)
		return print_json(keystore, trust, rows);
	for (guint i = 0; i < rows->len; i++)
		print_line(trust, rows->pdata[i]);
	return EX_OK;
}

static gboolean print_decided(const GPtrArray *rows, LearnedState state)
{
	for (guint i = 0; rows && i < rows->len; i++) {
		const Learned *row = rows->pdata[i];

		printf("%s  %s: %s\n", row->candidate->id, row->address, learned_state_name(state));
	}
	return rows != NULL;
}

static gboolean approve(Store *store, const char *prefix, const char *address, GError **error)
{
	g_autoptr(GPtrArray) rows = learned_approve(store, prefix, address, error);

	return print_decided(rows, LEARNED_APPROVED);
}

static gboolean reject(Store *store, const char *prefix, const char *address, GError **error)
{
	g_autoptr(GPtrArray) rows = learned_reject(store, prefix, error);

	(void)address;
	return print_decided(rows, LEARNED_REJECTED);
}

typedef gboolean (*Decide)(Store *store, const char *prefix, const char *address, GError **error);

static int decide_all(int argc, char **argv, Decide decide, const char *address)
{
	g_autoptr(GError) error = NULL;
	int status;

	if (argc < 2) {
		fprintf(stderr, "%s: at least one fingerprint (see --help)\n", argv[0]);
		return EX_USAGE;
	}
	g_autoptr(Store) store = key_open_store(&status);
	if (!store)
		return status;
	for (int i = 1; i < argc; i++)
		if (!decide(store, argv[i], address, &error))
			return cli_fail(error);
	return EX_OK;
}

int cli_key_approve(int argc, char **argv)
{
	g_autofree char *address = NULL, *folded = NULL;
	const GOptionEntry entries[] = {
		{"for", 0, 0, G_OPTION_ARG_STRING, &address,
		 "Only for this one of the addresses that the key was learned for", "ADDRESS"},
		G_OPTION_ENTRY_NULL,
	};

	if (!cli_options(entries, "FINGERPRINT...", "Learned keys become as good as imported ones.",
			 &argc, &argv))
		return EX_USAGE;
	if (address && !(folded = address_fold(address))) {
		fprintf(stderr, "%s: --for: \"%s\" is no mail address\n", argv[0], address);
		return EX_USAGE;
	}
	return decide_all(argc, argv, approve, folded);
}

int cli_key_reject(int argc, char **argv)
{
	if (!cli_options(NULL, "FINGERPRINT...", "Learned keys are not used and not learned again.",
			 &argc, &argv))
		return EX_USAGE;
	return decide_all(argc, argv, reject, NULL);
}

int key_forget_learned(Store *store, const Learned *row)
{
	g_autoptr(GError) error = NULL;

	if (!learned_forget(store, row->candidate->id, &error))
		return cli_fail(error);
	printf("%s  learned from %s: deleted\n", row->candidate->id, row->address);
	return EX_OK;
}
