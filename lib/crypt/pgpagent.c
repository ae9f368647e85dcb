/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of gpg-agent itself: to sign a hash, to open a session key, without a run of gpg for
 * each; to change a key's passphrase, where its questions for the old and the new one have names,
 * which gpg's have not; and to end. One that does not answer is killed.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/crypt/pgpassuan.h"

#define ANSWER_SECONDS 20
#define END_SECONDS 1
/* An agent that is silent for that long has not just been asked too late. */
#define PATIENCE_SECONDS 5

static gint64 in_seconds(gint64 seconds)
{
	return g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
}

/* --- working with a key --- */

/* The commands of one task, each a line with its end; NULL ends them. The last one's data counts. */
#define COMMANDS_MAX 4
typedef struct {
	const char *commands[COMMANDS_MAX];
	PgpTalk *talk;
} Task;

static gpgme_error_t carry_out(PgpAgent *agent, const Task *task)
{
	gpgme_error_t failure = 0;

	for (gsize i = 0; !failure && task->commands[i]; i++)
		failure = pgp_agent_command(agent, task->commands[i], task->talk);
	return failure;
}

/* The agent is started if it does not run. */
static PgpAgent *new_agent(PgpHome *home, gint64 deadline, gpgme_error_t *failure)
{
	const char *folder = pgp_home_folder(home);
	PgpAgent *agent = pgp_agent_open(folder, deadline, failure);

	if (!agent && *failure == GPG_ERR_EOF && pgp_home_wake(home, deadline, NULL))
		agent = pgp_agent_open(folder, deadline, failure);
	return agent;
}

static gpgme_error_t ask(PgpHome *home, const Task *task, gint64 deadline)
{
	gpgme_error_t failure = GPG_ERR_EOF;

	/* Connections that waited end with their agent: as many of them may be dead. Two new ones
	 * that break off are no accident. */
	for (guint fresh = 0; failure == GPG_ERR_EOF && fresh < 2;) {
		PgpAgent *agent = pgp_home_take_agent(home);
		if (!agent) {
			fresh++;
			agent = new_agent(home, deadline, &failure);
		}
		if (!agent)
			continue;
		pgp_agent_limit(agent, deadline);
		failure = carry_out(agent, task);
		if (!failure)
			pgp_home_give_agent(home, agent);
		else
			pgp_agent_free(agent);
	}
	return failure;
}

/* One that was silent for long would hold up every message after this one. */
static gboolean ask_agent(PgpHome *home, const Task *task, gint64 deadline, GError **error)
{
	gint64 start = g_get_monotonic_time();
	gpgme_error_t failure = ask(home, task, deadline);

	if (!failure)
		return TRUE;
	if (failure == GPG_ERR_TIMEOUT &&
	    g_get_monotonic_time() - start >= PATIENCE_SECONDS * G_USEC_PER_SEC)
		pgp_agent_end(pgp_home_folder(home));
	else if (failure == GPG_ERR_TIMEOUT)
		pgp_agent_end_silent(home);
	pgp_set_error(error, failure, "gpg-agent");
	return FALSE;
}

gboolean pgp_agent_sign(PgpHome *home, const PgpHash *hash, gint64 deadline, GByteArray *answer,
			GError **error)
{
	g_autofree char *key = g_strdup_printf("SIGKEY %s\n", hash->keygrip);
	g_autoptr(GString) digest = g_string_new(NULL);

	g_string_append_printf(digest, "SETHASH %u ", hash->algorithm);
	hex_append(digest, hash->digest, hash->size);
	g_string_append_c(digest, '\n');
	g_byte_array_set_size(answer, PGP_AGENT_DATA_MAX);
	PgpTalk talk = {.data = answer->data, .room = answer->len};
	const Task task = {{key, digest->str, "PKSIGN\n"}, &talk};
	gboolean good = ask_agent(home, &task, deadline, error);

	g_byte_array_set_size(answer, (guint)(good ? talk.used : 0));
	return good;
}

