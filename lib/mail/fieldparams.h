/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters put into and taken out of the raw value of a field such as Content-Type, however it
 * is spelled: every other byte stays as it came.
 */
#ifndef SEALPOST_LIB_MAIL_FIELDPARAMS_H
#define SEALPOST_LIB_MAIL_FIELDPARAMS_H

#include <glib.h>

/* The value with these parameters (as text: a="b"; c="d") right behind the media type, so that no
 * quote left open in a later one can swallow them. New string. */
char *field_params_add(const char *raw, const char *params);

/* The value without the parameters of these names (NULL-terminated, in any case). New string. */
char *field_params_remove(const char *raw, const char *const *names);

#endif
