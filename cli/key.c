/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost key`: keys and certificates of the store; and what its commands share.
 */
#include "cli/key.h"

#include <stdio.h>
#include <string.h>

#include "lib/mail/address.h"

#include "lib/base/visible.h"

static const CliCommand commands[] = {
	{"import", cli_key_import, "FILE...",
	 "takes certificates, PKCS#12 files, OpenPGP keys, CRLs"},
	{"list", cli_key_list, "[ADDRESS]", "all keys, or those of one address"},
	{"show", cli_key_show, "FINGERPRINT|ADDRESS", "describes a key, usable or why not"},
	{"lookup", cli_key_lookup, "ADDRESS", "asks all sources, as the gateway would"},
	{"export", cli_key_export, "FINGERPRINT", "writes a key, with --secret its private part"},
	{"approve", cli_key_approve, "FINGERPRINT...",
	 "takes over keys that were learned from mail"},
	{"reject", cli_key_reject, "FINGERPRINT...",
	 "never uses these learned keys, nor learns them again"},
	{"delete", cli_key_delete, "FINGERPRINT", "takes a key out of the store"},
	{NULL, NULL, NULL, NULL},
};

int cli_key(int argc, char **argv)
{
	return cli_dispatch(commands, argc, argv);
}

Store *key_open_store(int *status)
{
	g_autoptr(Conf) conf = cli_conf();
	g_autoptr(GError) error = NULL;

	*status = EX_CONFIG;
	if (!conf)
		return NULL;
	Store *store = store_open(conf_path(conf, "keystore", "database"),
				  conf_path(conf, "keystore", "master_key"), &error);
	*status = store ? EX_OK : cli_fail(error);
	return store;
}

Keystore *key_open_keystore(int *status)
{
	g_autoptr(Conf) conf = cli_conf();
	g_autoptr(GError) error = NULL;

	*status = EX_CONFIG;
	if (!conf)
		return NULL;
	Keystore *keystore = keystore_open(conf, &error);
	*status = keystore ? EX_OK : cli_fail(error);
	return keystore;
}

char *key_kind(const Candidate *candidate, gboolean with_private)
{
	const char *what = "OpenPGP key";

	if (candidate->type == KEY_SMIME)
		what = !candidate->cert		      ? "certificate"
		       : !cert_is_ca(candidate->cert) ? "certificate"
		       : candidate->trusted	      ? "trusted root"
						      : "CA certificate";
	return g_strconcat(what, with_private ? " with private key" : "", NULL);
}

char *key_day(gint64 seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

	return time ? g_date_time_format(time, "%Y-%m-%d") : g_strdup("?");
}

char *key_until(gint64 seconds)
{
	g_autofree char *day = key_day(seconds);

	return seconds ? g_strconcat("until ", day, NULL) : g_strdup("for ever");
}

const char *key_flaw(const Candidate *candidate)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	if (candidate->pgp)
		return trust_judge(NULL, candidate, NULL, CERT_FOR_ENCRYPTION, now);
	if (!candidate->cert)
		return "malformed";
	CertFlaw flaw = cert_flaw(candidate->cert, CERT_FOR_ENCRYPTION, now);
	/* A CA's certificate is not for mail; the rest counts for it, too. */
	if (flaw == CERT_OK || (flaw == CERT_WRONG_USAGE && cert_is_ca(candidate->cert)))
		return NULL;
	return cert_flaw_name(flaw);
}

char *key_fold_owner(const char *text)
{
	g_autofree char *domain = *text == '@' ? domain_fold(text + 1) : NULL;

	return domain ? g_strconcat("@", domain, NULL) : address_fold(text);
}

char *key_owner(const Candidate *candidate)
{
	const char *text = NULL;

	if (candidate->cert)
		text = cert_subject(candidate->cert);
	else if (candidate->pgp && candidate->pgp->user_ids && candidate->pgp->user_ids[0])
		text = candidate->pgp->user_ids[0];
	return visible_text(text ? text : "", '?');
}

char *key_crl_text(const Crl *crl)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	g_autofree char *until = key_until(crl_next(crl));
	g_autofree char *issuer = visible_text(crl_issuer(crl), '?');

	return g_strdup_printf("CRL %s, valid %s%s, %d revoked: %s", crl_fingerprint(crl), until,
			       crl_next(crl) && crl_next(crl) < now ? " (overdue, still counts)"
								    : "",
			       crl_entries(crl), issuer);
}

int key_print_json(JsonBuilder *builder)
{
	g_autoptr(JsonNode) root = json_builder_get_root(builder);
	g_autofree char *text = json_to_string(root, TRUE);

	return puts(text) >= 0 && fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

void key_json_string(JsonBuilder *builder, const char *name, const char *value)
{
	json_builder_set_member_name(builder, name);
	if (value)
		json_builder_add_string_value(builder, value);
	else
		json_builder_add_null_value(builder);
}

void key_json_bool(JsonBuilder *builder, const char *name, gboolean value)
{
	json_builder_set_member_name(builder, name);
	json_builder_add_boolean_value(builder, value);
}

void key_json_strings(JsonBuilder *builder, const char *name, const char *const *values)
{
	json_builder_set_member_name(builder, name);
	json_builder_begin_array(builder);
	for (; values && *values; values++)
		json_builder_add_string_value(builder, *values);
	json_builder_end_array(builder);
}
