/* SPDX-License-Identifier: Apache-2.0
 *
 * Edits to a message's header block, as data. Made once for each variant (edits_for()); carried
 * out by milter.c on the message in the MTA, or by edits_apply() on a copy that is resubmitted or
 * shown by explain: both give the same message. The order in the list is the order of carrying
 * out: changes, then deletions from the highest index down (the MTA renumbers at once), then
 * additions at the end, insertions on top.
 */
#ifndef SEALPOST_GATEWAY_EDITS_H
#define SEALPOST_GATEWAY_EDITS_H

#include "lib/mail/headers.h"

#include "gateway/subject.h"

/* Longest value that the MTA's protocol takes, less some room. */
#define EDITS_VALUE_MAX 60000

typedef enum { EDIT_CHANGE, EDIT_DELETE, EDIT_ADD, EDIT_INSERT } EditKind;

typedef struct {
	EditKind kind;
	char *name;
	guint nth; /* from 1, among the fields of that name; not for EDIT_ADD and EDIT_INSERT */
	char *value; /* raw as in Header: with its leading blank; NULL for EDIT_DELETE */
} Edit;

typedef struct {
	/* Fields that describe the new body: Content-* of the message are replaced by these (its
	 * MIME-Version stays or is added). NULL: the body stays as it is. */
	const Headers *content;
	const char *route; /* value of X-Sealpost-Route, without a blank; NULL: none */
	SubjectWish subject;
	/* All fields of these names are replaced by these; not for Subject. NULL: none. */
	const Headers *restored;
	gboolean hide_subject; /* outside stands [...] (headprotect.h) */
	const char *authserv_id; /* our name: Authentication-Results that claim it are removed */
	const char *results; /* raw values for the top: Authentication-Results, */
	const char *details; /* X-Sealpost-Incoming; NULL: none */
	/* One of us wrote it and hid these recipients: Bcc and Resent-Bcc are removed. In a
	 * stranger's message they may be what his DKIM signature covers. */
	gboolean hides_bcc;
} EditWish;

/* The name of the route header, which leads a message to a mandatory-TLS transport. */
#define EDITS_ROUTE "X-Sealpost-Route"

/* The edits that lead from the fields as received to the wish. Always removed: X-Sealpost-*
 * and Authentication-Results in our name. Array of Edit *, owns them. */
GPtrArray *edits_for(const Headers *received, const EditWish *wish);

/* A copy of the fields with the edits carried out, in the MTA's way. ERROR_TOO_LARGE if the
 * additions lead over the limits of Headers. */
Headers *edits_apply(const Headers *received, const GPtrArray *edits, GError **error);

#endif
