/* SPDX-License-Identifier: Apache-2.0
 *
 * Header protection of what we send (RFC 9788): which of a message's fields stand once more inside
 * its encryption or signature, what the outside shows of them, and how the inside says so. Pure:
 * fields in, fields out; protect.c puts them in place.
 */
#ifndef SEALPOST_GATEWAY_HEADPROTECT_H
#define SEALPOST_GATEWAY_HEADPROTECT_H

#include "lib/mail/headers.h"

/* The subject outside of a copy whose subject is hidden (RFC 9788, section 3.2.1); raw. */
#define HEADPROTECT_HIDDEN " [...]"

/* How much of what is not known to readers' programs goes inside: a message with 10,000 fields
 * does not become one with 30,000. */
#define HEADPROTECT_FIELDS_MAX 200
#define HEADPROTECT_BYTES_MAX (64 * 1024)

/* Does a rule's `hide subject` keep this field inside? hcp_baseline of RFC 9788 (Subject, Comments,
 * Keywords), and Outlook's second copy of the subject. Of these only the subject leaves something
 * outside: HEADPROTECT_HIDDEN. */
gboolean headprotect_is_hidden(const char *name);

/* The fields to stand inside, in their order, all but structural ones and those of transport; of an
 * encrypted copy then an HP-Outer for each that stands outside, as it stands there. `sent` are the
 * fields that leave, before the subject is hidden. Of a signed copy only what survives relays.
 * ERROR_TOO_LARGE if a hidden field has no room inside. New value. */
Headers *headprotect_fields(const Headers *sent, gboolean encrypted, gboolean hide_subject,
			    GError **error);

/* The Content-Type of the inside, raw: the one it had (NULL: none) with hp= and the older mark
 * protected-headers= in the place of any such. New string. */
char *headprotect_content_type(const char *raw, gboolean encrypted);

#endif
