/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom a message may be signed for. See signing.h.
 */
#include "lib/mail/address.h"

#include "gateway/signing.h"

/* A group in From (RFC 6854) names nobody in particular: a colon outside of quotes, comments and
 * angle brackets. */
static gboolean has_group(const char *value)
{
	gboolean quoted = FALSE;
	int depth = 0, angle = 0;

	for (; *value; value++) {
		if (*value == '\\' && value[1])
			value++;
		else if (*value == '"' && depth == 0)
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (*value == '(')
			depth++;
		else if (*value == ')')
			depth--;
		else if (*value == '<')
			angle++;
		else if (*value == '>')
			angle--;
		else if (*value == ':' && depth <= 0 && angle <= 0)
			return TRUE;
	}
	return FALSE;
}

char *signing_only_from(const Headers *headers, const char **reason)
{
	const Header *from = headers_find(headers, "From", 0);
	gboolean unparsed = FALSE;

	*reason = "no-from";
	if (!from)
		return NULL;
	*reason = "several-from";
	if (headers_count_name(headers, "From") > 1)
		return NULL;
	*reason = "group-from";
	if (has_group(from->value))
		return NULL;
	g_autoptr(GPtrArray) list = address_list_parse(from->value, &unparsed);

	*reason = list->len > 1 ? "several-from" : "no-from";
	return list->len == 1 && !unparsed ? address_fold(list->pdata[0]) : NULL;
}

static gboolean same_domain(const char *a, const char *b)
{
	const char *domain_a = address_domain(a), *domain_b = address_domain(b);

	return domain_a && domain_b && g_str_equal(domain_a, domain_b);
}

SigningRight signing_right(const Job *job, char **address, const char **reason)
{
	const Sender *sender = &job->sender;

	*reason = "stranger";
	if (!job->trusted)
		return SIGNING_NEVER;
	g_autofree char *from = signing_only_from(job->headers, reason);

	if (!from)
		return SIGNING_NEVER;
	*reason = "from-not-internal";
	if (!policy_is_internal(job->snapshot->policy, from))
		return SIGNING_NEVER;
	*reason = "from-not-sender";
	if (g_str_equal(from, sender->folded)) {
		*reason = NULL;
		*address = g_steal_pointer(&from);
		return SIGNING_ALLOWED;
	}
	if (*sender->address == '\0' || same_domain(from, sender->folded)) {
		*address = g_steal_pointer(&from);
		return SIGNING_BY_RULE;
	}
	return SIGNING_NEVER;
}
