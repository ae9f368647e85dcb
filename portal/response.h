/* SPDX-License-Identifier: Apache-2.0
 *
 * What a page answers: status, header fields, and a body in memory or in a spool, of which
 * http.c sends piece after piece.
 */
#ifndef SEALPOST_PORTAL_RESPONSE_H
#define SEALPOST_PORTAL_RESPONSE_H

#include "lib/mail/spool.h"

#define HTTP_OK 200
#define HTTP_SEE_OTHER 303
#define HTTP_BAD_REQUEST 400
#define HTTP_FORBIDDEN 403
#define HTTP_NOT_FOUND 404
#define HTTP_METHOD_NOT_ALLOWED 405
#define HTTP_LENGTH_REQUIRED 411
#define HTTP_TOO_LARGE 413
#define HTTP_MISDIRECTED 421
#define HTTP_TOO_MANY 429
#define HTTP_FIELDS_TOO_LARGE 431
#define HTTP_INTERNAL 500
#define HTTP_UNAVAILABLE 503
#define HTTP_VERSION_NOT_SUPPORTED 505

typedef struct {
	char *name;
	char *value;
} ResponseField;

typedef struct {
	guint status;
	GPtrArray *fields; /* of ResponseField *, each name once */
	GBytes *body; /* one of these two */
	Spool *spool;
	gpointer kept; /* until the last byte has left, */
	GDestroyNotify release; /* then this is called with it; NULL: nothing */
	char *note; /* for the log: what happened, without content; NULL if nothing special */
	const char *route; /* for the log: the route's name, static; NULL if there was none */
	gboolean quiet; /* nothing that an administrator wants to read of */
} Response;

/* type: Content-Type; takes the text. */
Response *response_new_text(guint status, const char *type, char *text);
Response *response_new_bytes(guint status, const char *type, GBytes *bytes);
/* Keeps a reference to the spool. */
Response *response_new_spool(guint status, const char *type, Spool *spool);
/* Keeps something until the answer has left, then calls release with it. */
void response_keep(Response *response, gpointer kept, GDestroyNotify release);
/* 303: the browser goes on with a GET to a path of ours. */
Response *response_new_redirect(const char *path);
void response_free(Response *response);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Response, response_free)

/* Sets or replaces a header field. Bytes that may not stand in one become '?'. */
void response_set(Response *response, const char *name, const char *value);
/* NULL if it is not set. Borrowed. */
const char *response_get(const Response *response, const char *name);
void response_set_note(Response *response, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
