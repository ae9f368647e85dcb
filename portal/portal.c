/* SPDX-License-Identifier: Apache-2.0
 *
 * Setting the portal up (see portal.h).
 */
#include "portal/portal.h"

#include <errno.h>
#include <string.h>

#include "lib/base/error.h"
#include "portal/format.h"
#include "portal/portaldb.h"
#include "portal/token.h"
#include "portal/vault.h"

/* Over how long wrong passwords are counted. */
#define ATTEMPTS_TIME (15 * 60)
/* An account takes so many times what a client may try: else anybody could lock out anybody. */
#define ACCOUNT_FACTOR 10
/* One in each session, and some whose download goes on while another is opened. */
#define LETTERS_PER_ACCOUNT (SESSIONS_PER_ACCOUNT + 4)
/* How long a page waits for the gateway, which stores a large message in one piece. */
#define STORE_WAIT_MS 8000
/* Password hashes at a time: 64 MB and one core each. */
#define HASHING_PLACES 3

/* Only https://host[:port], without a path: links and cookies hang on it. */
static gboolean read_url(Portal *portal, GError **error)
{
	g_autofree char *url = g_ascii_strdown(conf_string(portal->conf, "portal", "url"), -1);
	const char *host = url + strlen("https://");

	if (!g_str_has_prefix(url, "https://") || *host == '\0' || strpbrk(host, "/?#@ ") != NULL) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "[portal] url: it must be https://HOST or https://HOST:PORT");
		return FALSE;
	}
	portal->host = g_strdup(host);
	portal->origin = g_steal_pointer(&url);
	return TRUE;
}

/* Nothing but pages: no "javascript:", no path that would be one of ours. */
static gboolean check_legal(const Conf *conf, GError **error)
{
	static const char *const keys[] = {"imprint", "privacy"};

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		const char *link = conf_string(conf, "portal", keys[i]);

		if (link == NULL || g_str_has_prefix(link, "https://"))
			continue;
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "[portal] %s: it must be the address of a page, https://...", keys[i]);
		return FALSE;
	}
	return TRUE;
}

/* Notices would come in another language, without a word. */
static gboolean check_languages(const Conf *conf, GError **error)
{
	const char *const *tags = conf_list(conf, "portal", "languages");
	Language language;

	for (gsize i = 0; tags != NULL && tags[i] != NULL; i++) {
		if (language_find(tags[i], &language))
			continue;
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "[portal] languages: \"%s\" is none of de, en", tags[i]);
		return FALSE;
	}
	return TRUE;
}

static gboolean make_spool_folder(Portal *portal, GError **error)
{
	portal->spool_folder = g_strdup(conf_path(portal->conf, "portal", "spool_folder"));
	if (g_mkdir_with_parents(portal->spool_folder, 0700) == 0)
		return TRUE;
	return error_set_errno(error, errno, portal->spool_folder);
}

static gboolean make_nobody(Portal *portal, GError **error)
{
	g_autoptr(Secret) password = secret_random(TOKEN_BYTES);
	g_autoptr(Secret) private_key = NULL;

	return account_new("", password, &portal->nobody, &private_key, error);
}

static void make_limiters(Portal *portal)
{
	gint64 attempts = CLAMP(conf_number(portal->conf, "portal", "password_attempts"), 0,
				G_MAXUINT / ACCOUNT_FACTOR);

	portal->clients = limiter_new((guint)attempts, ATTEMPTS_TIME);
	portal->accounts = limiter_new((guint)attempts * ACCOUNT_FACTOR, ATTEMPTS_TIME);
}

Portal *portal_new(Conf *conf, GError **error)
{
	g_autoptr(Portal) portal = g_new0(Portal, 1);

	portal->conf = conf_ref(conf);
	if (!read_url(portal, error) || !check_legal(conf, error) ||
	    !check_languages(conf, error) || !make_spool_folder(portal, error) ||
	    !make_nobody(portal, error))
		return NULL;
	portal->db = portaldb_open(conf, error);
	if (portal->db == NULL)
		return NULL;
	db_set_patience(portal->db, STORE_WAIT_MS);
	portal->texts = texts_new();
	portal->sessions = sessions_new(conf_duration(conf, "portal", "session_time"));
	make_limiters(portal);
	portal->letters = crowd_new(LETTERS_PER_ACCOUNT, 0);
	portal->hashing = gate_new(HASHING_PLACES);
	portal->form_key = secret_random(TOKEN_BYTES);
	portal->organisation = format_organisation(conf);
	return g_steal_pointer(&portal);
}

void portal_free(Portal *portal)
{
	if (portal == NULL)
		return;
	sessions_free(portal->sessions);
	limiter_free(portal->clients);
	limiter_free(portal->accounts);
	crowd_free(portal->letters);
	gate_free(portal->hashing);
	texts_free(portal->texts);
	db_close(portal->db);
	secret_free(portal->form_key);
	account_free(portal->nobody);
	conf_unref(portal->conf);
	g_free(portal->organisation);
	g_free(portal->origin);
	g_free(portal->host);
	g_free(portal->spool_folder);
	g_free(portal);
}

gboolean portal_expire(Db *db, const Conf *conf, PortalSwept *swept, GError **error)
{
	gint64 now = portaldb_now();

	return vault_expire(db, now, &swept->messages, error) &&
	       account_expire(db, now - conf_duration(conf, "portal", "account_keep"),
			      &swept->accounts, error);
}

gboolean portal_sweep(Portal *portal, PortalSwept *swept, GError **error)
{
	gboolean done;

	sessions_sweep(portal->sessions);
	return portal_expire(portal->db, portal->conf, swept, error) &&
	       db_forget(portal->db, &done, error); /* keys of links that were claimed, too */
}
