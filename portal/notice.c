/* SPDX-License-Identifier: Apache-2.0
 *
 * The notice's mail (see notice.h). Whatever stands in a header field is made one line of ASCII
 * here; names are quoted or encoded (RFC 5322, RFC 2047).
 */
#include "portal/notice.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/masterkey.h"
#include "portal/format.h"
#include "portal/quoted.h"
#include "portal/template.h"
#include "portal/token.h"

#define NOTICE_FORMAT "(ssssssssssssx)"
/* What the wrapped bytes are bound to besides their row: a new format gets a new one. */
#define NOTICE_VERSION " 2"
/* Without an envelope of its own; under the row's context alone. */
#define NOTICE_FORMAT_1 "(sssssssx)"
/* Bytes in one encoded word, so that it stays below 75 characters. */
#define WORD_BYTES 42
/* Languages in one notice. */
#define NOTICE_LANGUAGES 4

void notice_free(Notice *notice)
{
	if (notice == NULL)
		return;
	g_free(notice->recipient);
	g_free(notice->sender);
	g_free(notice->sender_name);
	g_free(notice->languages);
	g_free(notice->route);
	g_free(notice->return_path);
	g_free(notice->envid);
	g_free(notice->notify);
	g_free(notice->orcpt);
	g_free(notice->link);
	g_free(notice->code);
	g_free(notice->message_id);
	g_free(notice->refused);
	g_free(notice);
}

GBytes *notice_wrap(const Notice *notice, const Secret *master, const char *context)
{
	g_autofree char *bound = g_strconcat(context, NOTICE_VERSION, NULL);
	g_autoptr(GVariant) variant = g_variant_ref_sink(
		g_variant_new(NOTICE_FORMAT, notice->recipient, notice->sender, notice->sender_name,
			      notice->languages, notice->route, notice->return_path, notice->envid,
			      notice->notify, notice->orcpt, notice->link, notice->code,
			      notice->message_id, notice->expires));
	/* a GVariant wants aligned memory, which a Secret is not */
	gsize size = g_variant_get_size(variant);
	g_autofree void *bytes = g_malloc(size);
	g_autoptr(Secret) plain = NULL;

	g_variant_store(variant, bytes);
	plain = secret_take(bytes, size);
	return secret_wrap(master, plain, bound);
}

static GVariant *read_format(const char *format, const Secret *plain)
{
	g_autoptr(GBytes) bytes = g_bytes_new(secret_bytes(plain), secret_size(plain));

	return g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(format), bytes, FALSE));
}

/* One that waits since before an update: the employee was its envelope's sender. */
static Notice *read_version_1(const Secret *plain)
{
	g_autoptr(GVariant) variant = read_format(NOTICE_FORMAT_1, plain);
	Notice *notice = g_new0(Notice, 1);

	g_variant_get(variant, NOTICE_FORMAT_1, &notice->recipient, &notice->sender,
		      &notice->sender_name, &notice->languages, &notice->route, &notice->link,
		      &notice->message_id, &notice->expires);
	notice->return_path = g_strdup(notice->sender);
	notice->envid = g_strdup("");
	notice->notify = g_strdup("");
	notice->orcpt = g_strdup("");
	notice->code = g_strdup("");
	return notice;
}

Notice *notice_unwrap(GBytes *wrapped, const Secret *master, const char *context, GError **error)
{
	g_autofree char *bound = g_strconcat(context, NOTICE_VERSION, NULL);
	g_autoptr(Secret) first = secret_unwrap(master, wrapped, context, NULL);
	g_autoptr(Secret) plain = NULL;
	g_autoptr(GVariant) variant = NULL;
	Notice *notice;

	if (first != NULL)
		return read_version_1(first);
	plain = secret_unwrap(master, wrapped, bound, error);
	if (plain == NULL)
		return NULL;
	variant = read_format(NOTICE_FORMAT, plain);
	notice = g_new0(Notice, 1);
	g_variant_get(variant, NOTICE_FORMAT, &notice->recipient, &notice->sender,
		      &notice->sender_name, &notice->languages, &notice->route,
		      &notice->return_path, &notice->envid, &notice->notify, &notice->orcpt,
		      &notice->link, &notice->code, &notice->message_id, &notice->expires);
	return notice;
}

char *notice_line(const char *text)
{
	char *line = g_utf8_make_valid(text, -1);

	for (char *c = line; *c != '\0'; c++)
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	return line;
}

