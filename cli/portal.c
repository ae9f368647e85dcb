/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost portal`: what the portal holds, without its content: nobody but the recipients has
 * the keys.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "lib/mail/address.h"
#include "portal/account.h"
#include "portal/portal.h"
#include "portal/portaldb.h"
#include "portal/vault.h"

/* For what cli_options() has not said: WHAT the command takes. */
static int wrong_use(char **argv, const char *what)
{
	fprintf(stderr, "%s: %s (see --help)\n", argv[0], what);
	return EX_USAGE;
}

static Db *open_with(const Conf *conf, int *status)
{
	g_autoptr(GError) error = NULL;
	Db *db = NULL;

	*status = EX_CONFIG;
	if (conf == NULL)
		return NULL;
	db = portaldb_open(conf, &error);
	*status = db != NULL ? EX_OK : cli_fail(error);
	return db;
}

static Db *open_database(int *status)
{
	g_autoptr(Conf) conf = cli_conf();

	return open_with(conf, status);
}

/* "2026-11-25 09:30", in the machine's time zone. New string. */
static char *date(gint64 time)
{
	g_autoptr(GDateTime) local = g_date_time_new_from_unix_local(time);

	return local != NULL ? g_date_time_format(local, "%Y-%m-%d %H:%M") : g_strdup("-");
}

static int accounts(int argc, char **argv)
{
	int status;
	g_autoptr(Db) db = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = NULL;

	if (!cli_options(NULL, NULL, "Lists who has an account.", &argc, &argv))
		return EX_USAGE;
	if (argc > 1)
		return wrong_use(argv, "no arguments");
	db = open_database(&status);
	if (db == NULL)
		return status;
	list = account_list(db, &error);
	if (list == NULL)
		return cli_fail(error);
	for (guint i = 0; i < list->len; i++) {
		const Account *account = g_ptr_array_index(list, i);
		g_autofree char *created = date(account->created);
		g_autofree char *seen = date(account->last_login);

		printf("%-40s  since %s  last log-in %s  %" G_GINT64_FORMAT " messages\n",
		       account->address, created, seen, account->messages);
	}
	return EX_OK;
}

static void print_message(const VaultMessage *message)
{
	g_autofree char *created = date(message->created);
	g_autofree char *expires = date(message->expires);

	printf("%6" G_GINT64_FORMAT "  %s  until %s  %10" G_GINT64_FORMAT "  %-7s  %s\n",
	       message->number, created, expires, message->size, vault_state_name(message),
	       message->recipient);
}

/* All of them, list by list. */
static gboolean print_messages(Db *db, const char *recipient, GError **error)
{
	gint64 below = G_MAXINT64;
	gboolean more = TRUE;

	while (more) {
		g_autoptr(GPtrArray) list = vault_list(db, recipient, below, error);

		if (list == NULL)
			return FALSE;
		for (guint i = 0; i < list->len; i++) {
			const VaultMessage *message = g_ptr_array_index(list, i);

			print_message(message);
			below = message->number;
		}
		more = list->len == VAULT_LIST_MAX;
	}
	return TRUE;
}

static int messages(int argc, char **argv)
{
	int status;
	g_autoptr(Db) db = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *recipient = NULL;

	if (!cli_options(NULL, "[ADDRESS]", "Lists the messages that are kept, the newest first.",
			 &argc, &argv))
		return EX_USAGE;
	if (argc > 2)
		return wrong_use(argv, "one mail address at most");
	if (argc == 2 && (recipient = address_fold(argv[1])) == NULL) {
		fprintf(stderr, "%s: %s is no address\n", argv[0], argv[1]);
		return EX_USAGE;
	}
	db = open_database(&status);
	if (db == NULL)
		return status;
	return print_messages(db, recipient, &error) ? EX_OK : cli_fail(error);
}

static gboolean read_number(const char *text, gint64 *number)
{
	guint64 value = 0;

	if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &value, NULL))
		return FALSE;
	*number = (gint64)value;
	return TRUE;
}

static int events(int argc, char **argv)
{
	int status;
	gint64 number = 0;
	g_autoptr(Db) db = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = NULL;

	if (!cli_options(
		    NULL, "NUMBER",
		    "What happened to a message: its notice could not be delivered, its link was "
		    "opened for the first time, it was "
		    "claimed by its recipient's account, revealed (shown for the first time), "
		    "downloaded.",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 2 || !read_number(argv[1], &number))
		return wrong_use(argv, "one number of \"sealpost portal messages\"");
	db = open_database(&status);
	if (db == NULL)
		return status;
	list = vault_events(db, number, &error);
	if (list == NULL)
		return cli_fail(error);
	if (list->len == 0)
		fprintf(stderr,
			"%s: nothing happened to message %" G_GINT64_FORMAT ", or there is none\n",
			argv[0], number);
	for (guint i = 0; i < list->len; i++) {
		const VaultEvent *event = g_ptr_array_index(list, i);
		g_autofree char *time = date(event->time);

		printf("%s  %s\n", time, event->kind);
	}
	return EX_OK;
}

static int expire(int argc, char **argv)
{
	int status;
	PortalSwept swept = {0};
	g_autoptr(Conf) conf = NULL;
	g_autoptr(Db) db = NULL;
	g_autoptr(GError) error = NULL;

	if (!cli_options(NULL, NULL,
			 "Deletes the messages whose time is over, and the accounts without "
			 "messages that nobody has used for long.",
			 &argc, &argv))
		return EX_USAGE;
	if (argc > 1)
		return wrong_use(argv, "no arguments");
	conf = cli_conf();
	db = open_with(conf, &status);
	if (db == NULL)
		return status;
	if (!portal_expire(db, conf, &swept, &error))
		return cli_fail(error);
	printf("%d messages and %d accounts deleted\n", swept.messages, swept.accounts);
	return EX_OK;
}

static int forget(int argc, char **argv)
{
	int status;
	gboolean removed = FALSE;
	g_autoptr(Db) db = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *address = NULL;

	if (!cli_options(
		    NULL, "ADDRESS",
		    "Deletes an account and all messages that are sealed to it, for somebody who "
		    "has lost the password: the next message comes with a link that starts anew.",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 2 || (address = address_fold(argv[1])) == NULL)
		return wrong_use(argv, "one mail address");
	db = open_database(&status);
	if (db == NULL)
		return status;
	if (!account_remove(db, address, &removed, &error))
		return cli_fail(error);
	if (removed)
		return EX_OK;
	fprintf(stderr, "%s: %s has no account\n", argv[0], address);
	return EXIT_FAILURE;
}

static const CliCommand commands[] = {
	{"accounts", accounts, "", "who has an account"},
	{"messages", messages, "[ADDRESS]",
	 "what is kept: for whom, since when, how large, read or not"},
	{"events", events, "NUMBER",
	 "what happened to a message: untold, opened, claimed, revealed, downloaded"},
	{"expire", expire, "", "deletes the messages whose time is over, and unused accounts"},
	{"forget", forget, "ADDRESS", "deletes an account with its messages (lost password)"},
	{NULL, NULL, NULL, NULL},
};

int cli_portal(int argc, char **argv)
{
	return cli_dispatch(commands, argc, argv);
}
