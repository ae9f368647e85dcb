/* SPDX-License-Identifier: Apache-2.0
 *
 * Talking to gpg-agent. See pgpassuan.h.
 */
#include "lib/crypt/pgpassuan.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* A line of the protocol, without its line end. */
#define LINE_MAX_SIZE 1000

struct PgpAgent {
	int fd;
	gint64 deadline;
	Secret *line; /* of LINE_ROOM bytes: session keys pass here */
	gsize have; /* bytes read, of which the first line may be complete */
	gsize taken; /* of these, the line that was read last */
};
#define LINE_ROOM (LINE_MAX_SIZE + 3)

static char *line_of(const PgpAgent *agent)
{
	return (char *)secret_data(agent->line);
}

/* 0, or what kept it: the deadline. */
static gpgme_error_t wait_for(const PgpAgent *agent, short events)
{
	struct pollfd polled = {.fd = agent->fd, .events = events};

	for (;;) {
		gint64 left = agent->deadline - g_get_monotonic_time();

		if (left <= 0)
			return GPG_ERR_TIMEOUT;
		int ready = poll(&polled, 1, (int)MIN(left / 1000 + 1, G_MAXINT));
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return GPG_ERR_EOF;
	}
}

static gboolean is_for_now(void)
{
	return errno == EINTR || errno == EAGAIN;
}

static gpgme_error_t send_all(const PgpAgent *agent, const void *bytes, gsize size)
{
	const char *at = bytes;
	gpgme_error_t failure = 0;

	while (size > 0 && !(failure = wait_for(agent, POLLOUT))) {
		gssize n = send(agent->fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && is_for_now())
			continue;
		if (n <= 0)
			return GPG_ERR_EOF;
		at += n;
		size -= (gsize)n;
	}
	return failure;
}

static gpgme_error_t receive(PgpAgent *agent)
{
	gpgme_error_t failure;

	while (!(failure = wait_for(agent, POLLIN))) {
		gssize n = recv(agent->fd, line_of(agent) + agent->have,
				LINE_MAX_SIZE + 2 - agent->have, MSG_DONTWAIT);

		if (n < 0 && is_for_now())
			continue;
		if (n <= 0)
			return GPG_ERR_EOF;
		agent->have += (gsize)n;
		return 0;
	}
	return failure;
}

/* What comes behind the last line to the front of agent->line. */
static void drop_line(PgpAgent *agent)
{
	char *line = line_of(agent);

	agent->have -= agent->taken;
	memmove(line, line + agent->taken, agent->have);
	agent->taken = 0;
}

/* The next line to the front of agent->line, without its end; its length is agent->taken - 1. */
static gpgme_error_t read_line(PgpAgent *agent)
{
	char *line = line_of(agent);
	gpgme_error_t failure = 0;

	drop_line(agent);
	while (!failure) {
		char *end = memchr(line, '\n', agent->have);

		if (end) {
			*end = '\0';
			agent->taken = (gsize)(end + 1 - line);
			return 0;
		}
		failure = agent->have < LINE_MAX_SIZE + 2 ? receive(agent) : GPG_ERR_EOF;
	}
	return failure;
}

static void append(guint8 *line, gsize *length, guint8 byte)
{
	static const char hex[] = "0123456789ABCDEF";

	if (byte == '%' || byte == '\r' || byte == '\n') {
		line[(*length)++] = '%';
		line[(*length)++] = (guint8)hex[byte >> 4];
		line[(*length)++] = (guint8)hex[byte & 15];
	} else {
		line[(*length)++] = byte;
	}
}

/* Answers a question: lines of "D " and the bytes, with the protocol's escapes, then END. */
static gpgme_error_t answer(const PgpAgent *agent, const guint8 *bytes, gsize size)
{
	g_autoptr(Secret) text = secret_new(LINE_MAX_SIZE + 1);
	guint8 *line = secret_data(text);
	gpgme_error_t failure = 0;

	for (gsize at = 0; at < size && !failure;) {
		gsize length = 2;

		memcpy(line, "D ", 2);
		while (at < size && length + 3 <= LINE_MAX_SIZE)
			append(line, &length, bytes[at++]);
		line[length++] = '\n';
		failure = send_all(agent, line, length);
	}
	return failure ? failure : send_all(agent, "END\n", 4);
}

static gpgme_error_t answer_secret(const PgpAgent *agent, const Secret *secret)
{
	return secret ? answer(agent, secret_bytes(secret), secret_size(secret))
		      : answer(agent, NULL, 0);
}

