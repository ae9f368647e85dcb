/* SPDX-License-Identifier: Apache-2.0
 *
 * What a message and its retry have in common. See digest.h.
 */
#include <string.h>

#include "gateway/digest.h"

static gboolean is_named(const Header *header, const char *name)
{
	return g_ascii_strcasecmp(header->name, name) == 0;
}

/* Our cleanup's forms: "<QUEUEID@myhostname>" where queue ids are long (and so are never used
 * twice), else "<20261125084512.QUEUEID@myhostname>". */
static gboolean is_our_message_id(const Header *header, const char *mta_name, const char *queue_id)
{
	if (!is_named(header, "Message-ID") || !mta_name || !queue_id)
		return FALSE;
	g_autofree char *long_form = g_strdup_printf("<%s@%s>", queue_id, mta_name);
	g_autofree char *ending = g_strdup_printf(".%s@%s>", queue_id, mta_name);
	g_autofree char *value = g_strstrip(g_strdup(header->value));

	return g_str_equal(value, long_form) || g_str_has_suffix(value, ending);
}

/* Fields that cleanup adds come after the sender's last: Message-Id, Date, From, To. */
static guint first_added(const Headers *headers, const char *mta_name, const char *queue_id)
{
	guint count = headers_count(headers);

	while (count > 0) {
		const Header *header = headers_at(headers, count - 1);

		if (!is_our_message_id(header, mta_name, queue_id) && !is_named(header, "Date") &&
		    !is_named(header, "From") && !is_named(header, "To"))
			break;
		count--;
	}
	return count;
}

static void feed(Sha256 *sha256, const char *text)
{
	/* With its NUL: fields cannot run into each other. */
	sha256_update(sha256, text, strlen(text) + 1);
}

gboolean digest_head(Sha256 *sha256, const char *sender, const Headers *headers,
		     const char *mta_name, const char *queue_id)
{
	guint added = first_added(headers, mta_name, queue_id);
	gboolean unique = FALSE;

	feed(sha256, sender);
	for (guint i = 0; i < headers_count(headers); i++) {
		const Header *header = headers_at(headers, i);

		if (is_our_message_id(header, mta_name, queue_id) ||
		    (i >= added && is_named(header, "Date")))
			continue;
		unique = unique || is_named(header, "Message-ID");
		feed(sha256, header->name);
		feed(sha256, header->value);
	}
	return unique;
}
