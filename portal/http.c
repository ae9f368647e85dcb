/* SPDX-License-Identifier: Apache-2.0
 *
 * The only door to libmicrohttpd (see http.h). A request whose head is not clean, or whose body is
 * too large, is refused at its first sight, before any of its body is read, and the connection
 * ends with it.
 */
#include "portal/http.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "portal/crowd.h"
#include "portal/hygiene.h"
#include "portal/reaper.h"

/* Memory of one connection: bounds the head of a request. */
#define CONNECTION_MEMORY (32 * 1024)
#define THREAD_STACK (1024 * 1024)
/* Renewed certificates whose connections may go on at the same time. */
#define OLD_MAX 10
#define SPOOL_BLOCK (32 * 1024)

/* Only suites with forward secrecy and authenticated encryption. */
#define TLS_PRIORITIES                                                                             \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"              \
	"-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:"                 \
	"-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"                              \
	"-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE"

/* A server with an older certificate, while it has connections. */
typedef struct {
	struct MHD_Daemon *daemon;
	int socket; /* which it does not listen at any more */
} Old;

struct Http {
	HttpOptions options;
	struct MHD_Daemon *daemon;
	GArray *old; /* of Old */
	Reaper *reaper;
	/* Connections, by network and in all. The library counts by address, of which a /64 has many,
	 * and each certificate's server by itself. */
	Crowd *crowd;
};

/* What a connection of ours has beside the library's. */
typedef struct {
	Reaped *reaped;
	gboolean entered; /* the crowd */
	char network[CROWD_NETWORK_SIZE];
} Guest;

/* One request while it comes in: from its first line. */
typedef struct {
	gsize target_size;
	gboolean checked; /* its head */
	char body[HTTP_BODY_MAX];
	gsize size;
} Exchange;

static void exchange_free(Exchange *exchange)
{
	if (exchange == NULL)
		return;
	sodium_memzero(exchange, sizeof(*exchange)); /* a password may be in it */
	g_free(exchange);
}

static Guest *guest_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static ssize_t read_spool(void *response, uint64_t at, char *buffer, size_t size)
{
	gssize got = spool_read(((Response *)response)->spool, (goffset)at, buffer, size, NULL);

	return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_response(void *response)
{
	response_free(response);
}

/* Takes the response. */
static struct MHD_Response *library_response(Response *response, gint64 *length)
{
	g_autoptr(Response) owned = response;
	struct MHD_Response *made;
	gsize size = 0;
	const void *data;

	if (response->spool != NULL) {
		*length = spool_length(response->spool);
		made = MHD_create_response_from_callback((uint64_t)*length, SPOOL_BLOCK, read_spool,
							 owned, free_response);
	} else {
		data = g_bytes_get_data(response->body, &size);
		*length = (gint64)size;
		made = MHD_create_response_from_buffer(size, (void *)data, MHD_RESPMEM_MUST_COPY);
	}
	for (guint i = 0; made != NULL && i < response->fields->len; i++) {
		const ResponseField *field = g_ptr_array_index(response->fields, i);

		MHD_add_response_header(made, field->name, field->value);
	}
	if (made != NULL && response->spool != NULL)
		(void)g_steal_pointer(&owned); /* the library's */
	return made;
}

/* Sends the response and frees it. */
static enum MHD_Result answer(Http *http, struct MHD_Connection *connection, Response *response)
{
	guint status = response->status;
	gint64 length = 0;
	struct MHD_Response *made = library_response(response, &length);
	enum MHD_Result result;

	if (made == NULL)
		return MHD_NO;
	reaper_renew(http->reaper, guest_of(connection)->reaped,
		     HTTP_ANSWER_TIME + length / HTTP_SLOWEST);
	result = MHD_queue_response(connection, status, made);
	MHD_destroy_response(made);
	return result;
}

static enum MHD_Result refuse(Http *http, struct MHD_Connection *connection, guint status)
{
	Response *response = http->options.refuse(status);

	response_set(response, "Connection", "close");
	return answer(http, connection, response);
}

static enum MHD_Result collect_field(void *fields, enum MHD_ValueKind kind, const char *name,
				     size_t name_size, const char *value, size_t value_size)
{
	HygieneField field = {name, name_size, value != NULL ? value : "", value_size};

	(void)kind;
	g_array_append_val((GArray *)fields, field);
	return MHD_YES;
}

/* 0 if the head is clean, else the status to refuse it with. */
static guint check_head(struct MHD_Connection *connection, HygieneHead *head)
{
	g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(HygieneField));
	const union MHD_ConnectionInfo *info;
	guint status;

	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, collect_field, fields);
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	head->size = info != NULL ? info->header_size : 0;
	head->fields = (const HygieneField *)fields->data;
	head->field_count = fields->len;
	status = hygiene_check(head);
	if (status == 0 && !g_str_equal(head->method, "GET") &&
	    !g_str_equal(head->method, "HEAD") && !g_str_equal(head->method, "POST"))
		status = HTTP_METHOD_NOT_ALLOWED;
	return status;
}

