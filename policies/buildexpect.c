/* SPDX-License-Identifier: Apache-2.0
 *
 * What expectations mean: see build.h. Facts come in any order, each once.
 */
#include "policies/build.h"

#include "lib/mail/address.h"
#include "policies/expectation.h"

/* Lines of rules have no more digits than this. */
#define LINE_DIGITS_MAX 7

void build_expect(Parser *parser, const Span *where)
{
	expectation_free(parser->expectations->open);
	parser->expectations->open = expectation_new(where);
}

static void refuse_second(Parser *parser, const Span *where, const char *what)
{
	problems_add(parser->problems, parser->file, where,
		     "found a second %s in one expectation, expected one", what);
}

void build_fact_direction(Parser *parser, Direction direction)
{
	Expectation *open = parser->expectations->open;

	if (open->directed)
		refuse_second(parser, &open->where, "direction");
	open->directed = TRUE;
	open->direction = direction;
}

/* Puts the folded address into *slot, with a problem if it is none or the slot is taken. */
static void take_address(Parser *parser, char **slot, Word *word, const char *what)
{
	g_autofree char *folded = address_fold(word->text);

	if (*slot)
		refuse_second(parser, &word->where, what);
	else if (!folded)
		problems_add(parser->problems, parser->file, &word->where,
			     "found \"%.80s\", expected one address", word->text);
	g_free(*slot);
	*slot = folded ? g_steal_pointer(&folded) : g_strdup(word->text);
	word_free(word);
}

void build_fact_sender(Parser *parser, Word *address)
{
	Expectation *open = parser->expectations->open;

	if (*address->text || open->sender) {
		take_address(parser, &open->sender, address, "\"from\"");
		return;
	}
	open->sender = g_strdup(""); /* the null sender */
	word_free(address);
}

void build_fact_recipient(Parser *parser, Word *address)
{
	take_address(parser, &parser->expectations->open->recipient, address, "\"to\"");
}

void build_fact_reply(Parser *parser)
{
	parser->expectations->open->reply = TRUE;
}

void build_fact_invitation(Parser *parser)
{
	parser->expectations->open->invitation = TRUE;
}

void build_fact_subject(Parser *parser, Word *text)
{
	Expectation *open = parser->expectations->open;

	if (open->subject)
		refuse_second(parser, &text->where, "\"subject\"");
	g_free(open->subject);
	open->subject = g_strdup(text->text);
	word_free(text);
}

void build_fact_header(Parser *parser, Word *field, Word *text)
{
	ExpectedField *added = g_new0(ExpectedField, 1);

	added->name = g_ascii_strdown(field->text, -1);
	added->text = g_strdup(text->text);
	g_ptr_array_add(parser->expectations->open->fields, added);
	word_free(field);
	word_free(text);
}

void build_expect_outcome(Parser *parser, Outcome *outcome)
{
	parser->expectations->open->decided = TRUE;
	parser->expectations->open->outcome = outcome;
}

void build_expect_copy(Parser *parser, Word *address)
{
	char *folded = NULL;

	take_address(parser, &folded, address, "address");
	g_ptr_array_add(parser->expectations->open->copies, folded);
}

void build_expect_line(Parser *parser, Word *number)
{
	guint64 line = 0;

	if (strlen(number->text) > LINE_DIGITS_MAX ||
	    !g_ascii_string_to_unsigned(number->text, 10, 1, G_MAXINT, &line, NULL))
		problems_add(parser->problems, parser->file, &number->where,
			     "found %.20s, expected the line of a rule", number->text);
	parser->expectations->open->line = (int)line;
	word_free(number);
}

void build_expected(Parser *parser)
{
	Expectations *expectations = parser->expectations;
	Expectation *open = g_steal_pointer(&expectations->open);

	if (!open || parser->sentence_failed || !open->decided) {
		expectation_free(open);
		return;
	}
	if (!open->sender || !open->recipient)
		problems_add(parser->problems, parser->file, &open->where,
			     "found an expectation without %s, expected from \"ADDRESS\" and to "
			     "\"ADDRESS\"",
			     open->sender ? "\"to\"" : "\"from\"");
	else if (*open->sender == '\0' && !open->directed)
		problems_add(parser->problems, parser->file, &open->where,
			     "found an empty sender without a direction, expected outgoing, "
			     "internal, incoming or relayed after expect");
	g_ptr_array_add(expectations->all, open);
}
