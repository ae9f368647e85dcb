/* SPDX-License-Identifier: Apache-2.0
 *
 * The only door to libmicrohttpd (see http.h). A request whose head is not clean, or whose body is
 * too large, is refused at its first sight, before any of its body is read, and the connection
 * ends with it.
 */
#include "portal/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/error.h"
#include "portal/hygiene.h"
#include "portal/reaper.h"

/* Memory of one connection: bounds the head of a request. */
#define CONNECTION_MEMORY (32 * 1024)
#define THREAD_STACK (1024 * 1024)
#define SPOOL_BLOCK (32 * 1024)

/* Only suites with forward secrecy and authenticated encryption. */
#define TLS_PRIORITIES                                                                             \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"              \
	"-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:"                 \
	"-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"                              \
	"-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE"

struct Http {
	HttpOptions options;
	struct MHD_Daemon *daemon;
	Reaper *reaper;
};

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

static Reaped *reaped_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static ssize_t read_spool(void *spool, uint64_t at, char *buffer, size_t size)
{
	gssize got = spool_read(spool, (goffset)at, buffer, size, NULL);

	return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_spool(void *spool)
{
	spool_unref(spool);
}

static struct MHD_Response *library_response(const Response *response, gint64 *length)
{
	struct MHD_Response *made;
	gsize size = 0;
	const void *data;

	if (response->spool != NULL) {
		*length = spool_length(response->spool);
		made = MHD_create_response_from_callback((uint64_t)*length, SPOOL_BLOCK, read_spool,
							 spool_ref(response->spool), free_spool);
	} else {
		data = g_bytes_get_data(response->body, &size);
		*length = (gint64)size;
		made = MHD_create_response_from_buffer(size, (void *)data, MHD_RESPMEM_MUST_COPY);
	}
	for (guint i = 0; made != NULL && i < response->fields->len; i++) {
		const ResponseField *field = g_ptr_array_index(response->fields, i);

		MHD_add_response_header(made, field->name, field->value);
	}
	return made;
}

/* Sends the response and frees it. */
static enum MHD_Result answer(Http *http, struct MHD_Connection *connection, Response *response)
{
	g_autoptr(Response) owned = response;
	gint64 length = 0;
	struct MHD_Response *made = library_response(owned, &length);
	enum MHD_Result result;

	if (made == NULL)
		return MHD_NO;
	reaper_renew(http->reaper, reaped_of(connection), HTTP_ANSWER_TIME + length / HTTP_SLOWEST);
	result = MHD_queue_response(connection, owned->status, made);
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

/* The client's address; of IPv6 only the network that one customer has, for limits. */
static void client_address(struct MHD_Connection *connection, char *text, socklen_t size)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info != NULL ? info->client_addr : NULL;

	*text = '\0';
	if (address != NULL && address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, size);
	} else if (address != NULL && address->sa_family == AF_INET6) {
		struct in6_addr network = ((const struct sockaddr_in6 *)address)->sin6_addr;

		if (!IN6_IS_ADDR_V4MAPPED(&network))
			memset(network.s6_addr + 8, 0, 8);
		inet_ntop(AF_INET6, &network, text, size);
	}
}

static const char *field_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result serve(Http *http, struct MHD_Connection *connection, const HygieneHead *head,
			     const Exchange *exchange)
{
	char client[INET6_ADDRSTRLEN];
	Request request = {
		.method = g_str_equal(head->method, "POST") ? METHOD_POST : METHOD_GET,
		.path = head->target,
		.client = client,
		.host = field_of(connection, "Host"),
		.cookie = field_of(connection, "Cookie"),
		.origin = field_of(connection, "Origin"),
		.fetch_site = field_of(connection, "Sec-Fetch-Site"),
		.accept_language = field_of(connection, "Accept-Language"),
		.content_type = field_of(connection, "Content-Type"),
		.body = exchange->body,
		.body_size = exchange->size,
	};

	client_address(connection, client, sizeof(client));
	reaper_renew(http->reaper, reaped_of(connection), HTTP_ANSWER_TIME);
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
	if (reaped_of(connection) != NULL)
		reaper_renew(http->reaper, reaped_of(connection), HTTP_REQUEST_TIME);
}

static void connection_changed(void *data, struct MHD_Connection *connection, void **context,
			       enum MHD_ConnectionNotificationCode code)
{
	Http *http = data;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		*context = reaper_add(http->reaper, info->connect_fd, HTTP_REQUEST_TIME);
	} else {
		reaper_remove(http->reaper, *context);
		*context = NULL;
	}
}

/* Paths are compared as they were sent: nothing of ours needs an escape. */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *text)
{
	(void)data;
	(void)connection;
	return strlen(text);
}

static struct MHD_Daemon *start_daemon(Http *http)
{
	const HttpOptions *options = &http->options;
	g_autofree char *key =
		g_strndup((const char *)secret_bytes(options->key), secret_size(options->key));
	g_autofree char *chain = g_strndup((const char *)secret_bytes(options->certificate),
					   secret_size(options->certificate));
	struct MHD_Daemon *daemon = MHD_start_daemon(
		MHD_USE_TLS | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
			MHD_USE_POLL | MHD_USE_ITC,
		0, NULL, NULL, handle, http, MHD_OPTION_LISTEN_SOCKET, options->socket,
		MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_MEM_CERT, chain,
		MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES, MHD_OPTION_CONNECTION_LIMIT,
		options->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		options->connections_per_address, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)HTTP_ANSWER_TIME, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, begin, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, completed, http, MHD_OPTION_NOTIFY_CONNECTION,
		connection_changed, http, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_END);

	sodium_memzero(key, strlen(key));
	return daemon;
}

Http *http_start(const HttpOptions *options, GError **error)
{
	Http *http = g_new0(Http, 1);

	http->options = *options;
	http->reaper = reaper_start();
	http->daemon = start_daemon(http);
	if (http->daemon != NULL)
		return http;
	reaper_stop(http->reaper);
	g_free(http);
	g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
		    "the HTTPS server does not start: do certificate and key belong together?");
	return NULL;
}

void http_stop(Http *http)
{
	if (http == NULL)
		return;
	reaper_cut_all(http->reaper);
	MHD_stop_daemon(http->daemon);
	reaper_stop(http->reaper);
	g_free(http);
}