static const char *field_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result serve(Http *http, struct MHD_Connection *connection, const HygieneHead *head,
			     const Exchange *exchange)
{
	Request request = {
		.method = g_str_equal(head->method, "POST") ? METHOD_POST : METHOD_GET,
		.path = head->target,
		.client = guest_of(connection)->network,
		.host = field_of(connection, "Host"),
		.cookie = field_of(connection, "Cookie"),
		.origin = field_of(connection, "Origin"),
		.fetch_site = field_of(connection, "Sec-Fetch-Site"),
		.accept_language = field_of(connection, "Accept-Language"),
		.content_type = field_of(connection, "Content-Type"),
		.body = exchange->body,
		.body_size = exchange->size,
	};

	reaper_renew(http->reaper, guest_of(connection)->reaped, HTTP_ANSWER_TIME);
	return answer(http, connection, http->options.serve(http->options.context, &request));
}

/* The library calls this with the first line's target, before it takes the query off. */
static void *begin(void *data, const char *target, struct MHD_Connection *connection)
{
	Exchange *exchange = g_new0(Exchange, 1);

	(void)data;
	(void)connection;
	exchange->target_size = strlen(target);
	return exchange;
}

/* The library calls this when the head is there, then for each piece of the body, then once more. */
static enum MHD_Result handle(void *data, struct MHD_Connection *connection, const char *target,
			      const char *method, const char *version, const char *piece,
			      size_t *piece_size, void **state)
{
	Http *http = data;
	Exchange *exchange = *state;
	HygieneHead head = {.method = method, .target = target, .version = version};
	guint status;

	if (!exchange->checked) {
		head.target_size = exchange->target_size;
		status = check_head(connection, &head);
		if (status != 0)
			return refuse(http, connection, status);
		exchange->checked = TRUE;
		return MHD_YES;
	}
	if (*piece_size == 0)
		return serve(http, connection, &head, exchange);
	if (*piece_size > sizeof(exchange->body) - exchange->size)
		return MHD_NO;
	memcpy(exchange->body + exchange->size, piece, *piece_size);
	exchange->size += *piece_size;
	*piece_size = 0;
	return MHD_YES;
}

static void completed(void *data, struct MHD_Connection *connection, void **state,
		      enum MHD_RequestTerminationCode code)
{
	Http *http = data;

	(void)code;
	exchange_free(*state);
	*state = NULL;
	if (guest_of(connection) != NULL)
		reaper_renew(http->reaper, guest_of(connection)->reaped, HTTP_REQUEST_TIME);
}

/* Another server's thread may have given the last place away since may_come_in(). */
static Guest *guest_new(Http *http, struct MHD_Connection *connection)
{
	Guest *guest = g_new0(Guest, 1);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	crowd_network(info->client_addr, guest->network);
	guest->entered = crowd_enter(http->crowd, guest->network);
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!guest->entered)
		shutdown(info->connect_fd, SHUT_RDWR);
	guest->reaped = reaper_add(http->reaper, info->connect_fd, HTTP_REQUEST_TIME);
	return guest;
}

static void connection_changed(void *data, struct MHD_Connection *connection, void **context,
			       enum MHD_ConnectionNotificationCode code)
{
	Http *http = data;
	Guest *guest = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = guest_new(http, connection);
	} else {
		reaper_remove(http->reaper, guest->reaped);
		if (guest->entered)
			crowd_leave(http->crowd, guest->network);
		*context = NULL;
		g_free(guest);
	}
}

