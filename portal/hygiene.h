/* SPDX-License-Identifier: Apache-2.0
 *
 * Is a request's head one that every HTTP parser reads alike? The library below is lenient
 * (two lengths, control characters, HTTP/1.9 ...); behind a proxy of another opinion that becomes
 * request smuggling (RFC 9112, section 11.2). Browsers send nothing of what is refused here.
 */
#ifndef SEALPOST_PORTAL_HYGIENE_H
#define SEALPOST_PORTAL_HYGIENE_H

#include <glib.h>

/* Most bytes of a form; most header fields; longest target. */
#define HTTP_BODY_MAX (16 * 1024)
#define HTTP_FIELDS_MAX 100
#define HTTP_TARGET_MAX 1024

typedef struct {
	const char *name;
	gsize name_size;
	const char *value;
	gsize value_size;
} HygieneField;

typedef struct {
	const char *method;
	const char *target;
	const char *version;
	gsize target_size; /* with the query */
	const HygieneField *fields;
	gsize field_count;
	gsize size; /* of the whole head as it was sent, with the blank line */
} HygieneHead;

/* 0 if it is clean, else the status to answer before the connection is closed. */
guint hygiene_check(const HygieneHead *head);

#endif
