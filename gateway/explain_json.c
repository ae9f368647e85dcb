/* SPDX-License-Identifier: Apache-2.0
 *
 * A Preview as JSON. Fields are only ever added. See explain.h.
 */
#include <json-glib/json-glib.h>

#include "lib/crypt/cms.h"

#include "gateway/contradiction.h"
#include "gateway/explain.h"
#include "gateway/protect.h"

static void add_string(JsonBuilder *json, const char *name, const char *value)
{
	json_builder_set_member_name(json, name);
	if (value)
		json_builder_add_string_value(json, value);
	else
		json_builder_add_null_value(json);
}

static void add_boolean(JsonBuilder *json, const char *name, gboolean value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_boolean_value(json, value);
}

static void add_number(JsonBuilder *json, const char *name, gint64 value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_int_value(json, value);
}

static void begin_array(JsonBuilder *json, const char *name)
{
	json_builder_set_member_name(json, name);
	json_builder_begin_array(json);
}

static void add_rule(JsonBuilder *json, const RuleSource *rule)
{
	json_builder_set_member_name(json, "rule");
	json_builder_begin_object(json);
	add_string(json, "file", rule->file ? rule->file : "");
	add_number(json, "line", rule->line);
	add_string(json, "text", rule->text ? rule->text : "");
	json_builder_end_object(json);
}

static void add_rungs(JsonBuilder *json, const GArray *rungs)
{
	begin_array(json, "rungs");
	for (guint i = 0; i < rungs->len; i++) {
		const RungResult *result = &g_array_index(rungs, RungResult, i);

		json_builder_begin_object(json);
		add_string(json, "way", way_name(result->rung.way));
		add_string(json, "transport", transport_name(result->rung.transport));
		add_boolean(json, "possible", result->possible);
		add_string(json, "reason", result->reason);
		add_string(json, "text", result->text);
		json_builder_end_object(json);
	}
	json_builder_end_array(json);
}

static void add_keys(JsonBuilder *json, const KeyAnswer *answer)
{
	begin_array(json, "keys");
	for (guint i = 0; answer && i < answer->keys->len; i++) {
		const Key *key = answer->keys->pdata[i];

		json_builder_begin_object(json);
		add_string(json, "type", key_type_name(key->type));
		add_string(json, "id", key->id);
		add_string(json, "source", key->source);
		add_boolean(json, "usable", key->usable);
		add_string(json, "reason", key->usable ? NULL : key->reason);
		json_builder_end_object(json);
	}
	json_builder_end_array(json);
}

static void add_recipient(JsonBuilder *json, const PlanRecipient *outcome)
{
	const Recipient *recipient = outcome->recipient;
	const char *way = outcome->error ? NULL : plan_recipient_way(outcome);

	json_builder_begin_object(json);
	add_string(json, "address", recipient->address);
	add_string(json, "direction", direction_name(recipient->direction));
	add_boolean(json, "copy", recipient->copy);
	add_number(json, "variant", outcome->variant);
	add_rule(json, &outcome->decision->rule);
	add_string(json, "way", way);
	add_string(json, "transport", transport_name(outcome->transport));
	add_string(json, "nexthop", outcome->transport == TRANSPORT_ANY ? NULL : outcome->nexthop);
	add_rungs(json, outcome->rungs);
	add_keys(json, outcome->answer);
	add_string(json, "unsigned", outcome->bare_report ? "report" : NULL);
	add_string(json, "error", outcome->error ? outcome->error->message : NULL);
	json_builder_end_object(json);
}

static void add_encryption(JsonBuilder *json, const PlanVariant *variant, const Output *output)
{
	const PlanRecipient *first = variant->recipients->pdata[0];
	gboolean smime = variant->way == WAY_SMIME;
	gboolean gcm = smime && protect_smime_capabilities(variant) & CMS_OPENS_GCM;

	json_builder_begin_object(json);
	add_string(json, "part", "1");
	add_string(json, "kind",
		   gcm	   ? "smime-auth-encrypted"
		   : smime ? "smime-encrypted"
			   : "pgp-encrypted");
	add_string(json, "result", "shut");
	if (smime)
		add_string(json, "algorithm", gcm ? "aes256-gcm" : "aes256-cbc");
	add_string(json, "key", first->key->id);
	begin_array(json, "keys");
	for (guint i = 0; i < variant->recipients->len; i++) {
		const PlanRecipient *recipient = variant->recipients->pdata[i];

		json_builder_add_string_value(json, recipient->key->id);
	}
	json_builder_end_array(json);
	add_string(json, "sha256", output->inner_sha256);
	json_builder_end_object(json);
}