/* Before a connection gets a thread; its place is taken when it starts. */
static enum MHD_Result may_come_in(void *data, const struct sockaddr *address, socklen_t size)
{
	Http *http = data;
	char network[CROWD_NETWORK_SIZE];

	(void)size;
	crowd_network(address, network);
	return crowd_has_room(http->crowd, network) ? MHD_YES : MHD_NO;
}

/* Paths are compared as they were sent: nothing of ours needs an escape. */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *text)
{
	(void)data;
	(void)connection;
	return strlen(text);
}

static struct MHD_Daemon *start_daemon(Http *http, const Secret *certificate,
				       const Secret *private_key)
{
	const HttpOptions *options = &http->options;
	/* Its own: it closes it at its end, and when it fails. */
	int own_socket = fcntl(options->socket, F_DUPFD_CLOEXEC, 0);
	g_autofree char *key =
		g_strndup((const char *)secret_bytes(private_key), secret_size(private_key));
	g_autofree char *chain =
		g_strndup((const char *)secret_bytes(certificate), secret_size(certificate));
	struct MHD_Daemon *daemon = MHD_start_daemon(
		MHD_USE_TLS | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
			MHD_USE_POLL | MHD_USE_ITC,
		0, may_come_in, http, handle, http, MHD_OPTION_LISTEN_SOCKET, own_socket,
		MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_MEM_CERT, chain,
		MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES, MHD_OPTION_CONNECTION_LIMIT,
		options->connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)HTTP_ANSWER_TIME,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, begin, NULL, MHD_OPTION_NOTIFY_COMPLETED, completed,
		http, MHD_OPTION_NOTIFY_CONNECTION, connection_changed, http,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);

	sodium_memzero(key, strlen(key));
	return daemon;
}

/* The library wants the socket to live until then. */
static void old_stop(const Old *old)
{
	MHD_stop_daemon(old->daemon);
	if (old->socket >= 0)
		close(old->socket);
}

static void cannot_start(GError **error)
{
	g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
		    "the HTTPS server does not start: are [portal] certificate and key both PEM, "
		    "and do they belong together?");
}

static void http_free(Http *http)
{
	reaper_stop(http->reaper);
	crowd_free(http->crowd);
	g_array_unref(http->old);
	g_free(http);
}

Http *http_start(const HttpOptions *options, GError **error)
{
	Http *http = g_new0(Http, 1);

	http->options = *options;
	http->reaper = reaper_start();
	http->crowd = crowd_new(options->connections_per_address, options->connections);
	http->old = g_array_new(FALSE, FALSE, sizeof(Old));
	http->daemon = start_daemon(http, options->certificate, options->key);
	if (http->daemon != NULL)
		return http;
	http_free(http);
	cannot_start(error);
	return NULL;
}

gboolean http_renew(Http *http, const Secret *certificate, const Secret *key, GError **error)
{
	struct MHD_Daemon *daemon;
	Old old;

	http_tidy(http);
	if (http->old->len >= OLD_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_BUSY,
			    "too many renewals: connections of the last ones go on");
		return FALSE;
	}
	daemon = start_daemon(http, certificate, key);
	if (daemon == NULL) {
		cannot_start(error);
		return FALSE;
	}
	old.daemon = http->daemon;
	old.socket = MHD_quiesce_daemon(http->daemon);
	g_array_append_val(http->old, old);
	http->daemon = daemon;
	return TRUE;
}

void http_tidy(Http *http)
{
	for (guint i = http->old->len; i-- > 0;) {
		Old *old = &g_array_index(http->old, Old, i);
		const union MHD_DaemonInfo *info =
			MHD_get_daemon_info(old->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

		if (info != NULL && info->num_connections > 0)
			continue;
		old_stop(old);
		g_array_remove_index(http->old, i);
	}
}

void http_stop(Http *http)
{
	if (http == NULL)
		return;
	reaper_cut_all(http->reaper);
	for (guint i = 0; i < http->old->len; i++)
		old_stop(&g_array_index(http->old, Old, i));
	MHD_stop_daemon(http->daemon);
	close(http->options.socket);
	http_free(http);
}
