/* SPDX-License-Identifier: Apache-2.0
 *
 * What shall happen to a message, as a value. See plan.h.
 */
#include "lib/base/error.h"

#include "gateway/plan.h"

static void rung_result_clear(RungResult *result)
{
	g_free(result->text);
}

static void plan_recipient_free(PlanRecipient *recipient)
{
	policy_decision_free(recipient->decision);
	key_answer_free(recipient->answer);
	opened_free(recipient->opened);
	g_free(recipient->opened_key);
	g_array_unref(recipient->rungs);
	g_clear_error(&recipient->error);
	g_free(recipient);
}

static void plan_variant_free(PlanVariant *variant)
{
	g_ptr_array_unref(variant->recipients);
	g_free(variant);
}

Plan *plan_new(void)
{
	Plan *plan = g_new0(Plan, 1);

	plan->recipients = g_ptr_array_new_with_free_func((GDestroyNotify)plan_recipient_free);
	plan->copies = g_ptr_array_new_with_free_func((GDestroyNotify)recipient_free);
	plan->variants = g_ptr_array_new_with_free_func((GDestroyNotify)plan_variant_free);
	return plan;
}

void plan_free(Plan *plan)
{
	if (!plan)
		return;
	g_ptr_array_unref(plan->variants);
	g_ptr_array_unref(plan->recipients);
	g_ptr_array_unref(plan->copies);
	g_free(plan->signer);
	smime_signer_free(plan->smime_signer);
	g_free(plan->pgp_signer);
	g_clear_error(&plan->error);
	g_free(plan);
}

PlanRecipient *plan_add_recipient(Plan *plan, const Recipient *recipient)
{
	PlanRecipient *outcome = g_new0(PlanRecipient, 1);

	outcome->recipient = recipient;
	outcome->way = WAY_PLAIN;
	outcome->rungs = g_array_new(FALSE, TRUE, sizeof(RungResult));
	g_array_set_clear_func(outcome->rungs, (GDestroyNotify)rung_result_clear);
	g_ptr_array_add(plan->recipients, outcome);
	return outcome;
}

PlanRecipient *plan_add_copy(Plan *plan, const char *address, Direction direction)
{
	Recipient *copy = recipient_new(address);

	copy->copy = TRUE;
	/* The sender knows nothing of it, so nobody reports on it to him; as always_bcc of Postfix. */
	copy->notify = g_strdup("NEVER");
	copy->direction = direction;
	g_ptr_array_add(plan->copies, copy);
	return plan_add_recipient(plan, copy);
}

gboolean plan_has_recipient(const Plan *plan, const char *folded)
{
	for (guint i = 0; i < plan->recipients->len; i++) {
		const PlanRecipient *known = plan->recipients->pdata[i];

		if (g_strcmp0(known->recipient->folded, folded) == 0)
			return TRUE;
	}
	return FALSE;
}

static const char *recipient_tag(const PlanRecipient *recipient)
{
	const PolicyDecision *decision = recipient->decision;

	return decision && decision->remove_tag ? decision->tag : NULL;
}

/* Only an encrypted copy has an inside for it. */
static gboolean hides_subject(const PlanRecipient *recipient)
{
	const PolicyDecision *decision = recipient->decision;

	return decision && decision->hide_subject && recipient->key && !recipient->unchanged;
}

/* A key of the recipient shows in the message, so who is hidden must be alone there. */
static gboolean needs_own_variant(const PlanRecipient *recipient)
{
	return recipient->hidden && !recipient->unchanged && recipient->key != NULL;
}

/* What recipients must have in common to share a variant. New string. */
static char *outcome_key(const PlanRecipient *recipient)
{
	const char *tag = recipient_tag(recipient);

	return g_strdup_printf("%d\n%d\n%d\n%s\n%d\n%d\n%s\n%s\n%s", recipient->unchanged,
			       recipient->way, recipient->transport,
			       recipient->transport != TRANSPORT_ANY ? recipient->nexthop : "",
			       recipient->sign, hides_subject(recipient), tag ? tag : "",
			       needs_own_variant(recipient) ? recipient->recipient->folded : "",
			       recipient->opened_key ? recipient->opened_key : "");
}

