/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets in locked memory (libsodium's guarded allocations). Reading one from a file insists
 * that nobody else can; the bytes never pass through memory that is not wiped.
 */
#include "lib/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/error.h"

struct Secret {
	guint8 *data;
	gsize size;
};

Secret *secret_new(gsize size)
{
	Secret *secret = g_new0(Secret, 1);

	if (sodium_init() < 0)
		g_error("libsodium cannot start");
	secret->size = size;
	secret->data = sodium_malloc(MAX(size, 1));
	if (!secret->data)
		g_error("no locked memory for a secret of %" G_GSIZE_FORMAT " bytes", size);
	sodium_memzero(secret->data, MAX(size, 1));
	return secret;
}

Secret *secret_take(void *data, gsize size)
{
	Secret *secret = secret_new(size);

	memcpy(secret->data, data, size);
	sodium_memzero(data, size);
	return secret;
}

Secret *secret_random(gsize size)
{
	Secret *secret = secret_new(size);

	randombytes_buf(secret->data, size);
	return secret;
}

void secret_free(Secret *secret)
{
	if (!secret)
		return;
	sodium_free(secret->data);
	g_free(secret);
}

guint8 *secret_data(Secret *secret)
{
	return secret->data;
}

const guint8 *secret_bytes(const Secret *secret)
{
	return secret->data;
}

gsize secret_size(const Secret *secret)
{
	return secret->size;
}

gboolean secret_equal(const Secret *a, const Secret *b)
{
	return a->size == b->size && sodium_memcmp(a->data, b->data, a->size) == 0;
}

/* What systemd hands over (systemd.exec(5), LoadCredential=) is root's, and an ACL lets the service's
 * user in, which shows as rights of the group. */
static gboolean is_credential(const char *path, const struct stat *st)
{
	return g_str_has_prefix(path, SECRET_CREDENTIALS) && !strstr(path, "/../") &&
	       st->st_uid == 0 && st->st_gid == 0 && (st->st_mode & 037) == 0;
}

static gboolean check_private(const char *path, const struct stat *st, GError **error)
{
	/* Root administers what belongs to the service's user. */
	if (st->st_uid != geteuid() && st->st_uid != 0 && geteuid() != 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "%s: belongs to user %u; it must belong to the service's user or root",
			    path, (unsigned)st->st_uid);
		return FALSE;
	}
	if ((st->st_mode & 077) && !is_credential(path, st)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "%s: mode %04o lets others in; it must be 0600 or 0400", path,
			    (unsigned)st->st_mode & 07777);
		return FALSE;
	}
	return TRUE;
}

static gboolean read_all(int fd, const char *path, Secret *into, gsize *length, GError **error)
{
	gsize have = 0;

	while (have < into->size) {
		gssize n = read(fd, into->data + have, into->size - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(error, errno, path);
		if (n == 0)
			break;
		have += (gsize)n;
	}
	*length = have;
	return TRUE;
}

static Secret *shortened(const Secret *from, gsize size)
{
	Secret *secret = secret_new(size);

	memcpy(secret->data, from->data, size);
	return secret;
}

static Secret *read_fd(int fd, const char *path, gboolean private_only, GError **error)
{
	struct stat st;
	gsize length = 0;

	if (fstat(fd, &st) < 0) {
		error_set_errno(error, errno, path);
		return NULL;
	}
	if (private_only && !check_private(path, &st, error))
		return NULL;
	g_autoptr(Secret) buffer = secret_new(SECRET_MAX + 1);
	if (!read_all(fd, path, buffer, &length, error))
		return NULL;
	if (length > SECRET_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "%s: larger than %d bytes",
			    path, SECRET_MAX);
		return NULL;
	}
	return shortened(buffer, length);
}

Secret *secret_read_file(const char *path, gboolean private_only, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "%s: %s", path, g_strerror(errno));
		return NULL;
	}
	Secret *secret = read_fd(fd, path, private_only, error);
	close(fd);
	return secret;
}

static gsize first_line(const Secret *secret)
{
	gsize n = 0;

	while (n < secret->size && secret->data[n] != '\n' && secret->data[n] != '\r')
		n++;
	return n;
}

Secret *secret_read_passphrase(const char *path, GError **error)
{
	g_autoptr(Secret) file = secret_read_file(path, TRUE, error);

	return file ? shortened(file, first_line(file)) : NULL;
}

/* Keys that stop us wait until the terminal echoes again. */
static void hold_signals(sigset_t *before)
{
	sigset_t stops;

	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGQUIT);
	sigaddset(&stops, SIGTSTP);
	pthread_sigmask(SIG_BLOCK, &stops, before);
}

static Secret *ask_on(int tty, const char *prompt, GError **error)
{
	struct termios echoing, silent;
	g_autoptr(Secret) buffer = secret_new(1024);
	sigset_t mask;
	gssize n = -1;

	if (tcgetattr(tty, &echoing) < 0) {
		error_set_errno(error, errno, "terminal");
		return NULL;
	}
	silent = echoing;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	hold_signals(&mask);
	tcsetattr(tty, TCSAFLUSH, &silent);
	if (write(tty, prompt, strlen(prompt)) >= 0)
		n = read(tty, buffer->data, buffer->size);
	int errnum = errno;
	tcsetattr(tty, TCSAFLUSH, &echoing);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (n < 0 || write(tty, "\n", 1) < 0) {
		error_set_errno(error, errnum, "terminal");
		return NULL;
	}
	g_autoptr(Secret) line = shortened(buffer, (gsize)n);
	return shortened(line, first_line(line));
}

Secret *secret_ask(const char *prompt, GError **error)
{
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (tty < 0) {
		g_set_error_literal(
			error, SEALPOST_ERROR, ERROR_PASSPHRASE,
			"a passphrase is needed and there is no terminal to ask for it; "
			"give --passphrase-file");
		return NULL;
	}
	Secret *secret = ask_on(tty, prompt, error);
	close(tty);
	return secret;
}
