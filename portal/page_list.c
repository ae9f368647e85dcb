/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of messages. Subjects and senders are sealed: each row is opened with the account's
 * key. Messages that only their link opens are shown as such, and so are damaged ones.
 */
#include "portal/format.h"
#include "portal/page.h"

#include "lib/base/error.h"
#include "lib/crypt/seal.h"
#include "portal/portaldb.h"

static gboolean set_sealed(Visit *visit, const VaultMessage *message, Values *row, GError **error)
{
	g_autoptr(Secret) key =
		seal_open_with_account(message->key_for_account, session_public_key(visit->session),
				       session_private_key(visit->session), error);
	g_auto(VaultTexts) texts = {0};

	if (key == NULL || !vault_texts(message, key, &texts, error))
		return FALSE;
	if (*texts.subject != '\0')
		values_set(row, "subject", texts.subject);
	else
		values_take(row, "subject", template_text(row, "message.no-subject"));
	values_set(row, "sender", *texts.sender_name != '\0' ? texts.sender_name : texts.sender);
	return TRUE;
}

static char *render_shut(Values *row, const char *what, const char *how)
{
	values_take(row, "what", template_text(row, what));
	values_take(row, "how", template_text(row, how));
	return template_render("list-shut.html", row);
}

static char *render_row(Visit *visit, const VaultMessage *message, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(Values) row = page_values(visit);

	values_set(row, "id", message->id);
	values_take(row, "date", format_date_time(row, message->created));
	values_take(row, "expires", format_date(row, message->expires));
	values_take(row, "size", format_size(row, message->size));
	if (message->state == VAULT_WAITING)
		return render_shut(row, "list.waiting", "list.waiting-how");
	if (!set_sealed(visit, message, row, &failure)) {
		if (g_error_matches(failure, SEALPOST_ERROR, ERROR_CRYPTO))
			return render_shut(row, "list.damaged", "list.damaged-how");
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	if (message->state == VAULT_READ)
		return template_render("list-row.html", row);
	values_take(row, "new", template_render("list-new.html", row));
	return template_render("list-row.html", row);
}

/* The messages that are older than the one of the path. FALSE: it is gone, or not of this account. */
static gboolean find_below(Visit *visit, gint64 *below, GError **error)
{
	g_autoptr(VaultMessage) message = NULL;

	*below = G_MAXINT64;
	if (visit->arguments[0] == NULL)
		return TRUE;
	if (!vault_find_id(visit->portal->db, visit->arguments[0], &message, error) ||
	    message == NULL || !visit_is(visit, message->recipient))
		return FALSE;
	*below = message->number;
	return TRUE;
}

static char *render_rows(Visit *visit, const GPtrArray *messages, GError **error)
{
	g_autoptr(GString) rows = g_string_new(NULL);
	gint64 now = portaldb_now();

	for (guint i = 0; i < messages->len; i++) {
		const VaultMessage *message = g_ptr_array_index(messages, i);
		g_autofree char *row = NULL;

		if (message->expires <= now)
			continue;
		row = render_row(visit, message, error);
		if (row == NULL)
			return NULL;
		g_string_append(rows, row);
	}
	return g_string_free(g_steal_pointer(&rows), FALSE);
}

Response *page_list(Visit *visit, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(GPtrArray) messages = NULL;
	g_autoptr(Values) values = page_values(visit);
	g_autofree char *rows = NULL;
	gint64 below;

	if (!find_below(visit, &below, &failure)) {
		if (failure == NULL)
			return response_new_redirect("/");
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	messages = vault_list(visit->portal->db, session_address(visit->session), below, error);
	rows = messages != NULL ? render_rows(visit, messages, error) : NULL;
	if (rows == NULL)
		return NULL;
	if (messages->len == VAULT_LIST_MAX) {
		const VaultMessage *last = g_ptr_array_index(messages, messages->len - 1);

		values_set(values, "id", last->id);
		values_take(values, "older", template_render("list-older.html", values));
	}
	values_set(values, "rows", rows);
	return page_render(visit, HTTP_OK, *rows != '\0' ? "list.html" : "list-empty.html", values,
			   "list.title");
}
