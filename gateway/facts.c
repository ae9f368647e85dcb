/* SPDX-License-Identifier: Apache-2.0
 *
 * What the policy is told of a message. See facts.h.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/address.h"

#include "gateway/facts.h"
#include "gateway/fromname.h"
#include "gateway/reported.h"

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

/* Adds an address, taken over, once. */
static void claim(GHashTable *claimed, char *folded)
{
	if (folded && g_hash_table_size(claimed) <= FACTS_CLAIMED_MAX)
		g_hash_table_add(claimed, folded);
	else
		g_free(folded);
}

/* What cannot be read as a list of addresses may still show one to people: each word with "@". */
static void claim_words(GHashTable *claimed, const char *value)
{
	g_auto(GStrv) pieces = g_strsplit(value, "\"", -1);
	g_autofree char *text = g_strjoinv("", pieces);

	for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@'))
		claim(claimed, fromname_address_around(text, at));
}

/* All addresses in all From fields: a stranger chooses his envelope and his From as he likes, and
 * a rule for the mail of a sender shall see both. */
static GHashTable *all_from(const Headers *headers, GError **error)
{
	g_autoptr(GHashTable) claimed =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < headers_count(headers); i++) {
		const Header *header = headers_at(headers, i);
		gboolean unparsed;

		if (g_ascii_strcasecmp(header->name, "From") != 0)
			continue;
		g_autoptr(GPtrArray) list = address_list_parse(header->value, &unparsed);

		for (guint a = 0; a < list->len; a++)
			claim(claimed, address_fold(list->pdata[a]));
		if (unparsed)
			claim_words(claimed, header->value);
	}
	if (g_hash_table_size(claimed) <= FACTS_CLAIMED_MAX)
		return g_steal_pointer(&claimed);
	g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED, "more than %d addresses in From",
		    FACTS_CLAIMED_MAX);
	return NULL;
}

/* For a stranger's message, if a rule asks. */
static gboolean find_claimed(Facts *facts, GError **error)
{
	const Job *job = facts->job;
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	GHashTableIter iter;
	gpointer address;

	if (job->trusted || !policy_asks_claimed(job->snapshot->policy))
		return TRUE;
	g_autoptr(GHashTable) claimed = all_from(job->headers, error);

	if (!claimed)
		return FALSE;
	g_hash_table_iter_init(&iter, claimed);
	while (g_hash_table_iter_next(&iter, &address, NULL))
		g_strv_builder_add(builder, address);
	facts->claimed = g_strv_builder_end(builder);
	return TRUE;
}

/* By its own header; a report also by what it is about. */
static gboolean find_answered(Facts *facts, GError **error)
{
	const Job *job = facts->job;

	return threads_answers(job->snapshot->threads, job->headers, &facts->reply_to_encrypted,
			       error) &&
	       (facts->reply_to_encrypted ||
		reported_encrypted(job, &facts->reply_to_encrypted, error));
}

gboolean facts_init(Facts *facts, const Job *job, const char *sender, GError **error)
{
	*facts = (Facts){.job = job, .sender = sender};
	facts->subject = all_subjects(job->headers);
	facts->texts = policy_texts_new();
	if (!find_claimed(facts, error))
		return FALSE;
	return !job->trusted || !policy_asks_replies(job->snapshot->policy) ||
	       find_answered(facts, error);
}

void facts_clear(Facts *facts)
{
	g_free(facts->subject);
	policy_texts_free(facts->texts);
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
		.texts = facts->texts,
		.invitation = facts->invitation,
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
