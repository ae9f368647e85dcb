/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost init DIR`: a complete small installation in one folder. Nothing that exists is ever
 * overwritten; a second run in the same folder is refused before it changes anything.
 */
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/error.h"
#include "lib/base/masterkey.h"
#include "lib/mail/address.h"
#include "policies/policy.h"
#include "keystore/keystore.h"
#include "portal/portaldb.h"

#define EXAMPLE_POLICY "/sealpost/example.policy"

static gboolean make_folder(const char *top, const char *name, GError **error)
{
	g_autofree char *path = name ? g_build_filename(top, name, NULL) : g_strdup(top);

	if (g_mkdir_with_parents(path, 0700) == 0)
		return TRUE;
	return error_set_errno(error, errno, path);
}

static gboolean write_file(const char *folder, const char *name, const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0640,
					error);
}

static char *example_policy(const char *domain, GError **error)
{
	g_autoptr(GBytes) raw = g_resources_lookup_data(EXAMPLE_POLICY, 0, error);

	if (!raw)
		return NULL;
	GString *text =
		g_string_new_len(g_bytes_get_data(raw, NULL), (gssize)g_bytes_get_size(raw));
	g_string_replace(text, "@DOMAIN@", domain, 0);
	return g_string_free(text, FALSE);
}

static char *configuration(const char *domain)
{
	g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

	g_hash_table_insert(values, (char *)"sealpost\npolicy", g_strdup("sealpost.policy"));
	g_hash_table_insert(values, (char *)"portal\nsender",
			    g_strconcat("sealpost@", domain, NULL));
	g_hash_table_insert(values, (char *)"portal\norganisation", g_strdup(domain));
	return conf_template(values);
}

static gboolean make_files(const char *folder, const char *domain, GError **error)
{
	static const char *const folders[] = {NULL, "state", "state/portal", "spool", "run"};
	g_autofree char *ascii = domain_fold(domain);
	g_autofree char *policy = example_policy(domain, error);
	g_autofree char *conf = configuration(ascii);
	g_autofree char *key = g_build_filename(folder, "master.key", NULL);

	if (!policy)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
		if (!make_folder(folder, folders[i], error))
			return FALSE;
	return master_key_create(key, error) &&
	       write_file(folder, "sealpost.policy", policy, error) &&
	       write_file(folder, "sealpost.conf", conf, error);
}

/* Makes both databases, so that whoever gives the folder to the daemons' user gives them, too, and
 * reads everything once, as the gateway will: an installation that does not start is none. */
static gboolean make_stores(const char *file, GError **error)
{
	g_autoptr(Conf) conf = conf_load(file, error);

	if (!conf || !keystore_create(conf, error))
		return FALSE;
	g_autoptr(Db) portal = portaldb_open(conf, error);

	if (!portal)
		return FALSE;
	g_autoptr(Policy) policy = policy_load(conf_path(conf, "sealpost", "policy"), error);
	g_autoptr(Keystore) keystore = policy ? keystore_open(conf, error) : NULL;
	return keystore != NULL;
}

static int init_folder(const char *folder, const char *domain)
{
	g_autofree char *conf = g_build_filename(folder, "sealpost.conf", NULL);
	g_autoptr(GError) error = NULL;

	if (g_file_test(conf, G_FILE_TEST_EXISTS)) {
		fprintf(stderr, "sealpost: %s exists already; nothing was changed\n", conf);
		return EX_CANTCREAT;
	}
	if (!make_files(folder, domain, &error) || !make_stores(conf, &error)) {
		fprintf(stderr, "sealpost: %s\n", error->message);
		return EX_CANTCREAT;
	}
	printf("%s/sealpost.conf     the settings, each with its explanation\n"
	       "%s/sealpost.policy   the rules: who gets mail protected how\n"
	       "%s/master.key        encrypts the private keys: back it up, apart from the rest\n"
	       "%s/state             keys, journal and the portal's sealed messages\n\n"
	       "Next: sealpost key import --config %s FILE…\n",
	       folder, folder, folder, folder, conf);
	return EX_OK;
}

int cli_init(int argc, char **argv)
{
	g_autofree char *domain = NULL;
	const GOptionEntry entries[] = {
		{"domain", 'd', 0, G_OPTION_ARG_STRING, &domain,
		 "The company's mail domain (default: firma.example, to be edited)", "DOMAIN"},
		G_OPTION_ENTRY_NULL,
	};

	if (!cli_options(entries, "DIR", "Makes a small complete installation in the folder DIR.",
			 &argc, &argv))
		return EX_USAGE;
	if (argc != 2) {
		fprintf(stderr, "%s: give one folder (see --help)\n", argv[0]);
		return EX_USAGE;
	}
	g_autofree char *lower = g_utf8_strdown(domain ? domain : "firma.example", -1);
	g_autofree char *ascii = domain_fold(lower);
	if (!ascii) {
		fprintf(stderr, "%s: \"%s\" is no domain\n", argv[0], domain);
		return EX_USAGE;
	}
	return init_folder(argv[1], lower);
}
