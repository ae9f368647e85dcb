/* SPDX-License-Identifier: Apache-2.0
 *
 * sealpost-portal: the web portal. Root, if it has it, opens the port and reads the certificate;
 * then the daemon drops to its user, opens the store and serves until a signal ends it. It has no
 * key of the company's. The log gets one line a request, by the route's name: never a URL.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/privs.h"
#include "portal/http.h"
#include "portal/portal.h"
#include "portal/route.h"

/* Seconds between two sweeps of expired messages and sessions. */
#define SWEEP_EVERY 60

#define DEFAULT_CONF "/etc/sealpost/sealpost.conf"

/* What root prepares. */
typedef struct {
	int socket;
	Secret *certificate;
	Secret *key;
} Prepared;

static void prepared_clear(Prepared *prepared)
{
	if (prepared->socket >= 0)
		close(prepared->socket);
	secret_free(prepared->certificate);
	secret_free(prepared->key);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Prepared, prepared_clear)

static Response *serve(void *context, const Request *request)
{
	g_autoptr(GError) failure = NULL;
	Response *response = route_serve(context, request, &failure);

	if (failure != NULL)
		log_error("%s: %s", response->route != NULL ? response->route : "none",
			  failure->message);
	if (!response->quiet)
		log_info("%s %s %u %s%s%s", request->method == METHOD_POST ? "POST" : "GET",
			 response->route != NULL ? response->route : "none", response->status,
			 request->client, response->note != NULL ? " " : "",
			 response->note != NULL ? response->note : "");
	return response;
}

static Secret *read_setting(const Conf *conf, const char *key, GError **error)
{
	Secret *content = secret_read_file(conf_path(conf, "portal", key), FALSE, error);

	if (content == NULL)
		g_prefix_error(error, "[portal] %s: ", key);
	return content;
}

static Secret *read_certificate(const Conf *conf, GError **error)
{
	return read_setting(conf, "certificate", error);
}

/* A group may read it (Debian's ssl-cert); nobody else. */
static Secret *read_key(const Conf *conf, GError **error)
{
	const char *path = conf_path(conf, "portal", "key");
	struct stat status;

	if (stat(path, &status) == 0 && (status.st_mode & S_IRWXO) != 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "[portal] key: %s: everybody can read this private key (mode %04o)",
			    path, (guint)(status.st_mode & 07777));
		return NULL;
	}
	return read_setting(conf, "key", error);
}

static gboolean prepare(const Conf *conf, Prepared *prepared, GError **error)
{
	prepared->certificate = read_certificate(conf, error);
	prepared->key = prepared->certificate != NULL ? read_key(conf, error) : NULL;
	if (prepared->key == NULL)
		return FALSE;
	prepared->socket = http_listen(conf_address(conf, "portal", "listen"), error);
	return prepared->socket >= 0 && privs_drop(conf_string(conf, "portal", "user"), error) &&
	       privs_lock_down(FALSE, error);
}

static void sweep(Portal *portal)
{
	g_autoptr(GError) error = NULL;
	PortalSwept swept = {0};

	if (!portal_sweep(portal, &swept, &error))
		log_error("sweep: %s", error->message);
	if (swept.messages > 0)
		log_info("%d expired messages deleted", swept.messages);
	if (swept.accounts > 0)
		log_info("%d unused accounts deleted", swept.accounts);
}

/* As the portal's user: what only root can read needs a restart. */
static void renew(Http *http, const Conf *conf)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Secret) certificate = NULL;
	g_autoptr(Secret) key = NULL;

	certificate = read_certificate(conf, &error);
	if (certificate != NULL)
		key = read_key(conf, &error);
	if (key != NULL && http_renew(http, certificate, key, &error))
		log_info("certificate read anew");
	else
		log_error("the old certificate stays in use: %s", error->message);
}

/* Until SIGTERM or SIGINT. */
static void wait_for_end(Portal *portal, Http *http, const sigset_t *signals)
{
	const struct timespec pause = {.tv_sec = SWEEP_EVERY};

	for (;;) {
		int number;

		sweep(portal);
		http_tidy(http);
		number = sigtimedwait(signals, NULL, &pause);
		if (number == SIGTERM || number == SIGINT)
			return;
		if (number == SIGHUP)
			renew(http, portal->conf);
	}
}

static gboolean run(Conf *conf, const sigset_t *signals, GError **error)
{
	g_auto(Prepared) prepared = {.socket = -1};
	g_autoptr(Portal) portal = NULL;
	HttpOptions options = {
		.connections = (guint)conf_number(conf, "portal", "connections"),
		.connections_per_address =
			(guint)conf_number(conf, "portal", "connections_per_address"),
		.serve = serve,
		.refuse = route_refuse,
	};
	Http *http;

	if (!prepare(conf, &prepared, error))
		return FALSE;
	portal = portal_new(conf, error);
	if (portal == NULL)
		return FALSE;
	options.socket = prepared.socket;
	options.certificate = prepared.certificate;
	options.key = prepared.key;
	options.context = portal;
	http = http_start(&options, error);
	if (http == NULL)
		return FALSE;
	prepared.socket = -1; /* the server's */
	log_info("ready on %s for %s", conf_address(conf, "portal", "listen"),
		 conf_string(conf, "portal", "url"));
	wait_for_end(portal, http, signals);
	http_stop(http);
	log_info("ended");
	return TRUE;
}

static Conf *read_options(int argc, char **argv, LogLevel *level, int *status)
{
	g_autofree char *path = NULL;
	g_autoptr(GError) error = NULL;
	const GOptionEntry entries[] = {
		{"config", 'c', 0, G_OPTION_ARG_FILENAME, &path, "The configuration", "FILE"},
		{NULL},
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(Conf) conf = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
		fprintf(stderr, "sealpost-portal: %s\n",
			error != NULL ? error->message : "unknown argument");
		*status = EX_USAGE;
		return NULL;
	}
	conf = conf_load(path != NULL ? path : DEFAULT_CONF, &error);
	if (conf != NULL && log_read_level(conf, level, &error))
		return g_steal_pointer(&conf);
	fprintf(stderr, "sealpost-portal: %s\n", error->message);
	*status = EX_CONFIG;
	return NULL;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Conf) conf = NULL;
	sigset_t signals;
	int status = EX_OK;
	LogLevel level;

	privs_hold_standard();
	/* blocked before there are threads, so that only the main one takes them */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	conf = read_options(argc, argv, &level, &status);
	if (conf == NULL)
		return status;
	log_open("sealpost-portal", level, conf_boolean(conf, "sealpost", "hash_addresses"), NULL);
	if (run(conf, &signals, &error))
		return EX_OK;
	log_error("%s", error->message);
	return g_error_matches(error, SEALPOST_ERROR, ERROR_CONFIG) ? EX_CONFIG : EX_OSERR;
}