static gpgme_error_t answer_question(const PgpAgent *agent, const PgpTalk *talk)
{
	const char *what = line_of(agent) + strlen("INQUIRE ");

	if (talk->ciphertext && g_str_equal(what, "CIPHERTEXT"))
		return answer(agent, g_bytes_get_data(talk->ciphertext, NULL),
			      g_bytes_get_size(talk->ciphertext));
	if (!g_str_has_prefix(what, "PASSPHRASE"))
		return answer_secret(agent, talk->new);
	return talk->old ? answer_secret(agent, talk->old) : send_all(agent, "CAN\n", 4);
}

/* The bytes of a data line: all but what is escaped is as it is. */
static gpgme_error_t take_data(const PgpAgent *agent, PgpTalk *talk)
{
	const char *at = line_of(agent) + 2, *end = line_of(agent) + agent->taken - 1;

	for (; at < end; at++) {
		int high = *at == '%' && end - at > 2 ? g_ascii_xdigit_value(at[1]) : -1;
		int low = high >= 0 ? g_ascii_xdigit_value(at[2]) : -1;

		if (talk->used == talk->room)
			return GPG_ERR_EOF;
		talk->data[talk->used++] = low < 0 ? (guint8)*at : (guint8)(high << 4 | low);
		at += low < 0 ? 0 : 2;
	}
	return 0;
}

static gpgme_error_t read_error(const char *number)
{
	guint64 code = g_ascii_strtoull(number, NULL, 10);

	return code > 0 && code <= G_MAXUINT32 ? (gpgme_error_t)code : GPG_ERR_EOF;
}

static gboolean is_word(const char *line, const char *word)
{
	gsize length = strlen(word);

	return strncmp(line, word, length) == 0 && (line[length] == ' ' || line[length] == '\0');
}

static gpgme_error_t converse(PgpAgent *agent, const char *line, PgpTalk *talk)
{
	const char *got = line_of(agent);
	gpgme_error_t failure = send_all(agent, line, strlen(line));

	talk->used = 0;
	while (!failure && !(failure = read_line(agent))) {
		if (is_word(got, "OK"))
			return 0;
		if (is_word(got, "ERR"))
			return read_error(got + 3);
		if (is_word(got, "D") && talk->data)
			failure = take_data(agent, talk);
		else if (is_word(got, "INQUIRE"))
			failure = answer_question(agent, talk);
	}
	return failure;
}

/* Who waits for the next command keeps nothing of this one: a session key was in its lines. */
gpgme_error_t pgp_agent_command(PgpAgent *agent, const char *line, PgpTalk *talk)
{
	gpgme_error_t failure = converse(agent, line, talk);

	drop_line(agent);
	explicit_bzero(line_of(agent) + agent->have, LINE_ROOM - agent->have);
	return failure;
}

void pgp_agent_free(PgpAgent *agent)
{
	if (!agent)
		return;
	close(agent->fd);
	secret_free(agent->line);
	g_free(agent);
}

/* A socket that does not take us (its queue is full) gives up at the deadline, too. */
static int connect_socket(const char *folder, gint64 deadline)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_autofree char *path = g_build_filename(folder, "S.gpg-agent", NULL);
	gint64 left = MAX(deadline - g_get_monotonic_time(), 1); /* 0 would be: without a limit */
	const struct timeval limit = {.tv_sec = left / G_USEC_PER_SEC,
				      .tv_usec = left % G_USEC_PER_SEC};

	errno = ENOENT;
	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

PgpAgent *pgp_agent_open(const char *folder, gint64 deadline, gpgme_error_t *failure)
{
	PgpTalk nothing = {.room = 0};
	int fd = connect_socket(folder, deadline);

	if (fd < 0) {
		*failure = errno == EAGAIN ? GPG_ERR_TIMEOUT : GPG_ERR_EOF;
		return NULL;
	}
	g_autoptr(PgpAgent) agent = g_new0(PgpAgent, 1);
	agent->fd = fd;
	agent->deadline = deadline;
	agent->line = secret_new(LINE_ROOM);
	*failure = read_line(agent);
	if (!*failure)
		*failure = pgp_agent_command(agent, "OPTION pinentry-mode=loopback\n", &nothing);
	return *failure ? NULL : g_steal_pointer(&agent);
}

void pgp_agent_limit(PgpAgent *agent, gint64 deadline)
{
	agent->deadline = deadline;
}

void pgp_agent_wait(PgpAgent *agent)
{
	while (!read_line(agent))
		;
}
