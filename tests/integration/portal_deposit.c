/* SPDX-License-Identifier: Apache-2.0
 *
 * For the portal's tests: deposits the message on standard input as the gateway would, and prints
 * its link and its code.
 *
 *     portal_deposit CONF RECIPIENT SENDER SUBJECT DIGEST < message
 *
 * Prints "retry" where the deposit was there already. Exit status 1 with the error's name on
 * standard error.
 */
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/masterkey.h"
#include "lib/mail/spool.h"
#include "portal/deposit.h"

#define MESSAGE_MAX (200 * 1024 * 1024)

static gboolean read_message(Spool *spool, GError **error)
{
	char buffer[STREAM_CHUNK];
	gssize got;

	while ((got = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		if (!spool_append(spool, buffer, got, error))
			return FALSE;
	return got == 0;
}

static gboolean deposit(const Conf *conf, char **words, GError **error)
{
	const char *key_file = conf_path(conf, "keystore", "master_key");
	g_autoptr(Spool) spool = spool_new(g_get_tmp_dir(), MESSAGE_MAX);
	g_autoptr(Secret) master = NULL;
	g_autoptr(Deposits) deposits = NULL;
	g_autoptr(Source) source = NULL;
	g_auto(DepositLink) link = {0};
	Deposit what = {
		.recipient = words[0],
		.recipient_spelled = words[0],
		.sender = words[1],
		.sender_name = "Alice Ärmel",
		.subject = words[2],
		.digest = words[3],
		.envelope = {.sender = words[1]},
	};

	if (g_access(key_file, F_OK) != 0 && !master_key_create(key_file, error))
		return FALSE;
	master = master_key_read(key_file, error);
	if (master == NULL || !read_message(spool, error))
		return FALSE;
	deposits = deposits_open(conf, master, error);
	if (deposits == NULL)
		return FALSE;
	what.message = source = spool_source_all(spool);
	if (!deposit_store(deposits, &what, &link, error))
		return FALSE;
	printf("%s %s\n", link.url != NULL ? link.url : "retry",
	       link.code != NULL ? link.code : "");
	return TRUE;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Conf) conf = argc == 6 ? conf_load(argv[1], &error) : NULL;

	if (conf != NULL && deposit(conf, argv + 2, &error))
		return 0;
	fprintf(stderr, "%s: %s\n", error_info(error)->name,
		error != NULL ? error->message : "wrong use");
	return 1;
}
