/* SPDX-License-Identifier: Apache-2.0
 *
 * Header protection of what we send. See headprotect.h.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/fieldparams.h"
#include "lib/mail/headersafe.h"

#include "gateway/headprotect.h"

static gboolean is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (g_ascii_strcasecmp(name, *names) == 0)
			return TRUE;
	return FALSE;
}

static gboolean begins_with_any(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (g_ascii_strncasecmp(name, *prefixes, strlen(*prefixes)) == 0)
			return TRUE;
	return FALSE;
}

/* Fields that a reader's program shows or answers by (RFC 9788, section 1.1.1: user-facing), and
 * those that make threads: they go inside whatever else the header holds. */
static gboolean is_known(const char *name)
{
	static const char *const names[] = {"From",	   "Sender",	       "To",
					    "Cc",	   "Reply-To",	       "Subject",
					    "Date",	   "Message-ID",       "In-Reply-To",
					    "References",  "Comments",	       "Keywords",
					    "Followup-To", "Mail-Followup-To", NULL};

	return is_one_of(name, names);
}

/* Structural fields, what the way of a message writes on it (trace, filters, DKIM), and what is
 * nobody's business inside. */
static gboolean stays_outside(const char *name)
{
	static const char *const names[] = {"MIME-Version",
					    "HP-Outer",
					    "Bcc",
					    "Received",
					    "X-Received",
					    "Return-Path",
					    "Delivered-To",
					    "Envelope-To",
					    "X-Original-To",
					    "DKIM-Signature",
					    "DomainKey-Signature",
					    "X-Google-DKIM-Signature",
					    "Authentication-Results",
					    "Errors-To",
					    "Status",
					    "X-Status",
					    NULL};
	static const char *const prefixes[] = {"X-Sealpost-", "Resent-", "ARC-",	"Received-",
					       "X-Spam-",     "X-Virus", "X-Envelope-", NULL};

	return header_is_content(name) || is_one_of(name, names) || begins_with_any(name, prefixes);
}

gboolean headprotect_is_hidden(const char *name)
{
	static const char *const names[] = {"Subject", "Comments", "Keywords", "Thread-Topic",
					    NULL};

	return is_one_of(name, names);
}

typedef struct {
	Headers *inside;
	gsize bytes;
	guint unknown_fields;
	gsize unknown_bytes;
} Chosen;

/* With their HP-Outer the fields are there twice, and the limits of Headers are for all. */
static gboolean has_room(Chosen *chosen, const Header *header)
{
	gsize size = strlen(header->name) + strlen(header->value);

	if (headers_count(chosen->inside) >= HEADERS_MAX / 4 ||
	    chosen->bytes + size > HEADERS_BYTES_MAX / 4)
		return FALSE;
	if (!is_known(header->name)) {
		if (chosen->unknown_fields == HEADPROTECT_FIELDS_MAX ||
		    chosen->unknown_bytes + size > HEADPROTECT_BYTES_MAX)
			return FALSE;
		chosen->unknown_fields++;
		chosen->unknown_bytes += size;
	}
	chosen->bytes += size;
	return TRUE;
}

/* Below a signature alone, bytes that a relay would change may not stand. */
static char *inside_value(const Header *header, gboolean encrypted)
{
	if (encrypted || header_is_safe(header))
		return g_strdup(header->value);
	return header_make_safe(header, NULL);
}

static gboolean choose(Chosen *chosen, const Header *header, gboolean encrypted, GError **error)
{
	g_autofree char *value = NULL;

	if (!has_room(chosen, header))
		return TRUE;
	value = inside_value(header, encrypted);
	return !value || headers_append(chosen->inside, header->name, value, error);
}

static gboolean add_outer(Headers *inside, const Header *header, const char *value, GError **error)
{
	g_autofree char *outer = g_strdup_printf(" %s:%s", header->name, value);

	return headers_append(inside, "HP-Outer", outer, error);
}

/* RFC 9788, section 5.2.1: what the outside says, so that the reader's program knows what only the
 * inside said. Of several subjects one is left. */
static gboolean add_outers(Headers *inside, gboolean hide_subject, GError **error)
{
	guint count = headers_count(inside);
	gboolean hidden = FALSE;

	for (guint i = 0; i < count; i++) {
		const Header *header = headers_at(inside, i);
		const char *value = header->value;

		if (hide_subject && headprotect_is_hidden(header->name)) {
			if (hidden || g_ascii_strcasecmp(header->name, "Subject") != 0)
				continue;
			hidden = TRUE;
			value = HEADPROTECT_HIDDEN;
		}
		if (!add_outer(inside, header, value, error))
			return FALSE;
	}
	return TRUE;
}

Headers *headprotect_fields(const Headers *sent, gboolean encrypted, gboolean hide_subject,
			    GError **error)
{
	g_autoptr(Headers) inside = headers_new();
	Chosen chosen = {.inside = inside};

	for (guint i = 0; i < headers_count(sent); i++) {
		const Header *header = headers_at(sent, i);
		guint before = headers_count(inside);

		if (stays_outside(header->name))
			continue;
		if (!choose(&chosen, header, encrypted, error))
			return NULL;
		if (hide_subject && headprotect_is_hidden(header->name) &&
		    headers_count(inside) == before) {
			g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE,
				    "no room inside for a hidden %s", header->name);
			return NULL;
		}
	}
	if (encrypted && !add_outers(inside, hide_subject, error))
		return NULL;
	return g_steal_pointer(&inside);
}

char *headprotect_content_type(const char *raw, gboolean encrypted)
{
	static const char *const marks[] = {"hp", "protected-headers", NULL};
	g_autofree char *bare = raw ? field_params_remove(raw, marks) : NULL;
	g_autofree char *type = bare ? g_strstrip(g_strdup(bare)) : NULL;

	/* RFC 2045, section 5.2: without a type it is plain text. */
	return field_params_add(type && *type ? bare : " text/plain",
				encrypted ? "hp=\"cipher\"; protected-headers=\"v1\""
					  : "hp=\"clear\"; protected-headers=\"v1\"");
}
