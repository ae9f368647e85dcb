/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost policy`: is the policy right, and does it say what is expected of it? Status: 0, 1 an
 * expectation is not met, 64 wrong use, 78 an error in policy, expectations or configuration.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "policies/expect.h"
#include "policies/policy.h"

#define EXIT_NOT_MET 1

/* The policy in that file or, without one, the configuration's; says what is wrong and returns
 * NULL: status 78. */
static Policy *load(const char *path)
{
	g_autoptr(Conf) conf = path ? NULL : cli_conf();
	g_autoptr(GError) error = NULL;
	Policy *policy;

	if (!path && !conf)
		return NULL;
	policy = policy_load(path ? path : conf_path(conf, "sealpost", "policy"), &error);
	/* each line begins with its place, as editors know it from compilers */
	if (!policy)
		fprintf(stderr, "%s\n", error->message);
	return policy;
}

static int check(int argc, char **argv)
{
	g_autoptr(Policy) policy = NULL;
	const GPtrArray *warnings;

	if (!cli_options(NULL, "[FILE]", "Says what is wrong with the policy.", &argc, &argv))
		return EX_USAGE;
	if (argc > 2) {
		fprintf(stderr, "%s: one FILE at most (see --help)\n", argv[0]);
		return EX_USAGE;
	}
	policy = load(argc > 1 ? argv[1] : NULL);
	if (!policy)
		return EX_CONFIG;
	warnings = policy_warnings(policy);
	for (guint i = 0; i < warnings->len; i++)
		fprintf(stderr, "%s\n", (const char *)g_ptr_array_index(warnings, i));
	printf("%u rules, no errors, %u warnings\n", policy_rule_count(policy), warnings->len);
	return EX_OK;
}

static int test(int argc, char **argv)
{
	g_autofree char *path = NULL;
	const GOptionEntry entries[] = {
		{"policy", 'p', 0, G_OPTION_ARG_FILENAME, &path,
		 "The policy (default: the configuration's)", "FILE"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(Policy) policy = NULL;
	g_autoptr(Expectations) expectations = NULL;
	g_autoptr(GError) error = NULL;
	guint failed = 0;

	if (!cli_options(entries, "FILE", "Runs the expectations in FILE against the policy.",
			 &argc, &argv))
		return EX_USAGE;
	if (argc != 2) {
		fprintf(stderr, "%s: one FILE of expectations (see --help)\n", argv[0]);
		return EX_USAGE;
	}
	policy = load(path);
	if (!policy)
		return EX_CONFIG;
	expectations = expectations_load(argv[1], &error);
	if (!expectations) {
		fprintf(stderr, "%s\n", error->message);
		return EX_CONFIG;
	}
	for (guint i = 0; i < expectations_count(expectations); i++) {
		g_autofree char *failure = NULL;

		if (expectations_met(expectations, i, policy, &failure))
			continue;
		printf("%s\n", failure);
		failed++;
	}
	printf("%u expectations, %u not met\n", expectations_count(expectations), failed);
	return failed > 0 ? EXIT_NOT_MET : EX_OK;
}

static const CliCommand commands[] = {
	{"check", check, "[FILE]", "what is wrong with the policy, as FILE:LINE:COLUMN"},
	{"test", test, "FILE", "run the expectations in FILE against the policy"},
	{NULL, NULL, NULL, NULL},
};

int cli_policy(int argc, char **argv)
{
	return cli_dispatch(commands, argc, argv);
}
