/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's side of the portal (see deposit.h): one transaction holds the sealed message and
 * its notice, or nothing. Whether the recipient has an account is asked inside it, so that an
 * account that is made at the same time is either seen or claims by the link.
 */
#include "portal/deposit.h"

#include "lib/base/error.h"
#include "lib/crypt/seal.h"
#include "lib/mail/address.h"
#include "portal/account.h"
#include "portal/mailer.h"
#include "portal/portaldb.h"
#include "portal/token.h"
#include "portal/vault.h"

struct Deposits {
	Conf *conf;
	Db *db;
	Texts *texts;
	const Secret *master;
	GMutex lock; /* of what follows */
	GCond ended;
	gboolean storing; /* somebody is */
};

static gboolean has_sender(const Conf *conf, GError **error)
{
	const char *sender = conf_string(conf, "portal", "sender");
	g_autofree char *folded = address_fold(sender);

	if (folded == NULL)
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "[portal] sender: \"%s\" is no address", sender);
	return folded != NULL;
}

Deposits *deposits_open(const Conf *conf, const Secret *master_key, GError **error)
{
	g_autoptr(Db) db = has_sender(conf, error) ? portaldb_open(conf, error) : NULL;
	Deposits *deposits;

	if (db == NULL)
		return NULL;
	deposits = g_new0(Deposits, 1);
	deposits->conf = conf_ref((Conf *)conf);
	deposits->db = g_steal_pointer(&db);
	deposits->texts = texts_new();
	deposits->master = master_key;
	g_mutex_init(&deposits->lock);
	g_cond_init(&deposits->ended);
	return deposits;
}

void deposits_close(Deposits *deposits)
{
	if (deposits == NULL)
		return;
	db_close(deposits->db);
	texts_free(deposits->texts);
	conf_unref(deposits->conf);
	g_cond_clear(&deposits->ended);
	g_mutex_clear(&deposits->lock);
	g_free(deposits);
}

static Mailer mailer_of(const Deposits *deposits)
{
	return (Mailer){deposits->db, deposits->conf, deposits->texts, deposits->master};
}

static gboolean is_stored(Db *db, const char *recipient, const char *digest, gboolean *stored,
			  GError **error)
{
	g_autoptr(DbQuery) query =
		db_query(db, error, "SELECT 1 FROM message WHERE recipient = ? AND digest = ?",
			 "ss", recipient, digest);

	return db_row(query, stored, error);
}

void deposit_link_clear(DepositLink *link)
{
	g_clear_pointer(&link->url, g_free);
	g_clear_pointer(&link->code, g_free);
}

static Notice *notice_for(const Deposits *deposits, const Deposit *deposit, const DepositLink *link,
			  gint64 expires)
{
	const char *domain = address_domain(conf_string(deposits->conf, "portal", "sender"));
	const DepositEnvelope *envelope = &deposit->envelope;
	g_autofree char *id = token_new_id();
	Notice *notice = g_new0(Notice, 1);

	notice->recipient = g_strdup(deposit->recipient_spelled);
	notice->sender = g_strdup(deposit->sender != NULL ? deposit->sender : "");
	notice->sender_name = g_strdup(deposit->sender_name != NULL ? deposit->sender_name : "");
	notice->languages = g_strdup(deposit->languages != NULL ? deposit->languages : "");
	notice->route = g_strdup(deposit->route != NULL ? deposit->route : "");
	notice->return_path = g_strdup(envelope->sender != NULL ? envelope->sender : "");
	notice->envid = g_strdup(envelope->envid != NULL ? envelope->envid : "");
	notice->notify = g_strdup(envelope->notify != NULL ? envelope->notify : "");
	notice->orcpt = g_strdup(envelope->orcpt != NULL ? envelope->orcpt : "");
	notice->link = g_strdup(link->url);
	notice->code = g_strdup(link->code);
	notice->message_id = g_strdup_printf("<%s@%s>", id, domain != NULL ? domain : "localhost");
	notice->expires = expires;
	return notice;
}

/* Who has an account needs no secret to find the message, and types a password, not a code. */
static void make_link(const Deposits *deposits, const Secret *secret, const char *id,
		      DepositLink *link)
{
	g_autofree char *text = secret != NULL ? seal_link_text(secret) : NULL;

	link->url = g_strdup_printf("%s/m/%s", conf_string(deposits->conf, "portal", "url"),
				    text != NULL ? text : id);
}