Secret *pgp_agent_decrypt(PgpHome *home, const char *keygrip, GBytes *ciphertext, gint64 deadline,
			  GError **error)
{
	g_autofree char *key = g_strdup_printf("SETKEY %s\n", keygrip);
	g_autoptr(Secret) room = secret_new(PGP_AGENT_DATA_MAX);
	PgpTalk talk = {
		.ciphertext = ciphertext, .data = secret_data(room), .room = secret_size(room)};
	const Task task = {{key, "PKDECRYPT\n"}, &talk};

	if (!ask_agent(home, &task, deadline, error))
		return NULL;
	return secret_take(secret_data(room), talk.used);
}

/* --- passphrases --- */

gboolean pgp_agent_passwd(const char *folder, const char *keygrip, const Secret *old,
			  const Secret *new, GError **error)
{
	gpgme_error_t failure;
	g_autoptr(PgpAgent) agent = pgp_agent_open(folder, in_seconds(ANSWER_SECONDS), &failure);
	g_autofree char *passwd = g_strdup_printf("PASSWD %s\n", keygrip);
	PgpTalk talk = {.old = old, .new = new};

	if (!agent) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "no gpg-agent");
		return FALSE;
	}
	failure = pgp_agent_command(agent, passwd, &talk);
	if (!failure)
		return TRUE;
	if (!old || gpgme_err_code(failure) == GPG_ERR_BAD_PASSPHRASE)
		g_set_error(error, SEALPOST_ERROR, ERROR_PASSPHRASE, "%s",
			    old ? "wrong passphrase" : "the key has a passphrase");
	else
		pgp_set_error(error, failure, "changing the passphrase");
	return FALSE;
}

/* --- ending --- */

/* It closes the connection when it goes. */
static void ask_to_end(const char *folder)
{
	gpgme_error_t failure;
	PgpTalk nothing = {.room = 0};
	g_autoptr(PgpAgent) agent = pgp_agent_open(folder, in_seconds(END_SECONDS), &failure);

	if (agent && !pgp_agent_command(agent, "KILLAGENT\n", &nothing))
		pgp_agent_wait(agent);
}

/* Is this process a gpg-agent with that folder as its home? */
static gboolean is_agent(const char *pid, const char *folder)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/cmdline", pid);
	g_autofree char *line = NULL;
	gsize size = 0;
	gboolean homedir = FALSE;

	if (!g_file_get_contents(path, &line, &size, NULL) || !g_str_has_prefix(line, "gpg-agent"))
		return FALSE;
	for (const char *word = line; word < line + size; word += strlen(word) + 1) {
		if (homedir)
			return strcmp(word, folder) == 0;
		homedir = strcmp(word, "--homedir") == 0;
	}
	return FALSE;
}

/* The one that the socket leads to may not be the only one: a gpg whose agent was killed starts
 * another, and of two that start at once one loses its socket to the other. */
void pgp_agent_end(const char *folder)
{
	const char *name;

	ask_to_end(folder);
	g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
	while (proc && (name = g_dir_read_name(proc))) {
		gint64 pid = g_ascii_strtoll(name, NULL, 10);
		if (pid > 1 && is_agent(name, folder))
			kill((pid_t)pid, SIGKILL);
	}
}

void pgp_agent_end_silent(PgpHome *home)
{
	const char *folder = pgp_home_folder(home);
	gpgme_error_t failure;
	PgpAgent *waiting;

	/* They may lead to one that hangs and that the socket leads to no more. */
	while ((waiting = pgp_home_take_agent(home)))
		pgp_agent_free(waiting);
	g_autoptr(PgpAgent) agent = pgp_agent_open(folder, in_seconds(END_SECONDS), &failure);
	if (!agent && failure == GPG_ERR_TIMEOUT)
		pgp_agent_end(folder);
}
