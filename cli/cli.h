/* SPDX-License-Identifier: Apache-2.0
 *
 * What the nouns of the `sealpost` command share: their table, options, errors. Exit status as in
 * sysexits.h: 0, 64 wrong use, 78 wrong configuration, and what a noun documents itself.
 */
#ifndef SEALPOST_CLI_CLI_H
#define SEALPOST_CLI_CLI_H

#include <sysexits.h>

#include "lib/base/conf.h"

typedef struct {
	const char *name;
	/* argv[0] is the words so far ("sealpost key import"); returns the exit status */
	int (*run)(int argc, char **argv);
	const char *arguments; /* for the help: "FILE…" */
	const char *summary; /* one line */
} CliCommand;

/* Runs the command that argv[1] names; help on standard output for --help and "help", on standard
 * error (status 64) for anything unknown. The table ends with a NULL name. */
int cli_dispatch(const CliCommand *table, int argc, char **argv);

/* Parses options of one command; every command has --config FILE. After it, argv holds the
 * words that are left (argv[0] stays). On wrong use says so and returns FALSE: status 64. */
gboolean cli_options(const GOptionEntry *entries, const char *arguments, const char *summary,
		     int *argc, char ***argv);

/* The configuration: --config, else $SEALPOST_CONF, else the system's. Says what is wrong and
 * returns NULL: status 78. */
Conf *cli_conf(void);

/* "sealpost: MESSAGE" on standard error; the exit status that fits the error. */
int cli_fail(const GError *error);

/* The nouns. */
int cli_explain(int argc, char **argv);
int cli_init(int argc, char **argv);
int cli_key(int argc, char **argv);
int cli_policy(int argc, char **argv);
int cli_portal(int argc, char **argv);

#endif