/* The message and its notice, inside a transaction. */
static gboolean store_both(const Deposits *deposits, const Deposit *deposit, const char *digest,
			   DepositLink *link, GError **error)
{
	Mailer mailer = mailer_of(deposits);
	VaultEntry entry = {
		.recipient = deposit->recipient,
		.digest = digest,
		.subject = deposit->subject != NULL ? deposit->subject : "",
		.sender = deposit->sender != NULL ? deposit->sender : "",
		.sender_name = deposit->sender_name != NULL ? deposit->sender_name : "",
		.created = portaldb_now(),
	};
	g_autoptr(Account) account = NULL;
	g_autoptr(Secret) secret = NULL;
	g_autoptr(Notice) notice = NULL;
	VaultStored stored = {0};
	g_autofree char *id = NULL;

	if (!account_find(deposits->db, deposit->recipient, &account, error))
		return FALSE;
	link->code = account != NULL ? g_strdup("") : token_new_code();
	if (account != NULL) {
		entry.public_key = account->public_key;
	} else {
		entry.link = secret = secret_random(SEAL_KEY_SIZE);
		entry.code = link->code;
	}
	entry.expires = entry.created + conf_duration(deposits->conf, "portal", "keep");
	if (!vault_store(deposits->db, &entry, deposit->message, &stored, error))
		return FALSE;
	id = stored.id;
	make_link(deposits, secret, id, link);
	notice = notice_for(deposits, deposit, link, entry.expires);
	return mailer_queue(&mailer, stored.number, notice, error);
}

static gboolean store(const Deposits *deposits, const Deposit *deposit, DepositLink *link,
		      GError **error)
{
	g_autofree char *digest =
		token_mac(deposits->master, "portal deposit", deposit->digest, deposit->recipient);
	g_auto(DepositLink) made = {0};
	gboolean stored = FALSE;

	if (!db_begin(deposits->db, error))
		return FALSE;
	if (!is_stored(deposits->db, deposit->recipient, digest, &stored, error) ||
	    (!stored && !store_both(deposits, deposit, digest, &made, error))) {
		db_rollback(deposits->db);
		return FALSE;
	}
	if (!db_commit(deposits->db, error))
		return FALSE;
	if (link != NULL) {
		*link = made;
		made = (DepositLink){0};
	}
	return TRUE;
}

/* A large message holds the database for seconds, and the line there has no end that is known. */
static gboolean take_turn(Deposits *deposits, gint64 deadline, GError **error)
{
	gboolean in_time = TRUE, mine;

	g_mutex_lock(&deposits->lock);
	while (deposits->storing && in_time)
		in_time = g_cond_wait_until(&deposits->ended, &deposits->lock, deadline);
	mine = !deposits->storing;
	deposits->storing = TRUE;
	g_mutex_unlock(&deposits->lock);
	if (!mine)
		g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT,
			    "the portal's store: other messages are put into it");
	return mine;
}

static void end_turn(Deposits *deposits)
{
	g_mutex_lock(&deposits->lock);
	deposits->storing = FALSE;
	g_cond_signal(&deposits->ended);
	g_mutex_unlock(&deposits->lock);
}

gboolean deposit_store(Deposits *deposits, const Deposit *deposit, DepositLink *link,
		       GError **error)
{
	g_autoptr(GError) failure = NULL;

	if (!take_turn(deposits, deposit->deadline, error))
		return FALSE;
	gboolean stored = store(deposits, deposit, link, &failure);

	end_turn(deposits);
	if (stored)
		return TRUE;
	if (g_error_matches(failure, SEALPOST_ERROR, ERROR_DISK_FULL))
		g_propagate_error(error, g_steal_pointer(&failure));
	else
		g_set_error(error, SEALPOST_ERROR, ERROR_PORTAL, "the portal's store: %s",
			    failure->message);
	return FALSE;
}

void deposits_send_notices(Deposits *deposits, gint64 deadline, NoticeTally *tally, GError **last)
{
	Mailer mailer = mailer_of(deposits);
	g_autoptr(GError) error = NULL;
	NoticeTally counted = {0};

	while (g_get_monotonic_time() < deadline) {
		g_autoptr(GError) failure = NULL;
		MailerResult result = mailer_send_next(&mailer, deadline, &failure);

		if (result == MAILER_NONE_DUE)
			break;
		counted.sent += result == MAILER_SENT;
		counted.failed += result == MAILER_FAILED;
		counted.refused += result == MAILER_REFUSED;
		if (failure == NULL)
			continue;
		g_clear_error(&error);
		error = g_steal_pointer(&failure);
		if (g_error_matches(error, SEALPOST_ERROR, ERROR_STORE) ||
		    g_error_matches(error, SEALPOST_ERROR, ERROR_DISK_FULL))
			break; /* no use in going on now */
	}
	if (tally != NULL)
		*tally = counted;
	if (error != NULL)
		g_propagate_error(last, g_steal_pointer(&error));
}