static const char *signer_key(const Plan *plan, SignKind sign)
{
	return sign == SIGN_SMIME ? cert_fingerprint(plan->smime_signer->cert) : plan->pgp_signer;
}

/* Signed alone: clear (multipart/signed) unless its bytes had to stay as they were. */
static gboolean is_opaque(const Output *output)
{
	for (guint i = 0; i < output->edits->len; i++) {
		const Edit *edit = output->edits->pdata[i];

		if (edit->kind == EDIT_ADD && g_ascii_strcasecmp(edit->name, "Content-Type") == 0)
			return !strstr(edit->value, "multipart/signed");
	}
	return FALSE;
}

static void add_signed_layer(JsonBuilder *json, const Plan *plan, const PlanVariant *variant,
			     const Output *output)
{
	const char *kind = "pgp-signed";

	if (variant->sign == SIGN_SMIME)
		kind = !plan_is_encrypted(variant) && is_opaque(output) ? "smime-opaque-signed"
									: "smime-signed";
	json_builder_begin_object(json);
	add_string(json, "part", "1");
	add_string(json, "kind", kind);
	add_string(json, "result", "opened");
	add_string(json, "key", signer_key(plan, variant->sign));
	json_builder_end_object(json);
}

static void add_found_layers(JsonBuilder *json, const Opened *opened)
{
	begin_array(json, "layers");
	for (guint i = 0; i < opened->layers->len; i++) {
		const OpenLayer *layer = opened->layers->pdata[i];

		json_builder_begin_object(json);
		add_string(json, "part", layer->part);
		add_string(json, "kind", layer->kind);
		add_string(json, "result", layer->opened ? "opened" : "shut");
		add_string(json, "reason", layer->reason);
		add_string(json, "algorithm", layer->algorithm);
		add_string(json, "key", layer->key);
		add_string(json, "sha256", layer->sha256);
		json_builder_end_object(json);
	}
	json_builder_end_array(json);
}

static void add_found_signatures(JsonBuilder *json, const Opened *opened)
{
	begin_array(json, "signatures");
	for (guint i = 0; i < opened->signatures->len; i++) {
		const OpenSignature *signature = opened->signatures->pdata[i];

		json_builder_begin_object(json);
		add_string(json, "part", signature->part);
		add_string(json, "kind", signature->kind);
		add_string(json, "covers", signature->partial ? "part" : "message");
		add_string(json, "result", signature->result);
		add_string(json, "form", signature->form);
		add_string(json, "signer", signature->signer);
		add_boolean(json, "matches_from", signature->matches_from);
		add_string(json, "key", signature->key);
		json_builder_end_object(json);
	}
	json_builder_end_array(json);
}

/* The fields that stood inside and are delivered outside. */
static void add_restored(JsonBuilder *json, const Opened *opened)
{
	g_auto(GStrv) names = opened_restored(opened);

	begin_array(json, "restored");
	for (char **name = names; *name; name++)
		json_builder_add_string_value(json, *name);
	json_builder_end_array(json);
}

/* What the keystore would learn from it. */
static void add_lessons(JsonBuilder *json, const Opened *opened)
{
	begin_array(json, "learned");
	for (guint i = 0; i < opened->lessons->len; i++) {
		const Lesson *lesson = opened->lessons->pdata[i];

		json_builder_begin_object(json);
		add_string(json, "type", key_type_name(lesson_type(lesson)));
		add_string(json, "id", lesson_id(lesson));
		add_string(json, "origin", lesson_origin(lesson));
		add_string(json, "result", learn_result_name(lesson_result(lesson)));
		json_builder_end_object(json);
	}
	json_builder_end_array(json);
}

