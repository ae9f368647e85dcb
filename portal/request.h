/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP request as the pages see it: plain data, already checked for hygiene, from whichever
 * HTTP library http.c uses. Everything is borrowed for the time of the request.
 */
#ifndef SEALPOST_PORTAL_REQUEST_H
#define SEALPOST_PORTAL_REQUEST_H

#include <glib.h>

typedef enum { METHOD_GET, METHOD_POST } Method; /* HEAD is a GET whose body is not sent */

typedef struct {
	Method method;
	const char *path; /* as sent: nothing is decoded */
	const char *client; /* the address of the other side */
	/* Header fields; NULL if absent. */
	const char *host;
	const char *cookie;
	const char *origin;
	const char *fetch_site; /* Sec-Fetch-Site */
	const char *accept_language;
	const char *content_type;
	const char *body; /* POST: at most HTTP_BODY_MAX bytes, not NUL-terminated */
	gsize body_size;
} Request;

#endif
