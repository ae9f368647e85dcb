/* SPDX-License-Identifier: Apache-2.0
 *
 * What the nouns share: see cli.h.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/error.h"

#define DEFAULT_CONF "/etc/sealpost/sealpost.conf"

/* The environment carries the choice from the option to cli_conf(): a command has one. */
static gboolean choose_conf(const char *name, const char *value, gpointer data, GError **error)
{
	(void)name;
	(void)data;
	(void)error;
	return g_setenv("SEALPOST_CONF", value, TRUE);
}

static const CliCommand *find(const CliCommand *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static int help(const CliCommand *table, const char *program, FILE *out, int status)
{
	fprintf(out, "Usage:\n");
	for (; table->name; table++) {
		g_autofree char *words = g_strdup_printf("%s %s %s", program, table->name,
							 table->arguments ? table->arguments : "");
		fprintf(out, "  %-44s  %s\n", words, table->summary);
	}
	fprintf(out, "\n--help after a command tells its options.\n");
	return status;
}

int cli_dispatch(const CliCommand *table, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	if (word && (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0))
		return help(table, argv[0], stdout, EX_OK);
	const CliCommand *command = word ? find(table, word) : NULL;
	if (!command) {
		if (word)
			fprintf(stderr, "%s: there is no command \"%s\"\n", argv[0], word);
		return help(table, argv[0], stderr, EX_USAGE);
	}
	g_autofree char *program = g_strdup_printf("%s %s", argv[0], word);
	argv[1] = program;
	return command->run(argc - 1, argv + 1);
}

gboolean cli_options(const GOptionEntry *entries, const char *arguments, const char *summary,
		     int *argc, char ***argv)
{
	const GOptionEntry common[] = {
		{"config", 'c', 0, G_OPTION_ARG_CALLBACK, (gpointer)choose_conf,
		 "Configuration (default: $SEALPOST_CONF or " DEFAULT_CONF ")", "FILE"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(arguments);
	g_autoptr(GError) error = NULL;

	g_set_prgname((*argv)[0]);
	g_option_context_set_summary(context, summary);
	if (entries)
		g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, common, NULL);
	if (g_option_context_parse(context, argc, argv, &error)) {
		/* "--" ends the options and is none of the words that are left. */
		if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
			(*argv)[1] = (*argv)[0];
			(*argv)++;
			(*argc)--;
		}
		return TRUE;
	}
	fprintf(stderr, "%s: %s (see --help)\n", (*argv)[0], error->message);
	return FALSE;
}

Conf *cli_conf(void)
{
	const char *path = g_getenv("SEALPOST_CONF");
	g_autoptr(GError) error = NULL;
	Conf *conf = conf_load(path && *path ? path : DEFAULT_CONF, &error);

	if (!conf)
		fprintf(stderr, "sealpost: %s%s\n", error->message,
			path && *path ? "" : " (--config FILE names another)");
	return conf;
}

int cli_fail(const GError *error)
{
	fprintf(stderr, "sealpost: %s\n", error->message);
	if (g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG))
		return EX_CONFIG;
	if (g_error_matches(error, SEALPOST_ERROR, ERROR_USAGE))
		return EX_USAGE;
	return error_info(error)->class == ERROR_TEMPORARY ? EX_TEMPFAIL : EX_DATAERR;
}