/* A display name: a quoted string, or encoded words of whole characters. New string. */
static char *phrase(const char *text)
{
	g_autofree char *line = notice_line(text);
	GString *out = g_string_new(NULL);
	const char *rest = line;

	if (g_str_is_ascii(line)) {
		g_string_append_c(out, '"');
		for (; *rest != '\0'; rest++) {
			if (*rest == '"' || *rest == '\\')
				g_string_append_c(out, '\\');
			g_string_append_c(out, *rest);
		}
		g_string_append_c(out, '"');
		return g_string_free(out, FALSE);
	}
	while (*rest != '\0') {
		g_autofree char *word = NULL;
		gsize size = 0;

		while (rest[size] != '\0' &&
		       g_utf8_next_char(rest + size) - rest <= (gssize)WORD_BYTES)
			size = g_utf8_next_char(rest + size) - rest;
		word = g_base64_encode((const guchar *)rest, size);
		g_string_append_printf(out, "%s=?UTF-8?B?%s?=", out->len > 0 ? "\n " : "", word);
		rest += size;
	}
	return g_string_free(out, FALSE);
}

/* The languages of the mail in their order, each once; at least one. */
static GArray *notice_languages(const Notice *notice, const Conf *conf)
{
	GArray *chosen = g_array_new(FALSE, FALSE, sizeof(Language));
	g_auto(GStrv) wanted = g_strsplit_set(notice->languages, ", ;", NOTICE_LANGUAGES);
	const char *const *tags = (const char *const *)wanted;
	gboolean seen[LANGUAGE_COUNT] = {FALSE};
	Language language = LANGUAGE_EN;

	if (*notice->languages == '\0')
		tags = conf_list(conf, "portal", "languages");
	for (gsize i = 0; tags != NULL && tags[i] != NULL; i++) {
		if (!language_find(tags[i], &language) || seen[language])
			continue;
		seen[language] = TRUE;
		g_array_append_val(chosen, language);
	}
	if (chosen->len == 0)
		g_array_append_val(chosen, language);
	return chosen;
}

/* In each of its languages: who reads only one of them must know what it is. */
static char *notice_subject(const Notice *notice, const Conf *conf, const Texts *texts)
{
	g_autoptr(GArray) languages = notice_languages(notice, conf);
	GString *subject = g_string_new(NULL);

	for (guint i = 0; i < languages->len; i++)
		g_string_append_printf(
			subject, "%s%s", i > 0 ? " / " : "",
			texts_find(texts, g_array_index(languages, Language, i), "notice.subject"));
	return g_string_free(subject, FALSE);
}

static gboolean add_from(Headers *headers, const Notice *notice, const Conf *conf,
			 const Values *values, GError **error)
{
	const char *address = conf_string(conf, "portal", "sender");
	g_autofree char *name = template_text(values, "notice.from");
	g_autofree char *shown = phrase(name);
	g_autofree char *from = g_strdup_printf("%s <%s>", shown, address);
	g_autofree char *sender = notice_line(notice->sender);
	g_autofree char *reply = g_strdup_printf("<%s>", sender);

	if (!headers_add(headers, "From", from, error))
		return FALSE;
	return *notice->sender == '\0' || headers_add(headers, "Reply-To", reply, error);
}

static gboolean add_headers(Headers *headers, const Notice *notice, const char *subject,
			    GError **error)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *date = format_rfc5322_date(now);
	g_autofree char *recipient = notice_line(notice->recipient);
	g_autofree char *to = g_strdup_printf("<%s>", recipient);
	g_autofree char *encoded = header_encode_text("Subject", subject);
	g_autofree char *route = notice_line(notice->route);

	return headers_add(headers, "To", to, error) &&
	       headers_append(headers, "Subject", encoded, error) &&
	       headers_add(headers, "Date", date, error) &&
	       headers_add(headers, "Message-ID", notice->message_id, error) &&
	       headers_add(headers, "MIME-Version", "1.0", error) &&
	       headers_add(headers, "Auto-Submitted", "auto-generated", error) &&
	       (*route == '\0' || headers_add(headers, "X-Sealpost-Route", route, error));
}

static void append_part(GString *body, const char *boundary, const char *subtype, const char *text)
{
	g_autofree char *encoded = quoted_encode(text);

	g_string_append_printf(body,
			       "--%s\r\nContent-Type: text/%s; charset=utf-8\r\n"
			       "Content-Transfer-Encoding: quoted-printable\r\n\r\n%s",
			       boundary, subtype, encoded);
}

