/* SPDX-License-Identifier: Apache-2.0
 *
 * The report to a message's sender (see report.h). All that came in the envelope is made ASCII here.
 */
#include "portal/report.h"

#include <string.h>

#include "portal/format.h"
#include "portal/quoted.h"
#include "portal/template.h"
#include "portal/token.h"

gboolean report_wanted(const Notice *notice)
{
	g_autofree char *notify = g_ascii_strup(notice->notify, -1);
	g_auto(GStrv) words = g_strsplit(notify, ",", -1);

	return *notice->return_path != '\0' &&
	       (*notify == '\0' || g_strv_contains((const char *const *)words, "FAILURE"));
}

/* xtext (RFC 3461, section 4), undone; what is not printable then is a question mark. New string. */
static char *xtext_decode(const char *text)
{
	GString *out = g_string_new(NULL);

	for (const char *c = text; *c != '\0'; c++) {
		int high = *c == '+' ? g_ascii_xdigit_value(c[1]) : -1;
		int low = high >= 0 ? g_ascii_xdigit_value(c[2]) : -1;
		int byte = low < 0 ? (guchar)*c : high << 4 | low;

		g_string_append_c(out, byte >= ' ' && byte < 0x7f ? (char)byte : '?');
		c += low < 0 ? 0 : 2;
	}
	return g_string_free(out, FALSE);
}

/* "rfc822;bob@x", or of an address that is not ASCII the form that is (RFC 6533, section 3). */
static char *typed_address(const char *address)
{
	GString *out = g_string_new(g_str_is_ascii(address) ? "rfc822;" : "utf-8;");
	g_autofree char *valid = g_utf8_make_valid(address, -1);

	for (const char *c = valid; *c != '\0'; c = g_utf8_next_char(c)) {
		gunichar letter = g_utf8_get_char(c);

		if (letter > ' ' && letter < 0x7f && letter != '\\')
			g_string_append_unichar(out, letter);
		else
			g_string_append_printf(out, "\\x{%X}", letter);
	}
	return g_string_free(out, FALSE);
}

/* The languages of the setting, one below the other: it is one of us who reads it. */
static char *report_text(const Notice *notice, const Conf *conf, const Texts *texts,
			 gboolean subject)
{
	const char *name = subject ? "report.subject" : "report.text";
	const char *between = subject ? " / " : "\n\n----\n\n";
	const char *const *tags = conf_list(conf, "portal", "languages");
	GString *text = g_string_new(NULL);
	Language language;

	for (; tags != NULL && *tags != NULL; tags++) {
		if (!language_find(*tags, &language))
			continue;
		g_autoptr(Values) values = values_new(texts, language);
		g_autofree char *part = NULL;

		values_take(values, "recipient", notice_line(notice->recipient));
		values_set(values, "status", notice->refused);
		part = template_text(values, name);
		g_string_append_printf(text, "%s%s", text->len > 0 ? between : "", part);
	}
	return g_string_free(text, FALSE);
}

static gboolean add_headers(Headers *headers, const Notice *notice, const Conf *conf,
			    const char *subject, GError **error)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	const char *address = conf_string(conf, "portal", "sender");
	const char *at = strrchr(address, '@');
	g_autofree char *date = format_rfc5322_date(now);
	g_autofree char *from = g_strdup_printf("<%s>", address);
	g_autofree char *recipient = notice_line(notice->return_path);
	g_autofree char *to = g_strdup_printf("<%s>", recipient);
	g_autofree char *encoded = header_encode_text("Subject", subject);
	g_autofree char *id = token_new_id();
	g_autofree char *message_id = g_strdup_printf("<%s@%s>", id, at ? at + 1 : "localhost");

	return headers_add(headers, "From", from, error) && headers_add(headers, "To", to, error) &&
	       headers_append(headers, "Subject", encoded, error) &&
	       headers_add(headers, "Date", date, error) &&
	       headers_add(headers, "Message-ID", message_id, error) &&
	       headers_add(headers, "MIME-Version", "1.0", error) &&
	       headers_add(headers, "Auto-Submitted", "auto-replied", error);
}

/* RFC 3464, section 2. */
static char *delivery_status(const Notice *notice, const Conf *conf)
{
	const char *hostname = conf_string(conf, "sealpost", "hostname");
	g_autofree char *final = typed_address(notice->recipient);
	g_autofree char *envid = xtext_decode(notice->envid);
	g_autofree char *original = xtext_decode(notice->orcpt);
	GString *status = g_string_new(NULL);

	g_string_append_printf(status, "Reporting-MTA: dns; %s\r\n",
			       hostname != NULL ? hostname : g_get_host_name());
	if (*envid != '\0')
		g_string_append_printf(status, "Original-Envelope-Id: %s\r\n", envid);
	g_string_append(status, "\r\n");
	if (*original != '\0')
		g_string_append_printf(status, "Original-Recipient: %s\r\n", original);
	g_string_append_printf(status, "Final-Recipient: %s\r\nAction: failed\r\nStatus: %s\r\n",
			       final, notice->refused);
	return g_string_free(status, FALSE);
}

gboolean report_compose(const Notice *notice, const Conf *conf, const Texts *texts,
			NoticeMail *mail, GError **error)
{
	g_autoptr(Headers) headers = headers_new();
	g_autofree char *subject = report_text(notice, conf, texts, TRUE);
	g_autofree char *text = report_text(notice, conf, texts, FALSE);
	g_autofree char *encoded = quoted_encode(text);
	g_autofree char *status = delivery_status(notice, conf);
	g_autofree char *id = token_new_id();
	g_autofree char *type = g_strdup_printf("multipart/report; report-type=delivery-status;\n"
						"\tboundary=\"sealpost=_%s\"",
						id);
	g_autofree char *body = g_strdup_printf(
		"--sealpost=_%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n%s\r\n"
		"--sealpost=_%s\r\nContent-Type: message/delivery-status\r\n\r\n%s\r\n"
		"--sealpost=_%s--\r\n",
		id, encoded, id, status, id);

	if (!add_headers(headers, notice, conf, subject, error) ||
	    !headers_add(headers, "Content-Type", type, error))
		return FALSE;
	mail->headers = g_steal_pointer(&headers);
	mail->body = g_bytes_new(body, strlen(body));
	return TRUE;
}
