/* SPDX-License-Identifier: Apache-2.0
 *
 * sealpost-gateway: starts, serves the milter, reloads on SIGHUP, ends on SIGTERM and SIGINT.
 *
 * libmilter has a thread of its own that waits for SIGHUP, SIGTERM and SIGINT and takes each for an
 * order to stop. Linux hands a process's signal to the main thread if that one does not block
 * it, so here the main thread keeps them unblocked, all other threads block them, and smfi_main()
 * runs in a thread: libmilter's own waiter never sees one.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/privs.h"
#include "lib/crypt/x509.h"

#include "gateway/milter.h"
#include "gateway/notices.h"
#include "gateway/runlock.h"

/* How long messages under way may take to end. */
#define STOP_SECONDS 12

/* What a message may take without a word. */
#define MESSAGE_SECONDS_MAX 10

/* More than a message's buffers and spools take from malloc() (spool.h). */
#define MALLOC_KEPT (1024 * 1024)

/* What a signal handler can reach: the pipe that the main thread reads. */
static struct {
	int pipe[2];
} events;

enum { EVENT_RELOAD = 'r', EVENT_STOP = 's', EVENT_ENDED = 'e' };

static void post_event(char event)
{
	int saved = errno;

	if (write(events.pipe[1], &event, 1) != 1) {
		/* A full pipe holds orders enough. */
	}
	errno = saved;
}

static void on_signal(int number)
{
	post_event(number == SIGHUP ? EVENT_RELOAD : EVENT_STOP);
}

static gboolean set_up_signals(void)
{
	/* SA_NODEFER: not blocked for a moment, not even here. */
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER | SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	return pipe2(events.pipe, O_CLOEXEC | O_NONBLOCK) == 0 &&
	       sigaction(SIGHUP, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0 &&
	       sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGPIPE, &ignore, NULL) == 0;
}

static void mask_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(how, &set, NULL);
}

/* By default malloc() gives 128 KB of free memory back to the kernel, with each message, and the
 * next one pays for every page again. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, MALLOC_KEPT);
	mallopt(M_TRIM_THRESHOLD, MALLOC_KEPT);
}

static gboolean parse_options(int argc, char **argv, char **conf_path)
{
	GOptionEntry entries[] = {
		{"config", 'c', 0, G_OPTION_ARG_FILENAME, conf_path, "Configuration file", "FILE"},
		{NULL},
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- end-to-end encryption milter");
	g_autoptr(GError) error = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	if (g_option_context_parse(context, &argc, &argv, &error) && argc == 1) {
		if (!*conf_path)
			*conf_path = g_strdup("/etc/sealpost/sealpost.conf");
		return TRUE;
	}
	fprintf(stderr, "sealpost-gateway: %s\n", error ? error->message : "too many arguments");
	return FALSE;
}

static gboolean read_socket_mode(const Conf *conf, int *mode, GError **error)
{
	const char *text = conf_string(conf, "gateway", "socket_mode");
	guint64 value = 0;
	char *end = NULL;

	value = g_ascii_strtoull(text, &end, 8);
	if (g_ascii_isdigit(*text) && *end == '\0' && value > 0 && value <= 0777) {
		*mode = (int)value;
		return TRUE;
	}
	g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
		    "[gateway] socket_mode: \"%s\" is no mode of a file, as 0660", text);
	return FALSE;
}

/* The socket is opened as who we were started as; all else as who we become, so that a reload
 * finds the same files accessible as the start did. */
static Snapshot *start(const char *path, GError **error)
{
	g_autoptr(Conf) conf = conf_load(path, error);

	if (!conf)
		return NULL;
	const char *user = conf_string(conf, "sealpost", "user");
	const char *endpoint = conf_address(conf, "gateway", "listen");
	int mode;

	if (!read_socket_mode(conf, &mode, error))
		return NULL;
	if (g_str_has_prefix(endpoint, "unix:")) {
		g_autofree char *folder = g_path_get_dirname(endpoint + strlen("unix:"));

		if (g_mkdir_with_parents(folder, 0750) != 0) {
			error_set_errno(error, errno, folder);
			return NULL;
		}
	}
	if (!runlock_is_free(conf_path(conf, "gateway", "runtime_folder"), error) ||
	    !milter_listen(endpoint, mode, user, error) || !privs_drop(user, error) ||
	    !privs_lock_down(TRUE, error))
		return NULL;
	Snapshot *snapshot = snapshot_open(conf, error);

	/* by root, whoever reads this would say, all of it can be read */
	if (!snapshot && user && *user && !g_error_matches(*error, SEALPOST_ERROR, ERROR_CONFIG))
		g_prefix_error(error, "as user %s: ", user);
	return snapshot;
}