static Values *notice_values(const Notice *notice, const Conf *conf, const Texts *texts,
			     Language language)
{
	Values *values = values_new(texts, language);
	g_autofree char *sender =
		*notice->sender_name != '\0' && *notice->sender != '\0'
			? g_strdup_printf("%s (%s)", notice->sender_name, notice->sender)
			: g_strdup(*notice->sender != '\0' ? notice->sender : notice->sender_name);
	g_autofree char *line = notice_line(sender);

	values_take(values, "organisation", format_organisation(conf));
	values_set(values, "sender", *line != '\0' ? line : conf_string(conf, "portal", "sender"));
	values_set(values, "address",
		   *notice->sender != '\0' ? notice->sender
					   : conf_string(conf, "portal", "sender"));
	values_set(values, "recipient", notice->recipient);
	values_set(values, "link", notice->link);
	if (*notice->code != '\0')
		values_take(values, "code",
			    g_strdup_printf("%.3s %s", notice->code, notice->code + 3));
	values_take(values, "expires", format_date(values, notice->expires));
	return values;
}

/* What the recipient needs besides the link. */
static void set_how(const Notice *notice, Values *values)
{
	gboolean first = *notice->code != '\0';

	values_take(values, "once", template_text(values, first ? "notice.first" : "notice.again"));
	if (!first)
		return;
	values_take(values, "code-text", template_render("notice-code.txt", values));
	values_take(values, "code-html", template_render("notice-code.html", values));
}

/* The texts in each language, one below the other. */
static void compose_texts(const Notice *notice, const Conf *conf, const Texts *texts,
			  GString *plain, GString *html)
{
	g_autoptr(GArray) languages = notice_languages(notice, conf);
	g_autoptr(Values) page = values_new(texts, g_array_index(languages, Language, 0));
	g_autoptr(GString) sections = g_string_new(NULL);
	g_autofree char *whole = NULL;

	for (guint i = 0; i < languages->len; i++) {
		g_autoptr(Values) values =
			notice_values(notice, conf, texts, g_array_index(languages, Language, i));
		g_autofree char *text = NULL;
		g_autofree char *section = NULL;

		set_how(notice, values);
		text = template_render("notice.txt", values);
		section = template_render("notice-section.html", values);

		g_string_append_printf(plain, "%s%s", i > 0 ? "\n----\n\n" : "", text);
		g_string_append(sections, section);
	}
	values_set(page, "sections", sections->str);
	whole = template_render("notice.html", page);
	g_string_append(html, whole);
}

static GBytes *compose_body(const Notice *notice, const Conf *conf, const Texts *texts,
			    const char *boundary)
{
	g_autoptr(GString) plain = g_string_new(NULL);
	g_autoptr(GString) html = g_string_new(NULL);
	GString *body = g_string_new(NULL);

	compose_texts(notice, conf, texts, plain, html);
	append_part(body, boundary, "plain", plain->str);
	append_part(body, boundary, "html", html->str);
	g_string_append_printf(body, "--%s--\r\n", boundary);
	return g_string_free_to_bytes(body);
}

gboolean notice_compose(const Notice *notice, const Conf *conf, const Texts *texts,
			NoticeMail *mail, GError **error)
{
	g_autoptr(GArray) languages = notice_languages(notice, conf);
	g_autoptr(Values) values =
		notice_values(notice, conf, texts, g_array_index(languages, Language, 0));
	g_autoptr(Headers) headers = headers_new();
	g_autofree char *subject = notice_subject(notice, conf, texts);
	g_autofree char *id = token_new_id();
	g_autofree char *boundary = g_strdup_printf("sealpost=_%s", id);
	g_autofree char *type =
		g_strdup_printf("multipart/alternative;\n\tboundary=\"%s\"", boundary);

	if (!add_from(headers, notice, conf, values, error) ||
	    !add_headers(headers, notice, subject, error) ||
	    !headers_add(headers, "Content-Type", type, error))
		return FALSE;
	mail->headers = g_steal_pointer(&headers);
	mail->body = compose_body(notice, conf, texts, boundary);
	return TRUE;
}

void notice_mail_clear(NoticeMail *mail)
{
	g_clear_pointer(&mail->headers, headers_free);
	g_clear_pointer(&mail->body, g_bytes_unref);
}
