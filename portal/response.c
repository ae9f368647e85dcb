/* SPDX-License-Identifier: Apache-2.0
 *
 * Building answers (see response.h).
 */
#include "portal/response.h"

#include <string.h>

static void field_free(gpointer data)
{
	ResponseField *field = data;

	g_free(field->name);
	g_free(field->value);
	g_free(field);
}

static Response *response_new(guint status, const char *type)
{
	Response *response = g_new0(Response, 1);

	response->status = status;
	response->fields = g_ptr_array_new_with_free_func(field_free);
	if (type != NULL)
		response_set(response, "Content-Type", type);
	return response;
}

Response *response_new_bytes(guint status, const char *type, GBytes *bytes)
{
	Response *response = response_new(status, type);

	response->body = g_bytes_ref(bytes);
	return response;
}

Response *response_new_text(guint status, const char *type, char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));

	return response_new_bytes(status, type, bytes);
}

Response *response_new_spool(guint status, const char *type, Spool *spool)
{
	Response *response = response_new(status, type);

	response->spool = spool_ref(spool);
	return response;
}

void response_keep(Response *response, gpointer kept, GDestroyNotify release)
{
	response->kept = kept;
	response->release = release;
}

Response *response_new_redirect(const char *path)
{
	g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
	Response *response = response_new_bytes(HTTP_SEE_OTHER, NULL, nothing);

	response_set(response, "Location", path);
	return response;
}

void response_free(Response *response)
{
	if (response == NULL)
		return;
	g_ptr_array_unref(response->fields);
	g_clear_pointer(&response->body, g_bytes_unref);
	g_clear_pointer(&response->spool, spool_unref);
	if (response->release != NULL)
		response->release(response->kept);
	g_free(response->note);
	g_free(response);
}

static ResponseField *find(const Response *response, const char *name)
{
	for (guint i = 0; i < response->fields->len; i++) {
		ResponseField *field = g_ptr_array_index(response->fields, i);

		if (g_ascii_strcasecmp(field->name, name) == 0)
			return field;
	}
	return NULL;
}

void response_set(Response *response, const char *name, const char *value)
{
	ResponseField *field = find(response, name);

	if (field == NULL) {
		field = g_new0(ResponseField, 1);
		field->name = g_strdup(name);
		g_ptr_array_add(response->fields, field);
	}
	g_free(field->value);
	field->value = g_strdup(value);
	for (char *c = field->value; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

const char *response_get(const Response *response, const char *name)
{
	const ResponseField *field = find(response, name);

	return field != NULL ? field->value : NULL;
}

void response_set_note(Response *response, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_free(response->note);
	response->note = g_strdup_vprintf(format, arguments);
	va_end(arguments);
}