/* What was found in a message that came in. */
static void add_found(JsonBuilder *json, const Opened *opened)
{
	add_restored(json, opened);
	add_found_layers(json, opened);
	add_found_signatures(json, opened);
	begin_array(json, "warnings");
	for (guint i = 0; i < opened->warnings->len; i++)
		json_builder_add_string_value(json, opened->warnings->pdata[i]);
	json_builder_end_array(json);
	add_lessons(json, opened);
}

static void add_layers(JsonBuilder *json, const Plan *plan, const PlanVariant *variant,
		       const Output *output)
{
	begin_array(json, "layers");
	if (plan_is_encrypted(variant))
		add_encryption(json, variant, output);
	if (variant->sign != SIGN_NONE)
		add_signed_layer(json, plan, variant, output);
	json_builder_end_array(json);
}

static void add_signatures(JsonBuilder *json, const Plan *plan, const PlanVariant *variant)
{
	begin_array(json, "signatures");
	if (variant->sign != SIGN_NONE) {
		json_builder_begin_object(json);
		add_string(json, "part", "1");
		add_string(json, "kind", variant->sign == SIGN_SMIME ? "smime" : "pgp");
		add_string(json, "covers", "message");
		add_string(json, "result", "good");
		add_string(json, "signer", plan->signer);
		add_boolean(json, "matches_from", TRUE);
		add_string(json, "key", signer_key(plan, variant->sign));
		json_builder_end_object(json);
	}
	json_builder_end_array(json);
}

static void add_warnings(JsonBuilder *json, const Plan *plan, const PlanVariant *variant)
{
	begin_array(json, "warnings");
	if (plan_is_encrypted(variant) && variant->sign == SIGN_NONE && plan->signer_reason)
		json_builder_add_string_value(json, plan->signer_reason);
	json_builder_end_array(json);
}

static void add_variant(JsonBuilder *json, const Plan *plan, const PlanVariant *variant,
			const Output *output)
{
	g_autofree char *file = g_strdup_printf("%u.eml", variant->number);

	json_builder_begin_object(json);
	add_number(json, "number", variant->number);
	add_string(json, "file", file);
	begin_array(json, "recipients");
	for (guint i = 0; i < variant->recipients->len; i++) {
		const PlanRecipient *recipient = variant->recipients->pdata[i];

		json_builder_add_string_value(json, recipient->recipient->address);
	}
	json_builder_end_array(json);
	add_string(json, "way", plan_variant_way(variant));
	add_boolean(json, "hide_subject", variant->hide_subject);
	add_boolean(json, "cut", output->cut);
	add_string(json, "signed_as", variant->sign != SIGN_NONE ? plan->signer : NULL);
	if (variant->opened) {
		add_found(json, variant->opened);
	} else {
		add_layers(json, plan, variant, output);
		add_signatures(json, plan, variant);
		add_warnings(json, plan, variant);
	}
	json_builder_end_object(json);
}

static void add_all(JsonBuilder *json, const Job *job, const Preview *preview)
{
	const Plan *plan = preview->plan;
	const char *contradiction = contradiction_find(job);
	g_autofree char *reply = explain_reply(preview);

	add_string(json, "direction", explain_direction(job));
	add_string(json, "verdict", handback_verdict_name(explain_verdict(preview)));
	if (reply)
		add_string(json, "reply", reply);
	begin_array(json, "warnings");
	if (contradiction)
		json_builder_add_string_value(json, contradiction);
	json_builder_end_array(json);
	begin_array(json, "recipients");
	for (guint i = 0; plan && i < plan->recipients->len; i++)
		add_recipient(json, plan->recipients->pdata[i]);
	json_builder_end_array(json);
	begin_array(json, "variants");
	for (guint i = 0; preview->outputs && i < preview->outputs->len; i++)
		add_variant(json, plan, plan->variants->pdata[i], preview->outputs->pdata[i]);
	json_builder_end_array(json);
}

char *explain_json(const Job *job, const Preview *preview)
{
	g_autoptr(JsonBuilder) json = json_builder_new();

	json_builder_begin_object(json);
	add_all(json, job, preview);
	json_builder_end_object(json);
	g_autoptr(JsonNode) root = json_builder_get_root(json);

	return json_to_string(root, TRUE);
}
