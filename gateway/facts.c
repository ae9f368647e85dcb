/* SPDX-License-Identifier: Apache-2.0
 *
 * What the policy is told of a message. See facts.h.
 */
#include "lib/mail/address.h"

#include "gateway/facts.h"

/* All Subject fields: which of two a reader's program shows is not for a rule to guess. */
static char *all_subjects(const Headers *headers)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < headers_count(headers); i++) {
		const Header *header = headers_at(headers, i);

		if (g_ascii_strcasecmp(header->name, "Subject") != 0)
			continue;
		g_autofree char *subject = header_decode(header);

		g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", subject);
	}
	return g_string_free(text, FALSE);
}

/* All addresses in all From fields: a stranger chooses his envelope and his From as he likes, and
 * a rule for the mail of a sender shall see both. */
static char **all_from(const Headers *headers)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (guint i = 0; i < headers_count(headers); i++) {
		const Header *header = headers_at(headers, i);

		if (g_ascii_strcasecmp(header->name, "From") != 0)
			continue;
		g_autoptr(GPtrArray) list = address_list_parse(header->value, NULL);

		for (guint a = 0; a < list->len; a++) {
			g_autofree char *folded = address_fold(list->pdata[a]);

			if (folded)
				g_strv_builder_add(builder, folded);
		}
	}
	return g_strv_builder_end(builder);
}

gboolean facts_init(Facts *facts, const Job *job, const char *sender, GError **error)
{
	*facts = (Facts){.job = job, .sender = sender};
	facts->subject = all_subjects(job->headers);
	facts->claimed = job->trusted ? NULL : all_from(job->headers);
	return !job->trusted || !policy_asks_replies(job->snapshot->policy) ||
	       threads_answers(job->snapshot->threads, job->headers, &facts->reply_to_encrypted,
			       error);
}

void facts_clear(Facts *facts)
{
	g_free(facts->subject);
	g_strfreev(facts->claimed);
}

PolicyDecision *facts_ask(const Facts *facts, const Recipient *recipient)
{
	const Job *job = facts->job;
	PolicyFacts known = {
		.direction = recipient->direction,
		.sender = facts->sender,
		.recipient = recipient->folded ? recipient->folded : "",
		.subject = facts->subject,
		.headers = job_headers,
		.context = (void *)job,
		.claimed = (const char *const *)facts->claimed,
		.reply_to_encrypted = facts->reply_to_encrypted,
	};

	return policy_decide(job->snapshot->policy, &known);
}

guint facts_tls_foreseen(const Job *job, const Recipient *recipient)
{
	PolicyFacts known = {
		.direction = recipient->direction,
		.sender = job->sender.folded,
		.recipient = recipient->folded ? recipient->folded : "",
		.subject = "",
	};

	return policy_tls_foreseen(job->snapshot->policy, &known);
}
