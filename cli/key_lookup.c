/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost key lookup`: asks all sources as the gateway would. Status: 0 there is a usable key,
 * 1 there is none, 75 there may be one but a source could not be asked.
 */
#include <stdio.h>
#include <string.h>

#include "cli/key.h"
#include "lib/base/error.h"
#include "lib/mail/address.h"

static void print_people(const KeyAnswer *answer)
{
	for (guint i = 0; i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];
		printf("%s  %s from %s: %s\n", key->id, key_type_name(key->type), key->source,
		       key->usable ? "usable" : key->reason);
	}
	if (!answer->keys->len)
		printf("no key\n");
	if (answer->failure)
		printf("could not look everywhere: %s\n", answer->failure->message);
}

static int print_json(const KeyAnswer *answer)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();

	json_builder_begin_object(builder);
	key_json_string(builder, "address", answer->address);
	json_builder_set_member_name(builder, "keys");
	json_builder_begin_array(builder);
	for (guint i = 0; i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];
		json_builder_begin_object(builder);
		key_json_string(builder, "type", key_type_name(key->type));
		key_json_string(builder, "id", key->id);
		key_json_string(builder, "source", key->source);
		key_json_bool(builder, "usable", key->usable);
		key_json_string(builder, "reason", key->reason);
		json_builder_end_object(builder);
	}
	json_builder_end_array(builder);
	key_json_string(builder, "failure",
			answer->failure ? error_info(answer->failure)->name : NULL);
	key_json_string(builder, "text", answer->failure ? answer->failure->message : NULL);
	json_builder_end_object(builder);
	return key_print_json(builder);
}

static gboolean any_usable(const KeyAnswer *answer)
{
	return key_answer_best(answer, KEY_SMIME) || key_answer_best(answer, KEY_PGP);
}

int cli_key_lookup(int argc, char **argv)
{
	gboolean as_json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "For programs", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int status;

	if (!cli_options(entries, "ADDRESS", "Asks all sources for the keys of an address.", &argc,
			 &argv))
		return EX_USAGE;
	g_autofree char *address = argc == 2 ? address_fold(argv[1]) : NULL;
	if (!address) {
		fprintf(stderr, "%s: one mail address (see --help)\n", argv[0]);
		return EX_USAGE;
	}
	g_autoptr(Keystore) keystore = key_open_keystore(&status);
	if (!keystore)
		return status;
	/* As long as it takes: each source has its own limit of time. */
	g_autoptr(KeyLookup) lookup = keystore_lookup(keystore, address);
	g_autoptr(KeyAnswer) answer = key_lookup_wait(lookup, G_MAXINT64);
	if (as_json && print_json(answer) != EX_OK)
		return EX_IOERR;
	if (!as_json)
		print_people(answer);
	if (any_usable(answer))
		return EX_OK;
	return answer->failure ? EX_TEMPFAIL : 1;
}
