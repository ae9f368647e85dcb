/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a message. Plain text is shown escaped. HTML is a document of its own, in a sandboxed
 * frame and under a policy that loads nothing and runs nothing.
 */
#include <string.h>

#include "portal/format.h"
#include "portal/letterlinks.h"
#include "portal/page.h"

/* Letters in a line of a frame, about. */
#define LINE_LETTERS 90

/* Nothing remote, no script, no form, no plug-in; pictures are inside the text (see letter.c). A
 * link that is clicked may open a window, which is like any other. */
#define FRAME_POLICY                                                                               \
	"default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "       \
	"base-uri 'none'; frame-ancestors 'self'; "                                                \
	"sandbox allow-popups allow-popups-to-escape-sandbox"

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

/* One message on its way into its page. */
typedef struct {
	Visit *visit;
	Letter *letter;
	gsize left; /* bytes of plain text that still have room */
} Reading;

static char *render_cut(const Values *values, gboolean cut)
{
	return cut ? template_render("body-cut.html", values) : g_strdup("");
}

/* "" for a text of blanks only. */
static char *render_text(Reading *reading, const char *number, Values *values, GError **error)
{
	gboolean cut;
	g_autofree char *text = letter_text(reading->letter, number, reading->left, &cut, error);

	if (text == NULL)
		return NULL;
	if (strspn(text, " \t\r\n") == strlen(text))
		return g_strdup("");
	reading->left -= strlen(text);
	values_take(values, "text", letterlinks_html(text));
	values_set(values, "height", frame_height(text));
	values_take(values, "cut", render_cut(values, cut));
	return template_render("body-text.html", values);
}

static char *render_html(Reading *reading, const LetterPart *part, Values *values, GError **error)
{
	g_autofree char *plain = NULL;

	if (part->fallback != NULL) {
		plain = render_text(reading, part->fallback, values, error);
		if (plain == NULL)
			return NULL;
	}
	if (plain != NULL && *plain != '\0') {
		values_take(values, "text", g_steal_pointer(&plain));
		values_take(values, "plain", template_render("body-plain.html", values));
	}
	values_take(values, "cut", render_cut(values, part->cut));
	return template_render("body-html.html", values);
}

static char *render_body(Reading *reading, const LetterPart *part, GError **error)
{
	g_autoptr(Values) values = page_values(reading->visit);

	values_set(values, "id", reading->visit->arguments[0]);
	values_set(values, "number", part->number);
	return part->html ? render_html(reading, part, values, error)
			  : render_text(reading, part->number, values, error);
}

/* What stands there where nothing can be shown. */
static char *render_nothing(const Letter *letter, Values *values)
{
	gboolean parts = letter_bodies(letter)->len + letter_attachments(letter)->len > 0;

	values_take(values, "problem",
		    template_text(values, parts ? "message.empty" : "message.unreadable"));
	return template_render("body-none.html", values);
}

static char *render_bodies(Visit *visit, Letter *letter, GError **error)
{
	Reading reading = {visit, letter, LETTER_PLAIN_MAX};
	GPtrArray *parts = letter_bodies(letter);
	g_autoptr(GString) bodies = g_string_new(NULL);
	g_autoptr(Values) values = page_values(visit);

	for (guint i = 0; i < parts->len; i++) {
		g_autofree char *body = render_body(&reading, g_ptr_array_index(parts, i), error);

		if (body == NULL)
			return NULL;
		g_string_append(bodies, body);
	}
	if (bodies->len == 0)
		return render_nothing(letter, values);
	return g_string_free(g_steal_pointer(&bodies), FALSE);
}

/* The list of files, and a line among the facts that leads to it. */
static void set_attachments(Visit *visit, const Letter *letter, Values *values)
{
	GPtrArray *attachments = letter_attachments(letter);
	g_autoptr(GString) rows = g_string_new(NULL);
	gint64 size = 0;

	if (attachments->len == 0)
		return;
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
		size += part->size;
	}
	values_set(values, "rows", rows->str);
	values_take(values, "count", g_strdup_printf("%u", attachments->len));
	values_take(values, "files",
		    template_text(values, attachments->len == 1 ? "message.file-one"
								: "message.file-count"));
	values_take(values, "size", format_size(values, size));
	values_take(values, "attachments-fact", template_render("attachments-fact.html", values));
	values_take(values, "attachments", template_render("attachments.html", values));
}

Response *page_message(Visit *visit, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(Letter) letter = page_letter(visit, visit->arguments[0], &failure);
	g_autoptr(Values) values = NULL;
	char *bodies;

	if (failure != NULL) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	if (letter == NULL)
		return page_error(visit, HTTP_NOT_FOUND, "message-unknown");
	bodies = render_bodies(visit, letter, error);
	if (bodies == NULL)
		return NULL;
	values = page_values(visit);
	values_set(values, "id", visit->arguments[0]);
	values_set(values, "subject", letter_subject(letter));
	if (*letter_subject(letter) == '\0')
		values_take(values, "subject", template_text(values, "message.no-subject"));
	values_set(values, "sender", letter_sender(letter));
	values_take(values, "date", format_date_time(values, letter_created(letter)));
	values_take(values, "bodies", bodies);
	set_attachments(visit, letter, values);
	return page_render(visit, HTTP_OK, "message.html", values, "message.title");
}

Response *page_message_html(Visit *visit, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(Letter) letter = page_letter(visit, visit->arguments[0], &failure);
	g_autoptr(Spool) html = NULL;
	Response *response;

	if (letter != NULL)
		html = letter_html(letter, visit->arguments[1], &failure);
	if (failure != NULL) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	if (html == NULL)
		return page_error(visit, HTTP_NOT_FOUND, "message-unknown");
	response = response_new_spool(HTTP_OK, "text/html; charset=utf-8", html);
	response_keep(response, letter_ref(letter), (GDestroyNotify)letter_unref);
	response_set(response, "Content-Security-Policy", FRAME_POLICY);
	response_set(response, "X-Frame-Options", "SAMEORIGIN");
	response_set(response, "X-DNS-Prefetch-Control", "off");
	return response;
}
