/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to the MTA, as data. See handback.h.
 */
#include "lib/base/error.h"

#include "gateway/handback.h"

Handback *handback_accept(Output *output)
{
	Handback *handback = g_new0(Handback, 1);

	handback->verdict = HANDBACK_ACCEPT;
	handback->output = output;
	return handback;
}

Handback *handback_discard(void)
{
	Handback *handback = g_new0(Handback, 1);

	handback->verdict = HANDBACK_DISCARD;
	return handback;
}

/* Texts for the sender, by receive.c, decide.c and the policy; all others stay in the log. */
static gboolean is_public(ErrorCode code)
{
	return code == ERROR_NO_WAY || code == ERROR_REJECTED || code == ERROR_DEMANDED ||
	       code == ERROR_NOT_SIGNABLE || code == ERROR_BAD_ADDRESS;
}

/* One line of printable ASCII: an address or a rule's text cannot end the reply or start another
 * one. */
static char *reply_text(const char *text)
{
	g_autofree char *ascii = g_str_to_ascii(text, "C");
	GString *clean = g_string_new(NULL);

	for (const char *c = ascii; *c && clean->len < HANDBACK_TEXT_MAX; c++)
		g_string_append_c(clean, *c >= ' ' && *c < 0x7f ? *c : ' ');
	return g_string_free(clean, FALSE);
}

Handback *handback_error(const GError *error)
{
	const ErrorInfo *info = error_info(error);
	Handback *handback = g_new0(Handback, 1);

	handback->verdict = info->class == ERROR_PERMANENT ? HANDBACK_REJECT : HANDBACK_DEFER;
	handback->code = info->smtp;
	g_strlcpy(handback->enhanced, info->enhanced, sizeof(handback->enhanced));
	handback->text = reply_text(error && is_public(info->code) ? error->message : info->text);
	handback->reason = info->name;
	handback->detail = error ? g_strdup(error->message) : NULL;
	return handback;
}

void handback_free(Handback *handback)
{
	if (!handback)
		return;
	output_free(handback->output);
	g_free(handback->text);
	g_free(handback->detail);
	g_free(handback);
}

const char *handback_verdict_name(HandbackVerdict verdict)
{
	switch (verdict) {
	case HANDBACK_ACCEPT:
	case HANDBACK_DISCARD: return "deliver";
	case HANDBACK_REJECT: return "reject";
	case HANDBACK_DEFER: break;
	}
	return "defer";
}
