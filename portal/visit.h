/* SPDX-License-Identifier: Apache-2.0
 *
 * One request on its way through the pages: who it is from, in which language, what its form
 * says. A browser is known by one cookie, a random token: forms carry a keyed hash of it (CSRF),
 * and a log-in files the session under a new one. Nothing is stored for a visitor who does not
 * log in.
 */
#ifndef SEALPOST_PORTAL_VISIT_H
#define SEALPOST_PORTAL_VISIT_H

#include "portal/form.h"
#include "portal/portal.h"
#include "portal/request.h"
#include "portal/response.h"
#include "portal/template.h"

#define VISIT_ARGUMENTS 2
#define VISIT_COOKIE "__Host-sealpost"

typedef struct {
	Portal *portal;
	const Request *request;
	Language language;
	char *token; /* the cookie's value; never NULL */
	gboolean new_token; /* the browser does not have it yet */
	Session *session; /* NULL if not logged in */
	Form *form; /* POST only */
	char *arguments[VISIT_ARGUMENTS]; /* what stood for the '*'s of the route */
} Visit;

Visit *visit_new(Portal *portal, const Request *request);
void visit_free(Visit *visit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Visit, visit_free)

/* Logs out whose account was removed since, or made anew by somebody else, or got a new password in
 * another session. */
gboolean visit_check_account(Visit *visit, GError **error);
/* The value that a form must send back. New string. */
char *visit_form_token(const Visit *visit);
/* Is this POST one of our own forms? Origin and Sec-Fetch-Site, then the form's token. Reads the
 * form. FALSE without error: it is not. */
gboolean visit_check_form(Visit *visit, GError **error);
/* A field of the form, "" if it is absent. */
const char *visit_field(const Visit *visit, const char *name);

/* Logs in: takes private_key; the browser gets a new token. */
gboolean visit_log_in(Visit *visit, const Account *account, Secret **private_key, GError **error);
void visit_log_out(Visit *visit);
gboolean visit_is(const Visit *visit, const char *address);

#endif
