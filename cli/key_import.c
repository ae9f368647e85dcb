/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost key import`: one line for each thing that was taken, one for each file that was not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/key.h"
#include "keystore/import.h"
#include "lib/base/error.h"
#include "lib/mail/address.h"

#define PASSPHRASE_TRIES 3

static int complain(const char *file, const char *reason)
{
	fprintf(stderr, "%s: %s\n", file, reason);
	return 1;
}

static void wipe(gpointer data)
{
	GString *text = data;

	explicit_bzero(text->str, text->len);
	g_string_free(text, TRUE);
}

/* Reads up to one byte more than a file may have, which import_add() will say. */
static gboolean read_into(FILE *stream, GString *text, GError **error)
{
	setvbuf(stream, NULL, _IONBF, 0); /* no copy of it stays elsewhere */
	errno = 0;
	text->len = fread(text->str, 1, text->allocated_len - 1, stream);
	text->str[text->len] = '\0';
	return !ferror(stream) || error_set_errno(error, errno, "cannot be read");
}

/* A file that may hold a private key; its bytes are wiped when they are done with. It may be a pipe
 * or a device, whose size nobody knows. */
static GBytes *read_file(const char *path, GError **error)
{
	FILE *stream = fopen(path, "re");

	if (!stream) {
		error_set_errno(error, errno, "cannot be opened");
		return NULL;
	}
	GString *text = g_string_sized_new(IMPORT_FILE_MAX + 1);
	gboolean done = read_into(stream, text, error);

	fclose(stream);
	if (done)
		return g_bytes_new_with_free_func(text->str, text->len, wipe, text);
	wipe(text);
	return NULL;
}

/* Asks for the passphrase only where it is needed and a person is there. */
static gboolean add(Import *import, const char *path, GBytes *file, const Secret *passphrase,
		    GError **error)
{
	g_autofree char *prompt = g_strdup_printf("Passphrase of %s: ", path);
	g_autoptr(GError) failure = NULL;

	if (import_add(import, path, file, passphrase, &failure))
		return TRUE;
	for (int i = 0; i < PASSPHRASE_TRIES && !passphrase && isatty(STDIN_FILENO) &&
			g_error_matches(failure, SEALPOST_ERROR, ERROR_PASSPHRASE);
	     i++) {
		g_autoptr(Secret) asked = secret_ask(prompt, error);
		if (!asked)
			return FALSE;
		g_clear_error(&failure);
		if (import_add(import, path, file, asked, &failure))
			return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}

/* Returns 1 if the file was not, or not wholly, taken. */
static int import_one(Import *import, const char *path, const Secret *passphrase)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) file = read_file(path, &error);

	if (!file)
		return complain(path, error->message);
	return add(import, path, file, passphrase, &error) ? 0 : complain(path, error->message);
}

static void print_crl(const Imported *imported)
{
	static const char *const crl_changes[] = {"added", "newer than the one before",
						  "one as new is already there"};
	g_autofree char *text = key_crl_text(imported->crl);

	printf("%s: %s: %s\n", imported->file, text, crl_changes[imported->change]);
}

/* What keeps it from being used; of a CA's certificate, whatever is trusted. "" for nothing. */
static char *drawback(const Imported *imported, const char *bound, Trust *trust)
{
	const Candidate *candidate = imported->candidate;
	gboolean authority = candidate->cert && cert_is_ca(candidate->cert);
	const char *reason = key_flaw(candidate);

	if (!reason && (!authority || imported->with_private))
		reason = trust_judge(trust, candidate, NULL, CERT_FOR_ENCRYPTION,
				     g_get_real_time() / G_USEC_PER_SEC);
	if (g_strcmp0(reason, chain_result_name(CHAIN_UNTRUSTED)) == 0)
		return g_strdup_printf(", but %s: no trusted root leads to it (see --trusted)",
				       reason);
	if (reason)
		return g_strconcat(", but ", reason, NULL);
	return g_strdup(*candidate_addresses(candidate) || bound || authority
				? ""
				: ", but it names no address (see --for)");
}

static void print(const Imported *imported, const char *bound, Trust *trust)
{
	static const char *const changes[] = {"added", "updated", "already there"};
	const Candidate *candidate = imported->candidate;
	const char *const *named = candidate_addresses(candidate);
	g_autofree char *kind = key_kind(candidate, imported->with_private);
	g_autofree char *owner = key_owner(candidate);
	g_autofree char *addresses = g_strjoinv(", ", (char **)named);
	g_autofree char *until = key_until(candidate_until(candidate));
	gboolean authority = candidate->cert && cert_is_ca(candidate->cert);
	g_autofree char *but = drawback(imported, bound, trust);

	printf("%s: %s %s (%s)", imported->file, kind, candidate->id, owner);
	if (*addresses)
		printf(" for %s", addresses);
	if (bound && !authority)
		printf("%s%s", *addresses ? ", bound to " : " for ", bound);
	printf(", valid %s: %s%s\n", until, changes[imported->change], but);
}

static int run(Keystore *keystore, const ImportOptions *options, const Secret *passphrase,
	       char **files)
{
	g_autoptr(Import) import = import_new(keystore->store, options);
	g_autoptr(GError) error = NULL;
	int status = 0;

	for (; *files; files++)
		status |= import_one(import, *files, passphrase);
	g_autoptr(GPtrArray) refused = import_finish(import, &error);
	g_autoptr(GError) failure = NULL;
	g_autoptr(Trust) trust = keystore_trust(keystore, NULL, &failure);
	GPtrArray *list = import_list(import);
	for (guint i = 0; trust && i < list->len; i++) {
		const Imported *imported = list->pdata[i];
		if (imported->crl)
			print_crl(imported);
		else
			print(imported, options->address, trust);
	}
	if (!refused || !trust)
		return cli_fail(refused ? failure : error);
	for (guint i = 0; i < refused->len; i++) {
		fprintf(stderr, "%s\n", (const char *)refused->pdata[i]);
		status = 1;
	}
	return status;
}

int cli_key_import(int argc, char **argv)
{
	gboolean trusted = FALSE;
	g_autofree char *address = NULL, *passphrase_file = NULL, *folded = NULL;
	g_autoptr(GError) error = NULL;
	const GOptionEntry entries[] = {
		{"trusted", 0, 0, G_OPTION_ARG_NONE, &trusted,
		 "The certificates become trusted (a CA: as a root)", NULL},
		{"for", 0, 0, G_OPTION_ARG_STRING, &address,
		 "Bind the keys to an address that they need not name, or to a domain",
		 "ADDRESS|@DOMAIN"},
		{"passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &passphrase_file,
		 "File (mode 0600) whose first line is the passphrase", "FILE"},
		G_OPTION_ENTRY_NULL,
	};
	int status;

	if (!cli_options(entries, "FILE...", "Takes keys, certificates and CRLs into the store.",
			 &argc, &argv))
		return EX_USAGE;
	if (argc < 2) {
		fprintf(stderr, "%s: which file? (see --help)\n", argv[0]);
		return EX_USAGE;
	}
	if (address && !(folded = key_fold_owner(address))) {
		fprintf(stderr, "%s: --for: \"%s\" is no mail address and no @domain\n", argv[0],
			address);
		return EX_USAGE;
	}
	g_autoptr(Keystore) keystore = key_open_keystore(&status);
	if (!keystore)
		return status;
	g_autoptr(Secret) passphrase =
		passphrase_file ? secret_read_passphrase(passphrase_file, &error) : NULL;
	if (passphrase_file && !passphrase)
		return cli_fail(error);
	const ImportOptions options = {.trusted = trusted, .address = folded};
	return run(keystore, &options, passphrase, argv + 1);
}
