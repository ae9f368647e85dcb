/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost`: the administrator's command. One noun, one file.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/privs.h"

static const CliCommand nouns[] = {
	{"init", cli_init, "DIR", "make a small complete installation in one folder"},
	{"key", cli_key, "COMMAND",
	 "keys and certificates: import, list, show, lookup, export, approve, reject, delete"},
	{"explain", cli_explain, "[OPTION...] < MESSAGE",
	 "what would happen to a message, and why"},
	{"policy", cli_policy, "COMMAND", "the rules: check, test"},
	{"portal", cli_portal, "COMMAND",
	 "the web portal: accounts, messages, events, expire, forget"},
	{NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
	privs_hold_standard();
	setlocale(LC_ALL, "");
	argv[0] = (char *)"sealpost";
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("%s\n", PACKAGE_STRING) > 0 ? EX_OK : EX_IOERR;
	/* --config may stand in front of the noun, too */
	if (argc > 2 && (strcmp(argv[1], "--config") == 0 || strcmp(argv[1], "-c") == 0)) {
		g_setenv("SEALPOST_CONF", argv[2], TRUE);
		argv[2] = argv[0];
		argv += 2;
		argc -= 2;
	}
	int status = cli_dispatch(nouns, argc, argv);

	/* A full disk behind standard output: half an answer is none. */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "sealpost: cannot write to standard output\n");
	return status == EX_OK ? EX_IOERR : status;
}
