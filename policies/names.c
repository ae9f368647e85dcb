/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of directions, ways and transports, and outcomes as text.
 */
#include "policies/model.h"

static const char *const directions[] = {"outgoing", "internal", "incoming", "relayed"};
static const char *const ways[] = {"smime", "pgp", "portal", "tls", "verified-tls", "plain"};
static const char *const transports[] = {"any", "tls", "verified-tls"};
static const char *const verdicts[] = {"require", "prefer", "plain", "reject"};

G_STATIC_ASSERT(G_N_ELEMENTS(directions) == DIRECTIONS);
G_STATIC_ASSERT(G_N_ELEMENTS(ways) == WAY_COUNT);

const char *direction_name(Direction direction)
{
	return directions[direction];
}

const char *way_name(Way way)
{
	return ways[way];
}

const char *transport_name(Transport transport)
{
	return transports[transport];
}

const char *tls_demand_name(guint tls)
{
	return tls == TLS_1_3 ? "tls 1.3" : tls == TLS_1_2 ? "tls 1.2" : "tls";
}

static void append_demands(GString *text, const Demands *demands)
{
	const char *encrypted = demands->smime && demands->pgp ? "smime or pgp"
				: demands->smime	       ? "smime"
				: demands->pgp		       ? "pgp"
							       : NULL;
	const char *all[] = {encrypted, demands->signature ? "signature" : NULL,
			     demands->tls ? tls_demand_name(demands->tls) : NULL};
	const char *between = " ";

	for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
		if (!all[i])
			continue;
		g_string_append_printf(text, "%s%s", between, all[i]);
		between = " require ";
	}
}

static void append_rung(GString *text, const Rung *rung)
{
	gboolean tls_only = rung->way == WAY_TLS || rung->way == WAY_VERIFIED_TLS;

	g_string_append(text, rung->way == WAY_VERIFIED_TLS ? "verified tls" : way_name(rung->way));
	if (!tls_only && rung->transport == TRANSPORT_TLS)
		g_string_append(text, " over tls");
	if (!tls_only && rung->transport == TRANSPORT_VERIFIED_TLS)
		g_string_append(text, " over verified tls");
}

static void append_quoted(GString *text, const char *quoted)
{
	g_string_append_c(text, '"');
	for (const char *p = quoted; *p; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(text, '\\');
		g_string_append_c(text, *p);
	}
	g_string_append_c(text, '"');
}

char *outcome_text(const Outcome *outcome)
{
	GString *text = g_string_new(verdicts[outcome->verdict]);

	if (outcome->for_incoming || outcome->clauses > 1)
		append_demands(text, &outcome->demands);
	for (guint i = 0; i < outcome->ladder->len && outcome->clauses <= 1; i++) {
		g_string_append(text, i > 0 ? ", " : " ");
		append_rung(text, &g_array_index(outcome->ladder, Rung, i));
	}
	if (outcome->reject_text) {
		g_string_append_c(text, ' ');
		append_quoted(text, outcome->reject_text);
	}
	if (outcome->sign)
		g_string_append(text, " sign");
	if (outcome->sign_as_from)
		g_string_append(text, " sign as from");
	if (outcome->remove_tag)
		g_string_append(text, " remove tag");
	if (outcome->keys_from_learned)
		g_string_append(text, " keys from learned");
	if (outcome->hide_subject)
		g_string_append(text, " hide subject");
	return g_string_free(text, FALSE);
}
