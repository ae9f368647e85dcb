/* SPDX-License-Identifier: Apache-2.0
 *
 * For the integration tests: a process that keeps one keystore open, as the gateway does. Makes
 * the store if there is none. Each line of standard input is a question, each answer one line:
 *
 *     ask ADDRESS [ADDRESS…]   all at the same time; per address "TYPE SOURCE RESULT" for each key,
 *                              "failure NAME" at the end if a source could not be asked; "|"
 *                              between addresses
 *     sign ADDRESS             "smime FINGERPRINT" or "none REASON"
 */
#include <stdio.h>
#include <string.h>

#include "keystore/keystore.h"
#include "lib/base/error.h"

/* Only a bound: the machine may be slow. */
#define WAIT_SECONDS 120

static void print_answer(const KeyAnswer *answer)
{
	for (guint i = 0; i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];
		printf("%s %s %s; ", key_type_name(key->type), key->source,
		       key->usable ? "usable" : key->reason);
	}
	if (answer->failure)
		printf("failure %s; ", error_info(answer->failure)->name);
}

static void ask(Keystore *keystore, char **addresses)
{
	gint64 deadline = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;
	g_autoptr(GPtrArray) lookups =
		g_ptr_array_new_with_free_func((GDestroyNotify)key_lookup_free);

	for (; *addresses; addresses++)
		g_ptr_array_add(lookups, keystore_lookup(keystore, *addresses));
	for (guint i = 0; i < lookups->len; i++) {
		g_autoptr(KeyAnswer) answer = key_lookup_wait(lookups->pdata[i], deadline);
		printf("%s", i ? "| " : "");
		print_answer(answer);
	}
}

static void sign(Keystore *keystore, const char *address)
{
	const char *reason = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(SmimeSigner) signer = keystore_smime_signer(keystore, address, &reason, &error);

	if (signer)
		printf("smime %s", cert_fingerprint(signer->cert));
	else
		printf("none %s", error ? error->message : reason ? reason : "-");
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Conf) conf = argc == 2 ? conf_load(argv[1], &error) : NULL;
	g_autoptr(Keystore) keystore = NULL;
	char line[4096];

	if (conf && keystore_create(conf, &error))
		keystore = keystore_open(conf, &error);
	if (!keystore) {
		fprintf(stderr, "asker: %s\n", error ? error->message : "which configuration?");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", -1);
		if (words[0] && strcmp(words[0], "ask") == 0)
			ask(keystore, words + 1);
		else if (words[0] && words[1])
			sign(keystore, words[1]);
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
