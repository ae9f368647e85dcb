/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pgpmaker.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gio/gio.h>

int pgp_maker_run(const char *const *argv, GBytes *input, GBytes **output)
{
	g_autoptr(GBytes) out = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) process =
		g_subprocess_newv(argv,
				  G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
					  G_SUBPROCESS_FLAGS_STDERR_SILENCE,
				  &error);

	g_autoptr(GBytes) in = input ? g_bytes_ref(input) : g_bytes_new_static("", 0);
	if (!process || !g_subprocess_communicate(process, in, NULL, &out, NULL, &error)) {
		g_printerr("# %s: %s\n", argv[0], error->message);
		return -1;
	}
	if (output)
		*output = g_steal_pointer(&out);
	return g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process) : -1;
}

int pgp_maker_gpg(PgpMaker *maker, GBytes *input, GBytes **output, const char *format, ...)
{
	va_list args;
	g_autoptr(GPtrArray) argv = g_ptr_array_new();

	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args);
	va_end(args);
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	const char *const fixed[] = {"gpg",	 "--homedir",	  maker->home, "--batch",
				     "--no-tty", "--yes",	  "--quiet",   "--pinentry-mode",
				     "loopback", "--trust-model", "always"};
	for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++)
		g_ptr_array_add(argv, (gpointer)fixed[i]);
	for (char **word = words; *word; word++)
		g_ptr_array_add(argv, g_strdelimit(*word, "_", ' '));
	g_ptr_array_add(argv, NULL);
	return pgp_maker_run((const char *const *)argv->pdata, input, output);
}

PgpMaker *pgp_maker_new(void)
{
	PgpMaker *maker = g_new0(PgpMaker, 1);
	static const char settings[] = "no-random-seed-file\nno-auto-check-trustdb\n"
				       "no-auto-key-locate\n";

	maker->folder = g_strdup("/tmp/sealpost-test-XXXXXX");
	if (!g_mkdtemp(maker->folder))
		g_error("no temporary folder");
	maker->home = g_build_filename(maker->folder, "maker", NULL);
	g_mkdir_with_parents(maker->home, 0700);
	g_autofree char *conf = g_build_filename(maker->home, "gpg.conf", NULL);
	g_autofree char *agent = g_build_filename(maker->home, "gpg-agent.conf", NULL);
	g_file_set_contents(conf, settings, -1, NULL);
	g_file_set_contents(agent, "allow-loopback-pinentry\ndisable-scdaemon\ns2k-count 65536\n",
			    -1, NULL);
	return maker;
}

static void write_script(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL))
		g_error("cannot write %s", path);
}

/* GPGME asks the gpgconf that it finds first where gpg is. */
void pgp_maker_wrap(PgpMaker *maker, const char *lines)
{
	g_autofree char *folder = g_build_filename(maker->folder, "bin", NULL);
	g_autofree char *path = g_strconcat(folder, ":", g_getenv("PATH"), NULL);
	g_autofree char *gpg = g_find_program_in_path("gpg");
	g_autofree char *gpgconf = g_find_program_in_path("gpgconf");
	g_autofree char *run =
		g_strdup_printf("#!/bin/sh\ncase \" $* \" in *' --version '*) ;; *)\n"
				"%s\n;; esac\nexec %s \"$@\"\n",
				lines, gpg);
	g_autofree char *list = g_strdup_printf(
		"#!/bin/sh\n%s \"$@\" | sed 's,:[^:]*/gpg\\($\\|:\\),:%s/gpg\\1,'\n", gpgconf,
		folder);

	g_mkdir_with_parents(folder, 0700);
	write_script(folder, "gpg", run);
	write_script(folder, "gpgconf", list);
	g_setenv("PATH", path, TRUE);
}

void pgp_maker_free(PgpMaker *maker)
{
	const char *const end[] = {"gpgconf", "--homedir", maker->home,
				   "--kill",  "gpg-agent", NULL};
	const char *const remove[] = {"rm", "-rf", maker->folder, NULL};

	pgp_maker_run(end, NULL, NULL);
	pgp_maker_run(remove, NULL, NULL);
	g_free(maker->home);
	g_free(maker->folder);
	g_free(maker);
}

char *pgp_maker_find(PgpMaker *maker, const char *address)
{
	g_autoptr(GBytes) listing = NULL;

	if (pgp_maker_gpg(maker, NULL, &listing, "--with-colons --list-keys =<%s>", address) != 0)
		g_error("no key for %s", address);
	g_autofree char *text =
		g_strndup(g_bytes_get_data(listing, NULL), g_bytes_get_size(listing));
	const char *line = strstr(text, "\nfpr:::::::::");
	return g_strndup(line + strlen("\nfpr:::::::::"), 40);
}

char *pgp_maker_key(PgpMaker *maker, const char *address, const char *algorithm)
{
	gboolean sign_only = g_str_has_suffix(algorithm, "/sign");
	g_autofree char *name = g_strndup(algorithm, strlen(algorithm) - (sign_only ? 5 : 0));
	gboolean modern = strcmp(name, "future-default") == 0;
	const char *usage = modern && !sign_only ? "default" : "sign,cert";

	if (pgp_maker_gpg(maker, NULL, NULL, "--passphrase  --quick-gen-key <%s> %s %s", address,
			  modern && sign_only ? "ed25519" : name, usage) != 0)
		g_error("no key was made for %s", address);
	char *fingerprint = pgp_maker_find(maker, address);
	if (!modern && !sign_only &&
	    pgp_maker_gpg(maker, NULL, NULL, "--passphrase  --quick-add-key %s %s encr",
			  fingerprint, name) != 0)
		g_error("no subkey was made for %s", address);
	return fingerprint;
}

void pgp_maker_revoke(PgpMaker *maker, const char *fingerprint)
{
	g_autofree char *path =
		g_strdup_printf("%s/openpgp-revocs.d/%s.rev", maker->home, fingerprint);
	g_autofree char *text = NULL;

	/* A colon keeps it from being imported by mistake. */
	char *colon =
		g_file_get_contents(path, &text, NULL, NULL) ? strstr(text, ":-----BEGIN") : NULL;
	if (!colon)
		g_error("no revocation of %s", fingerprint);
	g_autoptr(GBytes) revocation = g_bytes_new(colon + 1, strlen(colon + 1));
	if (pgp_maker_gpg(maker, revocation, NULL, "--import") != 0)
		g_error("%s was not revoked", fingerprint);
}

GBytes *pgp_maker_public(PgpMaker *maker, const char *fingerprint)
{
	GBytes *key = NULL;

	if (pgp_maker_gpg(maker, NULL, &key, "--export %s", fingerprint) != 0)
		g_error("no public key %s", fingerprint);
	return key;
}

Secret *pgp_maker_secret(PgpMaker *maker, const char *fingerprint)
{
	g_autoptr(GBytes) key = NULL;

	if (pgp_maker_gpg(maker, NULL, &key, "--export-secret-keys %s", fingerprint) != 0)
		g_error("no secret key %s", fingerprint);
	g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(key, NULL), g_bytes_get_size(key));
	return secret_take(copy, g_bytes_get_size(key));
}

char *pgp_maker_file(PgpMaker *maker, const char *name, GBytes *bytes)
{
	char *path = g_build_filename(maker->folder, name, NULL);

	if (!g_file_set_contents(path, g_bytes_get_data(bytes, NULL),
				 (gssize)g_bytes_get_size(bytes), NULL))
		g_error("cannot write %s", path);
	return path;
}
