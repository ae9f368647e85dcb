/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule language: readable sentences in, a decision with its reason out. Pure: no files other
 * than the policy's own, no network, no clock. A Policy never changes; a reload makes a new one.
 * The first rule that matches a recipient decides; every matching `copy` rule adds to it.
 */
#ifndef SEALPOST_POLICIES_POLICY_H
#define SEALPOST_POLICIES_POLICY_H

#include <glib.h>

typedef struct Policy Policy;

/* Reads and checks FILE (and files of lists that it names, relative to it). ERROR_CONFIG with one
 * "FILE:LINE:COLUMN: what was found, what was expected" per line, all errors in one go; unknown
 * words suggest the nearest known one. */
Policy *policy_load(const char *path, GError **error);
void policy_unref(Policy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Policy, policy_unref)

/* All rules, `copy` rules included. */
guint policy_rule_count(const Policy *policy);

/* What is allowed but probably not meant (rules that are never reached, lists that no rule uses):
 * char *, "FILE:LINE:COLUMN: warning: …", in the file's order. Borrowed. */
const GPtrArray *policy_warnings(const Policy *policy);

/* Is the address (any form) in one of the policy's internal domains? */
gboolean policy_is_internal(const Policy *policy, const char *address);

typedef enum {
	DIRECTION_OUTGOING,
	DIRECTION_INTERNAL,
	DIRECTION_INCOMING,
	DIRECTION_OTHER, /* a stranger's, to an external recipient: `relayed` */
} Direction;
const char *direction_name(Direction direction); /* "outgoing", …, "relayed" */

/* What conditions have made of a message's texts, kept from one recipient to the next. */
typedef struct PolicyTexts PolicyTexts;
PolicyTexts *policy_texts_new(void);
void policy_texts_free(PolicyTexts *texts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PolicyTexts, policy_texts_free)

/* What is known of a message and one recipient. Strings UTF-8, borrowed for the call. */
typedef struct {
	Direction direction;
	const char *sender; /* folded; "" for the null sender without a From */
	const char *recipient; /* folded */
	const char *subject; /* decoded; "" if none */
	/* All fields of that name, decoded: a new array of char *, owns them. NULL: there are none
	 * of any name. */
	GPtrArray *(*headers)(void *context, const char *name);
	void *context;
	const char *const
		*claimed; /* incoming: the addresses in From, folded, which `from` looks at
				       too; NULL-terminated; NULL: none, or not known yet */
	gboolean reply_to_encrypted; /* answers mail that was encrypted when it came */
	PolicyTexts *texts; /* the same for all recipients of one message; NULL: nothing is kept */
	gboolean invitation; /* asks to a meeting */
} PolicyFacts;

/* A way to protect a message, and what it asks of the transport. */
typedef enum {
	WAY_SMIME,
	WAY_PGP,
	WAY_PORTAL,
	WAY_TLS,
	WAY_VERIFIED_TLS,
	WAY_PLAIN,
	WAY_COUNT
} Way;
typedef enum { TRANSPORT_ANY, TRANSPORT_TLS, TRANSPORT_VERIFIED_TLS } Transport;
const char *way_name(Way way); /* "smime", "verified-tls", … as in explain's JSON */
const char *transport_name(Transport transport); /* "any", "tls", "verified-tls" */

typedef struct {
	Way way;
	Transport transport; /* WAY_TLS and WAY_VERIFIED_TLS imply their own */
} Rung;

/* What `require` asks of mail that comes in: all of it. */
typedef struct {
	gboolean smime, pgp; /* encrypted in one of those that are TRUE; both FALSE: need not be */
	gboolean signature; /* a good one, by the address in From */
	guint tls; /* came over TLS: 0 need not, TLS_ANY, TLS_1_2 or newer, TLS_1_3 or newer */
} Demands;
enum { TLS_ANY = 1, TLS_1_2 = 12, TLS_1_3 = 13 };
/* "tls", "tls 1.2", "tls 1.3". Static. */
const char *tls_demand_name(guint tls);

/* Where a decision stands in the policy, for explain and log. Owned by the Policy. */
typedef struct {
	const char *file;
	int line;
	const char *text; /* the rule as written, blanks folded to one */
} RuleSource;

typedef enum {
	VERDICT_REQUIRE, /* the first possible rung; none: refuse; incoming: what demands say */
	VERDICT_PREFER, /* the first possible rung; none: as it is */
	VERDICT_PLAIN, /* as it is, because a rule says so */
	VERDICT_REJECT,
} PolicyVerdict;

typedef struct {
	PolicyVerdict verdict;
	RuleSource rule; /* line 0 and text "(no rule matches)" if none did: outgoing mail is then
			    refused as by `reject`, all other directions pass as they are */
	GArray *ladder; /* of Rung; empty for PLAIN and REJECT, and for incoming mail */
	Demands demands; /* incoming with REQUIRE; else nothing is demanded */
	char *reject_text; /* for VERDICT_REJECT; NULL: the table's text */
	gboolean sign_required; /* `sign`: refuse or defer what cannot be signed; with PLAIN: signed
				   only */
	gboolean sign_as_from; /* `sign as from`: From may be another address of the sender's
				   domain, or the sender null; demands nothing by itself */
	gboolean keys_from_learned; /* keys that were learned and not approved count as well */
	gboolean remove_tag; /* take the tag out of the subject: policy_remove_tag() */
	gboolean hide_subject; /* an encrypted copy has its subject inside only (RFC 9788) */
	char *tag; /* the text of `subject has` that was found; NULL if none */
	GPtrArray *copies; /* of char *: addresses of `copy` rules that matched, folded */
} PolicyDecision;

/* Never fails. New decision. */
PolicyDecision *policy_decide(const Policy *policy, const PolicyFacts *facts);
void policy_decision_free(PolicyDecision *decision);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PolicyDecision, policy_decision_free)

/* While only the envelope of incoming mail is known: the TLS that it must have come over, whatever
 * its header will be; 0: none, or it depends. */
guint policy_tls_foreseen(const Policy *policy, const PolicyFacts *facts);

/* Can policy_tls_foreseen() say anything but 0? */
gboolean policy_asks_tls(const Policy *policy);
/* Does any rule ask for reply_to_encrypted? If not, nobody need remember what was encrypted. */
gboolean policy_asks_replies(const Policy *policy);
/* Does any rule for a stranger's mail ask who it is from? If not, `claimed` need not be known. */
gboolean policy_asks_claimed(const Policy *policy);

/* The decoded subject without the tag, wherever it stands and in any case, as `subject has` finds
 * it. New string. */
char *policy_remove_tag(const char *subject, const char *tag);

#endif
