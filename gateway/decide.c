/* SPDX-License-Identifier: Apache-2.0
 *
 * The third step: policy ladder x usable keys -> Plan. See decide.h.
 */
#include "lib/base/error.h"
#include "lib/mail/address.h"

#include "gateway/decide.h"
#include "gateway/facts.h"
#include "gateway/signing.h"

typedef struct {
	const Job *job;
	const Parsed *parsed;
	const Advisers *advisers;
	Plan *plan;
	Facts facts;
	GHashTable *visible; /* set of folded addresses in To and Cc */
	SigningRight right;
	gboolean asked_smime, asked_pgp; /* for the signer */
	GError *signer_failure[2]; /* by KeyType: could not look */
} Decider;

/* Who stands in To and Cc, resent ones too: everybody else was hidden by the sender, whatever the
 * MTA or a list made of the address. */
static GHashTable *visible_addresses(const Headers *headers)
{
	static const char *const names[] = {"To", "Cc", "Resent-To", "Resent-Cc"};
	GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < headers_count(headers); i++) {
		const Header *header = headers_at(headers, i);
		gboolean shown = FALSE;

		for (guint n = 0; n < G_N_ELEMENTS(names); n++)
			shown = shown || g_ascii_strcasecmp(header->name, names[n]) == 0;
		if (!shown)
			continue;
		g_autoptr(GPtrArray) list = address_list_parse(header->value, NULL);

		for (guint a = 0; a < list->len; a++) {
			char *folded = address_fold(list->pdata[a]);

			if (folded)
				g_hash_table_add(set, folded);
		}
	}
	return set;
}

/* Whom rules see as the sender: of a message with a null sender (tickets, notifications) the one
 * address of ours in From. */
static const char *policy_sender(const Decider *decider)
{
	const char *sender = decider->job->sender.folded;
	const char *from = decider->plan->signer;

	return *sender == '\0' && from ? from : sender;
}

/* Where the MTA will send it. What it says goes into a header, so only plain words count; mail of
 * the `sendmail` command comes without, and explain has no MTA to ask. */
static void set_next_hop(const Decider *decider, PlanRecipient *outcome)
{
	const char *said = outcome->recipient->nexthop;
	const char *setting = conf_string(decider->job->snapshot->conf, "mta", "nexthop");

	for (const char *c = said; c && *c; c++)
		if (*c <= ' ' || *c >= 0x7f)
			said = NULL;
	outcome->nexthop = address_domain(outcome->recipient->folded);
	outcome->nexthop_from = "domain";
	if (said && *said) {
		outcome->nexthop = said;
		outcome->nexthop_from = "mta";
	} else if (setting && *setting) {
		outcome->nexthop = setting;
		outcome->nexthop_from = "setting";
	}
}

/* The signer's key in a technology, asked for once. */
static void ask_signer(Decider *decider, KeyType type)
{
	const Advisers *advisers = decider->advisers;
	Plan *plan = decider->plan;
	gboolean *asked = type == KEY_SMIME ? &decider->asked_smime : &decider->asked_pgp;
	GError **failure = &decider->signer_failure[type];
	const char *reason = NULL;

	if (*asked)
		return;
	*asked = TRUE;
	if (type == KEY_SMIME)
		plan->smime_signer =
			advisers->smime_signer(advisers->context, plan->signer, &reason, failure);
	else
		plan->pgp_signer =
			advisers->pgp_signer(advisers->context, plan->signer, &reason, failure);
	if (!plan->signer_reason &&
	    !(type == KEY_SMIME ? (void *)plan->smime_signer : (void *)plan->pgp_signer))
		plan->signer_reason = reason ? reason : "no-signing-key";
}

static SignKind sign_with(Decider *decider, KeyType type)
{
	ask_signer(decider, type);
	if (type == KEY_SMIME)
		return decider->plan->smime_signer ? SIGN_SMIME : SIGN_NONE;
	return decider->plan->pgp_signer ? SIGN_PGP : SIGN_NONE;
}

static gboolean may_sign(const Decider *decider, const PolicyDecision *decision)
{
	return decider->right == SIGNING_ALLOWED ||
	       (decider->right == SIGNING_BY_RULE && decision->sign_as_from);
}

/* Encrypted mail is signed in its own technology; mail that is only signed in the one that the
 * sender has a key for, S/MIME first. */
static SignKind choose_signature(Decider *decider, const PlanRecipient *outcome)
{
	SignKind kind;

	if (outcome->way == WAY_SMIME)
		return sign_with(decider, KEY_SMIME);
	if (outcome->way == WAY_PGP)
		return sign_with(decider, KEY_PGP);
	if (!outcome->decision->sign_required)
		return SIGN_NONE;
	kind = sign_with(decider, KEY_SMIME);
	return kind != SIGN_NONE ? kind : sign_with(decider, KEY_PGP);
}

/* The client's own signature is as good as ours, if it is of the same kind as the encryption, and
 * covers all of it: not a hidden subject. */
static gboolean is_signed_already(const Decider *decider, const PlanRecipient *outcome)
{
	Layer layer = decider->parsed->signed_by;

	if (layer == LAYER_NONE || (outcome->key && outcome->decision->hide_subject))
		return FALSE;
	if (outcome->way == WAY_SMIME || outcome->way == WAY_PGP)
		return layer == (outcome->way == WAY_SMIME ? LAYER_SMIME : LAYER_PGP);
	return TRUE;
}

/* Other programs look for a receipt or a delivery report at the message's root, and a signature around it
 * would bury it (RFC 8098, RFC 3464). Encrypted ones are signed all the same: their root is inside. Whoever
 * dresses up a letter as one loses its signature; what else the rule requires, stays. */
