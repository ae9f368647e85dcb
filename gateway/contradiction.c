/* SPDX-License-Identifier: Apache-2.0
 *
 * Connection against addresses. See contradiction.h.
 */
#include "lib/mail/address.h"

#include "gateway/contradiction.h"

#define FROM_OUTSIDE "own-name-from-outside"
#define FROM_INSIDE "foreign-name-from-inside"

/* Whose address it is, against who brings it. What cannot be read is nobody's. */
static gboolean contradicts(const Job *job, const char *address)
{
	g_autofree char *folded = address_fold(address);

	return folded && policy_is_internal(job->snapshot->policy, folded) != job->trusted;
}

static gboolean from_contradicts(const Job *job)
{
	for (guint i = 0; i < headers_count(job->headers); i++) {
		const Header *header = headers_at(job->headers, i);

		if (g_ascii_strcasecmp(header->name, "From") != 0)
			continue;
		g_autoptr(GPtrArray) list = address_list_parse(header->value, NULL);

		for (guint a = 0; a < list->len; a++)
			if (contradicts(job, list->pdata[a]))
				return TRUE;
	}
	return FALSE;
}

const char *contradiction_find(const Job *job)
{
	if (client_brings_notice(job->client) ||
	    (!contradicts(job, job->sender.folded) && !from_contradicts(job)))
		return NULL;
	return job->trusted ? FROM_INSIDE : FROM_OUTSIDE;
}

const char *contradiction_text(const char *contradiction)
{
	if (!contradiction)
		return NULL;
	return g_str_equal(contradiction, FROM_INSIDE)
		       ? "the client is one of ours, the sender's address is not"
		       : "the sender's address is one of ours, the client is not";
}
