/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of gpg-agent itself, over its socket (the Assuan protocol): to change a key's
 * passphrase, where its questions for the old and the new one have names, which gpg's have not;
 * and to end. One that does not answer is killed.
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

typedef struct {
	int fd;
	char line[LINE_MAX_SIZE + 3];
	gsize have; /* bytes read, of which the first line may be complete */
} Agent;

static int connect_agent(const char *folder, int seconds)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval limit = {.tv_sec = seconds};
	g_autofree char *path = g_build_filename(folder, "S.gpg-agent", NULL);

	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
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

/* The next line into agent->line, without its end. FALSE: the agent is gone, or silent. */
static gboolean read_line(Agent *agent, gsize *taken)
{
	memmove(agent->line, agent->line + *taken, agent->have - *taken);
	agent->have -= *taken;
	*taken = 0;
	for (;;) {
		char *end = memchr(agent->line, '\n', agent->have);
		if (end) {
			*end = '\0';
			*taken = (gsize)(end + 1 - agent->line);
			return TRUE;
		}
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
static gboolean answer(Agent *agent, const Secret *secret)
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

/* One command, with what to say when asked for the old and the new passphrase. 0, the agent's
 * error code, or GPG_ERR_EOF if there is no sense in its answers. */
static gpgme_error_t command(Agent *agent, const char *line, const Secret *old, const Secret *new)
{
	gsize taken = agent->have;

	if (!send_all(agent->fd, line, strlen(line)))
		return GPG_ERR_EOF;
	while (read_line(agent, &taken)) {
		if (g_str_has_prefix(agent->line, "OK"))
			return 0;
		if (g_str_has_prefix(agent->line, "ERR "))
			return (gpgme_error_t)g_ascii_strtoull(agent->line + 4, NULL, 10);
		if (!g_str_has_prefix(agent->line, "INQUIRE "))
			continue;
		const char *what = agent->line + strlen("INQUIRE ");
		gboolean sent;
		if (g_str_has_prefix(what, "PASSPHRASE"))
			sent = old ? answer(agent, old) : send_all(agent->fd, "CAN\n", 4);
		else
			sent = answer(agent, new);
		if (!sent)
			return GPG_ERR_EOF;
	}
	return GPG_ERR_EOF;
}

static gpgme_error_t change(Agent *agent, const char *keygrip, const Secret *old, const Secret *new)
{
	g_autofree char *passwd = g_strdup_printf("PASSWD %s\n", keygrip);
	gsize taken = 0;

	if (!read_line(agent, &taken)) /* its greeting */
		return GPG_ERR_EOF;
	agent->have = 0;
	gpgme_error_t failure = command(agent, "OPTION pinentry-mode=loopback\n", NULL, NULL);
	agent->have = 0;
	return failure ? failure : command(agent, passwd, old, new);
}

gboolean pgp_agent_passwd(const char *folder, const char *keygrip, const Secret *old,
			  const Secret *new, GError **error)
{
	Agent agent = {.fd = connect_agent(folder, ANSWER_SECONDS)};

	if (agent.fd < 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "no gpg-agent");
		return FALSE;
	}
	gpgme_error_t failure = change(&agent, keygrip, old, new);
	close(agent.fd);
	if (!failure)
		return TRUE;
	if (!old || gpgme_err_code(failure) == GPG_ERR_BAD_PASSPHRASE)
		g_set_error(error, SEALPOST_ERROR, ERROR_PASSPHRASE, "%s",
			    old ? "wrong passphrase" : "the key has a passphrase");
	else
		pgp_set_error(error, failure, "changing the passphrase");
	return FALSE;
}

/* TRUE: it took its leave, or there is none. */
static gboolean ask_to_end(const char *folder)
{
	char buffer[LINE_MAX_SIZE];
	int fd = connect_agent(folder, END_SECONDS);
	gssize n = 1;

	if (fd < 0)
		return errno == ENOENT || errno == ECONNREFUSED;
	/* It closes the connection when it goes. */
	if (!send_all(fd, "KILLAGENT\n", 10))
		n = -1;
	while (n > 0)
		n = recv(fd, buffer, sizeof(buffer), 0);
	close(fd);
	return n == 0;
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

void pgp_agent_end(const char *folder)
{
	const char *name;

	if (ask_to_end(folder))
		return;
	g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
	while (proc && (name = g_dir_read_name(proc))) {
		gint64 pid = g_ascii_strtoll(name, NULL, 10);
		if (pid > 1 && is_agent(name, folder))
			kill((pid_t)pid, SIGKILL);
	}
}
