/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTPS server (libmicrohttpd): turns what comes over the wire into Requests and Responses
 * into what goes out. One thread a connection; each request has an absolute deadline, which a
 * reaper enforces by shutting the socket.
 */
#ifndef SEALPOST_PORTAL_HTTP_H
#define SEALPOST_PORTAL_HTTP_H

#include "lib/base/secret.h"
#include "portal/request.h"
#include "portal/response.h"

/* Seconds in which a request must have come in completely, counted from the connection's start or
 * from the end of the last answer; in which an answer must have gone out, plus what its length
 * takes at the slowest speed that we wait for. */
#define HTTP_REQUEST_TIME 20
#define HTTP_ANSWER_TIME 60
#define HTTP_SLOWEST (8 * 1024) /* bytes a second */

typedef struct Http Http;

typedef struct {
	int socket; /* listens; taken on success */
	const Secret *certificate; /* PEM, with the chain */
	const Secret *key; /* PEM */
	guint connections;
	guint connections_per_address; /* of IPv6: per /64 */
	/* Called in the connection's thread; never NULL, taken. */
	Response *(*serve)(void *context, const Request *request);
	/* The answer to a request that is refused before it is one. */
	Response *(*refuse)(guint status);
	void *context;
} HttpOptions;

/* A listening socket at "inet:HOST:PORT" (a numeric address or localhost); -1 on error. */
int http_listen(const char *endpoint, GError **error);

Http *http_start(const HttpOptions *options, GError **error);
/* New connections get this certificate and key; those that are there go on with theirs. On error
 * all is as it was. Like the two below, for one thread. */
gboolean http_renew(Http *http, const Secret *certificate, const Secret *key, GError **error);
/* Gives free what was left of older certificates and has no connection any more. To be called now
 * and then. */
void http_tidy(Http *http);
/* Ends all connections, then returns. */
void http_stop(Http *http);

#endif