/* What was opened at the start stays open, whatever a new version says. */
static void warn_of_fixed(const Conf *old, const Conf *fresh)
{
	static const struct {
		const char *section, *key;
		const char *(*get)(const Conf *conf, const char *section, const char *key);
	} fixed[] = {
		{"sealpost", "user", conf_string},	 {"gateway", "listen", conf_address},
		{"gateway", "socket_mode", conf_string}, {"gateway", "runtime_folder", conf_path},
		{"gateway", "journal", conf_path},	 {"gateway", "threads", conf_path},
	};

	for (guint i = 0; i < G_N_ELEMENTS(fixed); i++) {
		const char *before = fixed[i].get(old, fixed[i].section, fixed[i].key);
		const char *now = fixed[i].get(fresh, fixed[i].section, fixed[i].key);

		if (g_strcmp0(before, now) != 0)
			log_warning("[%s] %s has changed: only a restart takes that",
				    fixed[i].section, fixed[i].key);
	}
}

/* One that waits can hold up others: libmilter's threads. */
static void warn_of_time(const Conf *conf)
{
	if (conf_duration(conf, "gateway", "message_time") > MESSAGE_SECONDS_MAX)
		log_warning(
			"[gateway] message_time: over %d seconds; a message that takes its time "
			"can hold up others, and the MTA",
			MESSAGE_SECONDS_MAX);
}

/* A broken new version is refused; the old one stays in force. */
static void reload(const char *conf_path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Snapshot) old = milter_snapshot();
	g_autoptr(Conf) conf = conf_load(conf_path, &error);
	g_autoptr(Snapshot) fresh = conf ? snapshot_reopen(old, conf, &error) : NULL;

	if (!fresh) {
		log_error("reload refused, the old configuration stays in force: %s",
			  error->message);
		return;
	}
	snapshot_configure_log(fresh);
	milter_set_snapshot(fresh);
	warn_of_fixed(old->conf, conf);
	warn_of_time(conf);
	log_info("reloaded %s: %u rules", conf_path, policy_rule_count(fresh->policy));
}

static gpointer run_milter(gpointer unused)
{
	(void)unused;
	if (!milter_run())
		log_error("libmilter has given up");
	post_event(EVENT_ENDED);
	return NULL;
}

/* The main thread's life: waits for events until libmilter has ended. TRUE if that was asked for. */
static gboolean serve(const char *conf_path)
{
	struct pollfd waiting = {events.pipe[0], POLLIN, 0};
	gboolean stopping = FALSE;
	char event;

	for (;;) {
		if (read(events.pipe[0], &event, 1) != 1) {
			poll(&waiting, 1, -1);
			continue;
		}
		if (event == EVENT_RELOAD && !stopping) {
			reload(conf_path);
		} else if (event == EVENT_STOP) {
			stopping = TRUE;
			milter_stop();
		} else if (event == EVENT_ENDED) {
			return stopping;
		}
	}
}

static void wait_for_messages(void)
{
	for (int i = 0; i < STOP_SECONDS * 20 && milter_busy() > 0; i++)
		g_usleep(50000);
}

static int run(const char *conf_path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Snapshot) snapshot = start(conf_path, &error);

	if (!snapshot) {
		log_error("%s", error->message);
		return g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG) ? EX_CONFIG
									    : EX_TEMPFAIL;
	}
	snapshot_configure_log(snapshot);
	warn_of_time(snapshot->conf);
	milter_set_snapshot(snapshot);
	Notices *notices = notices_new(milter_snapshot);

	milter_on_split(notices_wake, notices);
	g_thread_unref(g_thread_new("milter", run_milter, NULL));
	log_info("ready on %s: %u rules", conf_address(snapshot->conf, "gateway", "listen"),
		 policy_rule_count(snapshot->policy));
	g_clear_pointer(&snapshot, snapshot_unref);
	mask_signals(SIG_UNBLOCK);
	gboolean asked = serve(conf_path);

	wait_for_messages();
	notices_free(notices);
	milter_set_snapshot(NULL);
	log_info("ended");
	return asked ? EX_OK : EX_SOFTWARE;
}

int main(int argc, char **argv)
{
	g_autofree char *conf_path = NULL;

	privs_hold_standard();
	if (!parse_options(argc, argv, &conf_path))
		return EX_USAGE;
	keep_memory();
	crypt_threads_outlive_main(); /* libmilter joins none of its threads */
	mask_signals(SIG_BLOCK);
	log_open("sealpost-gateway", LOG_LEVEL_INFO, FALSE, NULL);
	if (!set_up_signals()) {
		log_error("cannot set up signals: %s", g_strerror(errno));
		return EX_OSERR;
	}
	return run(conf_path);
}
