/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose Authentication-Results is it (RFC 8601)? Only we may speak in our name; what comes from
 * outside in it is removed (section 5). Pure.
 */
#ifndef SEALPOST_GATEWAY_AUTHSERV_H
#define SEALPOST_GATEWAY_AUTHSERV_H

#include <glib.h>

/* Would a reader take the field with this raw value for one of `authserv_id`'s? In any case, folded,
 * quoted, behind comments, with a version, with a dot at the end, as U-label or A-label, in encoded words; or anywhere
 * before the first semicolon as a word. */
gboolean authserv_claims(const char *value, const char *authserv_id);

#endif
