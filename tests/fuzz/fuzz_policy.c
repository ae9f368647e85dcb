/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule language: any bytes as a policy and as expectations; what is a policy decides.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policies/expect.h"
#include "policies/policy.h"
#include "tests/fuzz/fuzz.h"

static void decide(const Policy *policy, Direction direction)
{
	PolicyFacts facts = {
		direction, "a@firma.example", "dr@a.klinik.example", "[Vertraulich] x", NULL, NULL};
	g_autoptr(PolicyDecision) decision = policy_decide(policy, &facts);

	const Demands *demands = &decision->demands;
	gboolean demanding =
		demands->smime || demands->pgp || demands->signature || demands->tls != 0;

	g_assert_true(decision->ladder->len > 0 || demanding ||
		      decision->verdict == VERDICT_PLAIN || decision->verdict == VERDICT_REJECT);
	if (decision->rule.line == 0 && direction == DIRECTION_OUTGOING)
		g_assert_cmpint(decision->verdict, ==, VERDICT_REJECT);
	if (decision->remove_tag) {
		g_autofree char *rest = policy_remove_tag(facts.subject, decision->tag);

		g_assert_true(g_utf8_validate(rest, -1, NULL));
	}
}

static void check(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) error_of_expectations = NULL;
	g_autoptr(Policy) policy = policy_load(path, &error);
	g_autoptr(Expectations) expectations = expectations_load(path, &error_of_expectations);

	g_assert_true((policy == NULL) == (error != NULL));
	g_assert_true((expectations == NULL) == (error_of_expectations != NULL));
	for (int i = 0; policy && i <= DIRECTION_OTHER; i++)
		decide(policy, (Direction)i);
	for (guint i = 0; policy && expectations && i < expectations_count(expectations); i++) {
		g_autofree char *failure = NULL;

		g_assert_true(expectations_met(expectations, i, policy, &failure) == !failure);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("policy", MFD_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

	g_assert_true(fd >= 0);
	if (write(fd, data, size) == (ssize_t)size)
		check(path);
	close(fd);
	return 0;
}
