/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a message. Plain text is shown escaped. HTML is a document of its own, in a frame with
 * an empty sandbox and under a policy that loads nothing and runs nothing.
 */
#include <string.h>

#include "portal/format.h"
#include "portal/page.h"

/* Letters in a line of a frame, about. */
#define LINE_LETTERS 90

/* Nothing remote, no script, no form, no plug-in; pictures are inside the text (see letter.c). */
#define FRAME_POLICY                                                                               \
	"default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "       \
	"base-uri 'none'; frame-ancestors 'self'; sandbox"

/* Without a script a frame cannot fit its content: its plain form tells about how much it is. */
static const char *frame_height(const char *text)
{
	gsize lines = 0;

	for (const char *at = text; *at != '\0'; lines++) {
		gsize length = strcspn(at, "\n");

		lines += length / LINE_LETTERS;
		at += length + (at[length] == '\n' ? 1 : 0);
	}
	return lines <= 8 ? "short" : lines <= 18 ? "medium" : "tall";
}

static char *render_body(Visit *visit, Letter *letter, const LetterPart *part, GError **error)
{
	g_autoptr(Values) values = page_values(visit);
	g_autofree char *text = NULL;
	const char *plain = part->html ? part->fallback : part->number;

	values_set(values, "id", visit->arguments[0]);
	values_set(values, "number", part->number);
	if (plain != NULL) {
		text = letter_text(letter, plain, error);
		if (text == NULL)
			return NULL;
		values_set(values, "text", text);
		values_set(values, "height", frame_height(text));
	}
	if (!part->html)
		return template_render("body-text.html", values);
	if (plain != NULL)
		values_take(values, "plain", template_render("body-plain.html", values));
	return template_render("body-html.html", values);
}

static char *render_attachments(Visit *visit, const Letter *letter)
{
	GPtrArray *attachments = letter_attachments(letter);
	g_autoptr(Values) values = page_values(visit);
	g_autoptr(GString) rows = g_string_new(NULL);

	if (attachments->len == 0)
		return g_strdup("");
	for (guint i = 0; i < attachments->len; i++) {
		const LetterPart *part = g_ptr_array_index(attachments, i);
		g_autoptr(Values) row = page_values(visit);
		g_autofree char *html = NULL;

		values_set(row, "id", visit->arguments[0]);
		values_set(row, "number", part->number);
		values_set(row, "name", part->name);
		values_take(row, "size", format_size(row, part->size));
		html = template_render("attachment-row.html", row);
		g_string_append(rows, html);
	}
	values_set(values, "rows", rows->str);
	return template_render("attachments.html", values);
}

Response *page_message(Visit *visit, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(Letter) letter = page_letter(visit, visit->arguments[0], &failure);
	g_autoptr(Values) values = NULL;
	g_autoptr(GString) bodies = g_string_new(NULL);

	if (failure != NULL) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	if (letter == NULL)
		return page_error(visit, HTTP_NOT_FOUND, "message-unknown");
	values = page_values(visit);
	for (guint i = 0; i < letter_bodies(letter)->len; i++) {
		g_autofree char *body = render_body(
			visit, letter, g_ptr_array_index(letter_bodies(letter), i), error);

		if (body == NULL)
			return NULL;
		g_string_append(bodies, body);
	}
	values_set(values, "id", visit->arguments[0]);
	values_set(values, "subject", letter_subject(letter));
	if (*letter_subject(letter) == '\0')
		values_take(values, "subject", template_text(values, "message.no-subject"));
	values_set(values, "sender", letter_sender(letter));
	values_take(values, "date", format_date_time(values, letter_created(letter)));
	values_set(values, "bodies", bodies->str);
	values_take(values, "attachments", render_attachments(visit, letter));
	return page_render(visit, HTTP_OK, "message.html", values, "message.title");
}

Response *page_message_html(Visit *visit, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(Letter) letter = page_letter(visit, visit->arguments[0], &failure);
	g_autofree char *html = NULL;
	Response *response;

	if (letter != NULL)
		html = letter_html(letter, visit->arguments[1], &failure);
	if (failure != NULL) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	if (html == NULL)
		return page_error(visit, HTTP_NOT_FOUND, "message-unknown");
	response = response_new_text(HTTP_OK, "text/html; charset=utf-8", g_steal_pointer(&html));
	response_set(response, "Content-Security-Policy", FRAME_POLICY);
	response_set(response, "X-Frame-Options", "SAMEORIGIN");
	return response;
}
