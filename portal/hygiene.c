/* SPDX-License-Identifier: Apache-2.0
 *
 * The check of a request's head (see hygiene.h).
 */
#include "portal/hygiene.h"

#include <string.h>

#include "portal/response.h"

/* RFC 9110, section 5.6.2: tchar. */
static gboolean is_token(const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (!g_ascii_isalnum(text[i]) &&
		    (text[i] == '\0' || strchr("!#$%&'*+-.^_`|~", text[i]) == NULL))
			return FALSE;
	return size > 0;
}

/* RFC 9110, section 5.5, without obs-text: no browser sends it. */
static gboolean is_value(const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if ((text[i] < ' ' && text[i] != '\t') || text[i] > '~')
			return FALSE;
	return TRUE;
}

/* Only origin-form: a path of visible ASCII. */
static gboolean is_target(const char *target)
{
	if (*target != '/')
		return FALSE;
	for (const char *c = target; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return FALSE;
	return TRUE;
}

static guint count(const HygieneHead *head, const char *name, const HygieneField **last)
{
	guint found = 0;

	for (gsize i = 0; i < head->field_count; i++) {
		const HygieneField *field = &head->fields[i];

		if (field->name_size != strlen(name) ||
		    g_ascii_strncasecmp(field->name, name, field->name_size) != 0)
			continue;
		*last = field;
		found++;
	}
	return found;
}

/* The length of the body that is announced; -1: none is, or not one that can be read. */
static gint64 announced_length(const HygieneField *field)
{
	gint64 length = 0;

	if (field->value_size == 0 || field->value_size > 18)
		return -1;
	for (gsize i = 0; i < field->value_size; i++) {
		if (!g_ascii_isdigit(field->value[i]))
			return -1;
		length = length * 10 + (field->value[i] - '0');
	}
	return length;
}

static guint check_body(const HygieneHead *head)
{
	gboolean post = g_str_equal(head->method, "POST");
	const HygieneField *field = NULL;
	guint lengths;
	gint64 length;

	if (count(head, "Transfer-Encoding", &field) > 0)
		return HTTP_BAD_REQUEST; /* forms never need it */
	lengths = count(head, "Content-Length", &field);
	if (lengths > 1)
		return HTTP_BAD_REQUEST;
	if (lengths == 0)
		return post ? HTTP_LENGTH_REQUIRED : 0;
	length = announced_length(field);
	if (length < 0)
		return HTTP_BAD_REQUEST;
	if (length > HTTP_BODY_MAX)
		return HTTP_TOO_LARGE;
	return post || length == 0 ? 0 : HTTP_BAD_REQUEST;
}

/* The library hides some of what it put up with: a NUL that cuts a value, bare LF, folded lines,
 * fields without a name. Then the head is not as long as what it is said to hold. Everybody
 * writes "Name: value" and CRLF; what does not is no browser. */
static gboolean is_as_long(const HygieneHead *head)
{
	gsize size = strlen(head->method) + strlen("  \r\n") + head->target_size +
		     strlen(head->version) + strlen("\r\n");

	for (gsize i = 0; i < head->field_count; i++)
		size += head->fields[i].name_size + strlen(": \r\n") + head->fields[i].value_size;
	return size == head->size;
}

guint hygiene_check(const HygieneHead *head)
{
	const HygieneField *host = NULL;

	if (!g_str_equal(head->version, "HTTP/1.1"))
		return HTTP_VERSION_NOT_SUPPORTED;
	if (!is_token(head->method, strlen(head->method)) || !is_target(head->target) ||
	    strlen(head->target) > HTTP_TARGET_MAX)
		return HTTP_BAD_REQUEST;
	if (head->field_count > HTTP_FIELDS_MAX)
		return HTTP_FIELDS_TOO_LARGE;
	for (gsize i = 0; i < head->field_count; i++)
		if (!is_token(head->fields[i].name, head->fields[i].name_size) ||
		    !is_value(head->fields[i].value, head->fields[i].value_size))
			return HTTP_BAD_REQUEST;
	if (!is_as_long(head) || count(head, "Host", &host) != 1)
		return HTTP_BAD_REQUEST;
	return check_body(head);
}
