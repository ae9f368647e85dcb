/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTPS server where two of its threads meet: a place that was free when a connection was looked
 * at, and is gone when it starts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <glib/gstdio.h>

#include "portal/crowd.h"

/* Whoever looks at a connection thinks that there is room: another thread is about to take it. */
#define crowd_has_room(crowd, network) ((void)(crowd), (void)(network), TRUE)
#include "portal/http.c"

typedef struct {
	char *folder;
	Http *http;
	guint16 port;
} Fixture;

static Secret *read_file(const Fixture *fixture, const char *name)
{
	g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
	Secret *secret = secret_read_file(path, FALSE, NULL);

	assert_non_null(secret);
	g_remove(path);
	return secret;
}

static void make_certificate(const Fixture *fixture)
{
	g_autofree char *command = g_strdup_printf(
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
		" -subj /CN=localhost -keyout %s/key.pem -out %s/cert.pem",
		fixture->folder, fixture->folder);
	int status = -1;

	assert_true(g_spawn_command_line_sync(command, NULL, NULL, &status, NULL));
	assert_int_equal(status, 0);
}

static Response *refuse_all(guint status)
{
	return response_new_text(status, "text/plain", g_strdup("no"));
}

static Response *serve_all(void *context, const Request *request)
{
	(void)context;
	(void)request;
	return refuse_all(HTTP_OK);
}

static guint16 port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	HttpOptions options = {.connections_per_address = 1,
			       .connections = 10,
			       .serve = serve_all,
			       .refuse = refuse_all};

	fixture->folder = g_dir_make_tmp("sealpost-http-XXXXXX", NULL);
	assert_non_null(fixture->folder);
	make_certificate(fixture);
	g_autoptr(Secret) certificate = read_file(fixture, "cert.pem");
	g_autoptr(Secret) key = read_file(fixture, "key.pem");
	options.certificate = certificate;
	options.key = key;
	options.socket = http_listen("inet:127.0.0.1:0", NULL);
	assert_true(options.socket >= 0);
	fixture->port = port_of(options.socket);
	fixture->http = http_start(&options, NULL);
	assert_non_null(fixture->http);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;

	http_stop(fixture->http);
	g_rmdir(fixture->folder);
	g_free(fixture->folder);
	g_free(fixture);
	return 0;
}

static int visit(const Fixture *fixture)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(fixture->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Does the server end it within that time? It says nothing by itself. */
static gboolean is_ended(int fd, int milliseconds)
{
	const struct timeval limit = {milliseconds / 1000, milliseconds % 1000 * 1000};
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return recv(fd, &byte, 1, 0) == 0;
}

/* One may be there. Who comes too late is shown out, and takes nobody's place with him. */
static void no_more_than_there_is_room(void **state)
{
	const Fixture *fixture = *state;
	int first = visit(fixture);
	gboolean in = FALSE;

	assert_false(is_ended(first, 300));
	for (int i = 0; i < 3; i++) {
		int late = visit(fixture);

		assert_true(is_ended(late, 20000));
		close(late);
	}
	assert_false(is_ended(first, 300));
	close(first);
	for (int i = 0; i < 200 && !in; i++) {
		int next = visit(fixture);

		in = !is_ended(next, 100);
		close(next);
	}
	assert_true(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_more_than_there_is_room, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("portal_http", tests, NULL, NULL);
}
