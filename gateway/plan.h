/* SPDX-License-Identifier: Apache-2.0
 *
 * What shall happen to a message, as a value: each recipient's outcome with its reason, and
 * recipients of the same outcome grouped into variants. Made by decide.c, carried out by
 * protect.c and the hand-back, shown by explain.c.
 */
#ifndef SEALPOST_GATEWAY_PLAN_H
#define SEALPOST_GATEWAY_PLAN_H

#include "gateway/job.h"
#include "gateway/opened.h"

/* Most recipients whose keys share one encrypted variant; more make a further one. */
#define PLAN_KEYS_MAX 100

/* Why a rung of the ladder could be climbed or not. */
typedef struct {
	Rung rung;
	gboolean possible;
	const char *reason; /* "no-key", "no-usable-key", "lookup-failed", "no-tls",
			       "already-protected", …; NULL: possible as it is. Static. */
	char *text; /* the same for people */
} RungResult;

/* Who signs a variant. */
typedef enum { SIGN_NONE, SIGN_SMIME, SIGN_PGP } SignKind;

typedef struct {
	const Recipient *recipient; /* the job's, or one of Plan.copies */
	PolicyDecision *decision;
	KeyAnswer *answer; /* NULL: keys did not matter */
	GArray *rungs; /* of RungResult, as many as the ladder has */
	Way way;
	gboolean unchanged; /* neither a rule nor a rung asks for anything: passes as it is */
	Transport transport;
	const char *nexthop; /* for an enforced transport; borrowed */
	const char *nexthop_from; /* "mta", "setting", "domain": who says so; static */
	const Key *key; /* WAY_SMIME, WAY_PGP: borrowed from answer */
	SignKind sign;
	gboolean bare_report; /* the rule wants a signature, but it would bury a report */
	Opened *opened; /* incoming: what was found with this recipient's keys; NULL: not looked */
	char *opened_key; /* ... equal for those who may share a copy */
	gboolean hidden; /* not in To or Cc: shares no variant that shows its key */
	guint variant; /* number of its variant, from 1; 0: it goes nowhere */
	GError *error; /* why it goes nowhere */
	gboolean served; /* ... and need not: the copy has left at an earlier try */
} PlanRecipient;

typedef struct {
	guint number; /* from 1 */
	GPtrArray *recipients; /* of PlanRecipient *, borrowed; at least one */
	/* What all of them share. */
	Way way;
	gboolean unchanged;
	Transport transport;
	const char *nexthop;
	SignKind sign;
	const char *tag; /* text to take out of the subject; NULL: none */
	gboolean hide_subject; /* the subject stands inside the encryption only */
	const Opened *opened; /* incoming; borrowed from the first recipient */
} PlanVariant;

typedef struct {
	GPtrArray *recipients; /* of PlanRecipient * */
	GPtrArray *copies; /* of Recipient *: recipients that `copy` rules added */
	GPtrArray *variants; /* of PlanVariant *; empty if error is set */
	/* Who may be signed for, and with what (as far as it was needed). */
	char *signer; /* folded address; NULL: nobody */
	const char *signer_reason; /* why not, or why there is no key; static */
	SmimeSigner *smime_signer;
	char *pgp_signer; /* fingerprint */
	GError *error; /* why nothing leaves: of the recipient who decides it */
} Plan;

Plan *plan_new(void);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

/* A new PlanRecipient in the plan. */
PlanRecipient *plan_add_recipient(Plan *plan, const Recipient *recipient);
/* The same for a recipient that a `copy` rule adds. */
PlanRecipient *plan_add_copy(Plan *plan, const char *address, Direction direction);
gboolean plan_has_recipient(const Plan *plan, const char *folded);

/* The last step of deciding: recipients of the same outcome into variants; or, if one cannot go
 * anywhere, plan->error. A refusal counts more than a deferral: it will not change. */
void plan_group(Plan *plan);

/* Of a plan with an error, if those who cannot be served now have their copy already (done: recipient_id() of
 * all who have): the others are grouped without them. */
void plan_leave_out(Plan *plan, GHashTable *done);

/* "smime", …, "unchanged": as in explain's JSON. Static. */
const char *plan_way_name(Way way, gboolean unchanged);
/* The same, with "opened" for incoming mail whose content was replaced. */
const char *plan_recipient_way(const PlanRecipient *recipient);
const char *plan_variant_way(const PlanVariant *variant);

/* Does it go to an address that a `copy` rule added? An archive must not miss what others have: such a
 * variant is made, and leaves, before those that do not. */
gboolean plan_is_copy(const PlanVariant *variant);

/* Encrypted by us, from end to end. */
gboolean plan_is_encrypted(const PlanVariant *variant);

/* "tls NEXTHOP" for the route header; NULL if the transport is not enforced. New string. */
char *plan_route(const PlanVariant *variant);

/* The folded addresses of a variant's recipients, NULL-terminated. New vector. */
char **plan_variant_addresses(const PlanVariant *variant);

#endif
