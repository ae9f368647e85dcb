/* SPDX-License-Identifier: Apache-2.0
 *
 * What the reader and his client are told of a message that came in: Authentication-Results (RFC
 * 8601; smime as in RFC 7281, pgp in the same manner) and X-Sealpost-Incoming. Pure.
 */
#ifndef SEALPOST_GATEWAY_ANNOTATE_H
#define SEALPOST_GATEWAY_ANNOTATE_H

#include "gateway/opened.h"

/* Values in raw form, with their leading blank and folding. New strings. */
char *annotate_results(const Opened *opened, const char *authserv_id);
char *annotate_details(const Opened *opened);

#endif