static gboolean is_full(const PlanVariant *variant)
{
	const PlanRecipient *first = variant->recipients->pdata[0];

	return first->key && variant->recipients->len >= PLAN_KEYS_MAX;
}

static PlanVariant *add_variant(Plan *plan, const PlanRecipient *first)
{
	PlanVariant *variant = g_new0(PlanVariant, 1);

	variant->recipients = g_ptr_array_new();
	variant->way = first->way;
	variant->unchanged = first->unchanged;
	variant->transport = first->transport;
	variant->nexthop = first->nexthop;
	variant->sign = first->sign;
	variant->tag = recipient_tag(first);
	variant->hide_subject = hides_subject(first);
	variant->opened = first->opened;
	g_ptr_array_add(plan->variants, variant);
	variant->number = plan->variants->len;
	return variant;
}

static void take_error(Plan *plan)
{
	const GError *chosen = NULL;

	for (guint i = 0; i < plan->recipients->len; i++) {
		const PlanRecipient *recipient = plan->recipients->pdata[i];
		const GError *error = recipient->served ? NULL : recipient->error;

		if (error && (!chosen || (error_info(chosen)->class == ERROR_TEMPORARY &&
					  error_info(error)->class == ERROR_PERMANENT)))
			chosen = error;
	}
	if (chosen)
		plan->error = g_error_copy(chosen);
}

void plan_group(Plan *plan)
{
	g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	take_error(plan);
	for (guint i = 0; i < plan->recipients->len && !plan->error; i++) {
		PlanRecipient *recipient = plan->recipients->pdata[i];

		if (recipient->served)
			continue;
		char *key = outcome_key(recipient);
		PlanVariant *variant = g_hash_table_lookup(known, key);

		if (!variant || is_full(variant)) {
			variant = add_variant(plan, recipient);
			g_hash_table_replace(known, g_steal_pointer(&key), variant);
		}
		g_free(key);
		recipient->variant = variant->number;
		g_ptr_array_add(variant->recipients, recipient);
	}
}

void plan_leave_out(Plan *plan, GHashTable *done)
{
	gboolean any = FALSE;

	for (guint i = 0; i < plan->recipients->len; i++) {
		PlanRecipient *recipient = plan->recipients->pdata[i];

		recipient->served = recipient->error &&
				    g_hash_table_contains(done, recipient_id(recipient->recipient));
		any = any || recipient->served;
	}
	if (!any)
		return;
	g_clear_error(&plan->error);
	plan_group(plan);
}

const char *plan_way_name(Way way, gboolean unchanged)
{
	return unchanged ? "unchanged" : way_name(way);
}

static gboolean was_opened(const Opened *opened)
{
	return opened && opened->entity;
}

const char *plan_recipient_way(const PlanRecipient *recipient)
{
	return was_opened(recipient->opened) ? "opened"
					     : plan_way_name(recipient->way, recipient->unchanged);
}

const char *plan_variant_way(const PlanVariant *variant)
{
	return was_opened(variant->opened) ? "opened"
					   : plan_way_name(variant->way, variant->unchanged);
}

gboolean plan_is_copy(const PlanVariant *variant)
{
	for (guint i = 0; i < variant->recipients->len; i++)
		if (((const PlanRecipient *)variant->recipients->pdata[i])->recipient->copy)
			return TRUE;
	return FALSE;
}

gboolean plan_is_encrypted(const PlanVariant *variant)
{
	return !variant->unchanged && (variant->way == WAY_SMIME || variant->way == WAY_PGP);
}

char *plan_route(const PlanVariant *variant)
{
	if (variant->transport == TRANSPORT_ANY || !variant->nexthop)
		return NULL;
	return g_strdup_printf("%s %s", transport_name(variant->transport), variant->nexthop);
}

char **plan_variant_addresses(const PlanVariant *variant)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (guint i = 0; i < variant->recipients->len; i++) {
		const PlanRecipient *recipient = variant->recipients->pdata[i];

		g_strv_builder_add(builder, recipient_id(recipient->recipient));
	}
	return g_strv_builder_end(builder);
}
