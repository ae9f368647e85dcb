/* SPDX-License-Identifier: Apache-2.0
 *
 * The addresses of a header field (RFC 5322, section 3.4). What one reader takes for a name and
 * another for an address is reported as unparsed: nobody is to be signed for by mistake.
 */
#include <string.h>

#include "lib/mail/address.h"

#define BLANKS " \t\r\n"
#define SPECIALS "()<>,;:\"@" BLANKS

typedef struct {
	const char *at;
	GPtrArray *found;
	GString *words; /* what stood outside brackets since the last separator */
	GString *angle; /* what stood inside */
	gboolean has_angle;
	gboolean in_group;
	gboolean broken;
} Parser;

/* Past a comment, which may hold others. */
static void skip_comment(Parser *parser)
{
	guint depth = 0;

	for (; *parser->at != '\0'; parser->at++) {
		if (*parser->at == '\\' && parser->at[1] != '\0')
			parser->at++;
		else if (*parser->at == '(')
			depth++;
		else if (*parser->at == ')' && --depth == 0)
			break;
	}
	if (*parser->at == ')')
		parser->at++;
	else
		parser->broken = TRUE;
}

static void skip_blanks(Parser *parser)
{
	for (;;) {
		parser->at += strspn(parser->at, BLANKS);
		if (*parser->at != '(')
			return;
		skip_comment(parser);
	}
}

/* A quoted string, with its quotes, as it stands. */
static void take_quoted(Parser *parser, GString *text)
{
	do {
		if (*parser->at == '\\' && parser->at[1] != '\0')
			g_string_append_c(text, *parser->at++);
		g_string_append_c(text, *parser->at++);
	} while (*parser->at != '\0' && *parser->at != '"');
	if (*parser->at == '"')
		g_string_append_c(text, *parser->at++);
	else
		parser->broken = TRUE;
}

/* Ends at the next special or blank; "[" after "@" begins a literal, with its own characters. */
static void take_atom(Parser *parser, GString *text)
{
	gsize size = strcspn(parser->at, SPECIALS);

	if (*parser->at == '[' && text->len > 0 && text->str[text->len - 1] == '@')
		size = strcspn(parser->at, "]" BLANKS) + 1;
	size = strnlen(parser->at, size);
	g_string_append_len(text, parser->at, (gssize)size);
	parser->at += size;
}

/* The next word of a name or an address. Words with a gap between them are no address: the gap
 * stays as a blank, but around dots and "@" (RFC 5322, section 4.4). */
static void take_word(Parser *parser, GString *text, gboolean gap)
{
	char last = text->len > 0 ? text->str[text->len - 1] : '@';

	if (gap && last != '@' && last != '.' && *parser->at != '@' && *parser->at != '.')
		g_string_append_c(text, ' ');
	if (*parser->at == '"')
		take_quoted(parser, text);
	else if (*parser->at == '@')
		g_string_append_c(text, *parser->at++);
	else
		take_atom(parser, text);
}

/* "<addr-spec>" */
static void take_angle(Parser *parser)
{
	parser->broken = parser->broken || parser->has_angle;
	parser->has_angle = TRUE;
	parser->at++;
	g_string_truncate(parser->angle, 0);
	for (;;) {
		const char *before = parser->at;

		skip_blanks(parser);
		if (*parser->at == '\0' || strchr("<>,;:)", *parser->at) != NULL)
			break;
		take_word(parser, parser->angle, parser->at > before);
	}
	if (*parser->at == '>')
		parser->at++;
	else
		parser->broken = TRUE;
}

static gboolean has_at_outside_quotes(const char *text)
{
	gboolean quoted = FALSE;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && quoted && text[1] != '\0')
			text++;
		else if (*text == '"')
			quoted = !quoted;
		else if (*text == '@' && !quoted)
			return TRUE;
	}
	return FALSE;
}

/* At a separator: what was gathered is an address, a name with one, nothing, or neither. */
static void end_mailbox(Parser *parser)
{
	const char *text = parser->has_angle ? parser->angle->str : parser->words->str;
	g_autofree char *mailbox = address_from_path(text, NULL);

	if (parser->has_angle && has_at_outside_quotes(parser->words->str))
		parser->broken = TRUE;
	if (mailbox != NULL && address_domain(mailbox) != NULL &&
	    parser->found->len < ADDRESS_LIST_MAX)
		g_ptr_array_add(parser->found, g_steal_pointer(&mailbox));
	else if (parser->has_angle || *text != '\0')
		parser->broken = TRUE;
	g_string_truncate(parser->words, 0);
	parser->has_angle = FALSE;
}

/* "Name:" begins a group; none in another, none behind an address. */
static void begin_group(Parser *parser)
{
	parser->at++;
	if (parser->in_group || parser->has_angle || has_at_outside_quotes(parser->words->str))
		parser->broken = TRUE;
	parser->in_group = TRUE;
	parser->has_angle = FALSE;
	g_string_truncate(parser->words, 0);
}

static void end_group(Parser *parser)
{
	parser->at++;
	end_mailbox(parser);
	parser->broken = parser->broken || !parser->in_group;
	parser->in_group = FALSE;
}

static void parse(Parser *parser)
{
	for (;;) {
		const char *before = parser->at;

		skip_blanks(parser);
		switch (*parser->at) {
		case '\0':
			end_mailbox(parser);
			parser->broken = parser->broken || parser->in_group;
			return;
		case ',':
			parser->at++;
			end_mailbox(parser);
			break;
		case ';': end_group(parser); break;
		case ':': begin_group(parser); break;
		case '<': take_angle(parser); break;
		case '>':
		case ')':
			parser->at++;
			parser->broken = TRUE;
			break;
		default:
			parser->broken = parser->broken || parser->has_angle; /* "<a@b> c" */
			take_word(parser, parser->words, parser->at > before);
		}
	}
}

GPtrArray *address_list_parse(const char *header_value, gboolean *unparsed)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) words = g_string_new(NULL);
	g_autoptr(GString) angle = g_string_new(NULL);
	Parser parser = {.at = header_value, .found = found, .words = words, .angle = angle};

	if (header_value == NULL)
		parser.broken = FALSE;
	else if (strnlen(header_value, ADDRESS_LIST_BYTES_MAX + 1) > ADDRESS_LIST_BYTES_MAX)
		parser.broken = TRUE;
	else
		parse(&parser);
	if (unparsed != NULL)
		*unparsed = parser.broken;
	return found;
}
