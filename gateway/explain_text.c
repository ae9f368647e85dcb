/* SPDX-License-Identifier: Apache-2.0
 *
 * A Preview for people, and its files. See explain.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"

#include "gateway/annotate.h"
#include "gateway/contradiction.h"
#include "gateway/explain.h"
#include "gateway/explain_words.h"

HandbackVerdict explain_verdict(const Preview *preview)
{
	if (!preview->error)
		return HANDBACK_ACCEPT;
	return error_info(preview->error)->class == ERROR_PERMANENT ? HANDBACK_REJECT
								    : HANDBACK_DEFER;
}

char *explain_reply(const Preview *preview)
{
	if (!preview->error)
		return NULL;
	g_autoptr(Handback) handback = handback_error(preview->error);

	return g_strdup_printf("%d %s %s", handback->code, handback->enhanced, handback->text);
}

const char *explain_direction(const Job *job)
{
	Direction direction = DIRECTION_OUTGOING;

	for (guint i = 0; i < job->recipients->len; i++) {
		const Recipient *recipient = job->recipients->pdata[i];

		if (recipient->direction == DIRECTION_OUTGOING)
			return direction_name(DIRECTION_OUTGOING);
		if (i == 0)
			direction = recipient->direction;
	}
	return direction_name(direction);
}

static void tell_rungs(GString *text, const PlanRecipient *outcome)
{
	gboolean taken = outcome->error != NULL;

	for (guint i = 0; i < outcome->rungs->len; i++) {
		const RungResult *result = &g_array_index(outcome->rungs, RungResult, i);
		gboolean winner = !taken && result->possible;

		taken = taken || winner;
		g_string_append_printf(text, "  %s %s%s%s: %s\n", winner ? "->" : "  ",
				       way_name(result->rung.way),
				       result->rung.transport != TRANSPORT_ANY ? " over " : "",
				       result->rung.transport != TRANSPORT_ANY
					       ? transport_name(result->rung.transport)
					       : "",
				       result->text);
	}
}

static void tell_keys(GString *text, const KeyAnswer *answer)
{
	for (guint i = 0; answer && i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];

		g_string_append_printf(text, "     key %s %s (%s): %s\n", key_type_name(key->type),
				       key->id, key->source, key->usable ? "usable" : key->reason);
	}
	if (answer && answer->failure)
		g_string_append_printf(text, "     not all sources could be asked: %s\n",
				       answer->failure->message);
}

/* Where a server was asked, or will be, that the MTA did not name. */
static void tell_next_hop(GString *text, const PlanRecipient *outcome)
{
	gboolean matters = outcome->transport != TRANSPORT_ANY;

	for (guint i = 0; i < outcome->rungs->len; i++) {
		Rung rung = g_array_index(outcome->rungs, RungResult, i).rung;

		matters = matters || rung.way == WAY_TLS || rung.way == WAY_VERIFIED_TLS ||
			  rung.transport != TRANSPORT_ANY;
	}
	if (matters && outcome->nexthop && g_strcmp0(outcome->nexthop_from, "mta") != 0)
		g_string_append_printf(text, "     next hop %s: %s; the MTA may know another one\n",
				       outcome->nexthop,
				       g_strcmp0(outcome->nexthop_from, "setting") == 0
					       ? "by [mta] nexthop"
					       : "the recipient's domain");
}

static void tell_recipient(GString *text, const PlanRecipient *outcome)
{
	const Recipient *recipient = outcome->recipient;
	const RuleSource *rule = &outcome->decision->rule;

	g_string_append_printf(text, "%s (%s%s)\n", recipient->address,
			       direction_name(recipient->direction),
			       recipient->copy ? ", added by a copy rule" : "");
	if (rule->line > 0)
		g_string_append_printf(text, "  rule %s:%d  %s\n", rule->file, rule->line,
				       rule->text);
	else
		g_string_append(text, "  no rule matches\n");
	tell_rungs(text, outcome);
	tell_next_hop(text, outcome);
	tell_keys(text, outcome->answer);
	if (outcome->error)
		g_string_append_printf(text, "  stays here: %s\n", outcome->error->message);
	else
		g_string_append_printf(text, "  goes as: %s\n", plan_recipient_way(outcome));
	if (outcome->bare_report)
		g_string_append(text,
				"  not signed: a receipt or delivery report, which programs look "
				"for at the root of a message\n");
	g_string_append_c(text, '\n');
}

