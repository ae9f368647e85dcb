/* SPDX-License-Identifier: Apache-2.0
 *
 * The names in From: many readers show them alone. One that shows another address than the one it
 * stands for is a lie ("Johnny, you are fired", class ID). Pure.
 */
#ifndef SEALPOST_GATEWAY_FROMNAME_H
#define SEALPOST_GATEWAY_FROMNAME_H

#include "lib/mail/headers.h"

/* Does a name or comment in a From field, decoded, hold an address that is not one of the field's
 * mailboxes? */
gboolean fromname_lies(const Headers *headers);
/* The text around this "@" of the text that may be an address, folded; NULL if it is none. New
 * string. */
char *fromname_address_around(const char *text, const char *at);

#endif
