/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of gpg-agent itself, over its socket (the Assuan protocol): to sign a hash, without
 * a run of gpg for each; to change a key's passphrase, where its questions for the old and the new
 * one have names, which gpg's have not; and to end. One that does not answer is killed.
 */
#include "lib/crypt/pgphome.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/error.h"

/* A line of the protocol, without its line end. */
#define LINE_MAX_SIZE 1000
#define ANSWER_SECONDS 20
#define END_SECONDS 1

struct PgpAgent {
	int fd;
	char line[LINE_MAX_SIZE + 3];
	gsize have; /* bytes read, of which the first line may be complete */
	gsize taken; /* of these, the line that was read last */
};

static void limit_waiting(int fd, gint64 microseconds)
{
	const struct timeval limit = {.tv_sec = microseconds / G_USEC_PER_SEC,
				      .tv_usec = microseconds % G_USEC_PER_SEC};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int connect_agent(const char *folder, gint64 patience)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_autofree char *path = g_build_filename(folder, "S.gpg-agent", NULL);

	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	limit_waiting(fd, patience);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static gboolean send_all(int fd, const void *bytes, gsize size)
{
	const char *at = bytes;

	while (size > 0) {
		gssize n = send(fd, at, size, MSG_NOSIGNAL);
		if (n <= 0)
			return FALSE;
		at += n;
		size -= (gsize)n;
	}
	return TRUE;
}

/* The next line into agent->line, without its end; its length is agent->taken - 1. FALSE: the agent
 * is gone, or silent (errno EAGAIN). */
static gboolean read_line(PgpAgent *agent)
{
	memmove(agent->line, agent->line + agent->taken, agent->have - agent->taken);
	agent->have -= agent->taken;
	agent->taken = 0;
	for (;;) {
		char *end = memchr(agent->line, '\n', agent->have);
		if (end) {
			*end = '\0';
			agent->taken = (gsize)(end + 1 - agent->line);
			return TRUE;
		}
		errno = 0;
		if (agent->have >= LINE_MAX_SIZE + 2)
			return FALSE;
		gssize n = recv(agent->fd, agent->line + agent->have,
				LINE_MAX_SIZE + 2 - agent->have, 0);
		if (n <= 0)
			return FALSE;
		agent->have += (gsize)n;
	}
}

/* Answers a question: "D " and the bytes, with the protocol's escapes, then END. */
static gboolean answer(PgpAgent *agent, const Secret *secret)
{
	static const char hex[] = "0123456789ABCDEF";
	gsize size = secret ? secret_size(secret) : 0;
	g_autoptr(Secret) text = secret_new(3 * size + 3);
	guint8 *out = secret_data(text);
	gsize length = 2;

	memcpy(out, "D ", 2);
	for (gsize i = 0; i < size; i++) {
		guint8 byte = secret_bytes(secret)[i];
		if (byte != '%' && byte != '\r' && byte != '\n') {
			out[length++] = byte;
			continue;
		}
		out[length++] = '%';
		out[length++] = (guint8)hex[byte >> 4];
		out[length++] = (guint8)hex[byte & 15];
	}
	out[length++] = '\n';
	return length <= LINE_MAX_SIZE && (!size || send_all(agent->fd, out, length)) &&
	       send_all(agent->fd, "END\n", 4);
}

/* The bytes of a data line: all but what is escaped is as it is. */
static void take_data(const PgpAgent *agent, GByteArray *data)
{
	const char *at = agent->line + 2, *end = agent->line + agent->taken - 1;

	for (; at < end && data->len < PGP_AGENT_DATA_MAX; at++) {
		int high = *at == '%' && end - at > 2 ? g_ascii_xdigit_value(at[1]) : -1;
		int low = high >= 0 ? g_ascii_xdigit_value(at[2]) : -1;
		guint8 byte = low < 0 ? (guint8)*at : (guint8)(high << 4 | low);

		g_byte_array_append(data, &byte, 1);
		at += low < 0 ? 0 : 2;
	}
}

/* What one command may be answered with. */
typedef struct {
	const Secret *old, *new; /* passphrases, for its questions */
	GByteArray *data; /* gets its data; NULL: there is none */
} Talk;

static gboolean answer_question(PgpAgent *agent, const Talk *talk)
{
	const char *what = agent->line + strlen("INQUIRE ");

	if (!g_str_has_prefix(what, "PASSPHRASE"))
		return answer(agent, talk->new);
	return talk->old ? answer(agent, talk->old) : send_all(agent->fd, "CAN\n", 4);
}

/* 0, the agent's error code, GPG_ERR_TIMEOUT, or GPG_ERR_EOF if it is gone or there is no sense in
 * its answers. */
static gpgme_error_t command(PgpAgent *agent, const char *line, const Talk *talk)
{
	if (!send_all(agent->fd, line, strlen(line)))
		return errno == EAGAIN ? GPG_ERR_TIMEOUT : GPG_ERR_EOF;
	while (read_line(agent)) {
		if (g_str_has_prefix(agent->line, "OK"))
			return 0;
		if (g_str_has_prefix(agent->line, "ERR "))
			return (gpgme_error_t)g_ascii_strtoull(agent->line + 4, NULL, 10);
		if (g_str_has_prefix(agent->line, "D ") && talk->data)
			take_data(agent, talk->data);
		if (g_str_has_prefix(agent->line, "INQUIRE ") && !answer_question(agent, talk))
			return GPG_ERR_EOF;
	}
	return errno == EAGAIN ? GPG_ERR_TIMEOUT : GPG_ERR_EOF;
}

void pgp_agent_free(PgpAgent *agent)
{
	if (!agent)
		return;
	close(agent->fd);
	g_free(agent);
}

/* Greeted, and told to ask nobody but us. */
static gboolean greet(PgpAgent *agent)
{
	static const Talk nothing = {NULL, NULL, NULL};

	return read_line(agent) && command(agent, "OPTION pinentry-mode=loopback\n", &nothing) == 0;
}

/* NULL: none is there, or it was silent for that long (microseconds; errno EAGAIN). */
static PgpAgent *open_agent(const char *folder, gint64 patience)
{
	int fd = connect_agent(folder, patience);

	if (fd < 0)
		return NULL;
	PgpAgent *agent = g_new0(PgpAgent, 1);
	agent->fd = fd;
	if (greet(agent))
		return agent;
	int saved = errno;
	pgp_agent_free(agent);
	errno = saved;
	return NULL;
}

/* --- signing --- */

/* Never 0, which would be "without a limit". */
static gint64 time_left(gint64 deadline)
{
	return MAX(deadline - g_get_monotonic_time(), 1);
}

static gpgme_error_t sign(PgpAgent *agent, const PgpHash *hash, gint64 deadline, GByteArray *into)
{
	g_autofree char *key = g_strdup_printf("SIGKEY %s\n", hash->keygrip);
	g_autoptr(GString) digest = g_string_new(NULL);
	Talk talk = {NULL, NULL, into};

	limit_waiting(agent->fd, time_left(deadline));
	g_string_append_printf(digest, "SETHASH %u ", hash->algorithm);
	for (gsize i = 0; i < hash->size; i++)
		g_string_append_printf(digest, "%02X", hash->digest[i]);
	g_string_append_c(digest, '\n');
	gpgme_error_t failure = command(agent, key, &talk);
	if (!failure)
		failure = command(agent, digest->str, &talk);
	g_byte_array_set_size(into, 0);
	return failure ? failure : command(agent, "PKSIGN\n", &talk);
}

/* The agent is started if it does not run. */
static PgpAgent *new_agent(PgpHome *home, gint64 deadline, gpgme_error_t *failure)
{
	const char *folder = pgp_home_folder(home);
	PgpAgent *agent = open_agent(folder, time_left(deadline));

	*failure = !agent && errno == EAGAIN ? GPG_ERR_TIMEOUT : GPG_ERR_EOF;
	if (!agent && *failure == GPG_ERR_EOF && pgp_home_wake(home, deadline, NULL))
		agent = open_agent(folder, time_left(deadline));
	return agent;
}

gboolean pgp_agent_sign(PgpHome *home, const PgpHash *hash, gint64 deadline, GByteArray *answer,
			GError **error)
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
		failure = sign(agent, hash, deadline, answer);
		if (!failure) {
			pgp_home_give_agent(home, agent);
			return TRUE;
		}
		pgp_agent_free(agent);
	}
	pgp_set_error(error, failure, "gpg-agent");
	return FALSE;
}

/* --- passphrases --- */

gboolean pgp_agent_passwd(const char *folder, const char *keygrip, const Secret *old,
			  const Secret *new, GError **error)
{
	g_autoptr(PgpAgent) agent = open_agent(folder, ANSWER_SECONDS * G_USEC_PER_SEC);
	g_autofree char *passwd = g_strdup_printf("PASSWD %s\n", keygrip);
	const Talk talk = {old, new, NULL};

	if (!agent) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "no gpg-agent");
		return FALSE;
	}
	gpgme_error_t failure = command(agent, passwd, &talk);
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

static void ask_to_end(const char *folder)
{
	char buffer[LINE_MAX_SIZE];
	int fd = connect_agent(folder, END_SECONDS * G_USEC_PER_SEC);

	if (fd < 0)
		return;
	/* It closes the connection when it goes. */
	gboolean there = send_all(fd, "KILLAGENT\n", 10);
	while (there)
		there = recv(fd, buffer, sizeof(buffer), 0) > 0;
	close(fd);
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