/* What was found in a message that came in, as its header will say. */
static void tell_found(GString *text, const Opened *opened)
{
	g_autofree char *details = annotate_details(opened);
	g_auto(GStrv) folds = g_strsplit(details, "\n\t", -1);
	g_autofree char *unfolded = g_strjoinv(" ", folds);
	g_auto(GStrv) items = g_strsplit(unfolded, ";", -1);

	for (char **item = items; *item; item++) {
		g_string_append_printf(text, "  %s\n", g_strstrip(*item));
		explain_words(text, *item);
	}
	for (guint i = 0; i < opened->lessons->len; i++) {
		const Lesson *lesson = opened->lessons->pdata[i];

		g_string_append_printf(text, "  key of the sender (%s, %s): %s %s\n",
				       key_type_name(lesson_type(lesson)), lesson_origin(lesson),
				       lesson_id(lesson), learn_result_name(lesson_result(lesson)));
	}
}

static void tell_variant(GString *text, const Plan *plan, const PlanVariant *variant,
			 const Output *output)
{
	g_auto(GStrv) addresses = plan_variant_addresses(variant);
	g_autofree char *list = g_strjoinv(", ", addresses);
	g_autofree char *route = plan_route(variant);

	g_string_append_printf(text, "Variant %u (%s) to %s\n", variant->number,
			       plan_variant_way(variant), list);
	if (variant->sign != SIGN_NONE)
		g_string_append_printf(text, "  signed as %s (%s)\n", plan->signer,
				       variant->sign == SIGN_SMIME ? "S/MIME" : "PGP");
	else if (!variant->unchanged && (variant->way == WAY_SMIME || variant->way == WAY_PGP))
		g_string_append_printf(text, "  not signed: %s\n",
				       plan->signer_reason ? plan->signer_reason
							   : "the sender's client has signed it");
	if (variant->hide_subject)
		g_string_append(text, "  the subject stands inside only; outside: [...]\n");
	if (output->cut)
		g_string_append(text, "  what it quotes of a message that came encrypted is cut\n");
	if (variant->opened)
		tell_found(text, variant->opened);
	if (route)
		g_string_append_printf(text, "  transport enforced: %s\n", route);
}

char *explain_text(const Job *job, const Preview *preview)
{
	const Plan *plan = preview->plan;
	GString *text = g_string_new(NULL);
	g_autofree char *reply = explain_reply(preview);

	const char *contradiction = contradiction_text(contradiction_find(job));

	g_string_append_printf(text, "Direction: %s (client: %s)\n%s%s%s\n", explain_direction(job),
			       job->trusted_why, contradiction ? "Warning: " : "",
			       contradiction ? contradiction : "", contradiction ? "\n" : "");
	for (guint i = 0; plan && i < plan->recipients->len; i++)
		tell_recipient(text, plan->recipients->pdata[i]);
	for (guint i = 0; preview->outputs && i < preview->outputs->len; i++)
		tell_variant(text, plan, plan->variants->pdata[i], preview->outputs->pdata[i]);
	g_string_append_printf(text, "%sVerdict: %s%s%s\n", preview->outputs ? "\n" : "",
			       handback_verdict_name(explain_verdict(preview)), reply ? ": " : "",
			       reply ? reply : "");
	return g_string_free(text, FALSE);
}

static gboolean write_fd(void *self, const void *data, gsize size, GError **error)
{
	const char *bytes = data;
	const int *fd = self;

	while (size > 0) {
		ssize_t put = write(*fd, bytes, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return error_set_errno(error, put < 0 ? errno : EIO, "writing");
		bytes += put;
		size -= (gsize)put;
	}
	return TRUE;
}

static gboolean write_message(const Job *job, const Output *output, int fd, GError **error)
{
	static const SinkClass class = {write_fd, NULL};
	g_autoptr(Sink) sink = sink_new(&class, &fd);
	g_autoptr(Headers) headers = output_headers(job, output, error);
	g_autoptr(Source) body = output_body(job, output);

	return headers && headers_write(headers, HEADERS_ALL, sink, error) &&
	       sink_write(sink, "\r\n", 2, error) && stream_copy(body, sink, error);
}

gboolean explain_write(const Job *job, const Preview *preview, const char *folder, GError **error)
{
	for (guint i = 0; preview->outputs && i < preview->outputs->len; i++) {
		g_autofree char *name = g_strdup_printf("%u.eml", i + 1);
		g_autofree char *path = g_build_filename(folder, name, NULL);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		if (fd < 0)
			return error_set_errno(error, errno, path);
		gboolean written = write_message(job, preview->outputs->pdata[i], fd, error);

		if (close(fd) != 0 && written)
			return error_set_errno(error, errno, path);
		if (!written)
			return FALSE;
	}
	return TRUE;
}
