/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost key export` and `delete`. A private key leaves only under a passphrase.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/key.h"
#include "keystore/scratch.h"
#include "lib/base/error.h"

static GBytes *export_public(const Candidate *candidate)
{
	char *text =
		candidate->cert ? cert_pem(candidate->cert) : pgpkey_armor(candidate->pgp->bytes);

	return g_bytes_new_take(text, strlen(text));
}

static GBytes *export_pgp(const Secret *secret, const Secret *passphrase, GError **error)
{
	char *folder = scratch_make(error);

	if (!folder)
		return NULL;
	g_autoptr(Secret) armor = pgpkey_protect(secret, passphrase, folder, error);
	scratch_remove(folder);
	return armor ? g_bytes_new(secret_bytes(armor), secret_size(armor)) : NULL;
}

static GBytes *export_secret(Keystore *keystore, const Candidate *candidate,
			     const Secret *passphrase, GError **error)
{
	g_autoptr(Secret) secret = store_secret(keystore->store, candidate, error);

	if (!secret || candidate->pgp)
		return secret ? export_pgp(secret, passphrase, error) : NULL;
	g_autoptr(PrivateKey) key = private_key_import(secret, error);
	g_autoptr(Trust) trust = key ? keystore_trust(keystore, NULL, error) : NULL;
	if (!trust)
		return NULL;
	g_autoptr(GPtrArray) chain = trust_chain(trust, candidate->cert);
	return pkcs12_write(key, candidate->cert, chain, passphrase, error);
}

static Secret *get_passphrase(const char *path, GError **error)
{
	if (path)
		return secret_read_passphrase(path, error);
	if (!isatty(STDIN_FILENO)) {
		g_set_error_literal(error, SEALPOST_ERROR, ERROR_USAGE,
				    "--secret needs --passphrase-file where there is no terminal");
		return NULL;
	}
	g_autoptr(Secret) first = secret_ask("Passphrase for the exported key: ", error);
	g_autoptr(Secret) second = first ? secret_ask("Once more: ", error) : NULL;
	if (!second)
		return NULL;
	if (secret_equal(first, second))
		return g_steal_pointer(&first);
	g_set_error_literal(error, SEALPOST_ERROR, ERROR_PASSPHRASE, "the two are not equal");
	return NULL;
}

static int write_out(GBytes *bytes, const char *path, gboolean secret)
{
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	g_autoptr(GError) error = NULL;

	if (!path) {
		gboolean ok = fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0;
		return ok ? EX_OK : EX_IOERR;
	}
	if (g_file_set_contents_full(path, data, (gssize)size, G_FILE_SET_CONTENTS_CONSISTENT,
				     secret ? 0600 : 0644, &error))
		return EX_OK;
	fprintf(stderr, "sealpost: %s\n", error->message);
	return EX_CANTCREAT;
}

static int export(const char *id, gboolean secret, const char *passphrase_file, const char *output)
{
	g_autoptr(GError) error = NULL;
	int status;
	g_autoptr(Keystore) keystore = key_open_keystore(&status);

	if (!keystore)
		return status;
	g_autoptr(Candidate) candidate = store_get(keystore->store, id, &error);
	if (!candidate)
		return cli_fail(error);
	if (!secret) {
		g_autoptr(GBytes) public = export_public(candidate);
		return write_out(public, output, FALSE);
	}
	g_autoptr(Secret) passphrase = get_passphrase(passphrase_file, &error);
	g_autoptr(GBytes) bytes =
		passphrase ? export_secret(keystore, candidate, passphrase, &error) : NULL;
	return bytes ? write_out(bytes, output, TRUE) : cli_fail(error);
}

int cli_key_export(int argc, char **argv)
{
	gboolean secret = FALSE;
	g_autofree char *passphrase_file = NULL, *output = NULL;
	const GOptionEntry entries[] = {
		{"secret", 0, 0, G_OPTION_ARG_NONE, &secret,
		 "With the private key: PKCS#12, or an armoured OpenPGP secret key", NULL},
		{"passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &passphrase_file,
		 "File (mode 0600) whose first line protects the private key", "FILE"},
		{"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Instead of standard output",
		 "FILE"},
		G_OPTION_ENTRY_NULL,
	};

	if (!cli_options(entries, "FINGERPRINT", "Writes a key of the store.", &argc, &argv))
		return EX_USAGE;
	if (argc != 2 || (passphrase_file && !secret)) {
		fprintf(stderr, "%s: %s (see --help)\n", argv[0],
			argc != 2 ? "one fingerprint" : "--passphrase-file goes with --secret");
		return EX_USAGE;
	}
	return export(argv[1], secret, passphrase_file, output);
}

/* NULL: none, or several (and then store_get() complains). */
static Crl *find_crl(Store *store, const char *prefix)
{
	g_autoptr(GPtrArray) crls = g_ptr_array_new_with_free_func((GDestroyNotify)crl_unref);
	g_autofree char *lower = g_ascii_strdown(prefix, -1);
	Crl *found = NULL;

	if (strlen(prefix) < STORE_PREFIX_MIN || !store_crls(store, crls, NULL))
		return NULL;
	for (guint i = 0; i < crls->len; i++) {
		if (!g_str_has_prefix(crl_fingerprint(crls->pdata[i]), lower))
			continue;
		if (found)
			return NULL;
		found = crls->pdata[i];
	}
	return found ? crl_ref(found) : NULL;
}

static int delete_crl(Store *store, const Crl *crl)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = key_crl_text(crl);

	if (!store_delete(store, crl_fingerprint(crl), &error))
		return cli_fail(error);
	printf("%s: deleted\n", text);
	return EX_OK;
}

int cli_key_delete(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	int status;

	if (!cli_options(
		    NULL, "FINGERPRINT",
		    "Takes a key (with its private part), a learned key or a CRL out of the store.",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 2) {
		fprintf(stderr, "%s: one fingerprint (see --help)\n", argv[0]);
		return EX_USAGE;
	}
	g_autoptr(Store) store = key_open_store(&status);
	if (!store)
		return status;
	g_autoptr(Crl) crl = find_crl(store, argv[1]);
	if (crl)
		return delete_crl(store, crl);
	g_autoptr(GPtrArray) learned = learned_of(store, argv[1], NULL);
	g_autoptr(Candidate) candidate = store_get(store, argv[1], learned ? NULL : &error);
	if (!candidate && learned)
		return key_forget_learned(store, learned->pdata[0]);
	if (!candidate || !store_delete(store, candidate->id, &error))
		return cli_fail(error);
	g_autofree char *kind = key_kind(candidate, candidate->secret);
	g_autofree char *owner = key_owner(candidate);
	printf("%s  %s (%s): deleted\n", candidate->id, kind, owner);
	return EX_OK;
}