static gboolean is_bare_report(const Decider *decider, const PlanRecipient *outcome)
{
	return decider->parsed->report && outcome->decision->sign_required && !outcome->key &&
	       decider->right != SIGNING_NEVER;
}

/* "No key" and "could not look" are different here too. */
static const GError *signer_failure(const Decider *decider)
{
	return decider->signer_failure[KEY_SMIME] ? decider->signer_failure[KEY_SMIME]
						  : decider->signer_failure[KEY_PGP];
}

static void refuse_unsigned(const Decider *decider, PlanRecipient *outcome)
{
	const char *reason = decider->plan->signer_reason;

	g_set_error(&outcome->error, SEALPOST_ERROR, ERROR_NOT_SIGNABLE,
		    "Not sent: the rule for <%s> demands a signature, and none is possible (%s)",
		    outcome->recipient->address, reason ? reason : "no-signing-key");
}

static void decide_signature(Decider *decider, PlanRecipient *outcome)
{
	const PolicyDecision *decision = outcome->decision;

	if (outcome->error || outcome->unchanged || is_signed_already(decider, outcome))
		return;
	outcome->bare_report = is_bare_report(decider, outcome);
	if (outcome->bare_report)
		return;
	if (may_sign(decider, decision))
		outcome->sign = choose_signature(decider, outcome);
	if (outcome->sign != SIGN_NONE)
		return;
	if (signer_failure(decider))
		outcome->error = g_error_copy(signer_failure(decider));
	else if (decision->sign_required)
		refuse_unsigned(decider, outcome);
}

static void decide_recipient(Decider *decider, PlanRecipient *outcome)
{
	const Recipient *recipient = outcome->recipient;

	outcome->decision = facts_ask(&decider->facts, recipient);
	set_next_hop(decider, outcome);
	outcome->hidden = !g_hash_table_contains(decider->visible, recipient->folded);
	ladder_walk(outcome, decider->parsed->encrypted, decider->advisers);
	decide_signature(decider, outcome);
}

/* The addresses of `copy` rules become recipients of their own, under the same policy; their own
 * `copy` rules are not followed further. */
static void add_copies(Decider *decider)
{
	Plan *plan = decider->plan;
	guint count = plan->recipients->len;

	for (guint i = 0; i < count; i++) {
		const PlanRecipient *outcome = plan->recipients->pdata[i];
		const GPtrArray *copies = outcome->decision->copies;

		for (guint c = 0; copies && c < copies->len; c++) {
			if (plan_has_recipient(plan, copies->pdata[c]))
				continue;
			decide_recipient(decider, plan_add_copy(plan, copies->pdata[c],
								job_direction(decider->job,
									      copies->pdata[c])));
		}
	}
}

Plan *decide(const Job *job, const Parsed *parsed, const Advisers *advisers)
{
	Plan *plan = plan_new();
	Decider decider = {.job = job, .parsed = parsed, .advisers = advisers, .plan = plan};

	decider.right = signing_right(job, &plan->signer, &plan->signer_reason);
	decider.visible = visible_addresses(job->headers);
	if (facts_init(&decider.facts, job, policy_sender(&decider), &plan->error)) {
		decider.facts.invitation = parse_is_invitation(parsed->tree);
		for (guint i = 0; i < job->recipients->len; i++)
			decide_recipient(&decider,
					 plan_add_recipient(plan, job->recipients->pdata[i]));
		add_copies(&decider);
		plan_group(plan);
	}
	facts_clear(&decider.facts);
	g_hash_table_unref(decider.visible);
	g_clear_error(&decider.signer_failure[KEY_SMIME]);
	g_clear_error(&decider.signer_failure[KEY_PGP]);
	return plan;
}

/* What was found at RCPT fills the cache, and tells whether all could be asked; with a client that takes its
 * time it is old, and its key may be deleted or revoked by now. Nothing is asked after the deadline: a store
 * that another process has locked lets each recipient wait anew. */
static KeyAnswer *advise_keys(void *context, const Recipient *recipient)
{
	const Job *job = context;
	const gint64 deadline = job_lookup_deadline(job);
	g_autoptr(KeyAnswer) early =
		recipient->lookup ? key_lookup_wait(recipient->lookup, deadline) : NULL;

	if (early && early->failure)
		return g_steal_pointer(&early);
	if (g_get_monotonic_time() >= deadline)
		return key_answer_late(recipient->folded);
	g_autoptr(KeyLookup) fresh = keystore_lookup(job->snapshot->keystore, recipient->address);

	return key_lookup_wait(fresh, deadline);
}

static TlsAbility advise_tls(void *context, const char *nexthop)
{
	const Job *job = context;

	return tlsprobe_ask(job->snapshot->tlsprobe, nexthop, job_lookup_deadline(job));
}

static SmimeSigner *advise_smime_signer(void *context, const char *address, const char **reason,
					GError **error)
{
	const Job *job = context;

	return keystore_smime_signer(job->snapshot->keystore, address, reason, error);
}

static char *advise_pgp_signer(void *context, const char *address, const char **reason,
			       GError **error)
{
	const Job *job = context;

	PgpDelivery to = {job->snapshot->pgp, job_lookup_deadline(job)};

	return keystore_pgp_signer(job->snapshot->keystore, address, &to, reason, error);
}

Advisers decide_advisers(Job *job)
{
	return (Advisers){advise_keys, advise_tls, advise_smime_signer, advise_pgp_signer, job};
}
