/* SPDX-License-Identifier: Apache-2.0
 *
 * What a policy is in memory: internal domains, lists and, per direction, rules in their order.
 * Built once by build.c, read by match.c and decide.c, never changed after.
 *
 * Patterns are interned: the same folded pattern is the same pointer all over a policy, so that a
 * look-up of the few patterns that an address can meet replaces comparing it with each rule.
 */
#ifndef SEALPOST_POLICIES_MODEL_H
#define SEALPOST_POLICIES_MODEL_H

#include "policies/policy.h"
#include "policies/problems.h"

#define POLICY_BYTES_MAX (4 * 1024 * 1024)
#define POLICY_RULES_MAX 50000 /* copy rules included */
#define LIST_BYTES_MAX (16 * 1024 * 1024)
#define LIST_ENTRIES_MAX 100000
#define CONDITIONS_MAX 8 /* in one rule */
#define TEXT_BYTES_MAX 1000 /* one text in quotes */
#define REJECT_BYTES_MAX 400 /* one line of an SMTP reply, with room for its codes */
#define DIRECTIONS 4

typedef struct {
	char *name;
	Span where;
	gboolean used;
	GHashTable *patterns; /* set of interned patterns */
	guint64 mask; /* see Gate */
} List;

typedef enum {
	CONDITION_TO,
	CONDITION_FROM,
	CONDITION_SUBJECT_HAS,
	CONDITION_HEADER_HAS,
	CONDITION_HEADER_IS,
	CONDITION_REPLY, /* to encrypted */
	CONDITION_INVITATION,
} ConditionKind;

typedef struct {
	ConditionKind kind;
	gboolean negated;
	Span where;
	GPtrArray *patterns; /* to, from: interned */
	GPtrArray *lists; /* to, from: of List, borrowed from the policy */
	GPtrArray *words; /* to, from: of Word, as they stand in the file */
	char *field; /* header: its name in lower case */
	GPtrArray *texts; /* has, is: of char *, as written */
	GPtrArray *folded; /* has, is: of char *, as compared */
} Condition;

/* A word or a text in quotes, and where it stands. */
typedef struct {
	char *text;
	gboolean quoted;
	Span where;
} Word;

/* What a rule says is to be done. */
typedef struct {
	PolicyVerdict verdict;
	GArray *ladder; /* of Rung */
	char *reject_text;
	gboolean sign;
	gboolean sign_as_from;
	gboolean remove_tag;
	gboolean keys_from_learned;
	gboolean hide_subject;
	Demands demands; /* the same as `require` of incoming mail; see builddemand.c */
	guint clauses; /* how often it says `require` */
	gboolean for_incoming; /* says what only incoming mail can be asked for */
	gboolean for_leaving; /* says what cannot be asked of incoming mail */
} Outcome;

typedef struct {
	Direction direction;
	Span where;
	RuleSource source;
	GPtrArray *conditions; /* of Condition: all must hold */
	Outcome *outcome; /* NULL in a copy rule */
	char *copy_to; /* NULL in any other */
} Rule;

/* What stands in a row before the rules of a direction, so that most of many are passed over
 * without a look at them: a bit for each pattern (by its hash) that the rule's `to` and `from`
 * take, all bits where it takes anything. An address whose patterns have none of the bits cannot
 * match. */
typedef struct {
	guint64 to;
	guint64 from;
} Gate;

struct Policy {
	gatomicrefcount references;
	char *path;
	GHashTable *patterns; /* set that owns the interned patterns */
	GHashTable *internal; /* interned pattern -> Span * of where it stands */
	GHashTable *lists; /* name -> List */
	GPtrArray *rules[DIRECTIONS]; /* of Rule, in their order */
	GArray *gates[DIRECTIONS]; /* of Gate, one for each of these rules */
	GPtrArray *copies[DIRECTIONS]; /* the same, of copy rules */
	gboolean asks_replies; /* for policy_asks_replies() */
	gboolean asks_claimed; /* for policy_asks_claimed() */
	GPtrArray *warnings; /* of char *, for policy_warnings() */
};

Policy *policy_new(const char *path);
/* The one pointer for this folded pattern. */
const char *policy_intern(Policy *policy, const char *pattern);

Word *word_new(const char *text, gboolean quoted, const Span *where);
void word_free(Word *word);
GPtrArray *words_new(void);
Condition *condition_new(ConditionKind kind, const Span *where);
void condition_free(Condition *condition);
Outcome *outcome_new(PolicyVerdict verdict);
void outcome_free(Outcome *outcome);
Rule *rule_new(Direction direction, GPtrArray *conditions, Outcome *outcome);
void rule_free(Rule *rule);
List *list_new(const char *name, const Span *where);
void list_free(List *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Word, word_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Condition, condition_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Outcome, outcome_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rule, rule_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(List, list_free)

/* An outcome in the language's own words: "require smime over tls, portal". New string. */
char *outcome_text(const Outcome *outcome);

#endif
