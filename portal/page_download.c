/* SPDX-License-Identifier: Apache-2.0
 *
 * Attachments and whole messages as files: always saved, never shown by the browser in our name.
 */
#include "portal/page.h"

#define DOWNLOAD_POLICY "default-src 'none'; sandbox"

/* RFC 6266: a name in ASCII for old browsers, the real one in UTF-8 (RFC 8187). */
static void set_disposition(Response *response, const char *name)
{
	g_autofree char *encoded = g_uri_escape_string(name, NULL, FALSE);
	g_autofree char *ascii = g_str_to_ascii(name, "C");
	g_autofree char *value = NULL;

	for (char *c = ascii; *c != '\0'; c++)
		if (*c == '"' || *c == '\\' || *c == '%' || g_ascii_iscntrl(*c))
			*c = '_';
	value = g_strdup_printf("attachment; filename=\"%s\"; filename*=UTF-8''%s", ascii, encoded);
	response_set(response, "Content-Disposition", value);
}

/* Types that a phone should know to open the file; none that a browser could run. */
static const char *download_type(const char *type)
{
	static const char *const known[] = {"application/pdf", "image/png",	 "image/jpeg",
					    "image/gif",       "image/webp",	 "text/calendar",
					    "text/vcard",      "message/rfc822", NULL};

	return g_strv_contains(known, type) ? type : "application/octet-stream";
}

/* The letter counts as open for as long as a client takes to fetch the file. */
static Response *file_response(Letter *letter, Spool *spool, const char *type, const char *name)
{
	Response *response = response_new_spool(HTTP_OK, type, spool);

	response_keep(response, letter_ref(letter), (GDestroyNotify)letter_unref);
	set_disposition(response, name);
	response_set(response, "Content-Security-Policy", DOWNLOAD_POLICY);
	return response;
}

Response *page_download(Visit *visit, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(Letter) letter = page_letter(visit, visit->arguments[0], &failure);
	g_autoptr(Spool) spool = NULL;
	const LetterPart *part = NULL;

	if (letter != NULL)
		spool = letter_download(letter, visit->arguments[1], &part, &failure);
	if (failure != NULL ||
	    (spool != NULL &&
	     !vault_event(visit->portal->db, letter_number(letter), "downloaded", &failure))) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	if (spool == NULL)
		return page_error(visit, HTTP_NOT_FOUND, "message-unknown");
	return file_response(letter, spool, download_type(part->type), part->name);
}

Response *page_download_whole(Visit *visit, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(Letter) letter = page_letter(visit, visit->arguments[0], &failure);
	g_autoptr(Values) values = page_values(visit);
	g_autofree char *name = NULL;

	if (failure != NULL ||
	    (letter != NULL &&
	     !vault_event(visit->portal->db, letter_number(letter), "downloaded", &failure))) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	if (letter == NULL)
		return page_error(visit, HTTP_NOT_FOUND, "message-unknown");
	name = template_text(values, "message.file");
	return file_response(letter, letter_whole(letter), "message/rfc822", name);
}
