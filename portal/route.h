/* SPDX-License-Identifier: Apache-2.0
 *
 * From a request to its answer: the table of routes, what is checked before a page sees a
 * request (host, form, log-in), and the header fields that every answer has.
 */
#ifndef SEALPOST_PORTAL_ROUTE_H
#define SEALPOST_PORTAL_ROUTE_H

#include "portal/portal.h"
#include "portal/request.h"
#include "portal/response.h"

/* Never NULL. *failure (may be NULL) gets what went wrong inside, for the log. */
Response *route_serve(Portal *portal, const Request *request, GError **failure);

/* An answer without a page, for requests that are refused before they are one. */
Response *route_refuse(guint status);

#endif
